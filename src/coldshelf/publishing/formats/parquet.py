"""Parquet that every reader takes: what is written is read back and compared before anything is called finished.

Measured: Spark cannot open files with the UUID type, Snowflake takes no data page of version 2 and no time without a
zone or in nanoseconds, Delta Lake refuses the 64-bit decimals that a stored Arrow schema brings back. So GUIDs are
text, times are microseconds in UTC, decimals carry their digits, pages are version 1, and no Arrow schema is stored.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import BinaryIO

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from coldshelf.publishing.errors import PartDiffers
from coldshelf.publishing.formats.columns import MODIFIED_ON, AnyArray, moment
from coldshelf.publishing.formats.parts import Sink, Totals
from coldshelf.publishing.models import Compression, Layout

ZSTD_LEVEL = 3
SAMPLE_ROWS = 5_000
READ_BACK_ROWS = 16_384


def suffix(_: Layout) -> str:
    return ".parquet"


@contextmanager
def open_writer(sink: Sink, sample: pa.Table, layout: Layout) -> Iterator["_Writer"]:
    """Write row groups as they come; the sample tells which columns gain by a dictionary."""
    with pq.ParquetWriter(
        pa.PythonFile(sink, "w"),
        sample.schema,
        compression=(layout.compression or Compression.SNAPPY).value,
        compression_level=ZSTD_LEVEL if layout.compression is Compression.ZSTD else None,
        use_dictionary=_repetitive(sample),  # type: ignore[arg-type]  # the stubs know the bool only
        version="2.6",
        data_page_version="1.0",
        store_schema=False,
        store_decimal_as_integer=True,
    ) as parquet:
        yield _Writer(parquet, layout.row_group_rows)


@dataclass(frozen=True, slots=True)
class _Writer:
    parquet: pq.ParquetWriter
    group_rows: int

    def write(self, table: pa.Table) -> None:
        self.parquet.write_table(table, self.group_rows)


def _repetitive(table: pa.Table) -> list[str]:
    """Choose the columns whose values come again: only those gain by a dictionary, the others pay for it."""
    sample = table.slice(0, SAMPLE_ROWS)
    return [
        name
        for name in table.column_names
        if not pa.types.is_boolean(sample[name].type)
        and 4 * pc.count_distinct(sample[name], "all").as_py() <= sample.num_rows
    ]


def compare(name: str, totals: Totals, file: BinaryIO, schema: pa.Schema) -> None:
    """Read a file back; raise PartDiffers unless it has the declared columns and the very values."""
    try:
        parquet = pq.ParquetFile(file)
        found = Totals([(0, 0)] * len(schema))
        if parquet.schema_arrow != _as_read(schema):
            raise PartDiffers(f"{name} reads back with the columns {parquet.schema_arrow}")
        for batch in read_batches(parquet, schema.names):
            found.add(pa.RecordBatch.from_arrays([*map(_narrow, batch.columns, schema.types)], schema=schema))
    except (pa.ArrowException, OSError) as error:
        raise PartDiffers(f"{name} does not read back: {error}") from error
    if found != totals:
        raise PartDiffers(f"{name} reads back with other values: {found}, not {totals}")


def facts_of(file: BinaryIO) -> tuple[int, datetime | None, datetime | None]:
    """Count the rows, and find the least and the greatest ModifiedOn: None where there is no such column or row."""
    parquet = pq.ParquetFile(file)
    times = Totals([(0, 0)])
    if MODIFIED_ON in parquet.schema_arrow.names:
        for batch in read_batches(parquet, [MODIFIED_ON]):
            times.add(batch)
    return parquet.metadata.num_rows, moment(times.first_modified), moment(times.last_modified)


def read_batches(parquet: pq.ParquetFile, names: Sequence[str]) -> Iterator[pa.RecordBatch]:
    """Read some columns, a row group at a time."""
    # Over several groups at once, the reader keeps the bytes of all that it has read.
    for group in range(parquet.num_row_groups):
        yield from parquet.iter_batches(READ_BACK_ROWS, row_groups=[group], columns=list(names), use_threads=False)


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
