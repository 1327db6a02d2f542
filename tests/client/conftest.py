"""One installation for the tests of the client, and the client in both its kinds behind one face."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from coldshelf.client import AsyncClient, Client, Page, Record
from tests.acceptance.installation import Installation, installed
from tests.client.flaky import Line, flaky_line
from tests.conftest import PASSWORD

LIMIT = 400
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
        """Give every record of a listing."""
        listing = getattr(self.client, name)(*values, **named)
        return await asyncio.to_thread(listing.all) if self.kind == "sync" else await listing.all()

    async def some(self, pages: int, name: str, /, *values: Any, **named: Any) -> list[Page]:
        """Give the first pages of a listing, and ask for no further one."""
        listing = getattr(self.client, name)(*values, **named)
        if self.kind == "sync":
            return await asyncio.to_thread(
                lambda: [page for _, page in zip(range(pages), listing.pages(), strict=False)]
            )
        found = []
        async for page in listing.pages():
            found.append(page)
            if len(found) == pages:
                break
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
