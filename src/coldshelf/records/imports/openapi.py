"""OpenAPI parts of the import handler."""

from collections.abc import Sequence
from typing import Any

from coldshelf.kit.idempotency import HEADER, LONGEST_KEY, REPLAYED
from coldshelf.kit.web.openapi import problems, ref

Json = dict[str, Any]  # a JSON document
_TEXT: Json = {"type": "string"}
_ERROR: Json = {
    "type": "object",
    "required": ["row", "column", "value", "message"],
    "properties": {
        "row": {"type": "integer", "description": "Row of the spreadsheet; 1 is the heading, 0 the file as a whole"},
        "column": _TEXT,
        "value": _TEXT,
        "message": _TEXT,
        "rule": {"type": "string", "description": "With check=1"},
        "cure": {"type": "string", "description": "With check=1"},
    },
}
_COUNTS = {name: {"type": "integer"} for name in ("totalRows", "inserted", "updated", "errorCount")}
ANSWER: Json = {
    "type": "object",
    "title": "Import answer",
    "required": ["success"],
    "properties": {
        "success": {"type": "boolean"},
        "importId": _TEXT,
        "type": _TEXT,
        "state": _TEXT,
        "info": _TEXT,
        **_COUNTS,
        "errors": {"type": "array", "items": _ERROR},
        "warnings": {"type": "array", "items": _TEXT},
    },
}
_XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_BINARY: Json = {"schema": {"type": "string", "format": "binary"}}


def _query(name: str, schema: Json, description: str) -> Json:
    return {"name": name, "in": "query", "required": False, "schema": schema, "description": description}


def _responses(*media: str) -> dict[int | str, Json]:
    content: Json = {"application/json": {"schema": ANSWER}}
    content |= dict.fromkeys(media, _BINARY)
    return {
        200: {"description": "Done, or refused as a whole with the bad cells", "content": content},
        400: {"description": "The action or a parameter cannot be used"},
        401: {"description": "Sign-in is needed"},
        403: {"description": "The role does not allow this"},
        404: {"description": "There is no such import"},
        409: {"description": "Another write stands in the way"},
        413: {"description": "The file is too large"},
        422: {"description": "The Idempotency-Key was used for another request"},
        429: {"description": "Too many requests; see Retry-After"},
    }


_ID = _query("id", _TEXT, "importId (action=status, undo)")
_TYPE_MEANING = "Type of the file, in any letter case"
IMPORT_GET: Json = {
    "summary": "Templates of import files, and how far an import is",
    "openapi_extra": {
        "parameters": [
            {**_query("action", {"type": "string", "enum": ["template", "status"]}, "What to do"), "required": True},
            _query("type", _TEXT, _TYPE_MEANING),
            _query("format", {"type": "string", "enum": ["xlsx", "csv"]}, "Format of the template"),
            _ID,
        ]
    },
    "responses": _responses(_XLSX, "text/csv"),
}


def import_post(types: Sequence[str]) -> Json:
    """Document the POST operation."""
    actions = {"type": "string", "enum": ["import", "template", "status", "undo"], "default": "import"}
    form = {"type": "object", "properties": {"file": {"type": "string", "format": "binary"}}}
    return {
        "summary": "Import a file of master data, whole or not at all",
        "openapi_extra": {
            "parameters": [
                _query("type", {"type": "string", "enum": list(types)}, _TYPE_MEANING),
                _query("action", actions, "What to do"),
                _query("check", {"type": "boolean"}, "Write nothing; list every bad cell with rule and cure"),
                _query(
                    "format", {"type": "string", "enum": ["json", "xlsx", "csv"]}, "xlsx: a marked-up copy (check=1)"
                ),
                _query("blanks", {"type": "string", "enum": ["keep", "clear"]}, "What an empty cell does to its field"),
                _query("background", {"type": "boolean"}, "Let a worker do it; large files go there by themselves"),
                _ID,
            ],
            "requestBody": {"content": {"multipart/form-data": {"schema": form}}},
        },
        "responses": _responses(_XLSX, "text/csv"),
    }


CHECK: Json = {
    "type": "object",
    "title": "Import check",
    "required": ["success", "type", "totalRows", "toInsert", "toUpdate", "errorCount", "errors", "warnings"],
    "properties": {
        "success": {"type": "boolean", "description": "Nothing stands in the way"},
        "type": _TEXT,
        **{name: {"type": "integer"} for name in ("totalRows", "toInsert", "toUpdate", "errorCount")},
        "errors": {"type": "array", "items": _ERROR},
        "warnings": {"type": "array", "items": _TEXT},
    },
}


def import_resource(types: Sequence[str]) -> Json:
    """Document the operation of the resource."""
    form: Json = {
        "type": "object",
        "required": ["type", "file"],
        "properties": {
            "file": {"type": "string", "format": "binary", "contentMediaType": "application/octet-stream"},
            "type": {"type": "string", "enum": list(types), "description": _TYPE_MEANING},
            "check": {"type": "boolean", "default": False, "description": "Write nothing; list every bad cell"},
            "background": {"type": "boolean", "description": "Let a worker do it; large files go there by themselves"},
            "blanks": {"type": "string", "enum": ["keep", "clear"], "default": "keep", "description": _BLANKS},
        },
    }
    replayed = {REPLAYED: {"description": "true: the answer of the first request with this key", "schema": _TEXT}}
    location = {"Location": {"description": "Path of the run, to be asked until it is done or failed", "schema": _TEXT}}
    done: Json = {"anyOf": [ref("ImportRun"), CHECK]}
    key = {"type": "string", "minLength": 1, "maxLength": LONGEST_KEY, "pattern": "^[ -~]+$"}
    return {
        "tags": ["ImportRun"],
        "operation_id": "create_import_run",
        "summary": "Import a file of master data, whole or not at all",
        "description": "The run says `State` done, or failed with `Errors` where a cell is bad: nothing is written.",
        "responses": {
            200: {
                "description": "The run, done or failed; or what a check found",
                "headers": replayed,
                **_as_json(done),
            },
            202: {
                "description": "A worker will import it",
                "headers": {**location, **replayed},
                **_as_json(ref("ImportRun")),
            },
            **problems(400, 403, 409, 413, 422),
        },
        "openapi_extra": {
            "parameters": [{"name": HEADER, "in": "header", "required": False, "schema": key, "description": _KEY}],
            "requestBody": {"required": True, "content": {"multipart/form-data": {"schema": form, "examples": _SENT}}},
        },
    }


def _as_json(schema: Json) -> Json:
    return {"content": {"application/json": {"schema": schema}}}


_BLANKS = "What an empty cell does to its field"
_KEY = "A repeated request with this key is answered as the first one was"
_SENT: Json = {"check": {"value": {"type": "Outlet", "check": True}}}
