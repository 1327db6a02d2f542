"""The job queue on a real PostgreSQL: nothing lost when a worker dies or the database goes, nothing grows for ever."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import timedelta

import asyncpg
import pytest

from coldshelf.kit import queue
from coldshelf.kit.ids import ClientId
from coldshelf.kit.queue import Hint, Work
from coldshelf.kit.runtime import Runtime

LEASE = timedelta(seconds=2)


@asynccontextmanager
async def working(url: str, works: Mapping[str, Work], *, concurrency: int = 2) -> AsyncIterator[None]:
    stop = asyncio.Event()
    task = asyncio.create_task(queue.work_forever(url, works, lease=LEASE, concurrency=concurrency, stop=stop))
    try:
        yield
    finally:
        stop.set()
        await asyncio.wait_for(task, 30)


async def enqueue(run: Runtime, client_id: ClientId, *hints: Hint) -> None:
    async with run.database.scope(client_id) as connection:
        await queue.enqueue(connection, hints)


async def jobs(run: Runtime) -> list[asyncpg.Record]:
    async with run.database.system() as connection:
        return list(await connection.fetch("SELECT * FROM pgqueuer ORDER BY id"))


async def until(condition: Callable[[], bool], seconds: float = 20) -> None:
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110  # what is awaited happens in another process's rows as well
            await asyncio.sleep(0.05)


async def test_jobs_of_a_transaction_that_fails_are_never_run(run: Runtime, client_id: ClientId) -> None:
    async def fail() -> None:
        async with run.database.scope(client_id) as connection:
            await queue.enqueue(connection, [Hint("work", b"1", "key")])
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fail()

    assert await jobs(run) == []


async def test_waiting_job_with_the_same_key_is_enough(run: Runtime, client_id: ClientId) -> None:
    await enqueue(run, client_id, Hint("work", b"1", "a"), Hint("work", b"2", "a"), Hint("work", b"3", "b"))
    await enqueue(run, client_id, Hint("work", b"4", "b"))
    await enqueue(run, client_id)

    assert [job["payload"] for job in await jobs(run)] == [b"1", b"3"]


async def test_jobs_of_the_background_run_when_nothing_else_waits(run: Runtime, client_id: ClientId, url: str) -> None:
    seen: list[bytes] = []

    async def work(payload: bytes, picks: int) -> None:
        seen.append(payload)

    await enqueue(run, client_id, *(Hint("work", b"back", f"b{n}", priority=-1) for n in range(3)))
    await enqueue(run, client_id, *(Hint("work", b"live", f"l{n}") for n in range(3)))
    async with working(url, {"work": work}, concurrency=1):
        await until(lambda: len(seen) >= 6)

    assert seen == [b"live"] * 3 + [b"back"] * 3


async def test_jobs_of_the_background_do_not_count_as_waiting(run: Runtime, client_id: ClientId) -> None:
    late = timedelta(hours=-2)
    await enqueue(run, client_id, Hint("work", b"", "back", late, priority=-1))
    async with run.database.door() as connection:
        assert await queue.oldest_waiting(connection) == timedelta(0)
    await enqueue(run, client_id, Hint("work", b"", "live", late))

    async with run.database.door() as connection:
        assert await queue.oldest_waiting(connection) >= timedelta(hours=2)


async def test_every_job_is_run_once_and_gone(run: Runtime, client_id: ClientId, url: str) -> None:
    seen: list[tuple[bytes, int]] = []

    async def work(payload: bytes, picks: int) -> None:
        seen.append((payload, picks))

    await enqueue(run, client_id, *(Hint("work", b"%d" % n, str(n)) for n in range(50)))
    async with working(url, {"work": work}):
        await until(lambda: len(seen) >= 50)
        await enqueue(run, client_id, Hint("work", b"late", "late"))
        await until(lambda: len(seen) >= 51)

    assert sorted(seen) == sorted([*((b"%d" % n, 1) for n in range(50)), (b"late", 1)])
    assert await jobs(run) == []


async def test_postponed_job_waits_for_its_time(run: Runtime, client_id: ClientId, url: str) -> None:
    loop = asyncio.get_running_loop()
    began, ran = loop.time(), loop.create_future()

    async def work(_payload: bytes, _picks: int) -> None:
        ran.set_result(loop.time() - began)

    await enqueue(run, client_id, Hint("work", b"", "key", timedelta(seconds=1)))
    async with working(url, {"work": work}):
        assert 1 <= await asyncio.wait_for(ran, 20) < 10


async def test_job_of_a_silent_worker_goes_to_another_one_and_says_so(
    run: Runtime, client_id: ClientId, url: str
) -> None:
    """A worker picked it and died: its heart-beat is as old as the lease."""
    await enqueue(run, client_id, Hint("work", b"orphan", "key"))
    async with run.database.system() as connection:
        await connection.execute(
            "UPDATE pgqueuer SET status = 'picked', heartbeat = now() - interval '1 minute',"
            " queue_manager_id = gen_random_uuid()"
        )
        await connection.execute(
            "INSERT INTO pgqueuer_log (job_id, status, priority, entrypoint)"
            " SELECT id, 'picked', priority, entrypoint FROM pgqueuer"
        )
    seen: list[tuple[bytes, int]] = []

    async def work(payload: bytes, picks: int) -> None:
        seen.append((payload, picks))

    async with working(url, {"work": work}):
        await until(lambda: bool(seen))

    assert seen == [(b"orphan", 2)]


async def test_long_job_keeps_its_lease(run: Runtime, client_id: ClientId, url: str) -> None:
    seen = 0

    async def work(_payload: bytes, _picks: int) -> None:
        nonlocal seen
        seen += 1
        await asyncio.sleep(LEASE.total_seconds() * 2)

    await enqueue(run, client_id, Hint("work", b"", "key"))
    async with working(url, {"work": work}), working(url, {"work": work}):
        await until(lambda: bool(seen))
        await asyncio.sleep(LEASE.total_seconds() * 1.8)

    assert seen == 1


async def test_worker_goes_on_after_every_connection_was_cut(run: Runtime, client_id: ClientId, url: str) -> None:
    seen: list[bytes] = []

    async def work(payload: bytes, _picks: int) -> None:
        seen.append(payload)

    async with working(url, {"work": work}):
        await enqueue(run, client_id, Hint("work", b"1", "1"))
        await until(lambda: seen == [b"1"])
        admin = await asyncpg.connect(url)
        await admin.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid() AND query LIKE '%pgqueuer%'"
        )
        await admin.close()
        await enqueue(run, client_id, Hint("work", b"2", "2"))
        await until(lambda: b"2" in seen, 40)


async def test_worker_told_to_stop_finishes_what_it_has(run: Runtime, client_id: ClientId, url: str) -> None:
    began, done = asyncio.Event(), False

    async def work(_payload: bytes, _picks: int) -> None:
        nonlocal done
        began.set()
        await asyncio.sleep(0.5)
        done = True

    await enqueue(run, client_id, Hint("work", b"", "key"))
    async with working(url, {"work": work}):
        await began.wait()

    assert done
    assert await jobs(run) == []


async def test_failing_work_does_not_stop_the_worker(run: Runtime, client_id: ClientId, url: str) -> None:
    seen: list[bytes] = []

    async def work(payload: bytes, _picks: int) -> None:
        seen.append(payload)
        raise ZeroDivisionError

    await enqueue(run, client_id, Hint("work", b"1", "1"), Hint("work", b"2", "2"))
    async with working(url, {"work": work}):
        await until(lambda: len(seen) == 2)

    assert await jobs(run) == [], "the record of work stands in rows, not in jobs"


async def test_worker_waits_for_a_database_that_is_not_there_and_stops_when_told() -> None:
    stop = asyncio.Event()
    task = asyncio.create_task(
        queue.work_forever("postgresql://postgres@/x?host=/nowhere", {}, lease=LEASE, concurrency=1, stop=stop)
    )
    await asyncio.sleep(0.5)
    assert not task.done()

    stop.set()
    await asyncio.wait_for(task, 5)


async def test_log_is_pruned_after_a_day(run: Runtime, client_id: ClientId) -> None:
    await enqueue(run, client_id, Hint("work", b"1", "1"), Hint("work", b"2", "2"))
    async with run.database.system() as connection:
        await connection.execute(
            "UPDATE pgqueuer_log SET created = now() - interval '25 hours'"
            " WHERE job_id = (SELECT min(id) FROM pgqueuer)"
        )
        await queue.prune(connection)
        assert await connection.fetchval("SELECT count(*) FROM pgqueuer_log") == 1


async def test_age_is_that_of_the_oldest_job_that_could_run(run: Runtime, client_id: ClientId) -> None:
    async with run.database.door() as connection:
        assert await queue.oldest_waiting(connection) == timedelta(0)
    await enqueue(
        run, client_id, Hint("work", b"1", "1", timedelta(hours=-2)), Hint("work", b"2", "2", timedelta(hours=3))
    )

    async with run.database.door() as connection:
        age = await queue.oldest_waiting(connection)
    assert timedelta(hours=2) <= age < timedelta(hours=2, minutes=1)
