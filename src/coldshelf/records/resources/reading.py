"""Reads of a resource: pages, changes since a cursor, one record."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from urllib.parse import urlencode

import msgspec
import orjson
from fastapi import Request, Response
from itsdangerous import BadSignature, URLSafeSerializer

from coldshelf.access.principal import Principal
from coldshelf.kit.errors import InputInvalid, Place
from coldshelf.kit.runtime import Runtime
from coldshelf.kit.web.params import Params, query_params
from coldshelf.kit.web.request import run_of
from coldshelf.records.dataset import MODIFIED_ON, Dataset
from coldshelf.records.entity import Entity
from coldshelf.records.errors import CursorGone, PageInvalid, RecordNotFound
from coldshelf.records.filters import Condition, known_column
from coldshelf.records.listing import ListAnswer, ListRequest, list_records, read_list_request
from coldshelf.records.plain import plain_offered
from coldshelf.records.resources.bodies import Record, to_native
from coldshelf.records.resources.names import Address, read_address, resource_path
from coldshelf.records.resources.tags import read_precondition, tag_of

JSON = "application/json"
MOST_RECORDS = 1000
LIST_PARAMETERS = ("limit", "cursor", "filters", "filter", "sort", "fields", "includeDeleted")
CHANGES_PARAMETERS = ("limit", "cursor", "filters", "filter", "fields")
SINGLE_PARAMETERS = ("fields",)
# `fields` is read here: pages need the key of each record, and tags its modification time.
NOT_THE_ENGINES = frozenset({"filter", "filters", "sort", "cursor", "fields"})
_FIRST_WORD = re.compile(r"[A-Za-z]+")


class Found(msgspec.Struct, rename={"total": "totalRecords"}):
    """What a list of the contract says."""

    total: int
    records: list[Record]
    cursor: str | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a resource as it is answered."""

    records: list[Record]
    next: str | None
    headers: Mapping[str, str]
    more: bool


async def list_resource(request: Request, principal: Principal, dataset: Dataset) -> Response:
    """Answer one page: `data`, and in `next` the cursor of the page after it, or null at the end."""
    params = _checked(request, dataset, LIST_PARAMETERS)
    wanted = _narrowed(_asked(dataset, _engine_params(params)), params)
    page = await _page(run_of(request), principal, wanted, params.text("cursor"))
    headers = dict(page.headers)
    if page.next:
        query = urlencode([*((name, value) for name, value in params.items() if name != "cursor")])
        cursor = urlencode({"cursor": page.next})
        headers["Link"] = f'<{resource_path(dataset)}?{query}{"&" if query else ""}{cursor}>; rel="next"'
    body = {"data": _shown(dataset, page.records, params), "next": page.next}
    return Response(orjson.dumps(body), headers=headers, media_type=JSON)


async def list_changes(request: Request, principal: Principal, dataset: Dataset) -> Response:
    """Answer what changed since a cursor, deletions too, in the order of change; `next` goes on from there."""
    params = _checked(request, dataset, CHANGES_PARAMETERS)
    asked = _asked(dataset, Params([*_engine_params(params).items(), ("cursor", params.text("cursor"))]))
    wanted = _narrowed(asked, params)
    found = await _find(run_of(request), principal, wanted)
    body = {
        "data": _shown(dataset, found.records, params),
        "next": found.cursor or params.text("cursor"),
        "more": found.total > len(found.records),
    }
    return Response(orjson.dumps(body), media_type=JSON)


async def read_resource(request: Request, principal: Principal, dataset: Dataset, entity: Entity | None) -> Response:
    """Answer one record with its tag, or 304 to a reader that has it."""
    params = _checked(request, dataset, SINGLE_PARAMETERS)
    address = read_address(dataset, entity, request.path_params["key"])
    record = await find_record(run_of(request), principal, dataset, address, params)
    tag = tag_of(record)
    headers = {"ETag": tag, "Cache-Control": "private, no-cache"} if tag else {}
    if read_precondition(request.headers).knows(tag):
        return Response(status_code=304, headers=headers)
    return Response(orjson.dumps(_shown(dataset, [record], params)[0]), headers=headers, media_type=JSON)


async def find_record(run: Runtime, principal: Principal, dataset: Dataset, address: Address, params: Params) -> Record:
    """Find one active record through the same list, and so within the same limits; raise RecordNotFound."""
    filters = orjson.dumps({address.wire: address.value}).decode()
    wanted = read_list_request(dataset, Params([("filters", filters), ("limit", "1")]), most=1)
    found = await _find(run, principal, _narrowed(wanted, params))
    if not found.records:
        raise RecordNotFound(f"There is no {dataset.name} with {address.wire} {str(address.value)[:60]}")
    return found.records[0]


def _asked(dataset: Dataset, params: Params) -> ListRequest:
    try:
        return read_list_request(dataset, params, most=MOST_RECORDS)
    except InputInvalid as error:
        word = _FIRST_WORD.match(error.message)  # the engine's messages begin with the parameter that is wrong
        if word and word[0] in params:
            error.places = (Place(parameter=word[0], detail=error.message),)
        raise


def _narrowed(wanted: ListRequest, params: Params) -> ListRequest:
    """Let the database give the fields that are asked for, and what pages and tags are made of."""
    dataset = wanted.dataset
    wires = _fields(dataset, params.text("fields"))
    if not wires:
        return wanted
    needed = dict.fromkeys([*wires, dataset.key, MODIFIED_ON])
    columns = tuple(column for wire in needed if (column := dataset.column(wire)))
    return replace(wanted, columns=columns, numbered=False)


def _checked(request: Request, dataset: Dataset, known: tuple[str, ...]) -> Params:
    """Read the query; raise PageInvalid for a parameter that means nothing here."""
    params = query_params(request)
    plain = plain_offered(dataset) if "filters" in known else ()
    offered = {name.lower(): name for name in (*known, *plain)}
    unknown = [name for name in params if name.lower() not in offered]
    if unknown:
        raise PageInvalid(
            f"Unknown parameters: {', '.join(name[:40] for name in unknown)}; known are {', '.join(offered.values())}",
            places=tuple(Place(parameter=name, detail="is no parameter here") for name in unknown),
        )
    if params.text("filter") and params.text("filters"):
        twice = "filter and filters are the same: send one of them"
        raise PageInvalid(twice, places=(Place(parameter="filter", detail=twice),))
    return Params([(offered[name.lower()], value) for name, value in params.items()])


def _engine_params(params: Params) -> Params:
    """Give the parameters of the contract's list that a page of a resource stands for."""
    sort = params.text("sort")
    translated = {
        "filters": params.text("filters") or params.text("filter"),
        "sort": sort.removeprefix("-"),
        "dir": "desc" if sort.startswith("-") else "asc" if sort else "",
    }
    kept = [(name, value) for name, value in params.items() if name not in NOT_THE_ENGINES]
    return Params([*kept, *((name, value) for name, value in translated.items() if value)])


async def _page(run: Runtime, principal: Principal, wanted: ListRequest, cursor: str) -> Page:
    """Find a page behind a cursor: behind the last key where the order is that of the key, else behind a number.

    The first neither skips nor doubles what stays. With a filter by time the engine does the same for numbers.
    """
    key = known_column(wanted.dataset, wanted.dataset.key)
    by_key = wanted.sort.wire == key.wire and not wanted.by_time
    place = _read_cursor(run.secret, principal, wanted, cursor) if cursor else 0
    start = 0 if by_key else place
    asked = replace(wanted, start=start)
    if by_key and cursor:
        behind = Condition(key, "<" if wanted.descending else ">", (place,))
        asked = replace(wanted, conditions=(*wanted.conditions, behind))
    answer = await list_records(run, principal, asked)
    found = await _decode(answer)
    records = found.records
    more = found.total > start + len(records) and bool(records)
    reached = int(bytes(records[-1][key.wire])) if by_key and records else start + len(records)
    after = _serializer(run.secret).dumps([_name(principal, wanted), reached]) if more else None
    return Page(records, after if after is None else str(after), answer.headers, more)


def _read_cursor(secret: bytes, principal: Principal, wanted: ListRequest, cursor: str) -> int:
    try:
        name, place = _serializer(secret).loads(cursor)
    except (BadSignature, ValueError) as error:
        raise CursorGone("The cursor was not made by this server") from error
    if name != _name(principal, wanted):
        raise CursorGone("The cursor belongs to another resource, filter or order")
    return int(place)


def _name(principal: Principal, wanted: ListRequest) -> str:
    return f"{wanted.name_of_cursor(principal)} {wanted.sort.wire} {wanted.descending}"


def _serializer(secret: bytes) -> URLSafeSerializer:
    return URLSafeSerializer(secret, salt="resource-page")


async def _find(run: Runtime, principal: Principal, wanted: ListRequest) -> Found:
    return await _decode(await list_records(run, principal, wanted))


async def _decode(answer: ListAnswer) -> Found:
    return msgspec.json.decode(await answer.whole(), type=Found)


def _shown(dataset: Dataset, records: list[Record], params: Params) -> list[orjson.Fragment]:
    """Give the records as JSON text with real types, only with the fields that were asked for."""
    wires = _fields(dataset, params.text("fields"))
    native = (to_native(dataset, record) for record in records)
    chosen = ({wire: record[wire] for wire in wires if wire in record} if wires else record for record in native)
    return [orjson.Fragment(msgspec.json.encode(record)) for record in chosen]


def _fields(dataset: Dataset, text: str) -> list[str]:
    names = [name.strip() for name in text.split(",") if name.strip()]
    try:
        return [known_column(dataset, name).wire for name in names]
    except InputInvalid as error:
        raise PageInvalid(
            f"fields: {error.message}", places=(Place(parameter="fields", detail=error.message),)
        ) from error
