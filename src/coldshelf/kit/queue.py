"""The job queue: a thin coat over pgqueuer. Jobs are hints that carry ids; the record of work stands in rows.

A job is enqueued in the caller's transaction. The worker loop rebuilds itself when the database is lost, gives the
jobs of a silent worker to another one after the lease, and prunes the queue's log.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta

import asyncpg
from asyncpg.pool import Pool
from pgqueuer import PgQueuer
from pgqueuer.db import AsyncpgDriver
from pgqueuer.models import Job
from pgqueuer.queries import Queries

from coldshelf.kit.db import Connection
from coldshelf.kit.logs import get_logger

log = get_logger("kit")
Work = Callable[[bytes, int], Awaitable[None]]
"""Takes the payload of a job and how often the job was picked: more than once means that its worker died."""

KEEP_LOG = timedelta(days=1)
SHORTEST_PAUSE, LONGEST_PAUSE = 0.2, 10.0
"""Seconds between two tries to reach a lost database."""


@dataclass(frozen=True, slots=True)
class Hint:
    """A wish for one run of the named work; while a job with the same key waits or runs, that one is enough.

    A job of higher priority is taken first, however long others wait. Uploads are refused when what waits grows too
    old; what has a priority below 0 does not count there.
    """

    work: str
    payload: bytes
    key: str
    delay: timedelta = timedelta(0)
    priority: int = 0


async def enqueue(connection: Connection, hints: Sequence[Hint]) -> None:
    """Ask for runs that begin after this transaction commits."""
    if not hints:
        return
    await Queries(AsyncpgDriver(connection)).enqueue(  # type: ignore[arg-type]  # a pooled connection is one
        [hint.work for hint in hints],
        [hint.payload for hint in hints],
        [hint.priority for hint in hints],
        [hint.delay for hint in hints],
        [hint.key for hint in hints],
        on_conflict="skip",
    )


async def work_forever(
    url: str, works: Mapping[str, Work], *, lease: timedelta, concurrency: int, stop: asyncio.Event
) -> None:
    """Run the named works until `stop`; reconnect with back-off when the database goes away."""
    pause = SHORTEST_PAUSE
    while not stop.is_set():
        began = asyncio.get_running_loop().time()
        try:
            await _work(url, works, lease=lease, concurrency=concurrency, stop=stop)
        except Exception as error:  # noqa: BLE001  # the worker loop: whatever ended the queue, it is built anew
            log.warning("queue.lost_database", error=f"{type(error).__name__}: {error}", retry_in=pause)
        if asyncio.get_running_loop().time() - began > LONGEST_PAUSE:
            pause = SHORTEST_PAUSE
        await _sleep(stop, pause)
        pause = min(pause * 2, LONGEST_PAUSE)


async def _work(
    url: str, works: Mapping[str, Work], *, lease: timedelta, concurrency: int, stop: asyncio.Event
) -> None:
    async with _pool(url) as pool:
        queuer = PgQueuer.from_asyncpg_pool(pool)
        for name, work in works.items():
            queuer.entrypoint(name)(_runner(work, pool))
        stopper = asyncio.create_task(_stop_with(stop, queuer))
        try:
            await queuer.run(
                dequeue_timeout=min(timedelta(seconds=5), lease),
                batch_size=concurrency,
                max_concurrent_tasks=concurrency * 2,
                heartbeat_timeout=lease,
                shutdown_on_listener_failure=True,
            )
        finally:
            stopper.cancel()


@asynccontextmanager
async def _pool(url: str) -> AsyncIterator[Pool]:
    pool = await asyncpg.create_pool(url, min_size=2, max_size=4, server_settings={"application_name": "coldshelf"})
    try:
        yield pool
    finally:
        try:
            await asyncio.wait_for(pool.close(), timeout=10)
        except TimeoutError:  # a connection that nobody gives back any more
            pool.terminate()


def _runner(work: Work, pool: Pool) -> Callable[[Job], Awaitable[None]]:
    async def run(job: Job) -> None:
        await work(job.payload or b"", await pool.fetchval(PICKS, job.id))

    return run


async def _stop_with(stop: asyncio.Event, queuer: PgQueuer) -> None:
    await stop.wait()
    queuer.shutdown.set()


async def _sleep(stop: asyncio.Event, seconds: float) -> None:
    try:
        await asyncio.wait_for(stop.wait(), timeout=seconds)
    except TimeoutError:
        return


async def prune(connection: Connection) -> None:
    """Delete the queue's log rows that are older than a day; without this the log grows for ever."""
    await connection.execute("DELETE FROM pgqueuer_log WHERE created < now() - $1::interval", KEEP_LOG)


async def without_job(connection: Connection, keys: Sequence[str]) -> set[str]:
    """Give those of the keys for which no job waits or runs; the connection is the owner's."""
    return {row["key"] for row in await connection.fetch(WITHOUT_JOB, list(keys))}


async def oldest_waiting(connection: Connection) -> timedelta:
    """Say how long the oldest job that could run now has waited; those with a priority below 0 are left out."""
    age = await connection.fetchval("SELECT coldshelf_queue_age()")
    return age if isinstance(age, timedelta) else timedelta(0)


PICKS = "SELECT count(*) FROM pgqueuer_log WHERE job_id = $1 AND status = 'picked'"
WITHOUT_JOB = """
    SELECT key FROM unnest($1::text[]) AS wanted (key) WHERE NOT EXISTS (
        SELECT FROM pgqueuer WHERE dedupe_key = key AND status IN ('queued', 'picked') AND dedupe_key IS NOT NULL)"""
