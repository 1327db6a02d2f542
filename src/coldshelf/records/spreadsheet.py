"""Excel files: typed cells, nothing that could be taken for a formula, and a sheet that says what was cut."""

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

from coldshelf.records.dataset import Column
from coldshelf.records.fields import FieldType
from coldshelf.records.rowtext import TEXTS

Cells = dict[str, Any]  # values by wire name: text, numbers, booleans or None
LONGEST_TEXT = 32_767
"""UTF-16 units that Excel keeps in one cell."""
MOST_DIGITS = 15
"""Digits that Excel keeps of a number."""
FIRST_DAY, LAST_DAY = 61, 2_958_466
"""Serial numbers between which every spreadsheet counts days alike: 1900-03-01 to the end of 9999."""
DAY_ZERO = datetime(1899, 12, 30)  # noqa: DTZ001  # cells hold times without a zone
TIME_CODE, DATE_CODE = "yyyy-mm-dd hh:mm:ss.000", "yyyy-mm-dd"
TIMES = {FieldType.TIMESTAMP: TIME_CODE, FieldType.LOCAL_TIME: TIME_CODE, FieldType.DATE: DATE_CODE}
DATA, ABOUT = "Data", "About"


@dataclass(slots=True)
class Sheet:
    """The rows of one file; `facts` stand on its second sheet, with what was counted on the way."""

    columns: Sequence[Column]
    facts: dict[str, str | int] = field(default_factory=dict)
    rows: int = 0
    cut: int = 0

    def fitted(self, records: Iterable[Cells]) -> Iterator[Cells]:
        """Make of the database's values what a cell can hold without losing a digit, a date or a character."""
        fits: list[tuple[str, Callable[[Any], Any]]] = [  # a cell's value in and out
            (column.wire, _FITS.get(column.type, self._text)) for column in self.columns if column.type not in _AS_IS
        ]
        for record in records:
            for name, fit in fits:
                value = record[name]
                if value is not None:
                    record[name] = fit(value)
            self.rows += 1
            yield record

    def about(self) -> Iterator[Cells]:
        """Give the second sheet; to be read after the first one."""
        counted = {"Records in this file": self.rows, "Texts cut to 32,767 characters": self.cut}
        for name, value in (self.facts | counted).items():
            yield {"What": name, "Value": value}

    def _text(self, value: str) -> str:
        if len(value) <= LONGEST_TEXT // 2:
            return value
        units = value.encode("utf-16-le")
        if len(units) <= 2 * LONGEST_TEXT:
            return value
        self.cut += 1
        return units[: 2 * LONGEST_TEXT].decode("utf-16-le", errors="ignore")


def _decimal(text: str) -> float | str:
    if len(text) > MOST_DIGITS and len(text.lstrip("-0.").replace(".", "")) > MOST_DIGITS:
        return text
    return _float(float(text))


def _float(value: float) -> float | str:
    return value if math.isfinite(value) else str(value)


def _integer(value: int) -> int | str:
    return value if abs(value) < 10**MOST_DIGITS else str(value)


def _time(serial: float) -> float | str:
    if FIRST_DAY <= serial < LAST_DAY:
        return serial
    if not math.isfinite(serial):
        return str(serial)
    try:
        return (DAY_ZERO + timedelta(days=serial)).isoformat(timespec="milliseconds")
    except OverflowError:
        return str(serial)


def _date(serial: float) -> float | str:
    value = _time(serial)
    return value.removesuffix("T00:00:00.000") if isinstance(value, str) else value


_FITS: dict[FieldType, Callable[[Any], float | str]] = {
    FieldType.DECIMAL: _decimal,
    FieldType.FLOAT: _float,
    FieldType.INTEGER: _integer,
    FieldType.TIMESTAMP: _time,
    FieldType.LOCAL_TIME: _time,
    FieldType.DATE: _date,
}
_AS_IS = frozenset({FieldType.BOOLEAN, FieldType.FLAG, FieldType.GUID})


def write_workbook(path: Path, sheet: Sheet, records: Iterable[Cells]) -> None:
    """Write a file, row by row as the records come."""
    fast, rows = fast_writer(), sheet.fitted(records)
    first = next(rows, None)
    if fast is None or first is None:  # the fast writer learns the heading from the first row
        write_slowly(path, sheet, rows if first is None else _behind(first, rows))
    else:
        write_fast(path, sheet, _behind(first, rows), fast)


def fast_writer() -> ModuleType | None:
    """Give the writer in Rust, None where there is no wheel of it for the platform."""
    try:
        return import_module("rustpy_xlsxwriter")
    except ImportError:
        return None


def _behind(first: Cells, rest: Iterator[Cells]) -> Iterator[Cells]:
    yield first
    yield from rest


def write_fast(path: Path, sheet: Sheet, rows: Iterator[Cells], fast: ModuleType) -> None:
    formats = {column.wire: fast.Format().set_num_format(TIMES[column.type]) for column in _timed(sheet)}
    # The mark of text that a person typed an apostrophe before: what is in the cell stays text when it is edited.
    formats |= {column.wire: fast.Format().set_quote_prefix() for column in _texts(sheet)}
    fast.write_worksheets(
        [(DATA, rows), (ABOUT, sheet.about())],
        str(path),
        column_formats={DATA: formats},
        freeze_panes={DATA: {"row": 1, "col": 0}},
    )


def write_slowly(path: Path, sheet: Sheet, rows: Iterator[Cells]) -> None:
    """Write the same file with the writer that runs everywhere."""
    options = {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    import xlsxwriter  # noqa: PLC0415  # only Excel files need it

    with xlsxwriter.Workbook(str(path), options) as book:
        formats = {column.wire: book.add_format({"num_format": TIMES[column.type]}) for column in _timed(sheet)}
        formats |= {column.wire: book.add_format({"quote_prefix": True}) for column in _texts(sheet)}
        data = book.add_worksheet(DATA)
        data.freeze_panes(1, 0)
        names = [column.wire for column in sheet.columns]
        for place, name in enumerate(names):
            data.write_string(0, place, name)
        for number, row in enumerate(rows, 1):
            for place, name in enumerate(names):
                _write(data, number, place, row[name], formats.get(name))
        about = book.add_worksheet(ABOUT)
        for number, fact in enumerate([{"What": "What", "Value": "Value"}, *sheet.about()]):
            for place, value in enumerate(fact.values()):
                _write(about, number, place, value, None)


def _write(data: Any, row: int, place: int, value: Any, style: Any) -> None:  # the writer has no types
    if isinstance(value, str):
        data.write_string(row, place, value, style)
    elif value is not None:
        data.write(row, place, value, style)


def _timed(sheet: Sheet) -> list[Column]:
    return [column for column in sheet.columns if column.type in TIMES]


def _texts(sheet: Sheet) -> list[Column]:
    return [column for column in sheet.columns if column.type in TEXTS]
