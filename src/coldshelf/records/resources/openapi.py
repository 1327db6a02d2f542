"""The OpenAPI parts of resources, made from the declarations: operations, and the schemas that they refer to."""

from collections.abc import Iterable, Mapping
from typing import Any

from coldshelf.kit.idempotency import HEADER, LONGEST_KEY, REPLAYED
from coldshelf.kit.web.openapi import Json, problems, ref
from coldshelf.records.dataset import Column, Dataset
from coldshelf.records.entity import Entity, Field
from coldshelf.records.fields import TYPE_MAPS, FieldType
from coldshelf.records.filters import OPERATORS
from coldshelf.records.listing import DEFAULT_LIMIT
from coldshelf.records.registry import Registry
from coldshelf.records.resources.names import code_names, resource_name, singular_name
from coldshelf.records.resources.reading import MOST_RECORDS
from coldshelf.records.resources.writing import MEDIA_TYPES

TEXT: Json = {"type": "string"}
NATIVE: Mapping[FieldType, Json] = {
    **{kind: TYPE_MAPS[kind].json_schema for kind in FieldType},
    FieldType.FLAG: {"type": "boolean"},
    FieldType.JSON: {},
}
"""The schema of each type in a resource, where all are real JSON types."""
EXAMPLES: Mapping[FieldType, Any] = {  # JSON of each type
    FieldType.INTEGER: 5,
    FieldType.TEXT: "text",
    FieldType.DECIMAL: 1.5,
    FieldType.FLOAT: 4.5,
    FieldType.BOOLEAN: True,
    FieldType.FLAG: False,
    FieldType.TIMESTAMP: "2026-01-31T08:30:00.000000Z",
    FieldType.LOCAL_TIME: "2026-01-31T15:30:00.000000",
    FieldType.DATE: "2026-01-31",
    FieldType.GUID: "a3f1c29d-5b7e-4c1f-9a2d-0c8f6e4b1a77",
    FieldType.JSON: [],
}
TAG_HEADER: Json = {"ETag": {"description": "Tag of the record, for If-Match and If-None-Match", "schema": TEXT}}


def list_operation(dataset: Dataset) -> Json:
    headers: Json = {
        "Link": {"description": 'The next page, rel="next"; absent at the end', "schema": TEXT},
        "X-Data-As-Of": {"description": "With a filter by ModifiedOn: complete up to here", "schema": TEXT},
    }
    parameters = [
        _limit(),
        _query("cursor", TEXT, "`next` of the page before; the other parameters stay the same"),
        *_filters(dataset),
        _query("sort", TEXT, "Field to sort by, with - in front of it descending; unless sent, the key"),
        _fields(dataset),
        _query("includeDeleted", {"type": "boolean"}, "Show deleted records too, with IsDeleted true"),
    ]
    return _operation(
        dataset,
        f"list_{_plural_id(dataset)}",
        f"List {resource_name(dataset)}",
        parameters=parameters,
        responses={200: _answer("One page", _page(dataset, {"next": {"type": ["string", "null"]}}), headers)},
        errors=(400, 410),
    )


def changes_operation(dataset: Dataset) -> Json:
    parameters = [
        _limit(),
        _query("cursor", TEXT, "`next` of the answer before; left out: from the beginning"),
        *_filters(dataset),
        _fields(dataset),
    ]
    more = {"next": TEXT, "more": {"type": "boolean", "description": "Whether it is worth asking again at once"}}
    return _operation(
        dataset,
        f"list_{singular_name(dataset)}_changes",
        f"Follow the changes of {resource_name(dataset)}, deletions too, without gaps",
        parameters=parameters,
        responses={200: _answer("What changed, in the order of change", _page(dataset, more))},
        errors=(400, 410),
    )


def read_operation(dataset: Dataset, entity: Entity | None) -> Json:
    parameters = [_key(dataset, entity), _fields(dataset), _header("If-None-Match", "Tag that the reader has")]
    known = {"description": "The reader has this state already", "headers": TAG_HEADER}
    responses = {200: _answer("The record", ref(dataset.name), TAG_HEADER), 304: known}
    name = f"get_{singular_name(dataset)}"
    summary = f"Read one {dataset.name}"
    return _operation(dataset, name, summary, parameters=parameters, responses=responses, errors=(400, 404))


def create_operation(dataset: Dataset) -> Json:
    location = {"Location": {"description": "Path of the new record", "schema": TEXT}}
    operation = _operation(
        dataset,
        f"create_{singular_name(dataset)}",
        f"Add a {dataset.name}",
        parameters=[_idempotency()],
        responses={201: _answer("Added", ref(dataset.name), {**TAG_HEADER, **location, **_replayed()})},
        errors=(400, 409, 413, 415, 422),
    )
    return {**operation, "status_code": 201} | _body(operation, f"{dataset.name}New", MEDIA_TYPES[:1])


def change_operation(dataset: Dataset, entity: Entity) -> Json:
    operation = _operation(
        dataset,
        f"change_{singular_name(dataset)}",
        f"Change the sent fields of a {dataset.name}; null clears one",
        parameters=[_key(dataset, entity), _header("If-Match", "Tag that the record must have"), _idempotency()],
        responses={200: _answer("Changed", ref(dataset.name), {**TAG_HEADER, **_replayed()})},
        errors=(400, 404, 409, 412, 413, 415, 422),
    )
    return operation | _body(operation, f"{dataset.name}Change", MEDIA_TYPES)


def put_operation(dataset: Dataset, entity: Entity) -> Json:
    parameters = [
        _key(dataset, entity),
        _header("If-Match", "Tag that the record must have"),
        _header("If-None-Match", "* adds only"),
        _idempotency(),
    ]
    operation = _operation(
        dataset,
        f"put_{singular_name(dataset)}",
        f"Add the {dataset.name} with the code of the path, or change the sent fields of it",
        parameters=parameters,
        responses={
            200: _answer("Changed", ref(dataset.name), {**TAG_HEADER, **_replayed()}),
            201: _answer("Added", ref(dataset.name), {**TAG_HEADER, **_replayed()}),
        },
        errors=(400, 404, 409, 412, 413, 415, 422),
    )
    return operation | _body(operation, f"{dataset.name}Change", MEDIA_TYPES[:1])


def delete_operation(dataset: Dataset, entity: Entity) -> Json:
    parameters = [_key(dataset, entity), _header("If-Match", "Tag that the record must have"), _idempotency()]
    operation = _operation(
        dataset,
        f"delete_{singular_name(dataset)}",
        f"Delete a {dataset.name}; refused while others refer to it",
        parameters=parameters,
        responses={204: {"description": "Deleted", "headers": _replayed()}},
        errors=(400, 404, 409, 412, 413, 422),
    )
    return {**operation, "status_code": 204}


def schemas(registry: Registry) -> dict[str, Json]:
    """Give the schemas of all records and bodies by name."""
    found = {dataset.name: _record(dataset) for dataset in registry.listed}
    for entity in registry.entities.values():
        required = [item.wire for item in entity.fields if item.required]
        found[f"{entity.name}New"] = _written(entity, required)
        found[f"{entity.name}Change"] = _written(entity, [])
    return found


def _record(dataset: Dataset) -> Json:
    return {
        "type": "object",
        "description": dataset.meaning,
        "properties": {column.wire: _column(dataset, column) for column in dataset.columns},
        "examples": [{column.wire: EXAMPLES[column.type] for column in dataset.columns}],
    }


def _column(dataset: Dataset, column: Column) -> Json:
    unit = f" ({column.unit})" if column.unit else ""
    described = {**NATIVE[column.type], "description": column.meaning + unit}
    return described if column.wire == dataset.key else _nullable(described)


def _written(entity: Entity, required: list[str]) -> Json:
    fields = {item.wire: _field(item) for item in entity.fields if not item.read_only}
    for reference in entity.references:
        fields[reference.wire] = {"type": ["integer", "null"], "description": reference.meaning}
        fields |= {
            name: {"type": ["string", "null"], "description": f"{reference.to} by its {by}"}
            for name, by in reference.by.items()
        }
    schema: Json = {
        "type": "object",
        "description": entity.meaning,
        "properties": fields,
        "additionalProperties": False,
        "examples": [_written_example(entity)],
    }
    return schema | ({"required": required} if required else {})


def _written_example(entity: Entity) -> Json:
    shown = [item for item in entity.fields if item.required] or list(entity.fields[:1])
    return {item.wire: item.choices[0] if item.choices else EXAMPLES[item.type] for item in shown}


def _field(item: Field) -> Json:
    schema: Json = {**NATIVE[item.type], "description": item.meaning}
    if item.max_length:
        schema["maxLength"] = item.max_length
    if item.choices:
        schema["enum"] = list(item.choices)
    schema |= {"minimum": float(item.minimum)} if item.minimum is not None else {}
    schema |= {"maximum": float(item.maximum)} if item.maximum is not None else {}
    if item.required:
        return schema | ({"pattern": r"\S"} if item.type is FieldType.TEXT else {})
    return schema if item.type in {FieldType.BOOLEAN, FieldType.FLAG} else _nullable(schema)


def _nullable(schema: Json) -> Json:
    if "type" not in schema:
        return schema
    either: Json = {**schema, "type": [schema["type"], "null"]}
    return either | ({"enum": [*schema["enum"], None]} if "enum" in schema else {})


def _page(dataset: Dataset, more: Json) -> Json:
    kind = "page" if "more" not in more else "changes"
    return {
        "type": "object",
        "title": f"{dataset.name} resource {kind}",
        "required": ["data", *more],
        "properties": {"data": {"type": "array", "items": ref(dataset.name)}, **more},
    }


def _operation(
    dataset: Dataset,
    operation_id: str,
    summary: str,
    *,
    parameters: list[Json],
    responses: dict[int, Json],
    errors: Iterable[int],
) -> Json:
    return {
        "tags": [dataset.name],
        "operation_id": operation_id,
        "summary": summary,
        "openapi_extra": {"parameters": parameters},
        "responses": {**responses, **problems(*errors)},
    }


def _body(operation: Json, schema: str, media_types: Iterable[str]) -> Json:
    content = {kind: {"schema": ref(schema)} for kind in media_types}
    return {"openapi_extra": {**operation["openapi_extra"], "requestBody": {"required": True, "content": content}}}


def _answer(description: str, schema: Json, headers: Json | None = None) -> Json:
    content = {"application/json": {"schema": schema}}
    return {"description": description, "content": content} | ({"headers": headers} if headers else {})


def _plural_id(dataset: Dataset) -> str:
    return resource_name(dataset).replace("-", "_")


def _key(dataset: Dataset, entity: Entity | None) -> Json:
    ways = ["The id"]
    if any(column.type is FieldType.GUID for column in dataset.columns):
        ways.append("the GUID")
    ways += [f"`{name}:…`" for name in (code_names(entity) if entity else ())]
    return {
        "name": "key",
        "in": "path",
        "required": True,
        "schema": {"type": "string", "minLength": 1},
        "description": ", or ".join(ways),
        "examples": {"id": {"value": "5"}},
    }


def _limit() -> Json:
    schema = {"type": "integer", "minimum": 1, "maximum": MOST_RECORDS, "default": DEFAULT_LIMIT}
    return _query("limit", schema, "Most records in this answer")


def _fields(dataset: Dataset) -> Json:
    return _query("fields", TEXT, f"Only these fields, separated by commas, such as {dataset.key},ModifiedOn")


def _filters(dataset: Dataset) -> list[Json]:
    grammar = f'JSON text: {{"ModifiedOn": {{"operator": ">", "value": "2026-01-31"}}}}; {" ".join(OPERATORS)}'
    return [
        _query("filters", TEXT, grammar),
        _query("filter", TEXT, "The same as filters"),
        *(_query(name, TEXT, f"Only records with this {name}, or one of several") for name in dataset.plain_filters),
        *(_query(item.name, {"type": "boolean"}, item.meaning) for item in dataset.plain_switches),
    ]


def _query(name: str, schema: Json, description: str) -> Json:
    return {"name": name, "in": "query", "required": False, "schema": schema, "description": description}


def _header(name: str, description: str) -> Json:
    return {"name": name, "in": "header", "required": False, "schema": TEXT, "description": description}


def _idempotency() -> Json:
    schema = {**TEXT, "minLength": 1, "maxLength": LONGEST_KEY, "pattern": "^[ -~]+$"}
    return {**_header(HEADER, "A repeated request with this key is answered as the first one was"), "schema": schema}


def _replayed() -> Json:
    return {REPLAYED: {"description": "true: the answer of the first request with this key", "schema": TEXT}}
