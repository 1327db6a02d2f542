"""Lists: a request is read once, counted and paged in one snapshot, and streamed as text that the database made."""

import hashlib
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from itsdangerous import BadSignature, URLSafeSerializer

from coldshelf.access.principal import Principal
from coldshelf.kit.clock import wire_time
from coldshelf.kit.db import Connection
from coldshelf.kit.errors import NotAllowed
from coldshelf.kit.ids import ClientId
from coldshelf.kit.runtime import Runtime
from coldshelf.kit.web.params import Params
from coldshelf.records import store
from coldshelf.records.dataset import Column, Dataset
from coldshelf.records.errors import CursorGone, PageInvalid
from coldshelf.records.filters import Condition, known_column, parse_filters, plain_condition
from coldshelf.records.query import Shape, count_statement, page_statement, shape_values

DEFAULT_LIMIT = 50
BATCH = 1000
"""Rows that are held in memory at a time; a page of at most so many is read at once and frees its connection."""


@dataclass(frozen=True, slots=True)
class ListRequest:
    """What a caller wants to see; `by_time` is true when the modification time is filtered."""

    dataset: Dataset
    start: int
    limit: int
    conditions: tuple[Condition, ...]
    sort: Column
    descending: bool
    sorted_by_caller: bool
    by_time: bool
    with_deleted: bool
    cursor: tuple[int, int] | None

    @property
    def digest(self) -> bytes:
        """Name this pull: the same dataset and filters give the same digest, whatever the page."""
        parts = [(c.column.wire, c.operator, [str(value) for value in c.values]) for c in self.conditions]
        return hashlib.sha256(repr((self.dataset.name, parts, self.with_deleted)).encode()).digest()


@dataclass(frozen=True, slots=True)
class ListAnswer:
    """The reply of a list: `text` streams the JSON; the other fields go into headers."""

    text: AsyncIterator[bytes]
    as_of: datetime | None


def read_list_request(dataset: Dataset, params: Params, *, most: int, secret: bytes) -> ListRequest:
    """Read paging, sort and filters; raise PageInvalid or FilterInvalid with the place and the cure."""
    conditions = parse_filters(dataset, params.text("filters")) if params.text("filters") else []
    conditions += [plain_condition(dataset, name, params.text(name)) for name in dataset.plain_filters if params.text(name)]
    by_time = any(condition.column.wire == "ModifiedOn" for condition in conditions)
    sort = params.text("sort")
    limit = _limit(params, most)
    request = ListRequest(
        dataset=dataset,
        start=_not_negative(params, "start", 0),
        limit=limit,
        conditions=tuple(conditions),
        sort=known_column(dataset, sort or (dataset.key if by_time else dataset.default_sort or dataset.key)),
        descending=_descending(dataset, params, sort, by_time=by_time),
        sorted_by_caller=bool(sort),
        by_time=by_time,
        with_deleted=by_time or params.boolean("includeDeleted", default=False),
        cursor=None,
    )
    return _with_cursor(request, params, secret)


async def list_records(run: Runtime, principal: Principal, request: ListRequest) -> ListAnswer:
    """Answer a list. Small pages are read whole; large ones stream from one snapshot."""
    client_id = readable_client(principal, request.dataset)
    as_of = await store.horizon(run.database) if request.by_time and request.cursor is None else None
    pages = _pages(run, client_id, request, as_of)
    if request.limit <= BATCH:
        return ListAnswer(_ready([part async for part in pages]), as_of)
    return ListAnswer(pages, as_of)


def readable_client(principal: Principal, dataset: Dataset) -> ClientId:
    principal.require(dataset.readers)
    if principal.client_id is None:
        raise NotAllowed("An operator account belongs to no client and reads no client's records.")
    return principal.client_id


async def _pages(
    run: Runtime, client_id: ClientId, request: ListRequest, as_of: datetime | None
) -> AsyncIterator[bytes]:
    last: tuple[int, int] | None = None
    async with run.database.scope(client_id, readonly=True, isolation="repeatable_read") as connection:
        after_id = await _remembered(connection, client_id, request)
        shape, values = _shape(request, as_of, after_id)
        remaining = await store.fetch_count(connection, count_statement(shape), values)
        total = remaining if after_id is None else request.start + remaining
        yield f'{{"success":true,"totalRecords":{total},"records":['.encode()
        separator = b""
        async for batch in store.fetch_pages(connection, page_statement(shape), values, size=BATCH):
            yield separator + ",".join(row["record"] for row in batch).encode()
            separator = b","
            last = (batch[-1]["revision"], batch[-1]["id"])
    cursor = _next_cursor(run.secret, request, last)
    yield b"]" + (f',"cursor":"{cursor}"'.encode() if cursor else b"") + b"}"
    if last and _remembers(request) and request.start + request.limit < total:
        async with run.database.scope(client_id) as connection:
            await store.remember_position(
                connection, client_id, request.digest, request.start + request.limit, last[1]
            )


def _shape(request: ListRequest, as_of: datetime | None, after_id: int | None) -> tuple[Shape, dict[str, object]]:
    shape = Shape(
        dataset=request.dataset,
        conditions=tuple((c.column, c.operator, len(c.values)) for c in request.conditions),
        sort=request.sort,
        descending=request.descending,
        with_deleted=request.with_deleted,
        below_horizon=request.by_time and request.cursor is None,
        after_id=after_id is not None,
        after_revision=request.cursor is not None,
    )
    revision, row_id = request.cursor or (0, 0)
    values = {
        **shape_values(request.conditions),
        "start": 0 if after_id is not None or request.cursor else request.start,
        "first": request.start,
        "limit": request.limit,
        "horizon": as_of,
        "after_revision": revision,
        "after_id": after_id if after_id is not None else row_id,
    }
    return shape, values


def _remembers(request: ListRequest) -> bool:
    """Pulls by time in the order of the key go on behind the row where the page before ended."""
    return request.by_time and not request.sorted_by_caller and request.cursor is None


async def _remembered(connection: Connection, client_id: ClientId, request: ListRequest) -> int | None:
    if not _remembers(request) or request.start == 0:
        return None
    return await store.recall_position(connection, client_id, request.digest, request.start)


async def _ready(parts: list[bytes]) -> AsyncIterator[bytes]:
    yield b"".join(parts)


def _limit(params: Params, most: int) -> int:
    limit = _not_negative(params, "limit", DEFAULT_LIMIT)
    if limit > most:
        raise PageInvalid(f"limit is {limit}; at most {most} records fit one page")
    if limit == 0:
        raise PageInvalid("limit is 0; ask for at least 1 record")
    return limit


def _not_negative(params: Params, name: str, default: int) -> int:
    value = params.integer(name, default=default)
    if not 0 <= value < 2**62:
        raise PageInvalid(f"{name} is {value}; it takes 0 or more")
    return value


def _descending(dataset: Dataset, params: Params, sort: str, *, by_time: bool) -> bool:
    direction = params.text("dir").lower()
    if direction not in {"", "asc", "desc"}:
        raise PageInvalid(f"dir is {direction!r}; it takes ASC or DESC")
    if direction:
        return direction == "desc"
    return not sort and not by_time and dataset.default_direction == "desc"


def _serializer(secret: bytes) -> URLSafeSerializer:
    return URLSafeSerializer(secret, salt="list-cursor")


def _with_cursor(request: ListRequest, params: Params, secret: bytes) -> ListRequest:
    if "cursor" not in params:
        return request
    text = params.text("cursor")
    cursor = _read_cursor(request, text, secret) if text else (0, -1)
    return replace(request, cursor=cursor, with_deleted=True)


def _read_cursor(request: ListRequest, text: str, secret: bytes) -> tuple[int, int]:
    try:
        digest, revision, row_id = _serializer(secret).loads(text)
    except (BadSignature, ValueError) as error:
        raise CursorGone("The cursor was not made by this server") from error
    if digest != request.digest.hex()[:16]:
        raise CursorGone("The cursor belongs to another dataset or filter")
    return int(revision), int(row_id)


def _next_cursor(secret: bytes, request: ListRequest, last: tuple[int, int] | None) -> str:
    if request.cursor is None:
        return ""
    revision, row_id = last or request.cursor
    return str(_serializer(secret).dumps([request.digest.hex()[:16], revision, row_id]))


def headers_of(answer: ListAnswer) -> Mapping[str, str]:
    """Say until when the list is complete: the mark of the next pull."""
    return {"X-Data-As-Of": wire_time(answer.as_of)} if answer.as_of else {}
