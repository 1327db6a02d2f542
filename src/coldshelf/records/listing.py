"""Lists: what a request asks for, read once, and which kind of page answers it."""

import hashlib
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass
from datetime import datetime

from itsdangerous import BadSignature, URLSafeSerializer

from coldshelf.access.principal import Principal
from coldshelf.kit.clock import wire_time
from coldshelf.kit.errors import NotAllowed
from coldshelf.kit.ids import ClientId
from coldshelf.kit.runtime import Runtime
from coldshelf.kit.web.params import Params
from coldshelf.records.dataset import MODIFIED_ON, Column, Dataset
from coldshelf.records.errors import CursorGone, PageInvalid
from coldshelf.records.filters import Condition, known_column, parse_filters, plain_condition
from coldshelf.records.pages import BATCH, Cursor, Page, cursor_page, plain_page, pull_page
from coldshelf.records.pulls import Pull
from coldshelf.records.query import Shape, shape_values

DEFAULT_LIMIT = 50
BEGINNING = (0, -1)
"""Where a cursor begins: before every revision and id."""
AS_OF = "X-Data-As-Of"
PAGE_PARAMETERS = frozenset(
    {"action", "start", "limit", "filters", "sort", "dir", "includedeleted", "cursor", "format", "asarray", "_dc"}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ListRequest:
    """What a caller wants to see.

    `by_time`: the modification time is filtered. `cursor`: None without one, empty to begin. `ignored`: parameters that
    mean nothing here.
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

    def name_for(self, *reader: object) -> bytes:
        """Name what is wanted: the same reader, dataset and filters give the same name, whatever the page."""
        filters = [(c.column.wire, c.operator, [str(value) for value in c.values]) for c in self.conditions]
        return hashlib.sha256(repr((reader, self.dataset.name, filters, self.with_deleted)).encode()).digest()

    def page(self, client_id: ClientId) -> Page:
        warnings = [f"{name} was ignored: it is no parameter of this list" for name in self.ignored]
        return Page(
            client_id=client_id,
            shape=Shape(
                dataset=self.dataset,
                sort=self.sort,
                conditions=tuple((c.column, c.operator) for c in self.conditions),
                descending=self.descending,
                with_deleted=self.with_deleted,
            ),
            values={
                **shape_values(self.conditions),
                "start": self.start,
                "limit": self.limit,
                "first": self.start,
            },
            start=self.start,
            limit=self.limit,
            rest={"warnings": warnings} if warnings else {},
        )

    def pull(self, client_id: ClientId, principal: Principal) -> Pull:
        name = self.name_for(client_id, principal.role.value, principal.user_id)
        return Pull(client_id, name, noted=self.sort.wire == self.dataset.key and not self.descending)


@dataclass(frozen=True, slots=True)
class ListAnswer:
    """The reply of a list: JSON, at once or in parts, and until when it is complete."""

    body: bytes | AsyncGenerator[bytes]
    as_of: datetime | None = None

    @property
    def headers(self) -> dict[str, str]:
        return {AS_OF: wire_time(self.as_of)} if self.as_of else {}


def read_list_request(dataset: Dataset, params: Params, *, most: int) -> ListRequest:
    """Read paging, sort and filters; raise PageInvalid or FilterInvalid with the place and the cure."""
    _check_format(params)
    conditions = parse_filters(dataset, params.text("filters")) if params.text("filters") else []
    conditions += [
        plain_condition(dataset, name, params.text(name)) for name in dataset.plain_filters if params.text(name)
    ]
    filtered = {condition.column.wire for condition in conditions}
    by_time = MODIFIED_ON in filtered
    cursor = _cursor_text(params)
    asked_for_deleted = params.boolean("includeDeleted", default=False)
    return ListRequest(
        dataset=dataset,
        start=_not_negative(params, "start", 0),
        limit=_limit(params, most),
        conditions=tuple(conditions),
        sort=known_column(dataset, params.text("sort") or _default_sort(dataset, by_time=by_time)),
        descending=_descending(dataset, params, by_time=by_time),
        by_time=by_time,
        with_deleted=asked_for_deleted or by_time or cursor is not None or "IsDeleted" in filtered,
        cursor=cursor,
        ignored=_ignored(dataset, params),
    )


async def list_records(run: Runtime, principal: Principal, request: ListRequest) -> ListAnswer:
    """Answer a list. Small pages are read whole; large ones stream from one snapshot."""
    client_id = readable_client(principal, request.dataset)
    page = request.page(client_id)
    if request.cursor is not None:
        cursors = _Cursors(run.secret, request.name_for(client_id).hex())
        parts = cursor_page(run, page, cursors.read(request.cursor), cursors.write)
        return ListAnswer(await _body(request, parts))
    if not request.by_time:
        return ListAnswer(await _body(request, plain_page(run, page)))
    pull = request.pull(client_id, principal)
    place = await pull.place(run.database, request.start)
    return ListAnswer(await _body(request, pull_page(run, page, pull, place)), place.as_of)


def readable_client(principal: Principal, dataset: Dataset) -> ClientId:
    principal.require(dataset.readers)
    if principal.client_id is None:
        raise NotAllowed("An operator account belongs to no client and reads no client's records.")
    return principal.client_id


async def _body(request: ListRequest, parts: AsyncGenerator[bytes]) -> bytes | AsyncGenerator[bytes]:
    """Read a small page at once, so that its connection is free; begin a large one, while errors can be answered."""
    if request.limit <= BATCH:
        return b"".join([part async for part in parts])
    return _chain(await anext(parts), parts)


async def _chain(first: bytes, rest: AsyncGenerator[bytes]) -> AsyncGenerator[bytes]:
    async with aclosing(rest):
        yield first
        async for part in rest:
            yield part


def _check_format(params: Params) -> None:
    if params.text("format").lower() not in {"", "json"} or params.boolean("asArray", default=False):
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


class _Cursors:
    """Cursors of one client, dataset and filter as signed text."""

    def __init__(self, secret: bytes, name: str) -> None:
        self._serializer = URLSafeSerializer(secret, salt="list-cursor")
        self._name = name

    def write(self, cursor: Cursor) -> str:
        return str(self._serializer.dumps([self._name, *cursor]))

    def read(self, text: str) -> Cursor:
        if not text:
            return BEGINNING
        try:
            name, revision, row_id = self._serializer.loads(text)
        except (BadSignature, ValueError) as error:
            raise CursorGone("The cursor was not made by this server") from error
        if name != self._name:
            raise CursorGone("The cursor belongs to another client, dataset or filter")
        return int(revision), int(row_id)
