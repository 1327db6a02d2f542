"""Excel, for people: one sheet a file, nothing that could be taken for a formula."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa

from coldshelf.publishing.formats.parts import CHUNK_BYTES, Sink
from coldshelf.publishing.formats.text import compare_bytes_only, spelled
from coldshelf.publishing.models import Layout

compare = compare_bytes_only
LONGEST_TEXT = 32_767
MOST_DIGITS = 15
OPTIONS = {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}


def suffix(_: Layout) -> str:
    return ".xlsx"


@contextmanager
def open_writer(sink: Sink, sample: pa.Table, _: Layout) -> Iterator["_Writer"]:
    """Write into a file here first: the format's table of contents stands at its end."""
    import xlsxwriter  # noqa: PLC0415  # only Excel files need it

    with tempfile.TemporaryDirectory(prefix="coldshelf-excel-") as folder:
        path = Path(folder) / "part.xlsx"
        with xlsxwriter.Workbook(str(path), OPTIONS) as book:
            sheet = book.add_worksheet("Data")
            sheet.write_row(0, 0, sample.column_names)
            sheet.freeze_panes(1, 0)
            yield _Writer(sheet)
        with path.open("rb") as file:
            while chunk := file.read(CHUNK_BYTES):
                sink.write(chunk)


@dataclass(slots=True)
class _Writer:
    sheet: Any  # xlsxwriter ships no types
    rows: int = field(default=0)

    def write(self, table: pa.Table) -> None:
        for batch in spelled(table).to_batches(1_000):
            for values in zip(*(column.to_pylist() for column in batch.columns), strict=True):
                self.rows += 1
                for place, value in enumerate(values):
                    if value is not None:
                        self.sheet.write(self.rows, place, _cell(value))


def _cell(value: Any) -> Any:  # what Excel would falsify becomes text
    if isinstance(value, (int, Decimal)) and not isinstance(value, bool):
        digits = (
            len(f"{value:f}".lstrip("-0.").replace(".", "")) if isinstance(value, Decimal) else len(str(abs(value)))
        )
        return float(value) if digits <= MOST_DIGITS else f"{value}"
    return value[:LONGEST_TEXT] if isinstance(value, str) else value
