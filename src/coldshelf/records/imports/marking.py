"""Workbooks that people get: marked-up copies of their files, and templates to fill in."""

import csv
import io
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

from coldshelf.records.imports.cells import Cell, CellInvalid, ColumnRules, text_of
from coldshelf.records.imports.examining import FileRules
from coldshelf.records.imports.problems import Problem
from coldshelf.records.imports.sheets import kind_of, open_sheet

BAD_CELL = {"bg_color": "#FFC7CE", "font_color": "#9C0006"}
HEADING = {"bold": True, "bg_color": "#DDEBF7"}
REQUIRED = {"bold": True, "bg_color": "#FCE4D6"}
MOST_COMMENTED = 5_000
"""Comments that a workbook opens with in good time; the sheet of problems lists all of them."""
Workbook = Any
"""xlsxwriter ships no types."""


@dataclass(frozen=True, slots=True)
class TemplateColumn:
    """A column of a template: its rules, an example, and a note for the sheet of rules."""

    rules: ColumnRules
    example: str
    note: str


def mark(path: Path, name: str, rules: FileRules, problems: Sequence[Problem], out: Path) -> None:
    """Write the sheet again as a workbook: bad cells coloured with a comment, and a sheet that lists them."""
    known = frozenset(word.lower() for column in rules.columns for word in column.names)
    sheet = open_sheet(path, kind_of(path, name), known)
    place_of = {word.lower(): column.name for column in rules.columns for word in column.names}
    names = [place_of.get(heading.lower(), heading) for heading in sheet.heading]
    bad: dict[tuple[int, str], list[Problem]] = defaultdict(list)
    for problem in problems:
        bad[problem.row, problem.column if problem.column in names else ""].append(problem)
    heading_row = sheet.heading_row or 1
    import xlsxwriter  # noqa: PLC0415  # only Excel files need it

    with xlsxwriter.Workbook(str(out), {"constant_memory": True, "default_date_format": "yyyy-mm-dd"}) as book:
        copy = _Copy(book, book.add_worksheet("Data"), bad)
        copy.write(heading_row, names, sheet.heading, {"bold": True})
        for number, row in sheet.rows:
            copy.write(number, names, row, {})
        _list_problems(book, problems)


class _Copy:
    """Writes the rows of a sheet and marks those cells that are bad."""

    def __init__(self, book: Workbook, page: Workbook, bad: dict[tuple[int, str], list[Problem]]) -> None:
        self._page = page
        self._bad = bad
        self._marked = book.add_format(BAD_CELL)
        self._bold = book.add_format({"bold": True})
        self._left = MOST_COMMENTED

    def write(self, number: int, names: Sequence[str], row: Sequence[Cell], style: dict[str, bool]) -> None:
        plain = self._bold if style else None
        for place, cell in enumerate(row):
            name = names[place] if place < len(names) else ""
            problems = self._bad.get((number, name), ()) if name else ()
            write_cell(self._page, (number - 1, place), cell, self._marked if problems else plain)
            if problems and self._left > 0:
                self._left -= 1
                self._page.write_comment(number - 1, place, _comment(problems), {"x_scale": 2})
        lacking = self._bad.get((number, ""))
        if lacking:  # of columns that the file does not have
            self._page.write_string(number - 1, len(names), _comment(lacking), self._marked)


def write_cell(page: Workbook, place: tuple[int, int], cell: Cell, style: Workbook = None) -> None:
    """Write a cell as what it is; text is never a formula or a link."""
    if cell is None or cell == "":
        if style is not None:
            page.write_blank(*place, None, style)
    elif isinstance(cell, bool):
        page.write_boolean(*place, cell, style)
    elif isinstance(cell, int | float):
        page.write_number(*place, cell, style)
    elif isinstance(cell, datetime | date):
        page.write_datetime(*place, cell, style)
    else:
        page.write_string(*place, _text(cell)[:32_767], style)


def _text(cell: Cell) -> str:
    if isinstance(cell, str):
        return cell
    try:
        return text_of(cell)
    except CellInvalid:
        return str(cell)


def _comment(problems: Sequence[Problem]) -> str:
    return "\n".join(f"{item.message}. {item.cure}" for item in problems)[:2_000]


def _list_problems(book: Workbook, problems: Sequence[Problem]) -> None:
    page = book.add_worksheet("Problems")
    style = book.add_format(HEADING)
    for place, name in enumerate(("Row", "Column", "Value", "What is wrong", "Rule", "Cure")):
        page.write_string(0, place, name, style)
    for number, item in enumerate(problems, 1):
        page.write_number(number, 0, item.row)
        for place, text in enumerate((item.column, item.value, item.message, item.rule, item.cure), 1):
            page.write_string(number, place, text)


def template_workbook(columns: Sequence[TemplateColumn], notes: Sequence[str]) -> bytes:
    """Give a workbook to fill in: headings (required ones marked), an example row, a sheet of the rules."""
    out = io.BytesIO()
    import xlsxwriter  # noqa: PLC0415  # only Excel files need it

    with xlsxwriter.Workbook(out, {"in_memory": True}) as book:
        _template_sheet(book, columns)
        _rules_sheet(book, columns, notes)
    return out.getvalue()


def _template_sheet(book: Workbook, columns: Sequence[TemplateColumn]) -> None:
    page = book.add_worksheet("Data")
    text = book.add_format({"num_format": "@"})  # codes such as 007 stay text
    required, optional = book.add_format({**REQUIRED, "num_format": "@"}), book.add_format(HEADING)
    for place, column in enumerate(columns):
        page.set_column(place, place, max(12, len(column.rules.name) + 2), text)
        page.write_string(0, place, column.rules.name, required if column.rules.required else optional)
        page.write_string(1, place, column.example, text)
    page.freeze_panes(1, 0)


def _rules_sheet(book: Workbook, columns: Sequence[TemplateColumn], notes: Sequence[str]) -> None:
    page = book.add_worksheet("Rules")
    style = book.add_format(HEADING)
    for place, name in enumerate(("Column", "Other name", "Required", "Rule", "Note")):
        page.write_string(0, place, name, style)
    for number, column in enumerate(columns, 1):
        rules = column.rules
        alias = rules.names[1] if len(rules.names) > 1 else ""
        cells = (rules.name, alias, "Yes" if rules.required else "No", rules.words, column.note)
        for place, text in enumerate(cells):
            page.write_string(number, place, text)
    for number, note in enumerate(notes, len(columns) + 2):
        page.write_string(number, 0, note)
    page.set_column(0, 1, 26)
    page.set_column(3, 4, 70)


def template_csv(columns: Sequence[TemplateColumn]) -> bytes:
    """Give the headings and an example row as CSV, UTF-8 with BOM so that Excel reads it right."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(column.rules.name for column in columns)
    writer.writerow(column.example for column in columns)
    return b"\xef\xbb\xbf" + out.getvalue().encode()
