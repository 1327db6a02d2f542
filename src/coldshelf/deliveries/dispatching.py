"""The loop of a worker that delivers: takes what is due, sends all of it beside each other, waits for none."""

import asyncio
import contextlib
from datetime import timedelta
from typing import Any

from coldshelf.deliveries import store
from coldshelf.deliveries.models import WITHIN, Delivery
from coldshelf.deliveries.sending import deliver
from coldshelf.deliveries.surroundings import Surroundings
from coldshelf.kit.ids import ClientId
from coldshelf.kit.logs import get_logger
from coldshelf.kit.runtime import Runtime

log = get_logger("deliveries")
MOST = 64
"""Deliveries of one worker that are under way at a time."""
MOST_TO_ONE = 8
"""Deliveries to one server that are under way at a time, in all workers together."""
LEASE = WITHIN * 2
KEEP_BODIES = timedelta(days=30)
LOOK_EVERY = 0.5
"""Seconds between two looks when nothing was due."""


async def deliver_forever(run: Runtime, around: Surroundings, stop: asyncio.Event) -> None:
    """Deliver until `stop`; what is under way then is finished, each within its time."""
    tasks: set[asyncio.Task[Any]] = set()
    try:
        while not stop.is_set():
            await _look(run, around, tasks, stop)
    finally:
        if tasks:
            await asyncio.wait(tasks)


async def _look(run: Runtime, around: Surroundings, tasks: set[asyncio.Task[Any]], stop: asyncio.Event) -> None:
    found: list[Delivery] = []
    try:
        found = await take(run, MOST - len(tasks))
    except Exception:  # a lost database must not end the loop; the next look tries again
        log.exception("deliveries.look_failed")
    for one in found:
        task = asyncio.create_task(_deliver(run, around, one))
        tasks.add(task)
        task.add_done_callback(tasks.discard)
    if len(tasks) >= MOST:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    elif not found:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), timeout=LOOK_EVERY)


async def forget(run: Runtime) -> None:
    """Empty what was sent and answered at attempts that are older than 30 days: they hold copies of records."""
    async with run.database.system() as connection:
        await store.forget_bodies(connection, run.clock.now() - KEEP_BODIES)


async def deliver_due(run: Runtime, around: Surroundings) -> int:
    """Deliver what is due now, beside each other, until nothing is; give how many attempts were made."""
    made = 0
    while found := await take(run, MOST):
        await asyncio.gather(*(deliver(run, around, one) for one in found))
        made += len(found)
    return made


async def take(run: Runtime, most: int, lease: timedelta = LEASE) -> list[Delivery]:
    """Take deliveries that are due; they are this worker's until the lease ends."""
    async with run.database.system() as connection:
        rows = await store.claim(connection, run.clock.now(), lease, most=most, most_to_one=MOST_TO_ONE)
    return [
        Delivery(
            client_id=ClientId(row["client_id"]),
            id=row["id"],
            subscription_id=row["subscription_id"],
            user_id=row["user_id"],
            url=row["url"],
            number=row["attempts"] + 1,
            event_id=row["event_id"],
            type=row["event_type"],
            version=row["version"],
            occurred_on=row["occurred_on"],
            dataset=row["dataset"],
            key=row["record_key"],
            is_on=row["is_on"],
        )
        for row in rows
    ]


async def _deliver(run: Runtime, around: Surroundings, one: Delivery) -> None:
    try:
        await deliver(run, around, one)
    except Exception:  # it stays waiting, and is due again when its lease ends
        log.exception("deliveries.failed", id=one.id, client=one.client_id)
