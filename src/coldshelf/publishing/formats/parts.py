"""Files of a dataset, part after part: each is written while rows come, then read back and compared."""

import hashlib
import io
import zlib
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, BinaryIO, Protocol

import pyarrow as pa
import pyarrow.compute as pc

from coldshelf.publishing.destination import PartWriter
from coldshelf.publishing.errors import PartDiffers
from coldshelf.publishing.formats.columns import MODIFIED_ON, AnyArray, AnyScalar, bounds, moment
from coldshelf.publishing.models import Layout, PublishedFile

CHUNK_BYTES = 1024 * 1024


class TableWriter(Protocol):
    """Writes rows into one file."""

    def write(self, table: pa.Table) -> None: ...


class Format(Protocol):
    """One form of files; the module of each has these."""

    def suffix(self, layout: Layout) -> str:
        """Give the end of a file's name."""
        ...

    def open_writer(self, sink: "Sink", sample: pa.Table, layout: Layout) -> AbstractContextManager[TableWriter]:
        """Begin a file of the rows' schema; `sample` are the first rows. Leaving the block ends the file."""
        ...

    def compare(self, name: str, totals: "Totals", file: BinaryIO, schema: pa.Schema) -> None:
        """Read a file back; raise PartDiffers unless it holds the very values. Its bytes were compared before."""
        ...


def write_parts(
    batches: Iterator[pa.RecordBatch],
    schema: pa.Schema,
    layout: Layout,
    form: Format,
    *,
    name_part: Callable[[int], str],
    open_part: Callable[[str], PartWriter],
    read_back: Callable[[str], BinaryIO],
    on_rows: Callable[[int], None],
) -> Iterator[PublishedFile]:
    """Write all rows, part after part, each compared with what was written; no rows give one part without any."""
    groups = RowGroups(batches, schema)
    number = 0
    while groups.more() or number == 0:
        name = name_part(number)
        part = open_part(name)
        try:
            written = _write_part(groups, layout, form, part, on_rows)
            if groups.more():
                name_part(number + 1)  # who gives no second name raises before the first part is seen
        except BaseException:
            part.discard()
            raise
        part.commit()
        with read_back(name) as file:
            if file_sha256(file) != written.sha256:
                raise PartDiffers(f"{name} reads back with other bytes than were written")
            form.compare(name, written.totals, file, schema)
        yield PublishedFile(
            path=name,
            rows=written.totals.rows,
            bytes=written.bytes,
            sha256=written.sha256,
            min_modified_on=moment(written.totals.first_modified),
            max_modified_on=moment(written.totals.last_modified),
        )
        number += 1


@dataclass(frozen=True, slots=True)
class _Written:
    totals: "Totals"
    bytes: int
    sha256: str


def _write_part(
    groups: "RowGroups", layout: Layout, form: Format, part: PartWriter, on_rows: Callable[[int], None]
) -> _Written:
    sink = Sink(part)
    table = groups.take(min(layout.row_group_rows, layout.most_rows))
    totals = Totals([(0, 0)] * len(table.schema))
    with form.open_writer(sink, table, layout) as writer:
        while table.num_rows:
            writer.write(table)
            for batch in table.to_batches():
                totals.add(batch)
            on_rows(table.num_rows)
            del table  # before the next one grows
            pa.default_memory_pool().release_unused()  # what lies between pieces in use piles up otherwise
            table = groups.take(min(layout.row_group_rows, layout.most_rows - totals.rows))
    return _Written(totals, sink.bytes, sink.hash.hexdigest())


def file_sha256(file: BinaryIO) -> str:
    """Hash a file and go back to its beginning."""
    found = hashlib.sha256()
    while chunk := file.read(CHUNK_BYTES):
        found.update(chunk)
    file.seek(0)
    return found.hexdigest()


class RowGroups:
    """Cuts a stream of batches into tables of a wanted size."""

    def __init__(self, batches: Iterator[pa.RecordBatch], schema: pa.Schema) -> None:
        self._batches = batches
        self._waiting: list[pa.RecordBatch] = []
        self._schema = schema

    def more(self) -> bool:
        """Say whether a row is left."""
        return self._fill(1) > 0

    def take(self, rows: int) -> pa.Table:
        """Take so many rows, or all that are left."""
        self._fill(rows)
        table = pa.Table.from_batches(self._waiting, self._schema)
        self._waiting = table.slice(rows).to_batches()
        return table.slice(0, rows).combine_chunks()  # checksums of small pieces cost four times as much

    def _fill(self, rows: int) -> int:
        have = sum(batch.num_rows for batch in self._waiting)
        while have < rows and (batch := next(self._batches, None)) is not None:
            self._waiting.append(batch)
            have += batch.num_rows
        return have


def _constant(kind: pa.DataType, *parts: bytes) -> AnyScalar:
    """Make a value of its bytes: `pa.scalar` imports pandas where it is installed, which takes a second."""
    return pa.Array.from_buffers(kind, 1, [None, *map(pa.py_buffer, parts)])[0]


NO_TEXT = _constant(pa.string(), bytes(8), b"")
NO_LENGTH = _constant(pa.int32(), b"\xff" * 4)


@dataclass(slots=True)
class Totals:
    """What rows come to, however they are cut: their number, two checksums of each column, the times of change."""

    checksums: list[tuple[int, int]]
    rows: int = 0
    first_modified: int | None = None
    last_modified: int | None = None

    def add(self, batch: pa.RecordBatch) -> None:
        self.rows += batch.num_rows
        for place, column in enumerate(batch.columns):
            shape, values = self.checksums[place]
            self.checksums[place] = (zlib.crc32(_shape(column), shape), zlib.crc32(_values(column), values))
        if MODIFIED_ON not in batch.schema.names:
            return
        first, last = bounds(batch.column(MODIFIED_ON).view(pa.int64()))
        self.first_modified = min(_known(first, self.first_modified), default=None)
        self.last_modified = max(_known(last, self.last_modified), default=None)


def _known(*numbers: int | None) -> list[int]:
    return [number for number in numbers if number is not None]


def _shape(array: AnyArray) -> memoryview:
    """Tell apart what `_values` does not: empty values, and where one text ends and the next begins."""
    if pa.types.is_string(array.type):
        return _values(_filled(pc.binary_length(array), NO_LENGTH))
    return _values(pc.is_valid(array))


def _values(array: AnyArray) -> memoryview:
    """Give the bytes of all values one after another, the empty ones as zeros or nothing."""
    if pa.types.is_string(array.type):
        array = _filled(array, NO_TEXT)
        _, offsets, data = array.buffers()
        ends = memoryview(offsets).cast("i")
        return memoryview(data or b"")[ends[array.offset] : ends[array.offset + len(array)]]
    if pa.types.is_boolean(array.type):
        array = array.cast(pa.int8())
    width = array.type.bit_width // 8
    array = _filled(array.view(pa.binary(width)), _constant(pa.binary(width), bytes(width)))
    return memoryview(array.buffers()[1])[array.offset * width : (array.offset + len(array)) * width]


def _filled(array: AnyArray, value: AnyScalar) -> AnyArray:
    return pc.fill_null(array, value) if array.null_count else array


class Sink(io.RawIOBase):
    """The file object that the Parquet writer wants: counts and hashes what passes. `commit` does the rest."""

    def __init__(self, writer: PartWriter) -> None:
        self._writer = writer
        self.bytes = 0
        self.hash = hashlib.sha256()

    def writable(self) -> bool:
        return True

    def write(self, chunk: Any, /) -> int:  # bytes or a buffer of them
        view = memoryview(chunk)
        self._writer.write(view)
        self.hash.update(view)
        self.bytes += view.nbytes
        return view.nbytes

    def tell(self) -> int:
        return self.bytes
