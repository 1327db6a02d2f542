"""One client's rows as they were at one moment: a read-only REPEATABLE READ transaction of the role for bulk reading.

The role and the client are settings of the connection itself, so the policies hold for all that it reads; a pooler
that drops them is found out before the first row. ADBC's DB-API layer imports pandas and polars where they are
installed, which costs seconds, so its lower layer is used.
"""

import queue
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import date, datetime
from functools import partial
from typing import Any
from urllib.parse import quote, unquote

import adbc_driver_manager
import adbc_driver_postgresql
import pyarrow as pa

from coldshelf.kit.ids import ClientId
from coldshelf.publishing.errors import SnapshotFailed
from coldshelf.publishing.formats.columns import Checker, moment, select_text
from coldshelf.records.bulk import Window
from coldshelf.records.dataset import Dataset

READER = "coldshelf_reader"
BATCH_BYTES = 2 * 1024 * 1024
BATCHES_AHEAD = 2
"""The server sends on while a row group is written; more would only cost memory."""
FIRST_CHUNK, SMALLEST_CHUNK, LARGEST_CHUNK = 10_000, 5_000, 250_000
"""Ids that a chunk covers."""
CHUNK_SECONDS = 0.4
"""How long a chunk's transaction should take; on busy machines single ones take two or three times as long."""
MOST_GROWTH = 2
CHUNK_BYTES = 16 * 1024 * 1024
"""What a chunk should take in memory, where two are held: one is written while the next is read."""


def reader_url(url: str, client_id: ClientId) -> str:
    """Give the URL of a connection that sees one client only, reads only, and keeps one snapshot."""
    settings = {
        "role": READER,
        "coldshelf.client_id": str(int(client_id)),
        "timezone": "UTC",
        "client_encoding": "UTF8",
        # What becomes text reads the same whatever the database or the role sets.
        "datestyle": "ISO",
        "intervalstyle": "iso_8601",
        "bytea_output": "hex",
        "jit": "off",
        "default_transaction_isolation": r"repeatable\ read",
        "default_transaction_read_only": "on",
    }
    options = " ".join(f"-c {name}={value}" for name, value in settings.items())
    address, _, query = url.partition("?")
    fields = [field.partition("=") for field in query.split("&") if field]
    given = [unquote(value) for name, _, value in fields if name == "options"]
    kept = [f"{name}={value}" for name, _, value in fields if name != "options"]
    joined = quote(" ".join([*given, options]), safe="")
    return f"{address}?{'&'.join([*kept, f'options={joined}'])}"


class Snapshot:
    """Reads tables one after another. Every change before `as_of` is in it; revisions below `fence` are certain."""

    def __init__(self, connection: adbc_driver_manager.AdbcConnection, as_of: datetime, fence: int) -> None:
        self.as_of, self.fence = as_of, fence
        self._connection = connection

    @contextmanager
    def batches(self, dataset: Dataset, window: Window) -> Iterator[Iterator[pa.RecordBatch]]:
        """Read a dataset's rows, checked and in the declared types, in order of the key."""
        checker = Checker(dataset)
        with adbc_driver_manager.AdbcStatement(self._connection) as statement:
            statement.set_options(**{"adbc.postgresql.batch_size_hint_bytes": BATCH_BYTES})
            with _translated(f"reading {dataset.name}"):
                reader = _run(statement, select_text(dataset, window))
            checker.check_types(reader.schema)
            with _read_ahead(reader, dataset.name, self.cancel) as batches:
                yield (checker.checked(batch) for batch in batches)

    def chunks(
        self, dataset: Dataset, window: Window, after_id: int
    ) -> Iterator[tuple[Iterator[pa.RecordBatch], int, datetime]]:
        """Read rows in short transactions, each to its end before the first row is given; at least one chunk.

        The next chunk is read while this one is written. The number of ids in a chunk follows from the time and the
        memory that the one before took.
        """
        last = self._last_id(dataset)
        read = partial(self._chunk, dataset, window)
        with ThreadPoolExecutor(1, thread_name_prefix="coldshelf-bulk-chunk") as threads:
            coming = threads.submit(read, after_id, min(after_id + FIRST_CHUNK, last))
            try:
                while True:
                    chunk = coming.result()
                    is_last = chunk.up_to_id >= last
                    if not is_last:
                        coming = threads.submit(read, chunk.up_to_id, min(chunk.up_to_id + chunk.next_ids, last))
                    if is_last or any(batch.num_rows for batch in chunk.batches):
                        yield _drained(chunk.batches), chunk.up_to_id, chunk.as_of
                    if is_last:
                        return
            finally:
                if not coming.done():
                    self.cancel()

    def _chunk(self, dataset: Dataset, window: Window, after_id: int, up_to_id: int) -> "_Chunk":
        began = time.monotonic()
        as_of = _horizon(self._connection)
        self._end()  # the rows take a snapshot of their own, after the horizon was read
        with self.batches(dataset, replace(window, ids=(after_id, up_to_id))) as batches:
            rows = deque(batches)
        self._end()
        took = max(time.monotonic() - began, 0.001)
        size = max(sum(batch.nbytes for batch in rows), 1)
        ids = (up_to_id - after_id) * min(CHUNK_SECONDS / took, CHUNK_BYTES / size, MOST_GROWTH)
        return _Chunk(rows, up_to_id, as_of, int(min(max(ids, SMALLEST_CHUNK), LARGEST_CHUNK)))

    def first_edited(self, dataset: Dataset, since: datetime) -> datetime | None:
        """Give the least CreatedOn of the rows that were there before a moment and changed since."""
        bound = f"'{since.isoformat()}'::timestamptz"
        with _translated(f"looking for edits of {dataset.name}"):
            return moment(
                _value(
                    self._connection,
                    f"SELECT min(created_on) FROM {dataset.relation}"
                    f" WHERE modified_on >= {bound} AND created_on < {bound}",
                )
            )

    def days(self, dataset: Dataset, since: datetime | None) -> dict[date, int]:
        """Count the rows of each day (UTC) of ModifiedOn, from a moment on."""
        bound = f"WHERE modified_on >= '{since.isoformat()}'::timestamptz" if since else ""
        text = (
            f"SELECT (modified_on AT TIME ZONE 'UTC')::date AS day, count(*) AS rows FROM {dataset.relation} {bound}"
            " GROUP BY 1 ORDER BY 1"
        )
        with _translated(f"counting {dataset.name}"), adbc_driver_manager.AdbcStatement(self._connection) as statement:
            found: list[dict[str, Any]] = _run(statement, text).read_all().to_pylist()
        return {row["day"]: row["rows"] for row in found}

    def _last_id(self, dataset: Dataset) -> int:
        """Give the greatest id now; a row that is added later was not there at `as_of`."""
        with _translated(f"reading {dataset.name}"):
            relation = dataset.relation or "(SELECT 0 AS id) AS nothing_yet"
            found = int(_value(self._connection, f"SELECT coalesce(max(id), 0) FROM {relation}"))
        self._end()
        return found

    def _end(self) -> None:
        with _translated("ending a chunk"):
            self._connection.rollback()

    def cancel(self) -> None:
        """End what the database is working on; the one who waits for it gets SnapshotFailed. From any thread."""
        with suppress(adbc_driver_manager.Error):
            self._connection.cancel()


@dataclass(frozen=True, slots=True)
class _Chunk:
    """Rows up to an id, every change before `as_of` among them; the next chunk should cover `next_ids`."""

    batches: deque[pa.RecordBatch]
    up_to_id: int
    as_of: datetime
    next_ids: int


def _drained(batches: deque[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """Give batches and forget them, so that their memory is free for the next chunk."""
    while batches:
        yield batches.popleft()


@contextmanager
def open_snapshot(url: str, client_id: ClientId) -> Iterator[Snapshot]:
    """Open a connection of the reading role; raise SnapshotFailed."""
    with ExitStack() as opened:
        with _translated("connecting"):
            database = opened.enter_context(adbc_driver_postgresql.connect(reader_url(url, client_id)))
            connection = opened.enter_context(adbc_driver_manager.AdbcConnection(database))
        with _translated("opening the snapshot"):
            as_of = _horizon(connection)
            connection.set_autocommit(enabled=False)
            seen = _value(
                connection,
                "SELECT current_user || ' ' || coldshelf_client() || ' ' || current_setting('transaction_isolation')",
            )
            fence = int(_value(connection, "SELECT coldshelf_fence()"))
        if seen != f"{READER} {int(client_id)} repeatable read":
            raise SnapshotFailed(
                f"The database connected as {seen!r}, not as {READER} for client {client_id}",
                cure="Give a database URL that leads to PostgreSQL itself; a pooler may drop connection options.",
            )
        yield Snapshot(connection, as_of, fence)


def _horizon(connection: adbc_driver_manager.AdbcConnection) -> datetime:
    """Read the moment before which every change is seen by the snapshots that are taken after it was read."""
    as_of = moment(_value(connection, "SELECT coldshelf_horizon()"))
    if as_of is None:
        raise SnapshotFailed("The database told no horizon")
    return as_of


def _run(statement: adbc_driver_manager.AdbcStatement, text: str) -> pa.RecordBatchReader:
    statement.set_sql_query(text)
    handle, _ = statement.execute_query()
    return pa.RecordBatchReader.from_stream(handle)


def _value(connection: adbc_driver_manager.AdbcConnection, text: str) -> Any:  # the type is that of the expression
    with adbc_driver_manager.AdbcStatement(connection) as statement:
        value = _run(statement, text).read_all().column(0)[0]
    return value.value if isinstance(value, pa.TimestampScalar) else value.as_py()


@contextmanager
def _translated(doing: str) -> Iterator[None]:
    try:
        yield
    except (adbc_driver_manager.Error, pa.ArrowException, OSError) as error:
        raise SnapshotFailed(f"{doing}: {str(error).strip()}") from error


@contextmanager
def _read_ahead(
    reader: pa.RecordBatchReader, name: str, cancel: Callable[[], None]
) -> Iterator[Iterator[pa.RecordBatch]]:
    """Read in a thread of its own, a few batches ahead of the one who writes; leaving early cancels the query."""
    ahead: queue.Queue[pa.RecordBatch | None] = queue.Queue(BATCHES_AHEAD)
    left = threading.Event()

    def read() -> None:
        try:
            for batch in reader:
                ahead.put(batch)
                if left.is_set():
                    return
        finally:
            ahead.put(None)

    def batches(reading: Future[None]) -> Iterator[pa.RecordBatch]:
        while (batch := ahead.get()) is not None:
            yield batch
        with _translated(f"reading {name}"):
            reading.result()

    with ThreadPoolExecutor(1, thread_name_prefix="coldshelf-bulk-reader") as threads:
        reading = threads.submit(read)
        try:
            yield batches(reading)
        finally:
            left.set()
            if not reading.done():
                cancel()
            while not reading.done():
                with suppress(queue.Empty):
                    ahead.get(timeout=0.01)
