"""The worker process: runs steps until it is told to stop, and looks for lost ones."""

import asyncio
import contextlib
import signal
from collections.abc import Awaitable, Callable
from datetime import timedelta

from coldshelf.deliveries.dispatching import deliver_forever, forget
from coldshelf.deliveries.sms.service import ASK_AFTER, catch_up
from coldshelf.entrypoints.bootstrap import imports, runtime, surroundings
from coldshelf.kit import idempotency
from coldshelf.kit.logs import get_logger
from coldshelf.kit.queue import Work, work_forever
from coldshelf.kit.runtime import Runtime
from coldshelf.kit.settings import Settings
from coldshelf.pictures.service.resumable import sweep as sweep_uploads
from coldshelf.publishing.removing import expire
from coldshelf.records.imports.folders import watch

log = get_logger("worker")

Duty = Callable[[Runtime], Awaitable[object]]
"""What a worker does beside its steps, now and then."""
EXPIRE_EVERY = timedelta(hours=1)
"""How often a worker looks for published files, and for copies of records, whose days are over."""

STAGED_FOR = timedelta(days=1)
"""Staged bytes that are older belong to no upload any more: its process was killed."""


async def work(settings: Settings, url: str, stop: asyncio.Event | None = None) -> None:
    """Run one worker until `stop` is set or a SIGTERM or SIGINT arrives."""
    stop = stop or asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        with contextlib.suppress(NotImplementedError, RuntimeError, ValueError):
            loop.add_signal_handler(number, stop.set)
    async with runtime(settings, url, threads=settings.worker_threads, migrate=False) as run:
        duties: list[tuple[Duty, timedelta]] = [
            (sweep, settings.sweep_every),
            (expire, EXPIRE_EVERY),
            (forget, EXPIRE_EVERY),
            (catch_up, ASK_AFTER),
        ]
        if settings.import_folders:
            duties.append((_watch, settings.import_watch_every))
        loops = [asyncio.create_task(_again_and_again(run, duty, every, stop)) for duty, every in duties]
        loops.append(asyncio.create_task(deliver_forever(run, surroundings(sandbox=settings.sandbox), stop)))
        try:
            await work_forever(url, works_of(run), lease=settings.lease, concurrency=settings.worker_threads, stop=stop)
        finally:
            for each in loops:
                each.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await each


def works_of(run: Runtime) -> dict[str, Work]:
    """Give the queue one work for each handler."""

    async def perform(payload: bytes, picks: int) -> None:
        await run.events.perform(run, payload, picks)

    return dict.fromkeys(run.events.handlers, perform)


async def _again_and_again(run: Runtime, duty: Duty, every: timedelta, stop: asyncio.Event) -> None:
    while not stop.is_set():
        try:
            await duty(run)
        except Exception:  # a lost database, folder or destination must not end it; the next round tries again
            log.exception("worker.duty_failed")
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), timeout=every.total_seconds())


async def _watch(run: Runtime) -> None:
    await watch(run, imports())


async def sweep(run: Runtime) -> int:
    """Give lost steps a new job, forget what is too old to matter; return how many steps were lost."""
    found = await run.events.sweep(run.settings.lease * 2)
    if found:
        log.info("worker.swept", steps=found)
    async with run.database.system() as connection:
        await idempotency.forget_old(connection)
    await sweep_uploads(run)
    await run.off_loop(run.objects.sweep, STAGED_FOR)
    return found
