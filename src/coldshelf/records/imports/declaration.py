"""Declarations of what can be imported: a type of file, its columns, and the records that a row of it writes."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Any

from coldshelf.access.principal import Role
from coldshelf.kit.db import Connection

Value = str | int | bool | Decimal | date
"""What a cell holds once it is read."""
CellCheck = Callable[[str], str | None]
"""Takes the text of a cell; says what is wrong with it, or None. Named at module level: a child process calls it."""


class CellType(StrEnum):
    """What a cell holds."""

    TEXT = "text"
    INTEGER = "whole number"
    DECIMAL = "decimal number"
    BOOLEAN = "Yes or No"
    DATE = "date"
    EMAIL = "e-mail address"


class Operation(StrEnum):
    """What an import may do with the records of a part."""

    SAVE = "create or update"
    CREATE = "create only"
    CHANGE = "update only"
    ADD = "create where missing"
    """Records that are there stay as they are."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportColumn:
    """One column of a file; `alias` is its other spelling, and both are read in any letter case.

    `sets` is the wire name of a field, or of a name by which a reference is given, in the record of `part`; `also` sets
    further ones: (part, wire name). `refers` only looks a record up by its unique field: (entity, field). `creates`:
    what a reference names is added where it is missing. `key`: two rows with the same value are an error.
    """

    name: str
    alias: str = ""
    sets: str = ""
    part: str = ""
    also: tuple[tuple[str, str], ...] = ()
    refers: tuple[str, str] | None = None
    type: CellType = CellType.TEXT
    required: bool = False
    creates: bool = False
    key: bool = False
    max_length: int = 0
    minimum: Decimal | None = None
    maximum: Decimal | None = None
    scale: int = 6
    choices: tuple[str, ...] = ()
    check: CellCheck | None = None
    rule: str = ""
    example: str = ""
    note: str = ""

    @property
    def names(self) -> tuple[str, ...]:
        return (self.name, self.alias) if self.alias else (self.name,)


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A record that a row writes when the cell of its first key, or else its first required cell, is filled.

    `keys` are ways to find the record, the first one first; each is one wire name, or several that match together.
    `links` maps references of this record to earlier parts of the row. `repeats`: several rows may speak of the record;
    they repeat its cells or leave them empty. `needs` are wire names that only a new record must be given. `when` names
    a Yes-or-No column that must say Yes. `same`: it is the record of that earlier part, which gets further values.
    """

    name: str
    entity: str
    keys: tuple[tuple[str, ...], ...]
    operation: Operation = Operation.SAVE
    links: Mapping[str, str] = field(default_factory=dict)
    repeats: bool = False
    needs: tuple[str, ...] = ()
    when: str = ""
    same: str = ""


@dataclass(slots=True)
class Row:
    """A row of a file: values by column name, ids of what its references name."""

    number: int
    values: dict[str, Value]
    ids: dict[str, int] = field(default_factory=dict)


@dataclass(slots=True)
class Record:
    """What a row says about one record: values by wire name of a field or reference, links to earlier records.

    `id` is that of the record to change, None to look it up by the keys of its part; `same` is a record to be changed.
    `is_bad`: a cell of its row was refused, so what it lacks is no further mistake.
    """

    row: int
    part: str
    values: dict[str, Any]  # values have the types of their fields
    links: dict[str, "Record"] = field(default_factory=dict)
    same: "Record | None" = None
    id: int | None = None
    is_bad: bool = False

    def forget(self) -> None:
        """Keep what rows to come may need, which is the id: others that belong to the record hold it."""
        self.values, self.links, self.same = _NOTHING, _NOTHING, None


_NOTHING: dict[str, Any] = {}  # never written to

Refuse = Callable[[int, str, str, str, str], None]
"""Takes row, column, value, message and cure of what is wrong."""
Gather = Callable[[Connection, Sequence[Row], Refuse], Awaitable[list[Record]]]
"""Makes records of all rows of a file, for types in which several rows make one; reads the database, never writes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportType:
    """A type of file that can be imported.

    `writers`: None takes those of the entity of the main part. `main` is the part whose new and changed records are
    counted. `one_of`: at least one of these columns is filled in every row.
    """

    name: str
    title: str
    main: str
    parts: tuple[Part, ...]
    columns: tuple[ImportColumn, ...]
    writers: frozenset[Role] | None = None
    one_of: tuple[str, ...] = ()
    gather: Gather | None = None
    note: str = ""

    @property
    def main_part(self) -> Part:
        return self.part(self.main)

    def part(self, name: str) -> Part:
        return next(part for part in self.parts if part.name == name)

    def column(self, name: str) -> ImportColumn:
        return next(column for column in self.columns if column.name == name)
