"""What one run writes: the datasets as its reader sees them, with the columns and names that were chosen."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from coldshelf.access.models import Client
from coldshelf.access.principal import Limit
from coldshelf.publishing.formats.known import FORMATS
from coldshelf.publishing.models import PLAIN, WINDOW, Choice, Chunk, Consistency, Layout, Mode
from coldshelf.records.bulk import Window
from coldshelf.records.dataset import Column, Dataset
from coldshelf.records.errors import FieldInvalid


@dataclass(frozen=True, slots=True)
class FileNames:
    """File exchange: each dataset is one file with a name of its own, in a folder that batches share.

    `named_on` stands in the names, in the receiver's zone. `is_again`: an earlier attempt found the names free and
    began this very batch, so a file that is there already is its own and whole, and is left as it is.
    """

    template: str
    named_on: datetime
    is_again: bool = False

    def path(self, client: str, table: str, suffix: str) -> str:
        """Give the path of a dataset's file; raise FieldInvalid for a place that nothing fills."""
        places = {"client": client, "table": table, "yyyyMMddHHmmss": f"{self.named_on:%Y%m%d%H%M%S}"}
        try:
            name = self.template.format_map(places)
        except (KeyError, ValueError, IndexError, AttributeError) as error:
            raise FieldInvalid(
                f"FileName {self.template!r} has a place that nothing fills; it takes {{client}}, {{table}} and"
                " {yyyyMMddHHmmss}"
            ) from error
        return name if name.endswith(suffix) else f"{name}{suffix}"


@dataclass(frozen=True, slots=True)
class Journal:
    """What a broken run in chunks had finished; the next attempt goes on behind it under the same run id."""

    run_id: str
    started_on: datetime
    as_of: datetime
    chunks: Mapping[str, tuple[Chunk, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RunBefore:
    """The last finished run of a publication in the same mode, and the generation of the server that it was read of."""

    run_id: str
    generation: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """One run. `revisions` are (after, up to) in mode `since`; up to None is what is certain when it begins."""

    client: Client
    mode: Mode
    datasets: tuple[Dataset, ...]
    started_on: datetime
    layout: Layout = PLAIN
    consistency: Consistency = Consistency.SNAPSHOT
    limit_id: int | None = None
    after_revision: int = 0
    up_to_revision: int | None = None
    names: FileNames | None = None
    journal: Journal | None = None
    before: RunBefore | None = None

    def window(self, as_of: datetime, fence: int) -> Window:
        """Give the rows that are written, of a snapshot that is certain below a fence."""
        if self.mode is Mode.SINCE:
            up_to = fence - 1 if self.up_to_revision is None else self.up_to_revision
            return Window(revisions=(self.after_revision, up_to), limit_id=self.limit_id)
        return Window(since=self.window_from(as_of), limit_id=self.limit_id)

    def exchanged(self) -> Iterator[tuple[str, str]]:
        """Give the datasets and paths of a file exchange; nothing where runs have folders."""
        if self.names:
            suffix = FORMATS[self.layout.format].suffix(self.layout)
            for dataset in self.datasets:
                yield dataset.name, self.names.path(self.client.code, dataset.name, suffix)

    def window_from(self, as_of: datetime) -> datetime | None:
        # The database's clock counts where it is behind: ModifiedOn is its time.
        return min(self.started_on, as_of) - WINDOW if self.mode is Mode.DELTA else None


def generation_of(revision: int) -> int:
    """Give the generation of the server that wrote a revision: it rises when a copy of the database takes over."""
    return revision >> 48


def chosen(dataset: Dataset, choice: Choice) -> Dataset:
    """Give a dataset with the chosen columns under their chosen names; raise FieldInvalid for one that it lacks."""
    names = choice.columns.get(dataset.name)
    if names is None:
        return dataset
    published = {column.parquet_name: column for column in dataset.columns if column.parquet_name}
    for name in names:
        if name not in published:
            raise FieldInvalid(f"Columns: {dataset.name} has no column {name} in bulk files, or it is hidden")
    return replace(dataset, columns=tuple(_named(published[name], shown) for name, shown in names.items()))


def _named(column: Column, name: str) -> Column:
    return replace(column, column=column.name, parquet=name)


def sight_of(limit: Limit, personal: str) -> Limit:
    """Give the limit of a partner's files: what tells of persons is left out of them (contract 9.2)."""
    return replace(limit, hidden=limit.hidden | {personal})
