"""OpenAPI parts of the resumable upload."""

from typing import Any

from coldshelf.pictures.openapi import NUMBER, PARAMETERS, RESULT, TEXT, problems
from coldshelf.pictures.tus import ALGORITHMS, CONTENT_TYPE, VERSION

Json = dict[str, Any]  # a JSON document


def _header(name: str, schema: Json, text: str, *, required: bool = False) -> Json:
    return {"name": name, "in": "header", "required": required, "schema": schema, "description": text}


def _told(**names: str) -> Json:
    return {name.replace("_", "-"): {"schema": TEXT, "description": text} for name, text in names.items()}


_VERSION = _header("Tus-Resumable", {**TEXT, "enum": [VERSION]}, "Version of the protocol", required=True)
_CHECKSUM = _header(
    "Upload-Checksum", TEXT, f"{', '.join(ALGORITHMS)}, a blank, and the digest of this request's bytes in Base64"
)
_BYTES: Json = {"content": {CONTENT_TYPE: {"schema": {**TEXT, "contentMediaType": "application/octet-stream"}}}}
_STANDING = _told(
    Upload_Offset="Bytes that are durable; the length when the picture has a record, or the set awaits other files",
    Upload_Expires="When it ends unless more comes",
    X_Upload_Answer="The answer of the upload as JSON, once it is stored",
)
_NAMES = ", ".join(name for name, _, _ in PARAMETERS if name != "action")

TUS_OFFERS: Json = {
    "operation_id": "uploads_options",
    "summary": "What the server offers of the tus protocol",
    "responses": {
        204: {
            "description": "Versions, extensions and limits as headers",
            "headers": _told(Tus_Version="Versions", Tus_Extension="Extensions", Tus_Max_Size="Most bytes of a file"),
        }
    },
    "openapi_extra": {"security": []},
    "status_code": 204,
}
TUS_BEGIN: Json = {
    "operation_id": "uploads_post",
    "summary": "Begin a resumable upload of one picture (tus creation, creation-with-upload)",
    "description": "Refuses at once what the upload would refuse at its end: an unknown cooler, say. Several files of"
    " one upload are a set of resumable uploads, recorded together when the last of them is whole. A file of a set that"
    " is begun again is the same resumable upload: Upload-Offset says where it goes on.",
    "responses": {
        201: {
            "description": "Begun, or stored at once",
            "headers": {**_told(Location="Where it goes on"), **_STANDING},
        },
        **problems(400, 401, 403, 409, 410, 412, 413, 429, 460),
    },
    "openapi_extra": {
        "parameters": [
            _VERSION,
            _header("Upload-Length", NUMBER, "Bytes of the file", required=True),
            _header(
                "Upload-Metadata",
                TEXT,
                f"filename and the upload's parameters ({_NAMES}), values in Base64. A file of several says besides"
                " set (a name of the client's own), file (its number from 1) and files (how many there are).",
            ),
            _CHECKSUM,
        ],
        "requestBody": {"required": False, **_BYTES},
    },
    "status_code": 201,
}
TUS_GO_ON: Json = {
    "operation_id": "uploads_patch",
    "summary": "Send the bytes behind an offset",
    "description": "With the last byte, of a set that of its last file, the upload is checked, recorded and answered"
    " as any other one.",
    "responses": {
        204: {"description": "Durable; stored when it brings X-Upload-Answer", "headers": _STANDING},
        **problems(400, 401, 403, 404, 409, 410, 412, 413, 415, 429, 460),
    },
    "openapi_extra": {
        "parameters": [_VERSION, _header("Upload-Offset", NUMBER, "Where the bytes belong", required=True), _CHECKSUM],
        "requestBody": {"required": True, **_BYTES},
    },
    "status_code": 204,
}
TUS_OFFSET: Json = {
    "operation_id": "uploads_head",
    "summary": "Where the upload goes on",
    "responses": {
        200: {"description": "The offset", "headers": {**_STANDING, **_told(Upload_Length="Bytes of the file")}},
        **problems(401, 403, 404, 410, 412, 429),
    },
    "openapi_extra": {"parameters": [_VERSION]},
}
TUS_END: Json = {
    "operation_id": "uploads_delete",
    "summary": "End an upload and forget its bytes (tus termination)",
    "responses": {204: {"description": "Ended"}, **problems(401, 403, 404, 409, 410, 412, 429)},
    "openapi_extra": {"parameters": [_VERSION]},
    "status_code": 204,
}
_SET: Json = {
    "type": "object",
    "title": "Set of files",
    "properties": {
        "name": TEXT,
        "file": NUMBER,
        "files": NUMBER,
        "awaited": {"type": "array", "items": NUMBER, "description": "Numbers of the files that are not whole yet"},
    },
    "required": ["name", "file", "files", "awaited"],
}
_STATE: Json = {
    "type": "object",
    "title": "Resumable upload",
    "properties": {
        "guid": {**TEXT, "format": "uuid"},
        "length": NUMBER,
        "offset": NUMBER,
        "expires_on": {**TEXT, "format": "date-time"},
        "state": {**TEXT, "enum": ["open", "waiting", "stored", "refused", "ended"]},
        "set": {"anyOf": [_SET, {"type": "null"}], "description": "Of several files: which one this is"},
        "answer": {"type": ["array", "null"], "items": RESULT, "description": "The upload's answer (contract)"},
    },
    "required": ["guid", "length", "offset", "expires_on", "state", "set", "answer"],
}
TUS_LOOK: Json = {
    "operation_id": "uploads_get",
    "summary": "What became of an upload",
    "responses": {
        200: {"description": "Its state and answer", "content": {"application/json": {"schema": _STATE}}},
        **problems(401, 403, 404, 429),
    },
}
