"""OpenAPI parts of the upload and the preview."""

from typing import Any

from coldshelf.kit.idempotency import REPLAYED
from coldshelf.kit.web.openapi import PROBLEM, ref
from coldshelf.kit.web.problems import MEDIA_TYPE
from coldshelf.pictures.scenes import SCENES
from coldshelf.pictures.sources import SOURCES

Json = dict[str, Any]  # a JSON document

TEXT: Json = {"type": "string"}
NUMBER: Json = {"type": "integer"}
SWITCH: Json = {"type": "boolean"}

PARAMETERS: tuple[tuple[str, Json, str], ...] = (
    ("action", {"type": "string", "enum": ["uploadImage"]}, "Must be uploadImage"),
    ("SerialNumber", TEXT, "Serial number of the cooler (recommended)"),
    ("StoreNumber", TEXT, "Code of the outlet"),
    ("IMEI", TEXT, "IMEI of the device; the asset is found through the device mapping"),
    (
        "SceneType",
        {**TEXT, "default": "ProductAnalysis", "examples": [scene.name for scene in SCENES]},
        "What the picture shows",
    ),
    (
        "ImageReceivedFrom",
        {**NUMBER, "default": 1},
        "Source: " + ", ".join(f"{source.number} = {source.name}" for source in SOURCES),
    ),
    ("IsStitchImage", {**SWITCH, "default": True}, "Whether several files become one picture"),
    ("GridOrder", TEXT, "Comma list: the n-th number is the place of the n-th file"),
    ("BeforeAfterImage", {**NUMBER, "default": 0}, "0 not specified, 1 before, 2 after an event"),
    ("VerifyFileSize", {**SWITCH, "default": False}, "Report zero-byte files as unsuccessful"),
    ("callbackUrl", TEXT, "URL to which the result is posted"),
    (
        "ImageUrl",
        {"type": "array", "items": {**TEXT, "format": "uri"}},
        "Public https:// address from which a picture is fetched in place of a file; once for each picture",
    ),
)
RESULT: Json = {
    "type": "object",
    "title": "Upload result",
    "properties": {
        "Success": SWITCH,
        "Info": TEXT,
        "UniqueGuid": {**TEXT, "format": "uuid"},
        "AssetPurityId": NUMBER,
    },
    "required": ["Success", "Info"],
}
# `format: binary` is the older way to say it, which most client generators know.
_FILE: Json = {"type": "string", "format": "binary", "contentMediaType": "application/octet-stream"}
_FILES: Json = {"type": "array", "items": _FILE}
_FORM: Json = {
    "type": "object",
    "properties": {"file": _FILES, **{name: {**schema, "description": text} for name, schema, text in PARAMETERS}},
}
UPLOAD: Json = {
    "responses": {
        200: {
            "description": "One object for each file, or one for a combined picture; business errors as well",
            "content": {"application/json": {"schema": {"type": "array", "items": RESULT}}},
        },
        401: {"description": "Sign-in is needed"},
        403: {"description": "The role does not allow this"},
        409: {"description": "The first request with this Idempotency-Key is still under way"},
        413: {"description": "Too large, as the array"},
        422: {"description": "The Idempotency-Key stands for another request, as the array"},
        429: {"description": "Too many requests; see Retry-After"},
        500: {"description": "Something went wrong, as the array"},
    },
    "openapi_extra": {
        "parameters": [
            {"name": name, "in": "query", "required": False, "schema": schema, "description": text}
            for name, schema, text in PARAMETERS
        ],
        "requestBody": {"required": True, "content": {"multipart/form-data": {"schema": _FORM}}},
    },
}
PREVIEW: Json = {
    "responses": {
        200: {"description": "The picture", "content": {"image/jpeg": {}}},
        404: {"description": "No such picture, or (with Retry-After) not ready yet; without a body", "content": {}},
    },
    "openapi_extra": {
        "parameters": [
            {
                "name": "guid",
                "in": "query",
                "required": True,
                "schema": {**TEXT, "format": "uuid"},
                "description": "UniqueGuid of the upload's answer",
            },
            {
                "name": "imageType",
                "in": "query",
                "required": False,
                "schema": {
                    **TEXT,
                    "enum": ["Stitched", "Cam1", "Cam2", "Planogram", "InStore", "Annotated"],
                    "default": "Stitched",
                },
                "description": "Which rendition",
            },
            {
                "name": "maxWidth",
                "in": "query",
                "required": False,
                "schema": NUMBER,
                "description": "Shrink to at most this width, 16 to 4096; never enlarges",
            },
        ]
    },
}
_MEANINGS = {
    400: "What was sent cannot be used",
    401: "Sign-in is needed",
    403: "The role does not allow this",
    404: "There is nothing here that this caller may see",
    409: "It is decided, or another request stands in the way",
    410: "It ended or expired",
    412: "Another version of the protocol",
    413: "Too large",
    415: "Another Content-Type is needed",
    422: "The Idempotency-Key stands for another request",
    429: "Too many requests; see Retry-After",
    460: "The checksum does not fit the bytes",
}


def problems(*statuses: int) -> dict[int | str, Json]:
    """Give the problem documents (RFC 9457) that a route of `/api/v1` may answer, by HTTP status."""
    content = {MEDIA_TYPE: {"schema": ref(PROBLEM)}}
    return {status: {"description": _MEANINGS[status], "content": content} for status in statuses}


_KEY: Json = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "schema": {**TEXT, "maxLength": 255},
    "description": "Makes a repetition within 24 hours safe: it gets the first answer",
}
_GUID = "a3f1c29d-5b7e-4c1f-9a2d-0c8f6e4b1a77"
_STORED: Json = {
    "type": "object",
    "title": "Stored images",
    "required": ["data"],
    "properties": {"data": {"type": "array", "items": RESULT}},
    "examples": [
        {
            "data": [
                {"Success": True, "Info": "Image uploaded successfully", "UniqueGuid": _GUID, "AssetPurityId": 84521},
            ]
        }
    ],
}


def _stored(description: str) -> Json:
    text: Json = {"schema": TEXT}
    headers: Json = {
        "Location": {"description": "Path of the image record, where there is one", **text},
        "X-Duplicate-Of": {"description": "GUIDs of the first upload of the same pictures", **text},
        REPLAYED: {"description": "true: the answer of the first request with this key", **text},
    }
    return {"description": description, "headers": headers, "content": {"application/json": {"schema": _STORED}}}


_PARTS: Json = {name: {**schema, "description": text} for name, schema, text in PARAMETERS if name != "action"}
UPLOAD_IMAGE: Json = {
    "operation_id": "create_image",
    "summary": "Upload one picture, or several of one cooler",
    "description": "One entry for each file, or one for a combined picture; 400 where none of them is accepted.",
    "status_code": 201,
    "responses": {
        201: _stored("Stored; entries that were not accepted say why"),
        200: _stored("All of it was stored before: the first answer"),
        **problems(400, 401, 403, 409, 413, 422, 429),
    },
    "openapi_extra": {
        "parameters": [_KEY],
        "requestBody": {
            "required": True,
            "content": {
                "multipart/form-data": {
                    "schema": {"type": "object", "properties": {"file": _FILES, **_PARTS}},
                    "examples": {"cooler": {"value": {"SerialNumber": "ASSET-123", "SceneType": "ProductAnalysis"}}},
                }
            },
        },
    },
}
_ITEM: Json = {
    "type": "object",
    "required": ["files"],
    "properties": {
        "files": {"type": "array", "minItems": 1, "items": TEXT, "description": "File names of this request"},
        **{name: {**schema, "description": text} for name, schema, text in PARAMETERS if name != "action"},
    },
}
_BATCH_RESULT: Json = {
    "type": "object",
    "properties": {
        "index": {**NUMBER, "description": "Place in the manifest, from 0"},
        "success": {**SWITCH, "description": "Every file of it was accepted"},
        "status": {**NUMBER, "description": "HTTP status that the upload would have got alone"},
        "answer": {"type": "array", "items": RESULT},
        "duplicate_of": {"type": "array", "items": {**TEXT, "format": "uuid"}},
        "replayed": {**SWITCH, "description": "A stored answer of this Idempotency-Key"},
    },
}
BATCH: Json = {
    "operation_id": "images_batch",
    "summary": "Upload many pictures, each with its own parameters",
    "responses": {
        200: {
            "description": "One result for each item of the manifest, in order, refusals included",
            "content": {
                "application/json": {
                    "schema": {
                        "type": "object",
                        "title": "Batch result",
                        "properties": {
                            "stored": NUMBER,
                            "refused": NUMBER,
                            "results": {"type": "array", "items": _BATCH_RESULT},
                        },
                    }
                }
            },
        },
        **problems(400, 401, 403, 413, 429),
    },
    "openapi_extra": {
        "parameters": [_KEY],
        "requestBody": {
            "required": True,
            "content": {
                "multipart/form-data": {
                    "schema": {
                        "type": "object",
                        "required": ["manifest"],
                        "properties": {"manifest": {"type": "array", "items": _ITEM}, "file": _FILES},
                    }
                }
            },
        },
    },
}
REVIEW: Json = {
    "operation_id": "image_review",
    "summary": "Approve, reject or reopen a picture",
    "description": "A correction is checked like an upload, and the outcome table is applied anew.",
    "responses": problems(400, 401, 403, 404, 409, 422, 429),
    "openapi_extra": {"parameters": [_KEY]},
}
REVIEW_MANY: Json = {
    "operation_id": "images_review",
    "summary": "Approve, reject or reopen several pictures",
    "description": "At most 1,000; a picture that cannot be decided on stops no other.",
    "responses": problems(400, 401, 403, 409, 422, 429),
    "openapi_extra": {"parameters": [_KEY]},
}
REFERENCES: Json = {
    "responses": {
        200: {"description": "A page of records, or {success, ids} after a save, or a business error"},
        400: {"description": "The page, filter or action cannot be used"},
        401: {"description": "Sign-in is needed"},
        403: {"description": "The role does not allow this"},
    },
    "openapi_extra": {
        "parameters": [
            {
                "name": name,
                "in": "query",
                "required": False,
                "schema": schema,
                "description": text,
            }
            for name, schema, text in (
                ("action", {**TEXT, "enum": ["list", "save", "delete"]}, "What to do"),
                ("ProductId", NUMBER, "Product"),
                ("ProductSKU", TEXT, "Product by its SKU"),
                ("id", NUMBER, "ProductImageId to delete"),
                ("start", NUMBER, "Zero-based offset"),
                ("limit", NUMBER, "Records in this page"),
            )
        ]
    },
}
