"""What a list gives: records to iterate over, its pages, or one table of all."""

from collections.abc import AsyncIterator, Callable, Iterator
from typing import TYPE_CHECKING

from coldshelf.client import frames
from coldshelf.client.core import Stream
from coldshelf.client.models import Page, Record
from coldshelf.client.transport import AsyncDriver, SyncDriver

if TYPE_CHECKING:
    import pandas as pd
    import polars as pl
    import pyarrow as pa


class Told:
    """What the first page of the latest pull said.

    `as_of`: everything before that moment was in it; it is the mark of the next pull by `modified_since`. Only a list
    that is filtered by time has one. `total`: how many records there were.
    """

    as_of: str | None = None
    total: int | None = None

    def _note(self, page: Page) -> None:
        self.as_of, self.total = page.as_of, page.total


class Listing(Told):
    """Each iteration asks anew."""

    def __init__(self, driver: SyncDriver, begin: Callable[[], Stream[Page]]) -> None:
        self._driver = driver
        self._begin = begin

    def pages(self) -> Iterator[Page]:
        """Give page after page."""
        for number, page in enumerate(self._driver.iterate(self._begin())):
            if number == 0:
                self._note(page)
            yield page

    def __iter__(self) -> Iterator[Record]:
        for page in self.pages():
            yield from page.records

    def all(self) -> list[Record]:
        """Give every record at once."""
        return list(self)

    def arrow(self) -> "pa.Table":
        """Give an Arrow table of all (extra `client-arrow`)."""
        return frames.arrow(self.all())

    def pandas(self) -> "pd.DataFrame":
        """Give a pandas frame of all (extra `client-pandas`)."""
        return frames.pandas(self.all())

    def polars(self) -> "pl.DataFrame":
        """Give a Polars frame of all (extra `client-polars`)."""
        return frames.polars(self.all())


class AsyncListing(Told):
    """Each iteration asks anew."""

    def __init__(self, driver: AsyncDriver, begin: Callable[[], Stream[Page]]) -> None:
        self._driver = driver
        self._begin = begin

    async def pages(self) -> AsyncIterator[Page]:
        """Give page after page."""
        number = 0
        async for page in self._driver.iterate(self._begin()):
            if number == 0:
                self._note(page)
            number += 1
            yield page

    async def __aiter__(self) -> AsyncIterator[Record]:
        async for page in self.pages():
            for record in page.records:
                yield record

    async def all(self) -> list[Record]:
        """Give every record at once."""
        return [record async for record in self]

    async def arrow(self) -> "pa.Table":
        """Give an Arrow table of all (extra `client-arrow`)."""
        return frames.arrow(await self.all())

    async def pandas(self) -> "pd.DataFrame":
        """Give a pandas frame of all (extra `client-pandas`)."""
        return frames.pandas(await self.all())

    async def polars(self) -> "pl.DataFrame":
        """Give a Polars frame of all (extra `client-polars`)."""
        return frames.polars(await self.all())
