"""Lists: a request is read once, counted and paged in one snapshot, and given as text that the database made."""

import hashlib
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import orjson
from itsdangerous import BadSignature, URLSafeSerializer

from coldshelf.access.principal import Principal
from coldshelf.kit.clock import wire_time
from coldshelf.kit.errors import NotAllowed
from coldshelf.kit.ids import ClientId
from coldshelf.kit.runtime import Runtime
from coldshelf.kit.web.params import Params
from coldshelf.records import store
from coldshelf.records.dataset import MODIFIED_ON, Column, Dataset
from coldshelf.records.errors import CursorGone, PageInvalid
from coldshelf.records.filters import Condition, known_column, parse_filters, plain_condition
from coldshelf.records.query import Shape, count_statement, page_statement, shape_values
from coldshelf.records.shown import read_fields

DEFAULT_LIMIT = 50
BATCH = 1000
"""Rows that are held in memory at a time; a page of at most so many is read at once and frees its connection."""
FEW = 2000
"""So many rows are sorted for each page of a pull; of more, the key's order gives each page a part."""
BEGINNING = (0, -1)
"""Where a cursor begins: before every revision and id."""
AS_OF = "X-Data-As-Of"
FORMATS = frozenset({"", "json"})
PAGE_PARAMETERS = frozenset(
    {"action", "start", "limit", "filters", "sort", "dir", "includedeleted", "cursor", "fields"}
) | {"format", "asarray", "_dc"}


@dataclass(frozen=True, slots=True, kw_only=True)
class ListRequest:
    """What a caller wants to see.

    `by_time`: the modification time is filtered. `cursor`: None without one, empty to begin. `ignored`: parameters that
    mean nothing here. `columns`: those that are given, None for all; `numbered`: with `RowNumber`.
    """

    dataset: Dataset
    start: int
    limit: int
    conditions: tuple[Condition, ...]
    sort: Column
    descending: bool
    by_time: bool
    with_deleted: bool
    cursor: str | None
    ignored: tuple[str, ...]
    columns: tuple[Column, ...] | None = None
    numbered: bool = True

    @property
    def follows_notes(self) -> bool:
        """Say whether its pages are noted, so that each goes on behind the row where the one before ended."""
        in_key_order = self.sort.wire == self.dataset.key and not self.descending
        return self.by_time and in_key_order and self.cursor is None

    def name_for(self, *reader: object) -> bytes:
        """Name what is wanted: the same reader, dataset and filters give the same name, whatever the page."""
        filters = [(c.column.wire, c.operator, [str(value) for value in c.values]) for c in self.conditions]
        return hashlib.sha256(repr((reader, self.dataset.name, filters, self.with_deleted)).encode()).digest()

    def name_of_pull(self, principal: Principal) -> bytes:
        return self.name_for(principal.client_id, principal.role.value, principal.user_id)

    def name_of_cursor(self, principal: Principal) -> str:
        return self.name_for(principal.client_id).hex()


@dataclass(frozen=True, slots=True)
class Place:
    """Where a page begins, behind an id or behind a cursor, and how far it may see.

    `horizon`: rows modified later are held back. `as_of`: the horizon of the first page of the pull.
    """

    horizon: datetime | None = None
    as_of: datetime | None = None
    after_id: int | None = None
    cursor: tuple[int, int] | None = None


@dataclass(frozen=True, slots=True)
class ListAnswer:
    """The reply of a list: JSON, at once or in parts, and until when it is complete."""

    body: bytes | AsyncIterator[bytes]
    as_of: datetime | None

    @property
    def headers(self) -> dict[str, str]:
        return {AS_OF: wire_time(self.as_of)} if self.as_of else {}


def read_list_request(dataset: Dataset, params: Params, *, most: int) -> ListRequest:
    """Read paging, sort and filters; raise PageInvalid or FilterInvalid with the place and the cure."""
    _check_format(params)
    conditions = read_conditions(dataset, params)
    filtered = {condition.column.wire for condition in conditions}
    by_time = MODIFIED_ON in filtered
    cursor = _cursor_text(params)
    fields = read_fields(dataset, params.text("fields"))
    order = params.text("sort") or _default_sort(dataset, by_time=by_time)
    return ListRequest(
        dataset=dataset,
        start=_not_negative(params, "start", 0),
        limit=_limit(params, most),
        conditions=tuple(conditions),
        sort=known_column(dataset, order, place="sort"),
        descending=_descending(dataset, params, by_time=by_time),
        by_time=by_time,
        with_deleted=by_time
        or cursor is not None
        or "IsDeleted" in filtered
        or params.boolean("includeDeleted", default=False),
        cursor=cursor,
        ignored=_ignored(dataset, params),
        columns=fields.columns,
        numbered=fields.numbered,
    )


def read_conditions(dataset: Dataset, params: Params) -> list[Condition]:
    """Read `filters` and the plain parameters of a dataset; raise FilterInvalid with the place and the cure."""
    conditions = parse_filters(dataset, params.text("filters")) if params.text("filters") else []
    plain = [name for name in dataset.plain_filters if params.text(name)]
    return conditions + [plain_condition(dataset, name, params.text(name)) for name in plain]


async def list_records(run: Runtime, principal: Principal, request: ListRequest) -> ListAnswer:
    """Answer a list. Small pages are read whole; large ones stream from one snapshot."""
    client_id = readable_client(principal, request.dataset)
    place = await _place(run, principal, client_id, request)
    pages = _pages(run, principal, client_id, request, place)
    if request.limit <= BATCH:
        return ListAnswer(b"".join([part async for part in pages]), place.as_of)
    first = await anext(pages)  # what can go wrong with the statements does so here, while an error can be answered
    return ListAnswer(_chain(first, pages), place.as_of)


def readable_client(principal: Principal, dataset: Dataset) -> ClientId:
    principal.require(dataset.readers)
    if principal.client_id is None:
        raise NotAllowed("An operator account belongs to no client and reads no client's records.")
    return principal.client_id


async def _place(run: Runtime, principal: Principal, client_id: ClientId, request: ListRequest) -> Place:
    """Find where the page begins.

    Each page sees up to the horizon of its own moment, so that a row that is modified during the pull is not lost to
    it. But no page tells a ModifiedOn behind the horizon of the first one: else a row of an early page, modified during
    the pull, could lie below the greatest ModifiedOn received, and the next pull would miss it.
    """
    if request.cursor is not None:
        return Place(cursor=_read_cursor(run.secret, principal, request))
    if not request.by_time:
        return Place()
    # One microsecond less, so that `>` the mark and `<=` the mark have nothing in between.
    horizon = await store.horizon(run.database) - timedelta(microseconds=1)
    if request.follows_notes and request.start:
        note = await store.recall_page_end(
            run.database, client_id, request.name_of_pull(principal), next_start=request.start
        )
        if note:
            return Place(horizon=max(horizon, note.as_of), as_of=note.as_of, after_id=note.last_id)
    return Place(horizon=horizon, as_of=horizon)


async def _pages(
    run: Runtime, principal: Principal, client_id: ClientId, request: ListRequest, place: Place
) -> AsyncIterator[bytes]:
    last: tuple[int, int] | None = None
    shape, values = _shape(request, place)
    async with run.database.scope(client_id, readonly=True, isolation="repeatable_read") as connection:
        remaining = await store.fetch_count(connection, count_statement(shape), values)
        total = remaining if place.after_id is None else request.start + remaining
        yield f'{{"success":true,"totalRecords":{total},"records":['.encode()
        separator = b""
        narrow = replace(shape, narrow=bool(shape.conditions) and remaining <= FEW and place.cursor is None)
        async for batch in store.fetch_pages(connection, page_statement(narrow), values, size=BATCH):
            yield separator + ",".join(row["record"] for row in batch).encode()
            separator = b","
            last = (batch[-1]["revision"], batch[-1]["id"])
    yield b"]" + _tail(run.secret, principal, request, last or place.cursor) + b"}"
    next_start = request.start + request.limit
    if request.follows_notes and place.as_of and last and next_start < total:
        note = store.PageEnd(as_of=place.as_of, last_id=last[1])
        await store.note_page_end(
            run.database, client_id, request.name_of_pull(principal), next_start=next_start, note=note
        )


def _tail(secret: bytes, principal: Principal, request: ListRequest, last: tuple[int, int] | None) -> bytes:
    """Give what follows the records: the cursor of the next page, and what was not used."""
    more: dict[str, object] = {}
    if request.cursor is not None and last:
        more["cursor"] = _serializer(secret).dumps([request.name_of_cursor(principal), *last])
    if request.ignored:
        more["warnings"] = [f"{name} was ignored: it is no parameter of this list" for name in request.ignored]
    return b"," + orjson.dumps(more)[1:-1] if more else b""


def _shape(request: ListRequest, place: Place) -> tuple[Shape, Mapping[str, object]]:
    shape = Shape(
        dataset=request.dataset,
        sort=request.sort,
        conditions=tuple((c.column, c.operator) for c in request.conditions),
        descending=request.descending,
        with_deleted=request.with_deleted,
        below_horizon=place.horizon is not None,
        after_id=place.after_id is not None,
        after_revision=place.cursor is not None,
        columns=request.columns,
        numbered=request.numbered,
    )
    revision, row_id = place.cursor or BEGINNING
    values = {
        **shape_values(request.conditions),
        "start": 0 if place.after_id is not None else request.start,
        "first": request.start,
        "limit": request.limit,
        "horizon": place.horizon,
        "as_of": place.as_of,
        "after_revision": revision,
        "after_id": row_id if place.after_id is None else place.after_id,
    }
    return shape, values


async def _chain(first: bytes, rest: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    yield first
    async for part in rest:
        yield part


def _check_format(params: Params) -> None:
    wanted = params.text("format").lower()
    if wanted not in FORMATS or params.boolean("asArray", default=False):
        raise PageInvalid("This list is given as JSON objects only: send format=json and asArray=0, or neither")


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


def _default_sort(dataset: Dataset, *, by_time: bool) -> str:
    return dataset.key if by_time else dataset.default_sort or dataset.key


def _descending(dataset: Dataset, params: Params, *, by_time: bool) -> bool:
    direction = params.text("dir").lower()
    if direction not in {"", "asc", "desc"}:
        raise PageInvalid(f"dir is {direction!r}; it takes ASC or DESC")
    if direction:
        return direction == "desc"
    return not params.text("sort") and not by_time and dataset.default_direction == "desc"


def _ignored(dataset: Dataset, params: Params) -> tuple[str, ...]:
    known = PAGE_PARAMETERS | {name.lower() for name in dataset.plain_filters}
    return tuple(name for name in params if name.lower() not in known)


def _cursor_text(params: Params) -> str | None:
    if "cursor" not in params:
        return None
    for name in ("start", "sort", "dir"):
        if params.text(name) not in {"", "0"}:
            raise PageInvalid(f"cursor and {name} exclude each other: a cursor knows where it stands and its order")
    return params.text("cursor")


def _serializer(secret: bytes) -> URLSafeSerializer:
    return URLSafeSerializer(secret, salt="list-cursor")


def _read_cursor(secret: bytes, principal: Principal, request: ListRequest) -> tuple[int, int]:
    if not request.cursor:
        return BEGINNING
    try:
        name, revision, row_id = _serializer(secret).loads(request.cursor)
    except (BadSignature, ValueError) as error:
        raise CursorGone("The cursor was not made by this server") from error
    if name != request.name_of_cursor(principal):
        raise CursorGone("The cursor belongs to another client, dataset or filter")
    return int(revision), int(row_id)
