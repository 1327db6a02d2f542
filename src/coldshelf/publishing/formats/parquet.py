"""Parquet that every reader takes: what is written is read back and compared before anything is called finished.

Measured: Spark cannot open files with the UUID type, Snowflake takes no data page of version 2 and no time without a
zone or in nanoseconds, Delta Lake refuses the 64-bit decimals that a stored Arrow schema brings back. So GUIDs are
text, times are microseconds in UTC, decimals carry their digits, pages are version 1, and no Arrow schema is stored.
"""

import hashlib
import io
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, BinaryIO

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from coldshelf.publishing.destination import PartWriter
from coldshelf.publishing.errors import PartDiffers
from coldshelf.publishing.formats.columns import MODIFIED_ON, AnyArray, AnyScalar, bounds, moment
from coldshelf.publishing.models import Compression, Layout, PublishedFile

ZSTD_LEVEL = 3
SAMPLE_ROWS = 5_000
READ_BACK_ROWS = 8_192
CHUNK_BYTES = 1024 * 1024


def write_parts(
    batches: Iterator[pa.RecordBatch],
    schema: pa.Schema,
    layout: Layout,
    *,
    open_part: Callable[[str], PartWriter],
    read_back: Callable[[str], BinaryIO],
    on_rows: Callable[[int], None],
) -> Iterator[PublishedFile]:
    """Write all rows, part after part, each compared with what was written; no rows give one part without any."""
    groups = _RowGroups(batches, schema)
    number = 0
    while groups.more() or number == 0:
        name = f"part-{number:05d}.parquet"
        writer = open_part(name)
        try:
            written = _write_part(groups, schema, layout, writer, on_rows)
        except BaseException:
            writer.discard()
            raise
        writer.commit()
        with read_back(name) as file:
            _compare(name, written, file, schema)
        yield PublishedFile(
            path=name,
            rows=written.totals.rows,
            bytes=written.bytes,
            sha256=written.sha256,
            min_modified_on=moment(written.totals.first_modified),
            max_modified_on=moment(written.totals.last_modified),
        )
        number += 1


class _RowGroups:
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
        return table.slice(0, rows)

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
class _Totals:
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


class _Sink(io.RawIOBase):
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


@dataclass(frozen=True, slots=True)
class _Written:
    totals: _Totals
    bytes: int
    sha256: str


def _write_part(
    groups: _RowGroups, schema: pa.Schema, layout: Layout, writer: PartWriter, on_rows: Callable[[int], None]
) -> _Written:
    sink = _Sink(writer)
    totals = _Totals([(0, 0)] * len(schema))
    table = groups.take(min(layout.row_group_rows, layout.part_rows))
    with pq.ParquetWriter(
        pa.PythonFile(sink, "w"),
        schema,
        compression=layout.compression.value,
        compression_level=ZSTD_LEVEL if layout.compression is Compression.ZSTD else None,
        use_dictionary=_repetitive(table),  # type: ignore[arg-type]  # the stubs know the bool only
        version="2.6",
        data_page_version="1.0",
        store_schema=False,
        store_decimal_as_integer=True,
    ) as parquet:
        while table.num_rows:
            parquet.write_table(table, layout.row_group_rows)
            for batch in table.to_batches():
                totals.add(batch)
            on_rows(table.num_rows)
            del table  # before the next one grows
            table = groups.take(min(layout.row_group_rows, layout.part_rows - totals.rows))
    return _Written(totals, sink.bytes, sink.hash.hexdigest())


def _repetitive(table: pa.Table) -> list[str]:
    """Choose the columns whose values come again: only those gain by a dictionary, the others pay for it."""
    sample = table.slice(0, SAMPLE_ROWS)
    return [
        name
        for name in table.column_names
        if not pa.types.is_boolean(sample[name].type)
        and 4 * pc.count_distinct(sample[name], "all").as_py() <= sample.num_rows
    ]


def _compare(name: str, written: _Written, file: BinaryIO, schema: pa.Schema) -> None:
    """Read a file back; raise PartDiffers unless it has the declared columns and the very values."""
    if _sha256(file) != written.sha256:
        raise PartDiffers(f"{name} reads back with other bytes than were written")
    try:
        parquet = pq.ParquetFile(file)
        found = _Totals([(0, 0)] * len(schema))
        if parquet.schema_arrow != _as_read(schema):
            raise PartDiffers(f"{name} reads back with the columns {parquet.schema_arrow}")
        # Over several groups at once, the reader keeps the bytes of all that it has read.
        for group in range(parquet.num_row_groups):
            for batch in parquet.iter_batches(READ_BACK_ROWS, row_groups=[group], use_threads=False):
                found.add(pa.RecordBatch.from_arrays([*map(_narrow, batch.columns, schema.types)], schema=schema))
    except (pa.ArrowException, OSError) as error:
        raise PartDiffers(f"{name} does not read back: {error}") from error
    if found != written.totals:
        raise PartDiffers(f"{name} reads back with other values: {found}, not {written.totals}")


def _sha256(file: BinaryIO) -> str:
    found = hashlib.sha256()
    while chunk := file.read(CHUNK_BYTES):
        found.update(chunk)
    file.seek(0)
    return found.hexdigest()


def _as_read(schema: pa.Schema) -> pa.Schema:
    """Give the schema as readers see it: Parquet has one decimal type."""
    return pa.schema(
        [
            item.with_type(pa.decimal128(item.type.precision, item.type.scale))
            if pa.types.is_decimal64(item.type)
            else item
            for item in schema
        ]
    )


def _narrow(array: AnyArray, kind: pa.DataType) -> AnyArray:
    return array if array.type == kind else array.cast(kind)
