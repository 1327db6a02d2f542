"""What can be wrong with a list or a record."""

from datetime import timedelta

from coldshelf.kit.errors import Conflict, Gone, InputInvalid


class FilterInvalid(InputInvalid):
    """The filter cannot be used"""

    code = "filter_invalid"


class PageInvalid(InputInvalid):
    """The page cannot be used"""

    code = "page_invalid"


class FieldInvalid(InputInvalid):
    """A field cannot be used"""

    code = "field_invalid"
    problem_status = 422


class RecordNotFound(InputInvalid):
    """There is no such record"""

    code = "record_not_found"
    problem_status = 404


class RecordExists(InputInvalid):
    """There is such a record already"""

    code = "record_exists"
    problem_status = 409


class RecordAddedMeanwhile(RecordExists):
    """There is such a record already, which another request may have added a moment ago"""

    code = "record_added_meanwhile"


class RecordInUse(InputInvalid):
    """Other records refer to this one"""

    code = "record_in_use"
    problem_status = 409
    cure = "Change or delete those first."


class OutOfSight(InputInvalid):
    """The record would be where this credential does not see it"""

    code = "out_of_sight"
    cure = "Name an outlet that this credential may see."


class WritesCollided(Conflict):
    """Several writes of the same records collided"""

    code = "writes_collided"
    retry = True
    retry_after = timedelta(seconds=1)
    cure = "Send it again after the seconds in Retry-After."


class CursorGone(Gone):
    """This cursor cannot be continued"""

    code = "cursor_gone"
    cure = "Start again without a cursor."
