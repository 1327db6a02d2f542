"""Lists: a request is read once, counted and paged in one snapshot, and given as text that the database made."""

import hashlib
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from coldshelf.access.principal import Limit, Principal
from coldshelf.kit.clock import wire_time
from coldshelf.kit.db import Connection
from coldshelf.kit.errors import NotAllowed
from coldshelf.kit.ids import ClientId
from coldshelf.kit.runtime import Runtime
from coldshelf.kit.web.params import Params
from coldshelf.records import store
from coldshelf.records.cursors import BEGINNING, read_cursor, write_cursor
from coldshelf.records.dataset import MODIFIED_ON, Column, Dataset
from coldshelf.records.errors import PageInvalid
from coldshelf.records.filters import Condition, known_column, parse_filters
from coldshelf.records.formats import Format, PageText, page_text, read_format
from coldshelf.records.limits import LIMIT_ID, dataset_for, require_read
from coldshelf.records.plain import plain_names, read_plain
from coldshelf.records.query import (
    ROW_NUMBER,
    Shape,
    count_statement,
    page_statement,
    peek_statement,
    shape_values,
    whole_statement,
)
from coldshelf.records.shown import read_fields

DEFAULT_LIMIT = 50
BATCH = 1000
"""Rows that are held in memory at a time; a page of at most so many is read at once and frees its connection."""
FEW = 2000
"""So many rows are counted and sorted for each page of a pull; of more, the key's order gives each page a part."""
AS_OF = "X-Data-As-Of"
TOTAL = "X-Total-Records"
PAGE_PARAMETERS = frozenset(
    {"action", "start", "limit", "filters", "sort", "dir", "includedeleted", "cursor", "fields"}
) | {"format", "asarray", "exportformat", "exportfilename", "_dc"}


@dataclass(frozen=True, slots=True, kw_only=True)
class ListRequest:
    """What a caller wants to see.

    `by_time`: the modification time is filtered. `cursor`: None without one, empty to begin. `ignored`: parameters that
    mean nothing here. `columns`: those that are given, None for all; `numbered`: with `RowNumber`. `sight`:
    the limit of the principal for whom the request was narrowed.
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
    format: Format = Format.JSON
    sight: Limit | None = None

    @property
    def follows_notes(self) -> bool:
        """Say whether its pages are noted, so that each goes on behind the row where the one before ended."""
        return self.sort.wire == self.dataset.key and self.cursor is None

    @property
    def names(self) -> list[str]:
        """Give the names that a record has, in order."""
        columns = self.dataset.columns if self.columns is None else self.columns
        return [*(column.wire for column in columns), *([ROW_NUMBER] if self.numbered else [])]

    def name_for(self, *reader: object) -> bytes:
        """Name what is wanted: the same reader, dataset and filters give the same name, whatever the page."""
        filters = [(c.column.wire, c.operator, [str(value) for value in c.values]) for c in self.conditions]
        return hashlib.sha256(repr((reader, self.dataset.name, filters, self.with_deleted)).encode()).digest()

    def name_of_pull(self, principal: Principal) -> bytes:
        reader = (principal.client_id, principal.role.value, principal.user_id, principal.limit.outlets)
        return self.name_for(*reader, self.descending)

    def name_of_cursor(self, principal: Principal) -> str:
        return self.name_for(principal.client_id, principal.limit.scope).hex()

    def seen_by(self, principal: Principal) -> "ListRequest":
        """Narrow the request to what the principal sees; raise FilterInvalid for a field that is hidden from it."""
        dataset = dataset_for(principal, self.dataset)
        for condition in self.conditions:
            known_column(dataset, condition.column.wire)
        known_column(dataset, self.sort.wire, place="sort")
        for column in self.columns or ():
            known_column(dataset, column.wire, place="fields")
        return replace(self, dataset=dataset, sight=principal.limit)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a page begins, behind an id or behind a cursor, and how far it may see.

    `horizon`: rows modified later are held back. `as_of`: the horizon of the first page of the pull. `total`: what that
    page counted.
    """

    horizon: datetime | None = None
    as_of: datetime | None = None
    after_id: int | None = None
    cursor: tuple[int, int] | None = None
    total: int | None = None


@dataclass(frozen=True, slots=True)
class ListAnswer:
    """The reply of a list, at once or in parts, and until when it is complete."""

    body: bytes | AsyncGenerator[bytes]
    as_of: datetime | None
    total: int = 0
    media_type: str = "application/json"

    @property
    def headers(self) -> dict[str, str]:
        told = {AS_OF: wire_time(self.as_of)} if self.as_of else {}
        return {TOTAL: str(self.total), **told}

    async def whole(self) -> bytes:
        """Give the reply in one piece, to who knows that it is small."""
        return self.body if isinstance(self.body, bytes) else b"".join([part async for part in self.body])


def read_list_request(
    dataset: Dataset, params: Params, *, most: int, default_limit: int = DEFAULT_LIMIT
) -> ListRequest:
    """Read paging, sort and filters; raise PageInvalid or FilterInvalid with the place and the cure."""
    wanted = read_format(params)
    conditions = read_conditions(dataset, params)
    filtered = {condition.column.wire for condition in conditions}
    by_time = MODIFIED_ON in filtered
    cursor = _cursor_text(params)
    if cursor is not None and wanted is Format.CSV:
        raise PageInvalid("CSV has no place for the next cursor: send format=json, array or xml")
    fields = read_fields(dataset, params.text("fields"))
    order = params.text("sort") or _default_sort(dataset, by_time=by_time)
    return ListRequest(
        dataset=dataset,
        start=_not_negative(params, "start", 0),
        limit=_limit(params, most, default_limit),
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
        format=wanted,
    )


def read_conditions(dataset: Dataset, params: Params) -> list[Condition]:
    """Read `filters` and the plain parameters of a dataset; raise FilterInvalid with the place and the cure."""
    conditions = parse_filters(dataset, params.text("filters")) if params.text("filters") else []
    return conditions + read_plain(dataset, params)


async def list_records(run: Runtime, principal: Principal, request: ListRequest) -> ListAnswer:
    """Answer a list. Small pages are read whole; large ones stream from one snapshot."""
    request, client_id, place = await begin(run, principal, request)
    page = _Page(run, principal, client_id, request, place)
    parts = page.parts()
    media_type = page.text.media_type
    if request.limit <= BATCH:
        body = b"".join([part async for part in parts])
        return ListAnswer(body, place.as_of, page.total, media_type)
    first = await anext(parts)  # what can go wrong with the statements does so here, while an error can be answered
    return ListAnswer(chain(first, parts), place.as_of, page.total, media_type)


async def begin(run: Runtime, principal: Principal, request: ListRequest) -> tuple[ListRequest, ClientId, Place]:
    """Let a reader in: the one door of lists and files.

    Gives the request narrowed to what the reader sees, its client, and where the page or file begins.
    """
    client_id = readable_client(principal, request.dataset)
    request = request.seen_by(principal)
    return request, client_id, await _find_place(run, principal, client_id, request)


def readable_client(principal: Principal, dataset: Dataset) -> ClientId:
    require_read(principal, dataset)
    if principal.client_id is None:
        raise NotAllowed("An operator account belongs to no client and reads no client's records.")
    return principal.client_id


async def _find_place(run: Runtime, principal: Principal, client_id: ClientId, request: ListRequest) -> Place:
    """Find where the page begins.

    Each page sees up to the horizon of its own moment, so that a row that is modified during the pull is not lost to
    it. But no page tells a ModifiedOn behind the horizon of the first one: else a row of an early page, modified during
    the pull, could lie below the greatest ModifiedOn received, and the next pull would miss it.
    """
    if request.cursor is not None:
        return Place(cursor=read_cursor(run.secret, request.name_of_cursor(principal), request.cursor))
    note = None
    if request.follows_notes and request.start:
        note = await store.recall_page_end(
            run.database,
            client_id,
            request.name_of_pull(principal),
            next_start=request.start,
            by_time=request.by_time,
        )
    noted = Place(as_of=note.as_of, after_id=note.last_id, total=note.total) if note else Place()
    if not request.by_time:
        return noted
    # One microsecond less, so that `>` the mark and `<=` the mark have nothing in between.
    horizon = await store.horizon(run.database) - timedelta(microseconds=1)
    as_of = noted.as_of or horizon
    return replace(noted, horizon=max(horizon, as_of), as_of=as_of)


@dataclass(slots=True)
class _Page:
    """One page while it is read; `total` is known with its first part."""

    run: Runtime
    principal: Principal
    client_id: ClientId
    request: ListRequest
    place: Place
    total: int = 0
    last: tuple[int, int] | None = None
    text: PageText = field(init=False)

    def __post_init__(self) -> None:
        self.text = page_text(self.request.format, self.request.names)

    async def parts(self) -> AsyncGenerator[bytes]:
        shape, values = list_shape(self.request, self.place)
        shape = replace(shape, text=self.text.row_text)
        async with self.run.database.snapshot(self.client_id) as connection:
            self.total = await self._count(connection, shape, values)
            yield self.text.head(self.total)
            few = self.total if self.place.total is None else self.place.total
            narrow = bool(shape.conditions) and few <= FEW and self.place.cursor is None
            async for batch in self._batches(connection, replace(shape, narrow=narrow), values):
                yield self.text.rows(batch.records)
                self.last = (batch.revision, batch.last_id)
        yield self.text.tail(_rest(self.run.secret, self.principal, self.request, self.last or self.place.cursor))
        await self._note()

    def _batches(
        self, connection: Connection, shape: Shape, values: Mapping[str, object]
    ) -> AsyncIterator[store.Batch]:
        if self.request.limit <= BATCH:
            return store.fetch_whole(connection, whole_statement(shape), values)
        return store.fetch_batches(connection, page_statement(shape), values, size=BATCH)

    async def _count(self, connection: Connection, shape: Shape, values: Mapping[str, object]) -> int:
        """Count all records of a first page; behind it, see only whether there are more than this page takes.

        Counting them all for each page would make a long pull quadratic.
        """
        place, request = self.place, self.request
        if place.total is None or place.total <= FEW:
            found = await store.fetch_count(connection, count_statement(shape), values)
            return found if place.after_id is None else request.start + found
        most = request.limit + 1
        found = await store.fetch_count(connection, peek_statement(shape), {**values, "most": most})
        reached = request.start + found
        return reached if found < most else max(place.total, reached)

    async def _note(self) -> None:
        next_start = self.request.start + self.request.limit
        if self.request.follows_notes and self.last and next_start < self.total:
            total = self.total if self.place.total is None else self.place.total
            await store.note_page_end(
                self.run.database,
                self.client_id,
                self.request.name_of_pull(self.principal),
                next_start=next_start,
                note=store.PageEnd(self.last[1], total, self.place.as_of),
                descending=self.request.descending,
            )


def _rest(secret: bytes, principal: Principal, request: ListRequest, last: tuple[int, int] | None) -> dict[str, object]:
    """Give what is said behind the records: the cursor of the next page, and what was not used."""
    more: dict[str, object] = {}
    if request.cursor is not None and last:
        more["cursor"] = write_cursor(secret, request.name_of_cursor(principal), last)
    if request.ignored:
        more["warnings"] = [f"{name} was ignored: it is no parameter of this list" for name in request.ignored]
    return more


def list_shape(request: ListRequest, place: Place) -> tuple[Shape, Mapping[str, object]]:
    """Give the statement of a page and its values by name."""
    assert request.sight is not None, "ListRequest.seen_by comes first"  # noqa: S101  # whatever door forgets it
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
        with_gone=request.dataset.limited and (request.by_time or request.cursor is not None),
    )
    revision, row_id = place.cursor or BEGINNING
    values = {
        **shape_values(request.conditions),
        LIMIT_ID: request.sight.outlets,
        "start": 0 if place.after_id is not None else request.start,
        "first": request.start,
        "limit": request.limit,
        "horizon": place.horizon,
        "as_of": place.as_of,
        "after_revision": revision,
        "after_id": row_id if place.after_id is None else place.after_id,
    }
    return shape, values


async def chain(first: bytes, rest: AsyncGenerator[bytes]) -> AsyncGenerator[bytes]:
    """Give the part that was read already, and then the rest."""
    async with aclosing(rest):
        yield first
        async for part in rest:
            yield part


def _limit(params: Params, most: int, default: int) -> int:
    limit = _not_negative(params, "limit", default)
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
    known = PAGE_PARAMETERS | {name.lower() for name in dataset.plain_filters} | plain_names(dataset, params)
    return tuple(name for name in params if name.lower() not in known)


def _cursor_text(params: Params) -> str | None:
    if "cursor" not in params:
        return None
    for name in ("start", "sort", "dir"):
        if params.text(name) not in {"", "0"}:
            raise PageInvalid(f"cursor and {name} exclude each other: a cursor knows where it stands and its order")
    return params.text("cursor")
