"""What can be wrong with the bytes of a picture."""

from coldshelf.kit.errors import InputInvalid, TooLarge


class PictureCorrupt(InputInvalid):
    """Image is corrupted"""

    code = "picture_corrupt"
    cure = "Send the file again as the camera wrote it."


class PictureFormatUnknown(InputInvalid):
    """Image format is not supported: send JPEG, PNG, WebP or HEIC"""

    code = "picture_format_unknown"
    cure = "Convert the picture to JPEG."


class PictureTooLarge(TooLarge):
    """Image is too large"""

    code = "picture_too_large"
    cure = "Make the picture smaller; `/api/v1/limits` says how large it may be."


class GridOrderMismatch(InputInvalid):
    """Files did not match with the grid order"""

    code = "grid_order_mismatch"
    cure = "Send as many positions as files, each from 1 to the number of files once."
