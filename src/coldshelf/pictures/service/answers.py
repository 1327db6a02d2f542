"""The upload's answer: a JSON array, one object for each file or each combined picture (contract 2.2)."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

import orjson

from coldshelf.kit.errors import ColdshelfError
from coldshelf.pictures.errors import SaveFailed
from coldshelf.pictures.service.examine import Examined

UPLOADED = "Image uploaded successfully"
SOMETHING_WRONG = "Something went wrong"


@dataclass(frozen=True, slots=True)
class Accepted:
    """A picture that has a record; `repeated` when these bytes were answered before."""

    guid: UUID
    picture_id: int
    repeated: bool = False


@dataclass(frozen=True, slots=True)
class Refused:
    """A file, or a set of files, without a record, and the published words for why."""

    info: str
    parts: tuple[Examined, ...] = ()


Entry = Accepted | Refused


@dataclass(frozen=True, slots=True)
class UploadAnswer:
    """HTTP status, body, and what the headers say about repetition."""

    status: int
    body: bytes
    duplicate_of: tuple[UUID, ...] = ()
    replayed: bool = False


def answer_of(entries: Sequence[Entry]) -> UploadAnswer:
    body = orjson.dumps([_object(entry) for entry in entries])
    repeated = [entry.guid for entry in entries if isinstance(entry, Accepted) and entry.repeated]
    return UploadAnswer(200, body, duplicate_of=tuple(dict.fromkeys(repeated)))


def error_answer(error: ColdshelfError) -> UploadAnswer:
    """Answer a request-level error: business errors with HTTP 200, faults and limits with their own status."""
    status = 200 if error.status == 400 else error.status
    info = error.message if status < 500 or isinstance(error, SaveFailed) else SOMETHING_WRONG
    return UploadAnswer(status, orjson.dumps([_object(Refused(info))]))


def error_body(error: ColdshelfError, _request_id: str) -> list[dict[str, object]]:
    """Word an error that happens before the upload's door as the published array."""
    return [_object(Refused(error.message))]


def _object(entry: Entry) -> dict[str, object]:
    if isinstance(entry, Refused):
        return {"Success": False, "Info": entry.info}
    return {"Success": True, "Info": UPLOADED, "UniqueGuid": str(entry.guid), "AssetPurityId": entry.picture_id}
