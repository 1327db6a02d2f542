"""Tells what stays open for long that its process is about to end: a server waits for every answer under way."""

import asyncio
import signal
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress

from coldshelf.kit.memory import Memory
from coldshelf.kit.runtime import Runtime

SIGNAL = signal.SIGUSR1
"""What a server sends its processes before it stops them."""
_endings: Memory[asyncio.Event] = Memory(lambda _: asyncio.Event())


def ending(run: Runtime) -> asyncio.Event:
    """Give what is set when this process is about to end."""
    return _endings.of(run)


@asynccontextmanager
async def told_of_the_end(opened: AbstractAsyncContextManager[Runtime]) -> AsyncIterator[Runtime]:
    """Let the signal set `ending` of what is opened."""
    async with opened as run:
        with suppress(NotImplementedError, RuntimeError, ValueError):
            asyncio.get_running_loop().add_signal_handler(SIGNAL, ending(run).set)
        yield run
