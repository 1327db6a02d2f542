"""What one process has in its hands: made once by `entrypoints.bootstrap`, passed to every use case."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import ParamSpec, TypeVar

from coldshelf.kit.clock import Clock
from coldshelf.kit.db import Database
from coldshelf.kit.events import EventBus
from coldshelf.kit.http import GuardedClient
from coldshelf.kit.objects import ObjectStore
from coldshelf.kit.settings import Settings

P = ParamSpec("P")
R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class Runtime:
    """The parts that use cases work with."""

    settings: Settings
    database: Database
    objects: ObjectStore
    events: EventBus
    clock: Clock
    threads: ThreadPoolExecutor
    secret: bytes
    outgoing: GuardedClient

    async def off_loop(self, work: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        """Run blocking or heavy work in a thread, so that heart-beats and requests go on."""
        return await asyncio.get_running_loop().run_in_executor(self.threads, lambda: work(*args, **kwargs))
