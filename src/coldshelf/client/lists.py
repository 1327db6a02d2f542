"""Lists, page by page, and changes since a mark."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal

from coldshelf.client.core import Ask, Call, Emit, Reply, Steps, Stream, good_json
from coldshelf.client.models import Filters, ListOptions, Moment, Page

MODIFIED_ON = "ModifiedOn"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What is to be listed."""

    dataset: str
    filters: Filters
    modified_since: Moment | None = None
    sort: str = ""
    descending: bool = False
    fields: Sequence[str] = ()
    with_deleted: bool = False
    page_size: int = 1000

    def parameters(self) -> dict[str, str]:
        """Give the parameters that a page and an export share."""
        given = {
            "filters": json.dumps(self._conditions(), default=wire) if self._conditions() else "",
            "sort": self.sort,
            "dir": ("DESC" if self.descending else "ASC") if self.sort else "",
            "fields": ",".join(self.fields),
            "includeDeleted": "1" if self.with_deleted else "",
        }
        return {name: value for name, value in given.items() if value}

    def _conditions(self) -> dict[str, object]:
        found = {name: _condition(value) for name, value in self.filters.items()}
        if self.modified_since is not None:
            found[MODIFIED_ON] = {"operator": ">=", "value": moment(self.modified_since)}
        return found


def page(ask: Ask, wanted: Wanted, *, start: int = 0, cursor: str | None = None) -> Steps[Page]:
    """Get one page: from `start`, or behind a cursor (an empty one begins)."""
    place = {"start": str(start)} if cursor is None else {"cursor": cursor}
    form = {"action": "list", "limit": str(wanted.page_size), **place, **wanted.parameters()}
    reply = yield from ask(Call(path=handler(wanted.dataset), form=tuple(form.items())))
    return _page(reply)


def pages(ask: Ask, wanted: Wanted) -> Stream[Page]:
    """Give page after page until the end, by the published loop."""
    start = 0
    while True:
        found = yield from page(ask, wanted, start=start)
        yield Emit(found)
        start += wanted.page_size
        if start >= found.total:
            return


def changes(ask: Ask, wanted: Wanted, mark: str) -> Stream[Page]:
    """Give what was changed since a mark, page after page; the cursor of each is the mark behind it."""
    while True:
        found = yield from page(ask, wanted, cursor=mark)
        if not found.records:
            return
        yield Emit(found)
        mark = found.cursor or mark


def handler(name: str) -> str:
    return f"/controllers/{name}.ashx"


def moment(value: Moment) -> str:
    """Write a time as the API reads it: UTC, without a zone."""
    if isinstance(value, str):
        return value
    aware = value if value.tzinfo else value.replace(tzinfo=UTC)
    return aware.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="microseconds")


def wire(value: object) -> str:
    """Write what JSON has no form for."""
    if isinstance(value, datetime):
        return moment(value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Decimal):
        return str(value)
    raise TypeError(f"{type(value).__name__} cannot be sent")


def _condition(value: object) -> object:
    if isinstance(value, Mapping) or (isinstance(value, list) and all(isinstance(item, Mapping) for item in value)):
        return value
    if isinstance(value, list | tuple | set | frozenset):
        return {"operator": "IN", "value": list(value)}
    return {"operator": "=", "value": value}


def _page(reply: Reply) -> Page:
    body = good_json(reply)
    return Page(
        records=body["records"],
        total=body["totalRecords"],
        as_of=reply.headers.get("x-data-as-of"),
        cursor=body.get("cursor"),
        warnings=tuple(body.get("warnings", ())),
    )


def wanted_of(dataset: str, filters: Filters | None, options: ListOptions) -> Wanted:
    return Wanted(dataset=dataset, filters=filters or {}, **options)
