"""Runs that a real scheduler begins and a real worker writes to Azurite: every value of every table reads back."""

import asyncio
import json
import os
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncpg
import duckdb
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from deltalake import DeltaTable

from coldshelf.access.models import Client
from coldshelf.entrypoints.processes import Processes
from coldshelf.kit.runtime import Runtime
from coldshelf.publishing.destinations import open_destination
from coldshelf.publishing.destinations.azure import AzureDestination
from coldshelf.publishing.manifests import RunPlace, TableSaid, content_of, parse
from coldshelf.publishing.models import BULK_DATASETS, Mode
from coldshelf.records.registry import Registry
from tests.publishing.odd import add_odd_rows, change_odd_rows
from tests.publishing.reading import READERS, WITHOUT_SPARK, Row, database_rows, of_open_table, plain
from tests.publishing.servers import Places
from tests.publishing.support import Cast, runs_of


@dataclass(frozen=True, slots=True)
class Lake:
    """A place in Azurite that publications know as `lake`, with a scheduler and a worker that know it too."""

    place: AzureDestination
    copies: Path
    processes: Processes
    log: Path

    def files(self, mode: Mode, run_id: str) -> dict[str, list[str]]:
        """Give the parts of a finished run, by dataset, as paths below the place; the manifests name them."""
        run = RunPlace(self.place, "demo", mode, run_id)
        assert run.is_finished
        found = {}
        for entry in run.read().tables:
            path = run.follow(entry.path)
            said = parse(TableSaid, path, content_of(self.place, path))
            found[entry.dataset] = [f"{path.rpartition('/')[0]}/{file.path}" for file in said.files]
        return found

    def copied(self, paths: Sequence[str]) -> list[str]:
        """Give copies of files, for readers that need more than a library to reach Azure."""
        for path in paths:
            copy = self.copies / path
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.write_bytes(content_of(self.place, path))
        return [str(self.copies / path) for path in paths]

    def there(self, paths: Sequence[str]) -> tuple[list[str], dict[str, str]]:
        """Give the addresses of files and what signs in to them."""
        tables = [self.place.table(path) for path in paths]
        return [table.uri for table in tables], dict(tables[0].options)


@pytest.fixture
async def lake(url: str, azure_places: Places, tmp_path: Path) -> AsyncIterator[Lake]:
    given = azure_places()
    known = tmp_path / "destinations.json"
    known.write_text(json.dumps({"lake": {"address": given.address, "secret": given.secret}}))
    variables = {
        "COLDSHELF_DATABASE_URL": url,
        "COLDSHELF_DATA_DIR": str(tmp_path / "house"),
        "COLDSHELF_DESTINATIONS_FILE": str(known),
        "COLDSHELF_SCHEDULE_EVERY": "PT0.2S",
    }
    place = open_destination(given.address, given.secret)
    assert isinstance(place, AzureDestination)
    log = tmp_path / "processes.log"
    written = os.open(log, os.O_CREAT | os.O_WRONLY | os.O_APPEND)
    processes = Processes(variables, written)
    try:
        for name in ("worker", "scheduler"):
            processes.start(name, [name])
        yield Lake(place, tmp_path / "copies", processes, log)
    finally:
        await asyncio.to_thread(processes.stop)
        os.close(written)


def by_polars(uris: Sequence[str], options: Mapping[str, str]) -> pa.Table:
    return pl.read_parquet(list(uris), storage_options=dict(options)).to_arrow()


OPEN_TABLE_READERS: dict[str, Callable[[DeltaTable], Any]] = {  # each an Arrow table
    "deltalake": lambda table: table.to_pyarrow_table(),
    "pandas": lambda table: pa.Table.from_pandas(table.to_pandas(types_mapper=pd.ArrowDtype), preserve_index=False),
    "polars": lambda table: pl.read_delta(table).to_arrow(),
    "duckdb": lambda table: duckdb.from_arrow(table.to_pyarrow_dataset()).to_arrow_table(),
}


async def finished(run: Runtime, client: Client, lake: Lake, mode: Mode) -> Row:
    """Wait for the run of a mode that the schedule begins."""
    deadline = time.monotonic() + 240
    while True:
        lake.processes.check()
        slots = [row for row in await runs_of(run, client.id) if row["due_on"] and row["state"] != "skipped"]
        row = next((row for row in slots if row["mode"] == mode), None)
        if row and row["state"] not in {"waiting", "running"}:
            assert row["state"] == "done", row["error"]
            return row
        assert time.monotonic() < deadline, (row, lake.log.read_text()[-3000:])
        await asyncio.sleep(0.2)


async def database(run: Runtime, client: Client, registry: Registry) -> dict[str, list[Row]]:
    found = {}
    for name in BULK_DATASETS:
        dataset = registry.datasets[name]
        found[name] = sorted(await database_rows(run, client.id, dataset), key=lambda row: row[dataset.key])
    return found


@pytest.mark.timeout(600)
@pytest.mark.parametrize("readers", ["pyarrow duckdb polars pandas", "spark"])
async def test_every_table_of_a_full_and_a_delta_run_by_the_schedule_reads_back_as_the_database_has_it(
    run: Runtime, url: str, client: Client, registry: Registry, cast: Cast, lake: Lake, readers: str
) -> None:
    if readers == "spark":
        pytest.importorskip("pyspark", reason=WITHOUT_SPARK)
    owner = await asyncpg.connect(url)
    values = await add_odd_rows(owner, client.id, registry)
    for mode in (Mode.FULL, Mode.DELTA):
        await cast.save(
            "Publication", Name=mode.folder, Mode=mode, Destination="lake", OpenTables="true", Schedule="0 0 * * *"
        )
        await owner.execute("UPDATE publication SET scheduled_from = scheduled_from - interval '2 days'")
        row = await finished(run, client, lake, mode)
        expected = await database(run, client, registry)

        files = lake.files(mode, row["run_id"])
        assert list(files) == list(BULK_DATASETS)
        for name, paths in files.items():
            key = registry.datasets[name].key
            copies = lake.copied(paths)
            for reader in readers.split():
                assert plain(READERS[reader](copies), key) == expected[name], (mode, name, reader)
            assert plain(by_polars(*lake.there(paths)), key) == expected[name], (mode, name)
            _compare_open_table(lake, registry, name, expected[name])
        if mode is Mode.FULL:
            values += await change_odd_rows(owner, registry)
    await owner.close()

    assert values > 200
    assert [len(rows) > 0 for rows in expected.values()] == [registry.datasets[name].has_rows for name in expected]
    assert all({row["IsDeleted"] for row in rows} == {0, 1} for rows in expected.values() if len(rows) > 1)


def _compare_open_table(lake: Lake, registry: Registry, name: str, expected: list[Row]) -> None:
    dataset = registry.datasets[name]
    where = lake.place.table(f"Tables/demo/{name}")
    table = DeltaTable(where.uri, storage_options=dict(where.options))
    for reader, read in OPEN_TABLE_READERS.items():
        assert plain(read(table), dataset.key) == of_open_table(dataset, expected), (name, reader)
