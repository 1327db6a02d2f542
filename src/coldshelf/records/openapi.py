"""OpenAPI parts made from the declarations."""

from collections.abc import Mapping
from typing import Any

from coldshelf.records.dataset import Column, Dataset
from coldshelf.records.entity import Entity, Field
from coldshelf.records.exporting import EXCEL
from coldshelf.records.fields import TYPE_MAPS, FieldType

Json = dict[str, Any]  # a JSON document
NOTHING: Mapping[str, Mapping[str, str]] = {}


def describe(
    dataset: Dataset, entity: Entity | None, method: str, extra: Mapping[str, Mapping[str, str]] = NOTHING
) -> Json:
    """Give the keyword arguments that document one operation: parameters, request body, responses.

    `extra`: further actions, each with the meanings of its parameters.
    """
    actions = ["list", "export", *extra]
    if entity:
        actions += ["load", "save", "delete"] if method == "POST" else ["load"]
    parameters = [_action(actions), *_list_parameters(dataset)]
    if entity:
        parameters += [
            _query(name, {"type": "string"}, f"Finds the record by {wire}") for name, wire in entity.keys.items()
        ]
    for action, taken in extra.items():
        parameters += [
            _query(name, {"type": "string"}, f"{meaning} (action={action})") for name, meaning in taken.items()
        ]
    document: Json = {"parameters": _once(parameters)}
    if entity and method == "POST":
        schema = {"type": "object", "properties": _properties(entity)}
        document["requestBody"] = {"content": {"application/x-www-form-urlencoded": {"schema": schema}}}
    return {"openapi_extra": document, "responses": _responses(dataset, entity, extra)}


def _action(actions: list[str]) -> Json:
    return {
        "name": "action",
        "in": "query",
        "required": True,
        "schema": {"type": "string", "enum": actions},
        "description": "What to do",
    }


def _list_parameters(dataset: Dataset) -> list[Json]:
    whole = {"type": "integer", "minimum": 0}
    return [
        _query("start", whole, "Zero-based offset"),
        _query("limit", whole, "Records in this page, 50 unless sent"),
        _query("filters", {"type": "string"}, 'JSON text: {"modifiedOn": {"operator": ">", "value": "2024-08-01"}}'),
        _query("sort", {"type": "string"}, "Field to sort by"),
        _query("dir", {"type": "string", "enum": ["ASC", "DESC"]}, "Direction"),
        _query("includeDeleted", {"type": "boolean"}, "Show deleted rows, with IsDeleted 1"),
        _query("fields", {"type": "string"}, "Only these fields, in this order: Name,Code"),
        _query("cursor", {"type": "string"}, "Empty to begin, then the cursor of the page before: gap-free reading"),
        _query(
            "format", {"type": "string", "enum": ["json", "xml", "array", "JSON-Array", "csv"]}, "Of a list; any case"
        ),
        _query("asArray", {"type": "boolean"}, "1: rows as arrays, as format=array"),
        _query("exportFormat", {"type": "string", "enum": ["CSV", "XLSX", "Excel", "XML"]}, "Of a file; any case"),
        _query("exportFileName", {"type": "string"}, "Name of the file; its suffix is added"),
        _query("id", whole, "Id of the record for load, save and delete"),
        *(_query(name, {"type": "string"}, f"Only rows with this {name}") for name in dataset.plain_filters),
        *(_query(item.name, {"type": "boolean"}, item.meaning) for item in dataset.plain_switches),
    ]


def _query(name: str, schema: Json, description: str) -> Json:
    return {"name": name, "in": "query", "required": False, "schema": schema, "description": description}


def _once(parameters: list[Json]) -> list[Json]:
    """Join what has the same name: a further action may take a parameter of the list in its own way."""
    found: dict[str, Json] = {}
    for parameter in parameters:
        first = found.setdefault(parameter["name"], parameter)
        if first is not parameter:
            first["description"] += f"; {parameter['description']}"
            first["schema"] = {"anyOf": [first["schema"], parameter["schema"]]}
    return list(found.values())


def _properties(entity: Entity) -> Json:
    fields = {item.wire: _field(item) for item in entity.fields if not item.read_only}
    for reference in entity.references:
        fields |= {name: {"type": "integer", "description": reference.meaning} for name in reference.ids}
        fields |= {
            name: {"type": "string", "description": f"{reference.to} by {by}"} for name, by in reference.by.items()
        }
    return fields


def _field(item: Field) -> Json:
    schema: Json = {**TYPE_MAPS[item.type].json_schema, "description": item.meaning}
    if item.max_length:
        schema["maxLength"] = item.max_length
    if item.choices:
        schema["enum"] = list(item.choices)
    return schema


def row_schema(dataset: Dataset) -> Json:
    """Give the schema of a record as lists show it; fields may be hidden from a reader, so none is required."""
    return {"type": "object", "properties": {column.wire: _column(column) for column in dataset.columns}}


def row_sample(dataset: Dataset) -> Json:
    """Give a record as lists show it, with a value in every column."""
    return {column.wire: SAMPLES[column.type] for column in dataset.columns}


SAMPLES: Mapping[FieldType, object] = {
    FieldType.INTEGER: 17,
    FieldType.TEXT: "text",
    FieldType.DECIMAL: 1.5,
    FieldType.FLOAT: 62.5,
    FieldType.BOOLEAN: True,
    FieldType.FLAG: 0,
    FieldType.TIMESTAMP: "2026-01-31T08:30:00.000000",
    FieldType.LOCAL_TIME: "2026-01-31T15:30:00.000000",
    FieldType.DATE: "2026-01-31",
    FieldType.GUID: "a3f1c29d-5b7e-4c1f-9a2d-0c8f6e4b1a77",
    FieldType.JSON: "[]",
}
"""A value of each type as lists write it."""


def _column(column: Column) -> Json:
    unit = f" ({column.unit})" if column.unit else ""
    schema = TYPE_MAPS[column.type].json_schema
    if column.type is FieldType.TIMESTAMP:
        schema = {"type": "string"}  # no `date-time`: that is a time with a zone
    if "enum" in schema:
        schema = {**schema, "enum": [*schema["enum"], None]}
    return {**schema, "type": [schema["type"], "null"], "description": column.meaning + unit}


_AS_ARRAYS: Json = {
    "columns": {"type": "array", "items": {"type": "string"}},
    "records": {"type": "array", "items": {"type": "array"}},
}
_HEADERS: Json = {
    "X-Total-Records": {"schema": {"type": "integer"}, "description": "Records that the filters let through"},
    "X-Data-As-Of": {"schema": {"type": "string"}, "description": "With a ModifiedOn filter: complete up to here"},
    "X-Export-Limit": {"schema": {"type": "integer"}, "description": "Most records in one file"},
    "X-Truncated": {"schema": {"type": "string"}, "description": "true: the file holds the first records only"},
    "Content-Disposition": {"schema": {"type": "string"}, "description": "File name (RFC 6266)"},
}


def _responses(
    dataset: Dataset, entity: Entity | None, extra: Mapping[str, Mapping[str, str]]
) -> dict[int | str, Json]:
    record = {**row_schema(dataset), "title": f"{dataset.name} row"}
    page: Json = {
        "type": "object",
        "title": f"{dataset.name} page",
        "properties": {
            "success": {"type": "boolean"},
            "totalRecords": {"type": "integer"},
            "records": {"type": "array", "items": record},
            "cursor": {"type": "string"},
        },
        "required": ["success", "totalRecords", "records"],
    }
    single = {
        "type": "object",
        "title": f"{dataset.name} record",
        "properties": {
            "success": {"type": "boolean"},
            "id": {"type": "integer"},
            "data": record,
            "info": {"type": "string"},
            "warnings": {"type": "array", "items": {"type": "string"}},
        },
        "required": ["success"],
    }
    rows = {**page, "title": f"{dataset.name} page as arrays", "properties": {**page["properties"], **_AS_ARRAYS}}
    rows["required"] = [*page["required"], "columns"]
    binary = {"schema": {"type": "string", "format": "binary"}}
    further = {"description": f"The answer of {', '.join(extra)}"}
    shapes = [page, rows, *([single] if entity else ()), *([further] if extra else ())]
    content = {"application/json": {"schema": {"anyOf": shapes}}}
    return {
        200: {
            "description": "Done, or a business error; a list or a file in the format asked for",
            "headers": _HEADERS,
            "content": {**content, "text/csv": binary, "application/xml": binary, EXCEL: binary},
        },
        400: {"description": "The page, filter or action cannot be used"},
        401: {"description": "Sign-in is needed"},
        403: {"description": "The role does not allow this"},
        429: {"description": "Too many requests; see Retry-After"},
    }
