"""Pictures: upload and preview."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

from coldshelf.client.core import KEY, Ask, Call, File, Reply, Steps, Wait, new_key
from coldshelf.client.errors import NotFound, ShelfError, UploadRefused
from coldshelf.client.models import Uploaded

Picture = str | Path | bytes | tuple[str, bytes]
"""A path, or bytes, or a name and bytes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Upload:
    """What is uploaded, and for which cooler (docs/upload.md)."""

    pictures: Sequence[Picture] = ()
    urls: Sequence[str] = ()
    serial_number: str = ""
    store_number: str = ""
    imei: str = ""
    scene: str = ""
    source: int | None = None
    stitch: bool | None = None
    grid_order: Sequence[int] = ()
    before_after: int = 0
    verify_size: bool = False
    callback_url: str = ""

    def form(self) -> tuple[tuple[str, str], ...]:
        """Give what was said; what was not is left to the server."""
        said = {
            "SerialNumber": self.serial_number,
            "StoreNumber": self.store_number,
            "IMEI": self.imei,
            "SceneType": self.scene,
            "ImageReceivedFrom": "" if self.source is None else str(self.source),
            "IsStitchImage": "" if self.stitch is None else str(self.stitch).lower(),
            "GridOrder": ",".join(map(str, self.grid_order)),
            "BeforeAfterImage": str(self.before_after) if self.before_after else "",
            "VerifyFileSize": "true" if self.verify_size else "",
            "callbackUrl": self.callback_url,
        }
        return tuple((name, text) for name, text in said.items() if text) + tuple(
            ("ImageUrl", url) for url in self.urls
        )

    def files(self) -> tuple[File, ...]:
        return tuple(_file(number, picture) for number, picture in enumerate(self.pictures, 1))


def upload(ask: Ask, sent: Upload, key: str | None, *, strict: bool) -> Steps[list[Uploaded]]:
    """Upload pictures of one cooler; raise UploadRefused when one was refused, unless not `strict`."""
    call = Call(
        path="/controllers/coolrapi.ashx",
        query={"action": "uploadImage"},
        form=sent.form(),
        files=sent.files(),
        headers={KEY: key or new_key()},
    )
    reply = yield from ask(call)
    return settled(results_of(reply), reply.request_id, strict=strict)


def settled(results: list[Uploaded], request_id: str, *, strict: bool) -> list[Uploaded]:
    """Give the results; raise UploadRefused when one was refused, unless not `strict`."""
    refused = [result.info for result in results if not result.success]
    if refused and strict:
        raise UploadRefused("; ".join(refused), results, request_id=request_id)
    return results


def preview(ask: Ask, guid: UUID | str, *, kind: str, max_width: int | None, wait: float) -> Steps[bytes]:
    """Get a picture as JPEG; wait at most so many seconds for one that is not ready yet."""
    query = {"guid": str(guid), "imageType": kind} | ({"maxWidth": str(max_width)} if max_width else {})
    while True:
        try:
            reply = yield from ask(Call(method="GET", path="/controllers/coolerimagepreview.ashx", query=query))
        except NotFound as error:
            wait = _still_waiting(error, wait)
            yield Wait(error.retry_after or 0)
        else:
            return reply.content


def _still_waiting(error: ShelfError, wait: float) -> float:
    """Give what is left of the wait; raise the error when that is too little, or waiting does not help."""
    if error.retry_after is None or error.retry_after > wait:
        raise error
    return wait - error.retry_after


def _file(number: int, picture: Picture) -> File:
    if isinstance(picture, bytes):
        return File("file", f"picture_{number}.jpg", picture)
    if isinstance(picture, tuple):
        return File("file", *picture)
    path = Path(picture)
    return File("file", path.name, path.read_bytes())


def results_of(reply: Reply) -> list[Uploaded]:
    """Read the published array."""
    repeated = {text.strip() for text in reply.headers.get("x-duplicate-of", "").split(",")}
    return [
        Uploaded(
            success=entry["Success"],
            info=entry["Info"],
            guid=UUID(entry["UniqueGuid"]) if entry["Success"] else None,
            asset_purity_id=entry.get("AssetPurityId"),
            repeated=entry.get("UniqueGuid") in repeated,
        )
        for entry in reply.json()
    ]
