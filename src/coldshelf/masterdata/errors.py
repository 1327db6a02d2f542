"""What can be wrong with master data."""

from coldshelf.kit.errors import InputInvalid


class PlanogramInUse(InputInvalid):
    """The planogram was used for a picture and does not change any more"""

    code = "planogram_in_use"
    problem_status = 409
    cure = "Change a copy: action=duplicate takes the changes, and with RelinkAssets=1 links the assets to it."


class ReferencePictureInvalid(InputInvalid):
    """The reference picture cannot be used"""

    code = "reference_picture_invalid"
