"""The worker process: runs steps until it is told to stop, and looks for lost ones."""

import asyncio
import contextlib
import signal
from datetime import timedelta

from coldshelf.deliveries.dispatching import deliver_forever
from coldshelf.entrypoints.bootstrap import imports, runtime, surroundings
from coldshelf.kit import idempotency
from coldshelf.kit.logs import get_logger
from coldshelf.kit.queue import Work, work_forever
from coldshelf.kit.runtime import Runtime
from coldshelf.kit.settings import Settings
from coldshelf.pictures.service.resumable import sweep as sweep_uploads
from coldshelf.records.imports.folders import watch

log = get_logger("worker")

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
        loops = [
            asyncio.create_task(_sweep_forever(run, stop)),
            asyncio.create_task(deliver_forever(run, surroundings(), stop)),
        ]
        if run.settings.import_folders:
            loops.append(asyncio.create_task(_watch_forever(run, stop)))
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


async def _sweep_forever(run: Runtime, stop: asyncio.Event) -> None:
    while not stop.is_set():
        try:
            found = await sweep(run)
            if found:
                log.info("worker.swept", steps=found)
        except Exception:  # a lost database must not end the sweeper; the next round tries again
            log.exception("worker.sweep_failed")
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), timeout=run.settings.sweep_every.total_seconds())


async def _watch_forever(run: Runtime, stop: asyncio.Event) -> None:
    while not stop.is_set():
        try:
            await watch(run, imports())
        except Exception:  # a lost database or folder must not end the watch; the next look tries again
            log.exception("worker.watch_failed")
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), timeout=run.settings.import_watch_every.total_seconds())


async def sweep(run: Runtime) -> int:
    """Give lost steps a new job, forget what is too old to matter; return how many steps were lost."""
    found = await run.events.sweep(run.settings.lease * 2)
    async with run.database.system() as connection:
        await idempotency.forget_old(connection)
    await sweep_uploads(run)
    await run.off_loop(run.objects.sweep, STAGED_FOR)
    return found
