"""The loop of a worker that delivers: takes what is due, sends all of it beside each other, waits for none."""

import asyncio
import contextlib
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from coldshelf.deliveries import store
from coldshelf.deliveries.developing import outbox_store
from coldshelf.deliveries.loading import load
from coldshelf.deliveries.models import EMAIL, WITHIN, Delivery, Noted
from coldshelf.deliveries.noting import note
from coldshelf.deliveries.sending import attempt
from coldshelf.deliveries.surroundings import Surroundings
from coldshelf.kit.ids import ClientId
from coldshelf.kit.logs import get_logger
from coldshelf.kit.runtime import Runtime

log = get_logger("deliveries")
MOST = 256
"""Deliveries of one worker that are under way at a time."""
MOST_SLOW = MOST // 2
"""Those of them that go to slow servers."""
MOST_TO_ONE = 16
"""Deliveries to one server that are under way at a time, in all workers together."""
MOST_TO_SLOW = 1
"""The same for a server whose latest answer took longer than SLOW, or never came."""
SLOW = timedelta(seconds=1)
SLOW_BY = {EMAIL: timedelta(seconds=8)}
"""The same by channel: mail servers look at a mail before they take it."""
LEASE = WITHIN * 2
KEEP_BODIES = timedelta(days=30)
KEEP_MESSAGES = 10_000
LOOK_EVERY = 0.5
"""Seconds between two looks when nothing was due."""
GATHER = 0.01
"""Seconds in which ends of attempts are gathered, to be written down together."""


@dataclass(slots=True)
class Desk:
    """What one worker has under way, what of it has ended, and which servers are slow."""

    run: Runtime
    around: Surroundings
    tasks: dict[asyncio.Task[None], str] = field(default_factory=dict)
    ended: list[Noted] = field(default_factory=list)
    slow: set[str] = field(default_factory=set)
    stirred: asyncio.Event = field(default_factory=asyncio.Event)

    async def turn(self) -> int:
        """Write down what has ended and begin with what is due; give how many are begun."""
        ended, self.ended = self.ended, []
        self.stirred.clear()
        await note(self.run, ended)
        found = await load(self.run, self.around, await self._take())
        for one in found:
            self.tasks[asyncio.create_task(self._send(one))] = one.endpoint
        return len(found)

    async def _take(self) -> list[Delivery]:
        slow = sum(endpoint in self.slow for endpoint in self.tasks.values())
        to_slow = MOST_TO_SLOW if slow < MOST_SLOW else 0
        free = MOST - len(self.tasks)
        return await take(self.run, free, slow=self.slow, to_slow=to_slow) if free else []

    async def _send(self, one: Delivery) -> None:
        try:
            outcome = await attempt(self.run, self.around, one)
        except Exception:  # it stays waiting, and is due again when its lease ends
            log.exception("deliveries.failed", id=one.id, client=one.client_id)
        else:
            self.ended.append(Noted(one, outcome))
            is_slow = outcome.took > SLOW_BY.get(one.channel, SLOW) or (outcome.status is None and bool(outcome.error))
            (self.slow.add if is_slow else self.slow.discard)(one.endpoint)
        task = asyncio.current_task()
        if task is not None:
            del self.tasks[task]
        self.stirred.set()

    async def finish(self) -> None:
        """Wait for what is under way, each within its time, and write it down."""
        while self.tasks or self.ended:
            if self.tasks:
                await asyncio.wait(self.tasks)
            ended, self.ended = self.ended, []
            await note(self.run, ended)


async def deliver_forever(run: Runtime, around: Surroundings, stop: asyncio.Event) -> None:
    """Deliver until `stop`; what is under way then is finished, each within its time."""
    desk = Desk(run, around)
    ending = asyncio.create_task(_stir_at(stop, desk.stirred))
    try:
        while not stop.is_set():
            begun = 0
            try:
                begun = await desk.turn()
            except Exception:  # a lost database must not end the loop; what was taken is due again when its lease ends
                log.exception("deliveries.turn_failed")
            if not begun:
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(desk.stirred.wait(), timeout=LOOK_EVERY)
            await asyncio.sleep(GATHER)
    finally:
        ending.cancel()
        await desk.finish()


async def deliver_due(run: Runtime, around: Surroundings) -> int:
    """Deliver what is due now, beside each other, until nothing is; give how many attempts were made."""
    desk, made = Desk(run, around), 0
    while begun := await desk.turn():
        made += begun
        await desk.finish()
    return made


async def forget(run: Runtime) -> None:
    """Empty what was sent and answered at attempts that are older than 30 days: they hold copies of records.

    The outbox of a sandbox is emptied of what is as old, and of all but the newest 10,000 messages of a client.
    """
    async with run.database.system() as connection:
        await store.forget_bodies(connection, run.clock.now() - KEEP_BODIES)
        await outbox_store.forget(connection, run.clock.now() - KEEP_BODIES, KEEP_MESSAGES)


async def take(
    run: Runtime,
    most: int,
    lease: timedelta = LEASE,
    *,
    slow: Collection[str] = (),
    to_slow: int = MOST_TO_SLOW,
) -> list[Delivery]:
    """Take deliveries that are due; they are this worker's until the lease ends."""
    async with run.database.system() as connection:
        rows: list[Any] = await store.claim(
            connection, run.clock.now(), lease, most=most, slow=slow, most_to=(MOST_TO_ONE, to_slow)
        )
    return [
        Delivery(
            client_id=ClientId(row["client_id"]),
            id=row["id"],
            subscription_id=row["subscription_id"],
            user_id=row["user_id"],
            channel=row["channel"],
            links=tuple(row["links"]),
            url=row["url"],
            endpoint=row["endpoint"],
            number=row["attempts"] + 1,
            event_id=row["event_id"],
            type=row["event_type"],
            version=row["version"],
            occurred_on=row["occurred_on"],
            dataset=row["dataset"],
            key=row["record_key"],
            is_on=row["is_on"],
            triggered=row["triggered"],
        )
        for row in rows
    ]


async def _stir_at(stop: asyncio.Event, stirred: asyncio.Event) -> None:
    await stop.wait()
    stirred.set()
