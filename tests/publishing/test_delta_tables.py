"""The delta promise of every published table that has rows: edits, renames of every reference, deletions."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import asyncpg
import httpx
import orjson
import pyarrow.parquet as pq
import pytest

from coldshelf.entrypoints import bootstrap
from coldshelf.publishing.formats.columns import file_schema
from coldshelf.publishing.formats.parquet import _as_read
from coldshelf.publishing.models import BULK_DATASETS, Mode
from coldshelf.records.entity import Entity
from tests.conformance.world import fields_of, save_world
from tests.publishing.conftest import Publish
from tests.publishing.support import Row, merged, parts, rows
from tests.records.support import Handler

DECLARED = bootstrap.registry()
MADE_BY_HAND = [name for name in BULK_DATASETS if name in DECLARED.entities or name == "PlanogramProduct"]
SHOWN = [entity for entity in DECLARED.entities.values() if entity.name in BULK_DATASETS or DECLARED.referring(entity)]
"""Entities that are published, or of which published ones may tell."""
PROMISED = [name for name in BULK_DATASETS if not DECLARED.datasets[name].has_rows]
LONG_AGO = timedelta(days=40)
Mirror = dict[str, list[Row]]
"""The tables of a consumer that applies deltas."""


@pytest.fixture
async def owner(url: str) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(url)
    yield connection
    await connection.close()


async def age_everything(owner: asyncpg.Connection) -> None:
    """Make every row look as if it had not been changed for longer than a delta reaches back."""
    await owner.execute("SET session_replication_role = replica")
    for relation in {dataset.relation for dataset in DECLARED.listed}:
        await owner.execute(f"UPDATE {relation} SET modified_on = modified_on - $1::interval", LONG_AGO)


def changed(entity: Entity, product_id: int) -> dict[str, object]:
    """Give another value for every field."""
    values = fields_of(entity, 1)
    if entity.name == "Planogram":
        shelves = [{"products": [{"id": product_id, "stackSize": 3}]}, {"products": [{"id": product_id}]}]
        values["FacingDetails"] = orjson.dumps(shelves).decode()
    return values


def without_times(table: list[Row]) -> list[Row]:
    return [{name: value for name, value in row.items() if name != "ModifiedOn"} for row in table]


def test_every_published_table_with_rows_is_looked_at() -> None:
    assert {*BULK_DATASETS} - {*MADE_BY_HAND} - {*PROMISED} == {"AssetPurity", "AssetPurityProduct"}
    assert len(PROMISED) == 11


async def test_each_change_of_each_record_reaches_every_table_that_shows_it(
    publish: Publish, admin: httpx.AsyncClient, owner: asyncpg.Connection, folder: Path
) -> None:
    """A consumer that gets only what a delta holds after each change has what a full export holds at the end."""
    ids = await save_world(admin)
    places = [{"products": [{"id": ids["Product"]}, {"id": ids["Product"]}]}]
    await Handler(admin, "Planogram").save(id=ids["Planogram"], FacingDetails=orjson.dumps(places).decode())
    await age_everything(owner)
    base = await publish(mode=Mode.FULL, datasets=MADE_BY_HAND)
    mirror = {name: rows(folder, base, name) for name in MADE_BY_HAND}
    at_first = {name: without_times(table) for name, table in mirror.items()}

    async def pull() -> None:
        delta = await publish(mode=Mode.DELTA, datasets=MADE_BY_HAND)
        for name in MADE_BY_HAND:
            mirror[name] = merged(DECLARED.datasets[name].whole_key, mirror[name], rows(folder, delta, name))
        await age_everything(owner)

    for entity in SHOWN:
        await Handler(admin, entity.name).save(id=ids[entity.name], **changed(entity, ids["Product"]))
        await pull()
    edited = {name: without_times(table) for name, table in mirror.items()}
    for name in reversed(DECLARED.entities):
        await Handler(admin, name).delete(id=ids[name])
    await pull()

    full = await publish(mode=Mode.FULL, datasets=MADE_BY_HAND)
    for name in MADE_BY_HAND:
        key = DECLARED.datasets[name].whole_key
        assert without_times(mirror[name]) == without_times(merged(key, rows(folder, full, name))), name
        assert edited[name] != at_first[name], name
    for name in MADE_BY_HAND:
        own = [row for row in mirror[name] if row.get(f"{name}Id") == ids.get(name) or name == "PlanogramProduct"]
        assert {row["IsDeleted"] for row in own} == {1}, name
    assert [(row["Shelf"], row["Position"], row["ProductStackSize"]) for row in mirror["PlanogramProduct"]] == [
        (1, 1, 3),
        (1, 2, 1),
        (2, 1, 1),
    ]


async def test_a_place_that_vanishes_arrives_as_deleted_and_the_others_do_not_come(
    publish: Publish, admin: httpx.AsyncClient, owner: asyncpg.Connection, folder: Path
) -> None:
    product = (await Handler(admin, "Product").save(Name="Cola", SKU="C", ShortName="C"))["id"]

    def details(*counts: int) -> str:
        return orjson.dumps([{"products": [{"id": product}] * count} for count in counts]).decode()

    planogram = (await Handler(admin, "Planogram").save(PlanogramName="Summer", FacingDetails=details(2, 2)))["id"]
    await age_everything(owner)

    await Handler(admin, "Planogram").save(id=planogram, FacingDetails=details(2, 1, 1))
    delta = await publish(mode=Mode.DELTA, datasets=["PlanogramProduct"])

    found = rows(folder, delta, "PlanogramProduct")
    assert [(row["PlanogramId"], row["Shelf"], row["Position"], row["IsDeleted"]) for row in found] == [
        (planogram, 2, 2, 1),
        (planogram, 3, 1, 0),
    ]
    assert [(row["ProductId"], row["ProductRanking"]) for row in found] == [(product, 2), (product, 3)]


@pytest.mark.parametrize("mode", [Mode.FULL, Mode.DELTA])
async def test_a_promised_table_is_a_valid_empty_file(publish: Publish, folder: Path, mode: Mode) -> None:
    manifest = await publish(mode=mode, datasets=PROMISED)

    for name in PROMISED:
        (path,) = parts(folder, manifest, name)
        table = pq.read_table(path)
        assert table.num_rows == 0
        assert table.schema == _as_read(file_schema(DECLARED.datasets[name]))


async def test_a_column_whose_source_is_not_there_is_empty_in_files_and_lists(
    publish: Publish, admin: httpx.AsyncClient, folder: Path
) -> None:
    devices = Handler(admin, "SmartDevice")
    await devices.save(SerialNumber="D1")

    manifest = await publish(mode=Mode.FULL, datasets=["SmartDevice"])

    assert [(row["SerialNumber"], row["LastPingUtc"]) for row in rows(folder, manifest, "SmartDevice")] == [
        ("D1", None)
    ]
    assert [record["LastPingUtc"] for record in await devices.records(sort="LastPingUtc")] == [None]
    since = {"lastPingUtc": {"operator": ">", "value": "2024-08-01T00:00:00"}}
    assert await devices.records(since) == []
