"""Phase 1 of an import: rules of file and rows. Writes what it read to a spool, one JSON line a row."""

import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

import orjson

from coldshelf.kit.errors import InputInvalid
from coldshelf.records.imports.cells import Cell, CellInvalid, ColumnRules, Read, Reader, reader_of, text_of
from coldshelf.records.imports.problems import Problem, Problems, shown
from coldshelf.records.imports.sheets import FileUnreadable, Sheet, kind_of, open_sheet

TOLD_EVERY = 2_000
"""Rows between two reports of progress."""
BATCH = 2_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Columns that say one record, which several rows may speak of; `key` are the places of those that find it."""

    part: str
    title: str
    key: tuple[int, ...]
    places: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class FileRules:
    """The rules of one type of file, ready to be sent to a child process. Places are those of `columns`."""

    columns: tuple[ColumnRules, ...]
    keys: tuple[int, ...] = ()
    groups: tuple[Group, ...] = ()
    one_of: tuple[int, ...] = ()
    most_rows: int
    most_problems: int


@dataclass(slots=True)
class Examined:
    """What phase 1 found. The spool holds `[row, said before, is bad, cells]` for each row, in the order of rules."""

    total_rows: int = 0
    problems: Problems = field(default_factory=lambda: Problems(0))
    warnings: list[str] = field(default_factory=list)


Tell = Callable[[int], None]
"""Takes how many rows are done."""


def examine(path: Path, name: str, rules: FileRules, spool: Path, tell: Tell) -> Examined:
    """Check every cell of a file by its column's rules; raise FileUnreadable when there is nothing to check."""
    known = frozenset(word.lower() for column in rules.columns for word in column.names)
    sheet = open_sheet(path, kind_of(path, name), known)
    with spool.open("wb") as out:
        return _Examination(rules, sheet, out).run(tell)


@dataclass(slots=True)
class _Seen:
    """Where each key and each group was said first."""

    keys: dict[int, dict[Read, int]]
    groups: dict[str, dict[tuple[Read, ...], tuple[int, bytes]]]


class _Examination:
    def __init__(self, rules: FileRules, sheet: Sheet, out: BinaryIO) -> None:
        self._rules = rules
        self._sheet = sheet
        self._out = out
        self._found = Examined(problems=Problems(rules.most_problems), warnings=list(sheet.warnings))
        self._active: list[tuple[int, int, Reader]] = []
        self._spare: list[int] = []
        self._seen = _Seen({place: {} for place in rules.keys}, {group.part: {} for group in rules.groups})
        self._lacking: frozenset[int] = frozenset()

    def run(self, tell: Tell) -> Examined:
        self._read_heading()
        required = [place for place, column in enumerate(self._rules.columns) if column.required]
        required = [place for place in required if place not in self._lacking]
        lines: list[bytes] = []
        for number, row in self._sheet.rows:
            if not any(cell is not None and cell != "" for cell in row):
                continue
            self._found.total_rows += 1
            if self._found.total_rows > self._rules.most_rows:
                raise FileUnreadable(
                    f"The file has more than {self._rules.most_rows:,} rows", cure="Split it into several files."
                )
            lines.append(self._row(number, row, required))
            if len(lines) == BATCH:
                self._out.writelines(lines)
                lines.clear()
                tell(self._found.total_rows)
        self._out.writelines(lines)
        if not self._found.total_rows and not self._found.problems.count:
            raise FileUnreadable("The file has no rows below the heading", cure="Fill in at least one row.")
        return self._found

    def _row(self, number: int, row: Sequence[Cell], required: Sequence[int]) -> bytes:
        before = self._found.problems.count
        values = self._cells(number, row)
        for place in required:
            if values[place] is None:
                self._missing(number, place)
        if self._found.problems.count == before:
            self._check_one_of(number, values)
        said = self._check_keys(number, values)
        is_bad = self._found.problems.count > before
        return orjson.dumps([number, said, is_bad, [None if value is _BAD else value for value in values]]) + b"\n"

    def _cells(self, number: int, row: Sequence[Cell]) -> list[Read]:
        values: list[Read] = [None] * len(self._rules.columns)
        width = len(row)
        for source, place, read in self._active:
            cell = row[source] if source < width else None
            if cell is None or cell == "":
                continue
            if values[place] is not None:
                name = self._sheet.heading[source]
                self._refuse(number, place, _shown(cell), f"{name} says the same column again", "Keep one of them.")
            try:
                values[place] = read(cell)
            except CellInvalid as error:
                values[place] = _BAD
                self._refuse(number, place, _shown(cell), error.message, error.cure)
        for source in range(len(self._sheet.heading), width):
            if text_of(row[source]):
                self._spare.append(number)
                break
        return values

    def _read_heading(self) -> None:
        place_of = {word.lower(): place for place, column in enumerate(self._rules.columns) for word in column.names}
        given: dict[int, str] = {}
        for source, name in enumerate(self._sheet.heading):
            place = place_of.get(name.strip().lower())
            if place is None:
                if name:
                    self._found.warnings.append(f"Column {shown(name)!r} was ignored: this type has no such column")
            elif place in given and self._sheet.heading_row:  # objects of JSON may differ in their spelling
                self._refuse(1, place, name, f"{name} and {given[place]} are the same column", "Keep one of them.")
            else:
                given[place] = name
                self._active.append((source, place, reader_of(self._rules.columns[place])))
        if self._sheet.heading_row:  # JSON has none: its rows tell what they lack
            self._check_heading(given)

    def _check_heading(self, given: dict[int, str]) -> None:
        missing = [place for place, column in enumerate(self._rules.columns) if column.required and place not in given]
        self._lacking = frozenset(missing)
        for place in missing:
            self._missing(self._sheet.heading_row, place)

    def _missing(self, number: int, place: int) -> None:
        name = self._rules.columns[place].name
        self._refuse(number, place, "", f"Missing required field: {name}", f"Fill in {name}.")

    def _check_one_of(self, number: int, values: Sequence[Read]) -> None:
        if self._rules.one_of and all(values[place] is None for place in self._rules.one_of):
            names = " or ".join(self._rules.columns[place].name for place in self._rules.one_of)
            self._refuse(number, self._rules.one_of[0], "", f"Missing required field: {names}", f"Fill in {names}.")

    def _check_keys(self, number: int, values: Sequence[Read]) -> list[str]:
        """Refuse doubled keys; give the parts that an earlier row said already."""
        for place, seen in self._seen.keys.items():
            value = values[place]
            if value is None or value is _BAD:
                continue
            first = seen.setdefault(_folded(value), number)
            if first != number:
                name = self._rules.columns[place].name
                self._refuse(
                    number, place, shown(value), f"{name} stands in row {first} already", "Keep one of the two rows."
                )
        return [group.part for group in self._rules.groups if self._is_said(group, number, values)]

    def _is_said(self, group: Group, number: int, values: Sequence[Read]) -> bool:
        key = tuple(_folded(values[place]) for place in group.key)
        if all(part is None for part in key):
            return False
        cells = struct.pack(f"{len(group.places)}q", *(_hash(values[place]) for place in group.places))
        first, before = self._seen.groups[group.part].setdefault(key, (number, cells))
        if first == number:
            return False
        if cells != before:
            self._compare(group, number, first, (struct.unpack(f"{len(group.places)}q", before), values))
        return True

    def _compare(self, group: Group, number: int, first: int, cells: tuple[tuple[int, ...], Sequence[Read]]) -> None:
        before, values = cells
        for place, old in zip(group.places, before, strict=True):
            value = values[place]
            if value is not None and value is not _BAD and _hash(value) != old:
                name = self._rules.columns[place].name
                message = f"Row {first} says another {name} for the same {group.title}"
                self._refuse(number, place, shown(value), message, f"Repeat the {name} of row {first} or leave it out.")

    def _refuse(self, number: int, place: int, value: str, message: str, cure: str) -> None:
        column = self._rules.columns[place]
        self._found.problems.add(Problem(number, column.name, value, message, column.words, cure))


_BAD = "\0bad"
"""Stands for a cell that breaks a rule, so that it does not count as missing."""


def _shown(cell: Cell) -> str:
    try:
        return shown(text_of(cell))
    except CellInvalid:
        return shown(cell)


def _folded(value: Read) -> Read:
    return value.lower() if isinstance(value, str) else value


def _hash(value: Read) -> int:
    return 0 if value is None else hash((value,))  # hash(False) would be that of nothing


def unreadable(error: InputInvalid) -> Problem:
    """Word what makes a whole file unreadable as a problem of row 0."""
    return Problem(0, "", "", error.message, "", error.cure)
