"""Pictures over weak lines: every file in pieces, each piece once, going on where the line broke (docs/upload.md)."""

from base64 import b64encode

from coldshelf.client.core import Ask, Call, File, Reply, Steps, new_key
from coldshelf.client.errors import Conflict, Refused
from coldshelf.client.models import Uploaded
from coldshelf.client.pictures import Upload, results_of, settled

PATH = "/api/v1/uploads"
TUS = {"Tus-Resumable": "1.0.0"}
PIECE = 1024 * 1024
"""Bytes of one request: no more are sent again than these."""


def upload(ask: Ask, sent: Upload, key: str | None, *, strict: bool) -> Steps[list[Uploaded]]:
    """Upload pictures of one cooler in pieces; raise UploadRefused when one was refused, unless not `strict`."""
    files = sent.files()
    if not files or sent.urls:
        raise ValueError("give pictures; addresses are fetched by the server, so use upload() for them")
    said = {**dict(sent.form()), "set": key or new_key(), "files": str(len(files))}
    try:
        for number, file in enumerate(files, 1):
            reply = yield from _send(ask, file, {**said, "file": str(number), "filename": file.name})
    except Refused as error:
        refused = Uploaded(success=False, info=error.info, guid=None, asset_purity_id=None, repeated=False)
        return settled([refused], error.request_id, strict=strict)
    answer = Reply(reply.status, {"x-request-id": reply.request_id}, reply.headers["x-upload-answer"].encode())
    return settled(results_of(answer), answer.request_id, strict=strict)


def _send(ask: Ask, file: File, metadata: dict[str, str]) -> Steps[Reply]:
    """Send what the server does not have of a file yet."""
    told = ",".join(f"{name} {b64encode(text.encode()).decode()}" for name, text in metadata.items())
    length = len(file.content)
    begin = Call(path=PATH, headers={**TUS, "Upload-Length": str(length), "Upload-Metadata": told})
    reply = yield from ask(begin)
    place = f"{PATH}/{reply.headers['location'].rpartition('/')[2]}"
    while (offset := _offset(reply)) < length:
        reply = yield from _go_on(ask, place, offset, file.content[offset : offset + PIECE])
    return reply


def _go_on(ask: Ask, place: str, offset: int, piece: bytes) -> Steps[Reply]:
    headers = {**TUS, "Content-Type": "application/offset+octet-stream", "Upload-Offset": str(offset)}
    try:
        reply = yield from ask(Call(method="PATCH", path=place, headers=headers, content=piece))
    except Conflict:  # an earlier try arrived, whole or in part, and its answer was lost
        reply = yield from ask(Call(method="HEAD", path=place, headers=TUS))
        if _offset(reply) == offset:
            raise
    return reply


def _offset(reply: Reply) -> int:
    return int(reply.headers["upload-offset"])
