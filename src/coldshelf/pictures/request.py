"""The parameters of an upload, read and checked (contract 2.1). Pure."""

from dataclasses import dataclass
from urllib.parse import urlsplit

from coldshelf.kit.errors import InputInvalid
from coldshelf.kit.web.params import Params
from coldshelf.pictures.errors import IdentifierMissing
from coldshelf.pictures.scenes import DEFAULT_SCENE, Scene, scene_named
from coldshelf.pictures.sources import DEFAULT_SOURCE, Source, source_numbered

LONGEST_TEXT = 250
LONGEST_CALLBACK = 2000
BEFORE_AFTER = (0, 1, 2)
IMAGE_URL = "ImageUrl"
"""Names a picture by its address, in place of a file; as often as there are pictures."""


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
    scene_name = _bounded(params, "SceneType") or DEFAULT_SCENE.name
    scene = scene_named(scene_name)
    return UploadRequest(
        serial_number=_bounded(params, "SerialNumber"),
        store_number=_bounded(params, "StoreNumber"),
        imei=_bounded(params, "IMEI"),
        scene=scene,
        scene_name=scene.name if scene else scene_name,
        source=source,
        source_number=source_number,
        stitches=params.boolean("IsStitchImage", default=(source or DEFAULT_SOURCE).stitches),
        grid_order=_bounded(params, "GridOrder"),
        before_after=_before_after(params),
        verifies_size=params.boolean("VerifyFileSize", default=False),
        callback_url=_callback_url(params),
    )


def _bounded(params: Params, name: str, longest: int = LONGEST_TEXT) -> str:
    value = params.text(name)
    if len(value) > longest:
        raise InputInvalid(f"{name} takes at most {longest} characters, not {len(value)}.")
    return value


def _before_after(params: Params) -> int:
    value = params.integer("BeforeAfterImage", default=BEFORE_AFTER[0])
    if value not in BEFORE_AFTER:
        raise InputInvalid(f"BeforeAfterImage takes 0 (not specified), 1 (before) or 2 (after), not {value}.")
    return value


def _callback_url(params: Params) -> str:
    value = _bounded(params, "callbackUrl", LONGEST_CALLBACK)
    if not value:
        return ""
    try:
        parts = urlsplit(value)
    except ValueError:
        parts = urlsplit("")
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise InputInvalid("callbackUrl takes a URL that begins with https:// or http://.")
    return value
