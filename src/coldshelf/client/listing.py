"""What a list gives: records to iterate over, its pages, or one table of all."""

from collections.abc import AsyncIterator, Callable, Iterator
from typing import TYPE_CHECKING

from coldshelf.client import frames
from coldshelf.client.core import Stream
from coldshelf.client.marks import Marks
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

    def _note(self, page: Page, number: int) -> None:
        if number == 0:
            self.as_of, self.total = page.as_of, page.total

    def _given(self, page: Page) -> None:
        """Note that a page was handed over whole."""


class Marked(Told):
    """Changes since a mark."""

    def __init__(self, marks: Marks, name: str) -> None:
        self._marks = marks
        self._name = name
        self._mark: str | None = None

    def done(self) -> None:
        """Move the mark behind every page that was handed over whole: call it when what they hold is safe."""
        if self._mark is not None:
            self._marks[self._name] = self._mark

    def _given(self, page: Page) -> None:
        self._mark = page.cursor or self._mark


class Listing(Told):
    """Each iteration asks anew."""

    def __init__(self, driver: SyncDriver, begin: Callable[[], Stream[Page]]) -> None:
        self._driver = driver
        self._begin = begin

    def pages(self) -> Iterator[Page]:
        """Give page after page."""
        for page in self._pages():
            self._given(page)
            yield page

    def __iter__(self) -> Iterator[Record]:
        for page in self._pages():
            yield from page.records
            self._given(page)

    def _pages(self) -> Iterator[Page]:
        for number, page in enumerate(self._driver.iterate(self._begin())):
            self._note(page, number)
            yield page

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


class Changes(Marked, Listing):
    """What was changed since the mark; `done` moves it."""

    def __init__(self, driver: SyncDriver, begin: Callable[[], Stream[Page]], marks: Marks, name: str) -> None:
        Marked.__init__(self, marks, name)
        Listing.__init__(self, driver, begin)


class AsyncListing(Told):
    """Each iteration asks anew."""

    def __init__(self, driver: AsyncDriver, begin: Callable[[], Stream[Page]]) -> None:
        self._driver = driver
        self._begin = begin

    async def pages(self) -> AsyncIterator[Page]:
        """Give page after page."""
        async for page in self._pages():
            self._given(page)
            yield page

    async def __aiter__(self) -> AsyncIterator[Record]:
        async for page in self._pages():
            for record in page.records:
                yield record
            self._given(page)

    async def _pages(self) -> AsyncIterator[Page]:
        number = 0
        async for page in self._driver.iterate(self._begin()):
            self._note(page, number)
            number += 1
            yield page

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


class AsyncChanges(Marked, AsyncListing):
    """What was changed since the mark; `done` moves it."""

    def __init__(self, driver: AsyncDriver, begin: Callable[[], Stream[Page]], marks: Marks, name: str) -> None:
        Marked.__init__(self, marks, name)
        AsyncListing.__init__(self, driver, begin)
