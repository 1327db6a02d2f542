"""What can be wrong with a list or a record."""

from coldshelf.kit.errors import Gone, InputInvalid


class FilterInvalid(InputInvalid):
    """The filter cannot be used"""

    code = "filter_invalid"


class PageInvalid(InputInvalid):
    """The page cannot be used"""

    code = "page_invalid"


class FieldInvalid(InputInvalid):
    """A field cannot be used"""

    code = "field_invalid"


class RecordNotFound(InputInvalid):
    """There is no such record"""

    code = "record_not_found"


class RecordExists(InputInvalid):
    """There is such a record already"""

    code = "record_exists"


class CursorGone(Gone):
    """This cursor cannot be continued"""

    code = "cursor_gone"
    cure = "Start again without a cursor."
