"""Completes the framework's OpenAPI document: schemas as components, errors, ways to sign in; and parts of it."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from coldshelf.kit.web.problems import MEDIA_TYPE, PROBLEM_SCHEMA
from coldshelf.kit.web.request import CONTROLLERS

Json = dict[str, Any]  # a JSON document
METHODS = frozenset({"get", "put", "post", "delete", "patch", "head", "options", "trace"})
PROBLEM = "Problem"
CONTRACT_ERROR = "ContractError"
CONTRACT_ERRORS = (400, 404, 409, 413, 422)
EVERYWHERE = (500, 503)
SIGNED_IN = (401, 403, 429)
CONTRACT_ERROR_SCHEMA: Json = {
    "type": "object",
    "description": "An error of the contract's handlers; the published paging loop ends on it.",
    "required": ["success", "info", "totalRecords", "records"],
    "properties": {
        "success": {"type": "boolean", "enum": [False]},
        "info": {"type": "string"},
        "totalRecords": {"type": "integer"},
        "records": {"type": "array", "items": {}},
    },
    "examples": [{"success": False, "info": "limit takes a whole number", "totalRecords": 0, "records": []}],
}
ANSWER_HEADERS: Json = {
    "X-Request-ID": {"description": "Names this request in the logs", "schema": {"type": "string"}},
}
RATE_HEADERS: Json = {
    "RateLimit-Policy": {"description": "Requests in a window of seconds", "schema": {"type": "string"}},
    "RateLimit": {"description": "Requests left, and seconds until the window ends", "schema": {"type": "string"}},
}
RETRY_AFTER: Json = {"Retry-After": {"description": "Seconds to wait", "schema": {"type": "integer"}}}


def ref(name: str) -> Json:
    """Refer to a schema among the components."""
    return {"$ref": f"#/components/schemas/{name}"}


def problems(*statuses: int) -> dict[int | str, Json]:
    """Give the answers with a problem document for these statuses."""
    return {status: _error(status, contract=False) for status in statuses}


def _error(status: int, *, contract: bool) -> Json:
    kind, schema = ("application/json", CONTRACT_ERROR) if contract else (MEDIA_TYPE, PROBLEM)
    headers = RETRY_AFTER if status in {409, 429, 503} else {}
    return {
        "description": HTTPStatus(status).phrase,
        "content": {kind: {"schema": ref(schema)}},
        **({"headers": headers} if headers else {}),
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class Completion:
    """What a document lacks: ways to sign in, further schemas, and the paths where nobody needs to sign in."""

    security: Mapping[str, Json]
    schemas: Mapping[str, Json]
    open_paths: Collection[str]


def complete(document: Json, more: Completion) -> Json:
    """Complete a document in place and give it back."""
    components = document.setdefault("components", {})
    components["securitySchemes"] = dict(more.security)
    document["security"] = [{name: []} for name in more.security]
    kept: Json = components.setdefault("schemas", {})
    kept |= {PROBLEM: PROBLEM_SCHEMA, CONTRACT_ERROR: CONTRACT_ERROR_SCHEMA, **more.schemas}
    for path, operation in operations(document):
        is_open = path in more.open_paths
        if is_open:
            operation["security"] = []
        _complete_errors(path, operation, is_open=is_open)
        for response in operation["responses"].values():
            rates = {} if is_open else RATE_HEADERS
            response["headers"] = {**ANSWER_HEADERS, **rates, **response.get("headers", {})}
    document["paths"] = _hoisted(document["paths"], kept)
    for unused in ("HTTPValidationError", "ValidationError"):
        kept.pop(unused, None)
    return document


def operations(document: Json) -> Iterator[tuple[str, Json]]:
    """Give every operation with its path."""
    for path, item in document["paths"].items():
        for method, operation in item.items():
            if method in METHODS:
                yield path, operation


def _complete_errors(path: str, operation: Json, *, is_open: bool) -> None:
    contract = path.startswith(CONTROLLERS)
    responses: Json = operation["responses"]
    wanted = (*EVERYWHERE, *(() if is_open else SIGNED_IN), *(CONTRACT_ERRORS if contract else ()))
    validation = responses.get("422", {}).get("content", {}).get("application/json", {}).get("schema", {})
    if validation == ref("HTTPValidationError"):
        del responses["422"]  # this edge words it as an error of its own, with 400
        wanted = (*wanted, 400)
    for status in wanted:
        made = _error(status, contract=contract)
        responses[str(status)] = made | responses.get(str(status), {})


def _hoisted(part: Any, kept: Json) -> Any:  # any JSON
    """Move every object schema with a title to the components and refer to it."""
    if isinstance(part, list):
        return [_hoisted(item, kept) for item in part]
    if not isinstance(part, dict):
        return part
    found = {name: _hoisted(item, kept) for name, item in part.items()}
    title = part.get("title")
    if part.get("type") != "object" or not isinstance(title, str) or "properties" not in part:
        return found
    name = "".join(word[:1].upper() + word[1:] for word in title.split())
    kept[name] = found
    return ref(name)


def subset(document: Json, tag: str) -> Json:
    """Give the operations with a tag as a document of their own, with the schemas that they need; empty for none."""
    paths: Json = {}
    for path, item in document["paths"].items():
        chosen = {method: part for method, part in item.items() if tag in part.get("tags", ())}
        if chosen:
            paths[path] = chosen
    schemas = document["components"]["schemas"]
    needed: set[str] = set()
    waiting = list(_references(paths))
    while waiting:
        name = waiting.pop()
        if name not in needed:
            needed.add(name)
            waiting += _references(schemas[name])
    components = {**document["components"], "schemas": {name: schemas[name] for name in sorted(needed)}}
    return {**document, "paths": paths, "components": components}


def _references(part: Any) -> Iterator[str]:  # any JSON
    if isinstance(part, dict):
        target = part.get("$ref")
        if isinstance(target, str):
            yield target.rpartition("/")[2]
        part = list(part.values())
    if isinstance(part, list):
        for item in part:
            yield from _references(item)
