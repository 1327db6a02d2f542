"""CSV (RFC 4180, UTF-8): a header, text in quotes, nothing at all for an empty value and `""` for an empty text."""

import gzip
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
from pyarrow import csv

from coldshelf.publishing.formats.parts import Sink
from coldshelf.publishing.formats.text import compare_bytes_only, packed, spelled, suffix_of
from coldshelf.publishing.models import Layout

compare = compare_bytes_only


def suffix(layout: Layout) -> str:
    return suffix_of(".csv", layout)


@contextmanager
def open_writer(sink: Sink, sample: pa.Table, layout: Layout) -> Iterator["_Writer"]:
    """Write the header at once, so that a file without rows has it too."""
    with (
        packed(sink, layout) as file,
        csv.CSVWriter(_file(file), spelled(sample.slice(0, 0)).schema) as out,
    ):
        yield _Writer(out)


def _file(file: Sink | gzip.GzipFile) -> Any:  # the stubs know the files of Python only
    return pa.PythonFile(file, "w")


@dataclass(frozen=True, slots=True)
class _Writer:
    out: csv.CSVWriter

    def write(self, table: pa.Table) -> None:
        self.out.write_table(spelled(table))
