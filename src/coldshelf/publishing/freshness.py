"""How fresh published tables are: of each publication and table the last run, its age, and whether it is late."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson

from coldshelf.access.service import client_time_zone, load_client
from coldshelf.kit.db import Connection
from coldshelf.kit.errors import ColdshelfError
from coldshelf.kit.ids import ClientId
from coldshelf.kit.runtime import Runtime
from coldshelf.publishing import store
from coldshelf.publishing.destination import SUCCESS
from coldshelf.publishing.models import read_choice
from coldshelf.publishing.named import open_named
from coldshelf.publishing.slots import due_slots, find_zone

LATE_CURE = "See `coldshelf exports`, and whether a scheduler and a worker run."
Row = Mapping[str, Any]  # a row of this room, columns of any type


@dataclass(frozen=True, slots=True, kw_only=True)
class Freshness:
    """A table of a publication. `as_of`: every change before it is published; None: nothing was yet.

    `is_late`: a slot of the schedule is longer ago than the publication allows, and no run of it or after it is done.
    """

    publication: str
    publication_id: int
    destination: str
    table: str
    as_of: datetime | None
    age: timedelta | None
    is_late: bool
    run: int | None


async def freshness(connection: Connection, now: datetime) -> list[Freshness]:
    """Tell it of every publication of a client."""
    zone = await client_time_zone(connection)
    rows = await store.last_runs(connection)
    return [one for row in rows for one in _of(dict(row), row["time_zone"] or zone, now)]


def _of(row: Row, zone: str, now: datetime) -> Iterator[Freshness]:
    is_late = _is_late(row, zone, now)
    done = orjson.loads(row["tables"] or "[]")
    names = [one["dataset"] for one in done] or read_choice(row["datasets"], None).datasets
    as_of: datetime | None = row["as_of"]
    for name in names:
        yield Freshness(
            publication=row["name"],
            publication_id=row["id"],
            destination=row["destination"],
            table=name,
            as_of=as_of,
            age=max(now - as_of, timedelta(0)) if as_of else None,
            is_late=is_late,
            run=row["run"],
        )


def _is_late(row: Row, zone: str, now: datetime) -> bool:
    """Ask the schedule, not the runs: where no scheduler works, no run says that it is late."""
    if not row["is_active"] or not row["schedule"]:
        return False
    after = max(moment for moment in (row["scheduled_from"], row["done_slot"], row["as_of"]) if moment)
    until = (now - timedelta(minutes=row["late_after"])).astimezone(UTC)
    return bool(due_slots(row["schedule"], find_zone(zone), after=after, until=until))


@dataclass(frozen=True, slots=True)
class Trouble:
    """A publication of some client that is late, or whose destination cannot be opened."""

    what: str
    cure: str


async def troubles(run: Runtime) -> tuple[int, list[Trouble]]:
    """Look at the publications of all clients; give how many there are and what is wrong with them."""
    async with run.database.system() as connection:
        clients = await store.publishing_clients(connection)
    found: list[Trouble] = []
    publications: set[tuple[str, str]] = set()
    destinations: set[tuple[str, str]] = set()
    for client_id in map(ClientId, clients):
        client = await load_client(run, client_id)
        async with run.database.scope(client_id, readonly=True) as connection:
            tables = await freshness(connection, run.clock.now())
        publications |= {(client.code, one.publication) for one in tables}
        destinations |= {(client.code, one.destination) for one in tables}
        late = sorted({one.publication for one in tables if one.is_late})
        found += [Trouble(f"publication {name} of {client.code} is late", LATE_CURE) for name in late]
    for code, name in sorted(destinations):
        found += await run.off_loop(_try_destination, run, code, name)
    return len(publications), found


def _try_destination(run: Runtime, code: str, name: str) -> list[Trouble]:
    try:
        place = open_named(run.settings, name, code)
        try:
            place.size(SUCCESS)
        finally:
            place.close()
    except ColdshelfError as error:
        return [Trouble(f"destination {name} of {code}: {error.message}", error.cure)]
    return []
