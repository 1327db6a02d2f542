"""The public events of a client in the order in which they were committed, none left out: what a stream follows.

The fence of lists holds here too: a row is given once no transaction that began before it can still commit.
"""

from collections.abc import Collection
from dataclasses import dataclass
from uuid import UUID

from coldshelf.kit.db import Connection
from coldshelf.kit.events import EVENT_COLUMNS, Event, event_from

LAST_ID = UUID(int=2**128 - 1)
"""Behind every event of its revision."""


@dataclass(frozen=True, slots=True)
class Place:
    """Behind which event a reader goes on: its revision and its id."""

    revision: int
    id: UUID


@dataclass(frozen=True, slots=True)
class Followed:
    """Events with the place of each, and the place behind all that was looked at."""

    events: list[tuple[Event, Place]]
    place: Place


async def newest_place(connection: Connection) -> Place:
    """Give the place behind everything that is committed for good."""
    return Place(await _fence(connection) - 1, LAST_ID)


async def follow(connection: Connection, place: Place, kinds: Collection[str], most: int) -> Followed:
    """Give the events of these types behind a place, at most so many."""
    fence = await _fence(connection)
    rows = await connection.fetch(FOLLOW, place.revision, place.id, fence, list(kinds), most)
    found = [(event_from(dict(row)), Place(row["revision"], row["id"])) for row in rows]
    if len(found) == most:
        return Followed(found, found[-1][1])
    return Followed(found, Place(max(fence - 1, place.revision), LAST_ID))


async def _fence(connection: Connection) -> int:
    # A statement of its own: what is below is decided before the rows are read.
    return int(await connection.fetchval("SELECT coldshelf_fence()"))


FOLLOW = f"""
    SELECT {EVENT_COLUMNS}, revision FROM event
    WHERE public AND (revision, id) > ($1, $2) AND revision < $3 AND type = ANY($4)
    ORDER BY revision, id LIMIT $5"""
