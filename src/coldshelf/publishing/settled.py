"""Days of append-only tables: which can change no more, and lie finished in the run before (contract 9.2).

A day is that of `ModifiedOn` in UTC, which only grows: once a day is over and every change of it is committed, no row
comes into it, and one that is edited, deleted or erased leaves it. So a day is as the run before wrote it when it has
as many rows still, and that is counted only where a row was changed that had been there before.
"""

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Protocol

from coldshelf.kit.logs import get_logger
from coldshelf.publishing.destination import Destination
from coldshelf.publishing.errors import DestinationFailed, ManifestBroken
from coldshelf.publishing.manifests import FileSaid, RunPlace, TableSaid, content_of, parse
from coldshelf.publishing.models import Consistency, Mode, PublishedFile
from coldshelf.publishing.plan import Plan, generation_of
from coldshelf.publishing.schemas import bulk_columns, type_name
from coldshelf.records.bulk import Window
from coldshelf.records.dataset import Dataset

log = get_logger("publishing")

MARGIN = timedelta(minutes=5)
"""So far the clock of the database may be set back without a row coming into a day that is settled."""
DAY = timedelta(days=1)


class Counts(Protocol):
    """What is asked of the database before days are read."""

    def first_edited(self, dataset: Dataset, since: datetime) -> datetime | None:
        """Give the least CreatedOn of the rows that were there before a moment and changed since."""
        ...

    def days(self, dataset: Dataset, since: datetime | None) -> Mapping[date, int]:
        """Count the rows of each day (UTC) of ModifiedOn, from a moment on."""
        ...


@dataclass(frozen=True, slots=True)
class Settled:
    """The days before `until` in the run before, whose `as_of` it is: paths of files, and what is said of them."""

    as_of: datetime
    until: date
    days: Mapping[date, tuple[tuple[str, FileSaid], ...]]

    def rows(self, day: date) -> int:
        return sum(file.rows for _, file in self.days.get(day, ()))


@dataclass(frozen=True, slots=True)
class Days:
    """How a table is written: `copied` from the run before, `read` from the database."""

    copied: Mapping[date, tuple[tuple[str, FileSaid], ...]] = field(default_factory=dict)
    read: tuple[date, ...] = ()

    def __iter__(self) -> Iterator[date]:
        return iter(sorted({*self.copied, *self.read}))


def is_cut_by_day(plan: Plan, dataset: Dataset) -> bool:
    """Say whether a run cuts the files of a dataset by day.

    A partner's rows also leave its sight without being changed, changes since a mark are never the same twice, and what
    is read in chunks may change between two of them.
    """
    return (
        dataset.append_only
        and dataset.has_rows
        and not dataset.limited
        and plan.mode is not Mode.SINCE
        and plan.consistency is Consistency.SNAPSHOT
        and plan.names is None
    )


def view_of(plan: Plan, dataset: Dataset, version: int) -> str:
    """Name what decides the bytes of a day besides its rows: columns, their names and types, and the form of files."""
    columns = [(name, column.wire, type_name(column)) for name, column in bulk_columns(dataset)]
    return hashlib.sha256(repr((version, columns, plan.layout)).encode()).hexdigest()[:16]


def begin_of(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)


def day_window(day: date) -> Window:
    return Window(since=begin_of(day), before=begin_of(day + DAY))


def plan_days(source: Counts, dataset: Dataset, first: date | None, settled: Settled | None) -> Days:
    """Divide the days of a table, from the first one on, into those that are copied and those that are read."""
    if settled is None:
        return Days(read=tuple(source.days(dataset, begin_of(first) if first else None)))
    kept = {day: files for day, files in settled.days.items() if first is None or day >= first}
    edited = source.first_edited(dataset, settled.as_of)
    counted = min(settled.until, edited.astimezone(UTC).date()) if edited else settled.until
    counted = max(counted, first) if first else counted
    counts = source.days(dataset, begin_of(counted))
    copied = {day: files for day, files in kept.items() if day < counted or settled.rows(day) == counts.get(day)}
    return Days(copied, tuple(day for day in counts if day not in copied))


def settled_days(
    place: Destination, plan: Plan, dataset: Dataset, *, view: str, fence: int, first: date | None
) -> Settled | None:
    """Find the settled days in the run before; None where nothing can be copied of it, or it began later."""
    before = plan.before
    if before is None or before.generation != generation_of(fence):
        return None
    if not place.can_copy():
        log.info("settled days are read again: this destination cannot copy", dataset=dataset.name)
        return None
    try:
        folder, said = _table_before(RunPlace(place, plan.client.code, plan.mode, before.run_id), dataset.name)
    except (ManifestBroken, DestinationFailed) as error:
        log.warning("settled days are read again", dataset=dataset.name, run=before.run_id, error=error.message)
        return None
    if (
        said is None
        or said.view != view
        or (said.window_from and (first is None or begin_of(first) < said.window_from))
    ):
        return None
    until = (said.as_of - MARGIN).astimezone(UTC).date()
    days: dict[date, tuple[tuple[str, FileSaid], ...]] = {}
    for file in said.files:
        if file.day and file.day < until:
            days[file.day] = (*days.get(file.day, ()), (f"{folder}/{file.path}", file))
    return Settled(said.as_of, until, days)


def _table_before(run: RunPlace, dataset: str) -> tuple[str, TableSaid | None]:
    """Give the folder and the manifest of a table of a finished run; None where it has none."""
    entries = run.read().tables if run.is_finished else ()
    for entry in entries:
        if entry.dataset == dataset:
            path = run.follow(entry.path)
            return path.rpartition("/")[0], parse(TableSaid, path, content_of(run.destination, path))
    return "", None


def copy_day(place: Destination, files: Iterable[tuple[str, FileSaid]], paths: Iterator[str]) -> list[PublishedFile]:
    """Copy the files of a day to new paths without a suffix; an empty list where they are not there any more."""
    copied: list[PublishedFile] = []
    try:
        for source, said in files:
            copied.append(_copy(place, source, said, next(paths)))
    except DestinationFailed as error:
        log.warning("a settled day is read again", error=error.message)
        for file in copied:
            place.remove(file.path)
        return []
    return copied


def _copy(place: Destination, source: str, said: FileSaid, stem: str) -> PublishedFile:
    if (size := place.size(source)) != said.bytes:
        raise DestinationFailed(f"{source} has {size} bytes, its manifest says {said.bytes}")
    path = f"{stem}.{source.rpartition('/')[2].partition('.')[2]}"
    place.copy(source, path)
    return PublishedFile(path, said.rows, said.bytes, said.sha256, said.min_modified_on, said.max_modified_on, said.day)
