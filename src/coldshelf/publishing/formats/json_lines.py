"""JSON lines: one object a row, decimals as numbers with all their digits."""

import gzip
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import orjson
import pyarrow as pa

from coldshelf.publishing.formats.parts import Sink
from coldshelf.publishing.formats.text import compare_bytes_only, packed, spelled, suffix_of
from coldshelf.publishing.models import Layout

compare = compare_bytes_only


def suffix(layout: Layout) -> str:
    return suffix_of(".jsonl", layout)


@contextmanager
def open_writer(sink: Sink, sample: pa.Table, layout: Layout) -> Iterator["_Writer"]:
    decimals = frozenset(field.name for field in sample.schema if pa.types.is_decimal(field.type))
    with packed(sink, layout) as file:
        yield _Writer(file, decimals)


@dataclass(frozen=True, slots=True)
class _Writer:
    file: Sink | gzip.GzipFile
    decimals: frozenset[str]

    def write(self, table: pa.Table) -> None:
        for batch in spelled(table).to_batches(1_000):
            lines = [orjson.dumps(self._row(row), option=orjson.OPT_APPEND_NEWLINE) for row in batch.to_pylist()]
            self.file.write(b"".join(lines))

    def _row(self, row: dict[str, Any]) -> dict[str, Any]:
        for name in self.decimals:
            if row[name] is not None:
                row[name] = orjson.Fragment(f"{row[name]:f}")
        return row
