"""Compares a finished run with the database that it was read from."""

from collections.abc import Sequence
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.parquet as pq

from coldshelf.access.models import Client
from coldshelf.access.principal import Principal
from coldshelf.kit.runtime import Runtime
from coldshelf.publishing import store
from coldshelf.publishing.comparing import DATABASE_ON, FILE_ON, Comparison, compare_rows
from coldshelf.publishing.destination import Destination
from coldshelf.publishing.errors import NotComparable
from coldshelf.publishing.formats.columns import EPOCH, MICROSECOND, MODIFIED_ON, file_schema
from coldshelf.publishing.formats.parquet import read_batches
from coldshelf.publishing.formats.snapshot import Snapshot, open_snapshot
from coldshelf.publishing.manifests import RunPlace, RunSaid, TableEntry, TableSaid, content_of, parse
from coldshelf.publishing.models import Choice, Mode
from coldshelf.publishing.plan import chosen
from coldshelf.publishing.running import reader_of
from coldshelf.publishing.schemas import bulk_columns
from coldshelf.publishing.service import published
from coldshelf.records.bulk import Window
from coldshelf.records.limits import dataset_for
from coldshelf.records.registry import Registry


async def reconcile(
    run: Runtime, registry: Registry, *, url: str, client: Client, place: Destination, mode: Mode, run_id: str
) -> list[Comparison]:
    """Compare every table of a finished run; raise ManifestBroken, NotComparable.

    A row that changed before the run's `asOf` must be in the files as it is, unless it changed again since. A run
    in mode `since` promises no rows by time: of it only rows are found that the database never had.
    """
    async with run.database.scope(client.id, readonly=True) as connection:
        user_id = await store.reader_of_files(connection, run_id)
    reader = await reader_of(run, client.id, user_id)
    files = RunPlace(place, client.code, mode, run_id)
    return await run.off_loop(_Reconciling(files, reader, registry, url, client).compare)


@dataclass(frozen=True, slots=True)
class _Reconciling:
    files: RunPlace
    reader: Principal
    registry: Registry
    url: str
    client: Client

    def compare(self) -> list[Comparison]:
        if not self.files.is_finished:
            raise NotComparable(f"Run {self.files.run_id} has no marker in {self.files.folder}")
        said = self.files.read()
        with open_snapshot(self.url, self.client.id) as snapshot:
            return [self._table(snapshot, said, entry) for entry in said.tables]

    def _table(self, snapshot: Snapshot, run: RunSaid, entry: TableEntry) -> Comparison:
        path = self.files.follow(entry.path)
        said = parse(TableSaid, path, content_of(self.files.destination, path))
        (dataset,) = published(self.registry, [entry.dataset])
        dataset = dataset_for(self.reader, dataset)
        key = said.key or (dataset.key,)
        if other := set(key) - {name for name, _ in bulk_columns(dataset)}:
            raise NotComparable(f"{path} calls the key {', '.join(sorted(other))}, which {dataset.name} has not")
        narrow = chosen(dataset, Choice((dataset.name,), {dataset.name: {name: name for name in (*key, MODIFIED_ON)}}))
        in_files = self._of_files(path.rpartition("/")[0], said, [*key, MODIFIED_ON], file_schema(narrow))
        # A row that left the window since was changed since, so it is still there: the window of the run is enough.
        window = Window(since=said.window_from, limit_id=self.reader.limit.outlets)
        with snapshot.batches(narrow, window) as batches:
            in_database = pa.Table.from_batches(batches, file_schema(narrow))
        until = None if run.mode is Mode.SINCE else (said.as_of - EPOCH) // MICROSECOND
        return compare_rows(
            dataset.name,
            _numbered(in_files, key, FILE_ON),
            _numbered(in_database, key, DATABASE_ON),
            key,
            until=until,
        )

    def _of_files(self, folder: str, said: TableSaid, names: Sequence[str], schema: pa.Schema) -> pa.Table:
        batches: list[pa.RecordBatch] = []
        for part in said.files:
            if not part.path.endswith(".parquet"):
                raise NotComparable(f"{folder}/{part.path} is no Parquet file")
            with self.files.destination.open(f"{folder}/{part.path}") as file:
                parquet = pq.ParquetFile(file)
                if lacking := set(names) - set(parquet.schema_arrow.names):
                    raise NotComparable(f"{folder}/{part.path} lacks {', '.join(sorted(lacking))}")
                batches += [batch.select(list(names)) for batch in read_batches(parquet, names)]
        return pa.Table.from_batches(batches, schema) if batches else schema.empty_table()


def _numbered(rows: pa.Table, key: Sequence[str], name: str) -> pa.Table:
    """Give key and microseconds."""
    times = rows[MODIFIED_ON].cast(pa.int64())
    return rows.select(list(key)).append_column(name, times)
