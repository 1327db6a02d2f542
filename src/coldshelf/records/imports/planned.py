"""A record of a file on its way into the database."""

from dataclasses import dataclass
from typing import Any

from coldshelf.records.entity import Values
from coldshelf.records.imports.declaration import Record


@dataclass(slots=True)
class Planned:
    """A record, the row before, the values to write by column, and which of them change something."""

    record: Record
    before: Values | None
    values: dict[str, Any]  # the columns' types
    changed: frozenset[str] = frozenset()
