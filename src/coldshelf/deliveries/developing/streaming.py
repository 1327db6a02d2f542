"""The stream of events: what callbacks would carry, for one who keeps a connection open instead of an address."""

import asyncio
import time
from collections import defaultdict
from collections.abc import AsyncGenerator, Collection
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from coldshelf.access.principal import Principal
from coldshelf.access.service import sign_in_again
from coldshelf.deliveries.loading import load_for
from coldshelf.deliveries.models import Delivery
from coldshelf.deliveries.payload import write_body
from coldshelf.deliveries.surroundings import Surroundings
from coldshelf.kit.ending import ending
from coldshelf.kit.errors import NotSignedIn
from coldshelf.kit.events import Event
from coldshelf.kit.followed import Followed, Place, follow, newest_place
from coldshelf.kit.runtime import Runtime
from coldshelf.records.cursors import read_cursor, write_cursor

LONGEST = timedelta(minutes=5)
"""How long a stream stays open; its reader comes again with the last id."""
LOOK_EVERY = 0.5
"""Seconds between two looks when there was nothing."""
BEAT_EVERY = 15.0
"""Seconds after which a stream without events gives a sign of life."""
BATCH = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What a reader follows: these types, behind this place, for so long."""

    kinds: Collection[str]
    place: Place
    stay: timedelta


async def read_place(run: Runtime, principal: Principal, cursor: str) -> Place:
    """Read the id of the last event that came, empty: from now on; raise CursorGone for one of somebody else."""
    if cursor:
        revision, number = read_cursor(run.secret, _name(principal), cursor)
        return Place(revision, UUID(int=number))
    async with run.database.scope(principal.client, readonly=True) as connection:
        return await newest_place(connection)


@dataclass(slots=True)
class Stream:
    """One open stream."""

    run: Runtime
    around: Surroundings
    principal: Principal
    wanted: Wanted

    async def frames(self) -> AsyncGenerator[bytes]:
        """Write events as they come, as server-sent events; each id is where to go on behind it.

        It ends after its time, with its process, or when its reader may not sign in any more.
        """
        place, ends = self.wanted.place, time.monotonic() + self.wanted.stay.total_seconds()
        quiet_since = time.monotonic()
        yield self._mark(place, "events follow")
        with suppress(NotSignedIn):
            while True:
                found = await self._look(place)
                async for frame in self._events(found):
                    yield frame
                    quiet_since = time.monotonic()
                place, now = found.place, time.monotonic()
                if now - quiet_since >= BEAT_EVERY:
                    yield self._mark(place, "still here")
                    quiet_since = now
                is_idle = len(found.events) < BATCH
                if is_idle and (now >= ends or await self._is_over(min(LOOK_EVERY, ends - now))):
                    break
        yield self._mark(place, "come again")

    async def _is_over(self, seconds: float) -> bool:
        """Wait so long; say whether this process is about to end."""
        with suppress(TimeoutError):
            await asyncio.wait_for(ending(self.run).wait(), seconds)
        return ending(self.run).is_set()

    async def _look(self, place: Place) -> Followed:
        before, client_id = self.principal, self.principal.client
        # A role, a limit or a token may have changed meanwhile.
        self.principal = await sign_in_again(self.run, client_id, before.user_id, before.credential)
        async with self.run.database.scope(client_id, readonly=True) as connection:
            return await follow(connection, place, self.wanted.kinds, BATCH)

    async def _events(self, found: Followed) -> AsyncGenerator[bytes]:
        by_dataset: dict[str, list[Delivery]] = defaultdict(list)
        for event, _ in found.events:
            by_dataset[event.dataset].append(_message(event))
        loaded: dict[UUID, Delivery] = {}
        for alike in by_dataset.values():
            seen = await load_for(self.run, self.around, self.principal, alike)
            loaded |= {one.event_id: one for one in seen if not one.withheld}
        for event, place in found.events:
            if event.id in loaded:
                body = write_body(self.around, loaded[event.id])
                trigger = b"trigger: 1\n" if event.triggered else b""
                yield b"%sevent: %s\n%sdata: %s\n\n" % (self._id(place), event.type.encode(), trigger, body)

    def _mark(self, place: Place, comment: str) -> bytes:
        return b": %s\n%s\n" % (comment.encode(), self._id(place))

    def _id(self, place: Place) -> bytes:
        cursor = write_cursor(self.run.secret, _name(self.principal), (place.revision, place.id.int))
        return b"id: %s\n" % cursor.encode()


def _name(principal: Principal) -> str:
    return f"events {principal.client_id}"


def _message(event: Event) -> Delivery:
    """Give the event as a callback to no subscription would carry it."""
    return Delivery(
        client_id=event.client_id,
        id=0,
        subscription_id=None,
        user_id=None,
        url="",
        number=1,
        event_id=event.id,
        type=event.type,
        version=event.version,
        occurred_on=event.occurred_on,
        dataset=event.dataset,
        key=event.key,
        triggered=event.triggered,
    )
