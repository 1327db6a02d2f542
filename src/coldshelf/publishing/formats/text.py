"""What the forms of files that hold text have alike: times and decimals as text, and gzip around them."""

import gzip
from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO

import pyarrow as pa
import pyarrow.compute as pc

from coldshelf.publishing.formats.columns import AnyArray
from coldshelf.publishing.formats.parts import Sink, Totals
from coldshelf.publishing.models import Compression, Layout

TIME = "%Y-%m-%dT%H:%M:%S"
"""ISO 8601 with microseconds, which Arrow's %S writes."""


def suffix_of(ending: str, layout: Layout) -> str:
    return f"{ending}.gz" if layout.compression is Compression.GZIP else ending


@contextmanager
def packed(sink: Sink, layout: Layout) -> Iterator[Sink | gzip.GzipFile]:
    """Give what text is written to; the same text gives the same bytes."""
    if layout.compression is not Compression.GZIP:
        yield sink
        return
    with gzip.GzipFile("", "wb", 6, sink, mtime=0) as file:
        yield file


def spelled(table: pa.Table) -> pa.Table:
    """Give times as text: UTC with a Z, local times without."""
    return pa.table([_spelled(column) for column in table.columns], names=table.column_names)


def _spelled(column: AnyArray) -> AnyArray:
    if pa.types.is_timestamp(column.type):
        return pc.strftime(column, f"{TIME}Z" if column.type.tz else TIME)
    if pa.types.is_date(column.type):
        return pc.strftime(column, "%Y-%m-%d")
    if pa.types.is_decimal(column.type):
        return column.cast(pa.decimal128(column.type.precision, column.type.scale))
    return column


def compare_bytes_only(_name: str, _totals: Totals, _file: BinaryIO, _schema: pa.Schema) -> None:
    """Compare nothing more: the bytes were compared already, and text has no types to lose."""
