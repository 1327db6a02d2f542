"""The worker process: runs steps until it is told to stop, and looks for lost ones."""

import asyncio
import contextlib
import signal

from coldshelf.entrypoints.bootstrap import HANDLERS, runtime
from coldshelf.kit import idempotency
from coldshelf.kit.logs import get_logger
from coldshelf.kit.queue import Work, work_forever
from coldshelf.kit.runtime import Runtime
from coldshelf.kit.settings import Settings

log = get_logger("worker")


async def work(settings: Settings, url: str, stop: asyncio.Event | None = None) -> None:
    """Run one worker until `stop` is set or a SIGTERM or SIGINT arrives."""
    stop = stop or asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        with contextlib.suppress(NotImplementedError, RuntimeError, ValueError):
            loop.add_signal_handler(number, stop.set)
    async with runtime(settings, url, threads=settings.worker_threads, migrate=False) as run:
        sweeper = asyncio.create_task(_sweep_forever(run, stop))
        try:
            await work_forever(
                url, works_of(run), lease=settings.lease, concurrency=settings.worker_threads, stop=stop
            )
        finally:
            sweeper.cancel()


def works_of(run: Runtime) -> dict[str, Work]:
    """Give the queue one work for each handler."""

    async def perform(payload: bytes) -> None:
        await run.events.perform(run, payload)

    return {handler.name: perform for handler in HANDLERS}


async def _sweep_forever(run: Runtime, stop: asyncio.Event) -> None:
    every = run.settings.sweep_every
    while not stop.is_set():
        try:
            found = await run.events.sweep(run.settings.lease * 2)
            async with run.database.system() as connection:
                await idempotency.forget_old(connection)
            if found:
                log.info("worker.swept", steps=found)
        except Exception:  # noqa: BLE001  # a lost database must not end the sweeper; the next round tries again
            log.exception("worker.sweep_failed")
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), timeout=every.total_seconds())
