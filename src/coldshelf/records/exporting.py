"""Files of a dataset (`action=export`): CSV, Excel and XML, up to a limit and saying so where there is more."""

import asyncio
import re
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from concurrent.futures import CancelledError, Future, wait
from contextlib import suppress
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Event
from urllib.parse import quote

import anyio
from asyncpg import Record

from coldshelf.access.principal import Permission, Principal
from coldshelf.kit.ids import ClientId
from coldshelf.kit.runtime import Runtime
from coldshelf.kit.web.params import Params
from coldshelf.records import store
from coldshelf.records.dataset import Dataset
from coldshelf.records.errors import PageInvalid
from coldshelf.records.formats import CsvPage, PageText, XmlPage
from coldshelf.records.listing import (
    BATCH,
    ListAnswer,
    ListRequest,
    Place,
    begin,
    chain,
    list_shape,
    read_list_request,
)
from coldshelf.records.query import cells_statement, count_statement, page_statement
from coldshelf.records.spreadsheet import Cells, Sheet, write_workbook

LIMIT, TRUNCATED = "X-Export-Limit", "X-Truncated"
PART = 256 * 1024
"""Bytes of a finished file that are sent at a time."""
LONGEST_NAME = 150


class FileFormat(StrEnum):
    """What a file can be; the value is its suffix."""

    CSV = "csv"
    XLSX = "xlsx"
    XML = "xml"


FORMAT_NAMES = {"": FileFormat.CSV, "excel": FileFormat.XLSX, **{item.value: item for item in FileFormat}}
EXCEL = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@dataclass(frozen=True, slots=True)
class ExportRequest:
    """A list without pages, as a file."""

    records: ListRequest
    format: FileFormat
    file_name: str


@dataclass(frozen=True, slots=True)
class ExportAnswer:
    """The file in parts, and what its headers say."""

    body: AsyncGenerator[bytes]
    headers: dict[str, str]
    media_type: str


def read_export_request(dataset: Dataset, params: Params, *, most: int) -> ExportRequest:
    """Read format, file name, filters, sort and fields; raise PageInvalid or FilterInvalid with the cure."""
    word = params.text("exportFormat").lower()
    if word not in FORMAT_NAMES:
        shown = params.text("exportFormat")[:60]
        raise PageInvalid(f"exportFormat is {shown!r}; a file is CSV, XLSX (or Excel) or XML")
    wanted = FORMAT_NAMES[word]
    records = read_list_request(dataset, params, most=most, default_limit=most)
    if records.start or records.cursor is not None:
        raise PageInvalid("A file begins with the first record: leave start and cursor out, and narrow it by filters")
    if params.text("fields") == "":
        records = replace(records, numbered=False)  # a place in a list of pages says nothing here
    return ExportRequest(records, wanted, file_name(params.text("exportFileName") or dataset.name, wanted))


def file_name(wanted: str, kind: FileFormat) -> str:
    """Make a name that every file system takes, with the suffix of its kind."""
    name = re.sub(r'[\x00-\x1f\x7f<>:"/\\|?*]', "_", wanted).strip(" .") or "export"
    name = re.sub(rf"\.{kind}$", "", name, flags=re.IGNORECASE)
    return f"{name[:LONGEST_NAME]}.{kind}"


def disposition(name: str) -> str:
    """Give the Content-Disposition of a download (RFC 6266): the name in ASCII, and as it is."""
    plain = re.sub(r"[^ !#$&+\-.0-9A-Z^_`a-z{}~()\[\],;=@']", "_", name)
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"


async def export_records(run: Runtime, principal: Principal, request: ExportRequest) -> ExportAnswer:
    """Begin a file: what can go wrong with its statement does so before anything is sent."""
    principal.require_permission(Permission.EXPORT)
    records, client_id, place = await begin(run, principal, request.records)
    request = replace(request, records=records)
    file = _File(run, client_id, request, place)
    parts = file.sheet() if request.format is FileFormat.XLSX else file.text()
    first = await anext(parts)
    headers = {
        **ListAnswer(b"", place.as_of, file.total).headers,
        LIMIT: str(run.settings.max_export),
        "Content-Disposition": disposition(request.file_name),
    }
    if file.total > request.records.limit:
        headers[TRUNCATED] = "true"
    return ExportAnswer(chain(first, parts), headers, file.media_type)


@dataclass(slots=True)
class _File:
    """One file while it is written; `total` is known with its first part."""

    run: Runtime
    client_id: ClientId
    request: ExportRequest
    place: Place
    total: int = 0

    @property
    def media_type(self) -> str:
        return EXCEL if self.request.format is FileFormat.XLSX else self._page().media_type

    def _page(self) -> PageText:
        return XmlPage() if self.request.format is FileFormat.XML else CsvPage(self.request.records.names, safe=True)

    async def text(self) -> AsyncGenerator[bytes]:
        page = self._page()
        shape, values = list_shape(self.request.records, self.place)
        async with self.run.database.snapshot(self.client_id) as connection:
            self.total = await store.fetch_count(connection, count_statement(shape), values)
            yield page.head(self.total)
            statement = page_statement(replace(shape, text=page.row_text))
            async for batch in store.fetch_pages(connection, statement, values, size=BATCH):
                yield page.rows([row["record"] for row in batch])
        yield page.tail({})

    async def sheet(self) -> AsyncGenerator[bytes]:
        """Write the whole file aside, since a reader of Excel begins at its end, and then send it."""
        shape, values = list_shape(self.request.records, self.place)
        with TemporaryDirectory(prefix="coldshelf-export-") as folder:
            path = Path(folder) / "export.xlsx"
            async with self.run.database.snapshot(self.client_id) as connection:
                self.total = await store.fetch_count(connection, count_statement(shape), values)
                yield b""
                sheet = Sheet(shape.shown, {"Dataset": shape.dataset.name, "Records found": self.total, "Times": "UTC"})
                batches = store.fetch_pages(connection, cells_statement(shape), values, size=BATCH)
                await _write_aside(path, sheet, batches)
            with path.open("rb") as file:
                while part := await asyncio.to_thread(file.read, PART):
                    yield part


async def _write_aside(path: Path, sheet: Sheet, batches: AsyncIterator[list[Record]]) -> None:
    """Write a workbook in a thread that asks this event loop for the rows; leave only when the thread has ended."""
    loop, stop = asyncio.get_running_loop(), Event()

    async def following() -> list[Record]:
        return await anext(batches, [])

    def ask() -> Future[list[Record]]:
        return asyncio.run_coroutine_threadsafe(following(), loop)

    def rows() -> Iterator[Cells]:
        asked = ask()
        try:
            while batch := asked.result():
                asked = ask()  # the database works on the next rows while these are written
                yield from map(dict, batch)
                if stop.is_set():
                    raise CancelledError
        finally:
            wait([asked])  # the connection is free then

    writing = asyncio.ensure_future(asyncio.to_thread(write_workbook, path, sheet, rows()))
    try:
        await asyncio.shield(writing)
    except asyncio.CancelledError:
        stop.set()
        with anyio.CancelScope(shield=True), suppress(BaseException):
            await writing
        raise
