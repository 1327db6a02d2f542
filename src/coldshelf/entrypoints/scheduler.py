"""The scheduler process: looks for publications and erasures that are due. Any number of them may run."""

import asyncio
import contextlib
import signal

from coldshelf.entrypoints.bootstrap import runtime
from coldshelf.kit.logs import get_logger
from coldshelf.kit.settings import Settings
from coldshelf.publishing import erasing
from coldshelf.publishing.scheduling import look

log = get_logger("scheduler")


async def schedule(settings: Settings, url: str, stop: asyncio.Event | None = None) -> None:
    """Look again and again until `stop` is set or a SIGTERM or SIGINT arrives."""
    stop = stop or asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        with contextlib.suppress(NotImplementedError, RuntimeError, ValueError):
            loop.add_signal_handler(number, stop.set)
    async with runtime(settings, url, threads=1, migrate=False) as run:
        while not stop.is_set():
            try:
                await look(run)
                await erasing.look(run)
            except Exception:  # a lost database must not end the scheduler; the next look tries again
                log.exception("scheduler.look_failed")
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), timeout=settings.schedule_every.total_seconds())
