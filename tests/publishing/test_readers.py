"""Each named reader gives every value of a run as the database has it: nulls, extremes and odd text included."""

from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path

import asyncpg
import pyarrow as pa
import pytest
from deltalake import DeltaTable

from coldshelf.access.models import Client
from coldshelf.kit.ids import ClientId
from coldshelf.kit.runtime import Runtime
from coldshelf.publishing.destinations.file import FileDestination
from coldshelf.publishing.models import BULK_DATASETS, Mode
from coldshelf.publishing.open_tables import keep_table
from coldshelf.records.registry import Registry
from tests.house.filling import fill, tenant_tables
from tests.publishing.conftest import Publish
from tests.publishing.reading import READERS, database_rows, plain
from tests.publishing.support import parts

ODD = "Ünïcödé 🧊 漢字 \"quoted\", it''s; \\N\t\u202eabc\u202c =1+1"
EXTREMES = {
    "text": (f"'{ODD}'", "''", "'NULL'"),
    "bigint": ("9223372036854775807", "-9223372036854775808", "0"),
    "integer": ("2147483647", "-2147483648", "0"),
    "double precision": ("1.7976931348623157e308", "5e-324", "-0.1"),
    "timestamp with time zone": ("'9999-12-31 23:59:59.999999Z'", "'0001-01-01Z'", "'1969-12-31 23:59:59.999999Z'"),
    "timestamp without time zone": ("'9999-12-31 23:59:59.999999'", "'0001-01-01'", "'2026-03-29 02:30'"),
    "date": ("'9999-12-31'", "'0001-01-01'", "'1969-12-31'"),
    "boolean": ("true", "false", "true"),
}
COLUMNS = """
    SELECT a.attname AS name, format_type(a.atttypid, a.atttypmod) AS type FROM pg_attribute a
    JOIN pg_class c ON c.oid = a.attrelid AND c.relkind = 'r'
    WHERE a.attrelid = $1::text::regclass AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''
        AND a.attname NOT IN ('id', 'client_id', 'is_deleted', 'modified_on', 'revision', 'is_served')
        AND NOT EXISTS (SELECT FROM pg_constraint f WHERE f.conrelid = a.attrelid AND f.contype = 'f'
            AND a.attnum = ANY(f.conkey))"""


@pytest.fixture
async def odd_rows(url: str, client_id: ClientId, registry: Registry) -> AsyncIterator[int]:
    """Rows in every table, with whatever extremes its constraints let in; give how many values that were."""
    owner = await asyncpg.connect(url)
    try:
        tables = await tenant_tables(owner)
        await fill(owner, client_id, tables)
        published = {registry.datasets[name].relation for name in BULK_DATASETS}
        relations = [table for table in tables if table in published]
        for relation in relations:
            with suppress(asyncpg.UniqueViolationError):  # what it belongs to has one such row
                await fill(owner, client_id, [relation], 3)
        yield sum([await _make_extreme(owner, relation) for relation in relations])
    finally:
        await owner.close()


async def _make_extreme(owner: asyncpg.Connection, relation: str) -> int:
    done = 0
    ids = [row["id"] for row in await owner.fetch(f"SELECT id FROM {relation} ORDER BY id DESC LIMIT 3")]
    for column in await owner.fetch(COLUMNS, relation):
        for row_id, value in zip(ids, _extremes(column["type"]), strict=False):
            try:
                async with owner.transaction():
                    await owner.execute("SET LOCAL session_replication_role = replica")
                    await owner.execute(f'UPDATE {relation} SET "{column["name"]}" = {value} WHERE id = {row_id}')
                done += 1
            except asyncpg.IntegrityConstraintViolationError:
                pass
    return done


def _extremes(kind: str) -> tuple[str, ...]:
    if kind.startswith("numeric("):
        precision, scale = map(int, kind[8:-1].split(","))
        most = f"{'9' * (precision - scale)}.{'9' * scale}"
        return (most, f"-{most}", f"0.{'0' * (scale - 1)}1")
    return EXTREMES.get(kind, ())


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


async def test_spark_gives_every_value_as_the_database_has_it(
    run: Runtime, client_id: ClientId, registry: Registry, publish: Publish, folder: Path, odd_rows: int
) -> None:
    manifest = await publish(mode=Mode.FULL)

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
        expected = [row for row in await database_rows(run, client.id, dataset) if not row["IsDeleted"]]
        local = {field.name for field in pa.schema(table.schema().to_arrow()) if field.name == "EventTime"}
        for row in expected:
            row.update({at: f"{row[at].isoformat(timespec='microseconds')}" for at in local if row[at]})
        found = plain(table.to_pyarrow_table(), dataset.key)
        assert found == sorted(expected, key=lambda row: row[dataset.key]), name
        protocol = table.protocol()
        assert (protocol.min_reader_version, protocol.min_writer_version) == (1, 2)
