"""The parameters of an upload, read and checked (contract 2.1). Pure."""

from dataclasses import dataclass

from coldshelf.kit.web.params import Params
from coldshelf.pictures.errors import IdentifierMissing
from coldshelf.pictures.scenes import DEFAULT_SCENE, Scene, scene_named
from coldshelf.pictures.sources import DEFAULT_SOURCE, Source, source_numbered

LONGEST_IDENTIFIER = 250
LONGEST_CALLBACK = 2000


@dataclass(frozen=True, slots=True)
class UploadRequest:
    """What the caller said. `scene` and `source` are None when they are not declared; the words are kept."""

    serial_number: str
    store_number: str
    imei: str
    scene: Scene | None
    scene_name: str
    source: Source | None
    source_number: int
    stitches: bool
    grid_order: str
    before_after: int
    verifies_size: bool
    callback_url: str

    @property
    def needs_asset(self) -> bool:
        return self.scene is None or self.scene.needs_asset


def has_identifier(params: Params) -> bool:
    return any(params.text(name) for name in ("SerialNumber", "StoreNumber", "IMEI"))


def read_upload_request(params: Params) -> UploadRequest:
    """Read every parameter; raise InputInvalid naming the one that is wrong and what it takes."""
    if not has_identifier(params):
        raise IdentifierMissing
    source_number = params.integer("ImageReceivedFrom", default=DEFAULT_SOURCE.number)
    source = source_numbered(source_number)
    scene_name = params.text("SceneType") or DEFAULT_SCENE.name
    scene = scene_named(scene_name)
    return UploadRequest(
        serial_number=params.text("SerialNumber")[:LONGEST_IDENTIFIER],
        store_number=params.text("StoreNumber")[:LONGEST_IDENTIFIER],
        imei=params.text("IMEI")[:LONGEST_IDENTIFIER],
        scene=scene,
        scene_name=(scene.name if scene else scene_name)[:LONGEST_IDENTIFIER],
        source=source,
        source_number=source_number,
        stitches=params.boolean("IsStitchImage", default=(source or DEFAULT_SOURCE).stitches),
        grid_order=params.text("GridOrder")[:LONGEST_IDENTIFIER],
        before_after=params.integer("BeforeAfterImage", default=0),
        verifies_size=params.boolean("VerifyFileSize", default=False),
        callback_url=params.text("callbackUrl")[:LONGEST_CALLBACK],
    )
