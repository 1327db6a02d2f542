"""One at a time per key inside this process, without a database connection held while waiting."""

import asyncio
from collections.abc import AsyncIterator, Hashable
from contextlib import asynccontextmanager
from datetime import timedelta
from weakref import WeakValueDictionary

from coldshelf.kit.errors import RequestInFlight


class Turns:
    """A lock per key that exists as long as somebody holds it or waits for it."""

    def __init__(self) -> None:
        self._locks: WeakValueDictionary[Hashable, asyncio.Lock] = WeakValueDictionary()

    @asynccontextmanager
    async def take(self, key: Hashable, *, within: timedelta | None = None) -> AsyncIterator[None]:
        """Wait for the turn of this key; raise RequestInFlight when it does not come within the given time."""
        lock = self._locks.setdefault(key, asyncio.Lock())
        try:
            async with asyncio.timeout(None if within is None else within.total_seconds()):
                await lock.acquire()
        except TimeoutError as error:
            raise RequestInFlight from error
        try:
            yield
        finally:
            lock.release()
