"""The spool of phase 1, read back in batches."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import orjson

from coldshelf.records.imports.cells import Read

BATCH = 2_000
"""Rows that are looked up and written at once: what an import holds in memory does not grow with its file."""


@dataclass(slots=True)
class Line:
    """A row of the spool: its number, the parts that an earlier row said, whether phase 1 refused a cell, its cells."""

    row: int
    said: list[str]
    is_bad: bool
    cells: list[Read]


def read_batches(path: Path, size: int = BATCH) -> Iterator[list[Line]]:
    """Give the rows in batches; none is empty."""
    batch: list[Line] = []
    with path.open("rb") as file:
        for text in file:
            batch.append(Line(*orjson.loads(text)))
            if len(batch) == size:
                yield batch
                batch = []
    if batch:
        yield batch
