"""The job queue: a thin coat over pgqueuer. Jobs are hints that carry ids; the record of work stands in rows.

A job is enqueued in the caller's transaction. The worker loop rebuilds itself when the database is lost, gives the
jobs of a silent worker to another one after the lease, and prunes the queue's log.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta

import asyncpg
from pgqueuer import PgQueuer
from pgqueuer.db import AsyncpgDriver
from pgqueuer.models import Job
from pgqueuer.queries import Queries

from coldshelf.kit.db import Connection
from coldshelf.kit.logs import get_logger

log = get_logger("kit")
Work = Callable[[bytes], Awaitable[None]]
KEEP_LOG = timedelta(days=1)


async def enqueue(
    connection: Connection, name: str, payload: bytes, *, key: str, delay: timedelta | None = None
) -> None:
    """Ask for one run of the named work after this transaction commits; a waiting job with the same key is enough."""
    queries = Queries(AsyncpgDriver(connection))  # type: ignore[arg-type]  # a pooled connection is one
    await queries.enqueue([name], [payload], [0], [delay], [key], on_conflict="skip")


async def work_forever(
    url: str, works: Mapping[str, Work], *, lease: timedelta, concurrency: int, stop: asyncio.Event
) -> None:
    """Run the named works until `stop`; reconnect with back-off when the database goes away."""
    pause = 0.2
    while not stop.is_set():
        try:
            await _work(url, works, lease=lease, concurrency=concurrency, stop=stop)
            pause = 0.2
        except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, ExceptionGroup) as error:
            log.warning("queue.lost_database", error=str(error), retry_in=pause)
            await _sleep(stop, pause)
            pause = min(pause * 2, 10)


async def _work(
    url: str, works: Mapping[str, Work], *, lease: timedelta, concurrency: int, stop: asyncio.Event
) -> None:
    pool = await asyncpg.create_pool(url, min_size=2, max_size=4, server_settings={"application_name": "coldshelf"})
    try:
        queuer = PgQueuer.from_asyncpg_pool(pool)
        for name, work in works.items():
            queuer.entrypoint(name, concurrency_limit=0)(_runner(work))
        stopper = asyncio.create_task(_stop_with(stop, queuer))
        try:
            await queuer.run(
                dequeue_timeout=min(timedelta(seconds=5), lease),
                batch_size=concurrency,
                max_concurrent_tasks=concurrency * 2,
                heartbeat_timeout=lease,
            )
        finally:
            stopper.cancel()
    finally:
        await asyncio.wait_for(pool.close(), timeout=10)


def _runner(work: Work) -> Callable[[Job], Awaitable[None]]:
    async def run(job: Job) -> None:
        await work(job.payload or b"")

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


async def oldest_waiting(connection: Connection) -> timedelta:
    """Say how long the oldest job that could run now has waited."""
    age = await connection.fetchval("SELECT coldshelf_queue_age()")
    return age if isinstance(age, timedelta) else timedelta(0)
