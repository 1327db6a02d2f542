"""The upload's errors, in the contract's exact words (contract 2.3)."""

from coldshelf.kit.errors import ColdshelfError, Conflict, Gone, InputInvalid, NotFound
from coldshelf.kit.http.errors import OutgoingFailed


class UploadRefused(InputInvalid):
    """The upload was refused"""

    code = "upload_refused"


class ActionNotFound(UploadRefused):
    """Action not found"""

    code = "action_not_found"


class ClientNotSpecified(UploadRefused):
    """Invalid request. Client not specified"""

    code = "client_not_specified"


class NoImageFiles(UploadRefused):
    """No image files found to upload"""

    code = "no_image_files"


class IdentifierMissing(UploadRefused):
    """StoreNumber or Asset Serial# is required"""

    code = "identifier_missing"


class AssetNotFound(UploadRefused):
    """Asset not found"""

    code = "asset_not_found"

    def __init__(self, identifier: str) -> None:
        super().__init__(f"Asset not found: {identifier}")


class OutletNotFound(UploadRefused):
    """Outlet not Found OR is Linked with Asset"""

    code = "outlet_not_found"

    def __init__(self, code: str) -> None:
        super().__init__(f"Outlet not Found OR is Linked with Asset: {code}")


class OutletMismatch(UploadRefused):
    """Asset assigned to another outlet"""

    code = "outlet_mismatch"

    def __init__(self, assigned: str, passed: str) -> None:
        super().__init__(f"Asset assigned to outlet code {assigned}, passed code {passed} - mismatch")


class AssetInactive(UploadRefused):
    """The asset is Inactive"""

    code = "asset_inactive"

    def __init__(self, serial_number: str) -> None:
        super().__init__(f"Asset {serial_number} is Inactive")


class ZeroBytes(UploadRefused):
    """Image saved with 0 bytes"""

    code = "zero_bytes"


class SaveFailed(ColdshelfError):
    """Something went wrong while saving image"""

    code = "save_failed"


class FaultSwitched(ColdshelfError):
    """Something went wrong"""

    code = "fault_switched"


class PictureNotFound(NotFound):
    """There is no such picture"""

    code = "picture_not_found"


class PictureGone(Gone):
    """This picture is not kept any more"""

    code = "picture_gone"


class PictureDecided(Conflict):
    """The picture does not wait for a decision any more"""

    code = "picture_decided"
    cure = "Load it again; what a reviewer decided can be taken back with reopen while no result is served."


class DecisionStands(Conflict):
    """The decision cannot be taken back"""

    code = "decision_stands"


class AssetMissing(InputInvalid):
    """The scene needs an asset, and the picture has none"""

    code = "asset_missing"
    cure = "Send SerialNumber or AssetId of the cooler that it shows, or correct SceneType."


class ManifestInvalid(InputInvalid):
    """The manifest of the batch cannot be used"""

    code = "manifest_invalid"


class UploadTooLarge(UploadRefused):
    """The upload is too large"""

    code = "upload_too_large"
    status = 413


class PictureNotFetched(UploadRefused):
    """The picture could not be fetched"""

    code = "picture_not_fetched"

    def __init__(self, reason: OutgoingFailed) -> None:
        super().__init__(f"Image could not be fetched: {reason.message}. {reason.cure}".rstrip())
