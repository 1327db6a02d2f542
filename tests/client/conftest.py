"""One installation for the tests of the client, and the client in both its kinds behind one face."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from coldshelf.client import AsyncClient, Client, Record
from tests.acceptance.installation import Installation, installed
from tests.client.flaky import Line, flaky_line
from tests.conftest import PASSWORD

LIMIT = 1_000
"""Requests a minute for one credential: more than the tests need, few enough to exceed."""


@pytest.fixture(scope="session")
async def installation() -> AsyncIterator[Installation]:
    environment = {"COLDSHELF_RECOGNISER": "colour", "COLDSHELF_REQUESTS_PER_MINUTE": str(LIMIT)}
    async with installed(environment=environment) as running:
        yield running


@pytest.fixture
async def line(installation: Installation) -> AsyncIterator[Line]:
    async with flaky_line(installation.address) as opened:
        yield opened


class Shelf:
    """A client of either kind, called with await. `waits` are its pauses, which it only makes when it `pauses`."""

    def __init__(self, kind: str, url: str, *, pauses: bool = False, **options: Any) -> None:
        self.kind = kind
        self.waits: list[float] = []
        self._pauses = pauses
        if not options.keys() & {"user", "token"}:
            options |= {"user": "admin", "password": PASSWORD}
        self.client: Any = (
            Client(url, sleep=self._sleep, **options)
            if kind == "sync"
            else AsyncClient(url, sleep=self._sleep_async, **options)
        )

    def _sleep(self, seconds: float) -> None:
        self.waits.append(seconds)
        time.sleep(seconds if self._pauses else 0)

    async def _sleep_async(self, seconds: float) -> None:
        self.waits.append(seconds)
        await asyncio.sleep(seconds if self._pauses else 0)

    async def do(self, name: str, /, *values: Any, **named: Any) -> Any:
        """Call a method."""
        if self.kind == "sync":
            return await asyncio.to_thread(getattr(self.client, name), *values, **named)
        return await getattr(self.client, name)(*values, **named)

    async def all(self, name: str, /, *values: Any, **named: Any) -> list[Record]:
        """Give every record of a listing, and be done with it."""
        listing = getattr(self.client, name)(*values, **named)
        found = await asyncio.to_thread(listing.all) if self.kind == "sync" else await listing.all()
        if name == "changes":
            listing.done()
        return found

    async def some(self, count: int, name: str, /, *values: Any, by: str = "pages", **named: Any) -> list[Any]:
        """Give the first pages of a listing (or records, `by="__iter__"`), and be done with them."""
        listing = getattr(self.client, name)(*values, **named)
        if self.kind == "sync":
            found = await asyncio.to_thread(
                lambda: [one for _, one in zip(range(count), getattr(listing, by)(), strict=False)]
            )
        else:
            found = []
            async for one in getattr(listing, by.replace("iter", "aiter"))():
                found.append(one)
                if len(found) == count:
                    break
        if name == "changes":
            listing.done()
        return found

    async def close(self) -> None:
        if self.kind == "sync":
            self.client.close()
        else:
            await self.client.aclose()


@pytest.fixture(params=["sync", "async"])
async def open_shelf(request: pytest.FixtureRequest) -> AsyncIterator[Callable[..., Shelf]]:
    opened: list[Shelf] = []

    def open_it(url: str, **options: Any) -> Shelf:
        opened.append(Shelf(request.param, url, **options))
        return opened[-1]

    yield open_it
    for shelf in opened:
        await shelf.close()


@pytest.fixture
async def shelf(installation: Installation, open_shelf: Callable[..., Shelf]) -> Shelf:
    """A client admin, straight to the server."""
    return open_shelf(installation.address)
