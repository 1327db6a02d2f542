"""What can be wrong with master data."""

from coldshelf.kit.errors import InputInvalid


class PlanogramInUse(InputInvalid):
    """The planogram was used for a picture and does not change any more"""

    code = "planogram_in_use"
    cure = "Save it under a new name and link the assets to that one."


class ReferencePictureInvalid(InputInvalid):
    """The reference picture cannot be used"""

    code = "reference_picture_invalid"
