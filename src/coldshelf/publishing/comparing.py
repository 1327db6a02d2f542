"""Rows of files against rows of the database: (key, ModifiedOn) of each, whatever the key is. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from coldshelf.publishing.formats.columns import AnyArray
from coldshelf.publishing.formats.parts import Totals

FILE_ON, DATABASE_ON = "file on", "database on"
MOST_SHOWN = 20


@dataclass(frozen=True, slots=True)
class Keys:
    """How many rows, and the first of their keys."""

    count: int
    first: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """What came of comparing a dataset. `changed_since`: rows that changed after the run was complete.

    `missing` are rows that the files must hold, `surplus` those that the database does not have, `differing` those
    of another ModifiedOn. The checksums are over key and ModifiedOn of the rows that have not changed since.
    """

    dataset: str
    rows_of_files: int
    rows_of_database: int
    changed_since: int
    missing: Keys
    surplus: Keys
    differing: Keys
    twice: int
    checksum_of_files: str
    checksum_of_database: str

    @property
    def is_equal(self) -> bool:
        counts = self.missing.count + self.surplus.count + self.differing.count + self.twice
        return counts == 0 and self.checksum_of_files == self.checksum_of_database


def compare_rows(
    dataset: str, files: pa.Table, database: pa.Table, key: Sequence[str], *, until: int | None
) -> Comparison:
    """Compare tables of the key and the microseconds of ModifiedOn.

    `until`: every change before it is in the files; None: nothing is promised but that what is there was once so.
    """
    both = files.join(database, list(key), join_type="full outer").sort_by([(name, "ascending") for name in key])
    in_file, in_database = both[FILE_ON], both[DATABASE_ON]
    settled = _settled(in_database, until)
    is_other = pc.if_else(settled, pc.not_equal(in_file, in_database), pc.greater(in_file, in_database))
    gone = pc.is_null(in_database)
    kept = both.filter(pc.and_(pc.is_valid(in_file), pc.or_(settled, gone)))
    return Comparison(
        dataset=dataset,
        rows_of_files=files.num_rows,
        rows_of_database=database.num_rows,
        changed_since=both.filter(pc.and_(pc.is_valid(in_database), pc.invert(settled))).num_rows,
        missing=_keys(both.filter(pc.and_(settled, pc.is_null(in_file))), key),
        surplus=_keys(both.filter(gone), key),
        differing=_keys(both.filter(pc.fill_null(is_other, False)), key),
        twice=files.num_rows - files.group_by(list(key)).aggregate([]).num_rows,
        checksum_of_files=_checksum(kept.select([*key, FILE_ON])),
        checksum_of_database=_checksum(both.filter(settled).select([*key, DATABASE_ON])),
    )


def _settled(in_database: AnyArray, until: int | None) -> AnyArray:
    """Find the rows that must be in the files as they are: they have not changed since."""
    if until is None:
        return pc.and_(pc.is_valid(in_database), pc.is_null(in_database))
    is_before: AnyArray = pc.less(in_database, pa.scalar(until, pa.int64()))
    return pc.fill_null(is_before, False)


def _keys(rows: pa.Table, key: Sequence[str]) -> Keys:
    shown = rows.slice(0, MOST_SHOWN).select(list(key)).to_pylist()
    return Keys(rows.num_rows, tuple(" ".join(str(row[name]) for name in key) for row in shown))


def _checksum(rows: pa.Table) -> str:
    totals = Totals([(0, 0)] * rows.num_columns)
    for batch in rows.to_batches():
        totals.add(batch)
    return "-".join(f"{number:08x}" for pair in totals.checksums for number in pair)
