"""Each named reader gives every value of a run as the database has it: nulls, extremes and odd text included."""

from pathlib import Path

import asyncpg
import pytest
from deltalake import DeltaTable

from coldshelf.access.models import Client
from coldshelf.kit.ids import ClientId
from coldshelf.kit.runtime import Runtime
from coldshelf.publishing.destinations.file import FileDestination
from coldshelf.publishing.models import BULK_DATASETS, Mode
from coldshelf.publishing.open_tables import keep_table
from coldshelf.records.registry import Registry
from tests.publishing.conftest import Publish
from tests.publishing.odd import add_odd_rows
from tests.publishing.reading import READERS, WITHOUT_SPARK, database_rows, of_open_table, plain
from tests.publishing.support import parts


@pytest.fixture
async def odd_rows(url: str, client_id: ClientId, registry: Registry) -> int:
    """Rows in every table with whatever extremes its constraints let in: how many values that were."""
    owner = await asyncpg.connect(url)
    try:
        return await add_odd_rows(owner, client_id, registry)
    finally:
        await owner.close()


@pytest.mark.parametrize("mode", [Mode.FULL, Mode.DELTA])
async def test_every_reader_gives_every_value_as_the_database_has_it(
    run: Runtime, client_id: ClientId, registry: Registry, publish: Publish, folder: Path, odd_rows: int, mode: Mode
) -> None:
    manifest = await publish(mode=mode)

    assert odd_rows > 100
    for name in BULK_DATASETS:
        dataset = registry.datasets[name]
        expected = await database_rows(run, client_id, dataset)
        expected.sort(key=lambda row: row[dataset.key])
        files = [str(path) for path in parts(folder, manifest, name)]
        for reader, read in READERS.items():
            if reader != "spark":
                assert plain(read(files), dataset.key) == expected, f"{name} by {reader}"


@pytest.mark.parametrize("mode", [Mode.FULL, Mode.DELTA])
async def test_spark_gives_every_value_as_the_database_has_it(
    run: Runtime, client_id: ClientId, registry: Registry, publish: Publish, folder: Path, odd_rows: int, mode: Mode
) -> None:
    pytest.importorskip("pyspark", reason=WITHOUT_SPARK)
    manifest = await publish(mode=mode)

    for name in BULK_DATASETS:
        dataset = registry.datasets[name]
        expected = await database_rows(run, client_id, dataset)
        files = [str(path) for path in parts(folder, manifest, name)]
        assert plain(READERS["spark"](files), dataset.key) == sorted(expected, key=lambda row: row[dataset.key]), name


async def test_open_tables_give_every_value_as_the_database_has_it(
    run: Runtime, client: Client, registry: Registry, publish: Publish, folder: Path, odd_rows: int
) -> None:
    full, delta = await publish(mode=Mode.FULL), await publish(mode=Mode.DELTA)

    for name in BULK_DATASETS:
        dataset = registry.datasets[name]
        for head in (full.head, delta.head):
            assert keep_table(FileDestination(folder), head.table_folder(name), "all")
        table = DeltaTable(folder / "Tables" / client.code / name)
        expected = of_open_table(dataset, await database_rows(run, client.id, dataset))
        found = plain(table.to_pyarrow_table(), dataset.key)
        assert found == sorted(expected, key=lambda row: row[dataset.key]), name
        protocol = table.protocol()
        assert (protocol.min_reader_version, protocol.min_writer_version) == (1, 2)
