"""A consumer that gets two of seven daily deltas has, after the second, exactly what the source has."""

import json
import os
import random
import time
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from coldshelf.access.models import Client
from coldshelf.kit.db import Connection
from coldshelf.kit.ids import ClientId
from coldshelf.kit.runtime import Runtime
from coldshelf.kit.testing import FakeClock
from coldshelf.publishing.models import BULK_DATASETS, Mode
from coldshelf.publishing.scheduling import look
from coldshelf.records.registry import Registry
from tests.publishing.conftest import Publish
from tests.publishing.support import Cast, Row, age, merged, perform_waiting, rows, runs_of

SOAK = bool(os.environ.get("SOAK"))
PICTURES = 1_000 if SOAK else 20
SEED = int(time.time())
FIRST_SLOT = datetime.now(UTC).replace(hour=2, minute=0, second=0, microsecond=0) + timedelta(days=2)
DELIVERED = (0, 6)
"""The days of seven whose delta reaches the consumer; on the others no scheduler looks."""

ADD_PICTURES = """
    INSERT INTO picture (client_id, guid, scene_type, image_received_from, before_after, is_stitched, file_count,
        image_name, total_bytes, received_on, captured_on, captured_local, capture_time_source, status_id,
        submission_outcome)
    SELECT $1, gen_random_uuid(), 'Cooler', 1, 0, false, 1, 'a.jpg', 1, now(), now(), now() AT TIME ZONE 'UTC',
        'exif_zone', 13, 'AutoProvisioned'
    FROM generate_series(1, $2)"""
SERVE = """
    WITH made AS (
        INSERT INTO recognition_result (client_id, picture_id, number, event_id, recogniser, recogniser_version,
            is_served, shelves, purity_status)
        SELECT client_id, id, $1::bigint, gen_random_uuid(), 'colour', $1::bigint::text, true, '[]', '' FROM picture
        RETURNING client_id, id, picture_id)
    INSERT INTO facing (client_id, result_id, picture_id, shelf, position, product_id, product_name, sku, is_foreign,
        is_empty, is_unknown, x1, y1, x2, y2, x3, y3, x4, y4)
    SELECT client_id, id, picture_id, 1, place, $2, 'Cola', 'C', false, false, false, 0, 1, 2, 3, 4, 5, 6, 7
    FROM made CROSS JOIN generate_series(1, (3 + $1)::int) AS place"""


async def reprocess(run: Runtime, client_id: ClientId, product: int, number: int) -> None:
    """Give every picture a newer result, as one who makes results anew does."""
    async with run.database.scope(client_id) as connection:
        await connection.execute("UPDATE recognition_result SET is_served = false WHERE is_served")
        await connection.execute("UPDATE facing SET is_deleted = true WHERE NOT is_deleted")
        await connection.execute(SERVE, number, product)
        await connection.execute("UPDATE picture SET is_deleted = is_deleted")


async def add_late(connection: Connection, client_id: ClientId, day: int) -> None:
    await connection.execute(
        "INSERT INTO location (client_id, code, name) VALUES ($1, 'late ' || $2::int, 'Committed late')",
        client_id,
        day,
    )
    await connection.execute("UPDATE asset SET tag_number = 'late ' || $1::int WHERE serial_number = 'A3'", day)


def delta_rows(exports: Path, row: dict[str, Any]) -> dict[str, list[Row]]:
    tables = {table["dataset"]: exports / table["path"] for table in json.loads(row["tables"])}
    return {
        name: [one for path in sorted(place.glob("*.parquet")) for one in pq.read_table(path).to_pylist()]
        for name, place in tables.items()
    }


@dataclass(frozen=True, slots=True)
class Shop:
    """Outlets, coolers, a product and pictures that are older than a delta reaches."""

    run: Runtime
    cast: Cast
    outlets: list[int]
    assets: list[int]
    product: int
    chance: random.Random

    @classmethod
    async def open(cls, run: Runtime, cast: Cast, url: str) -> "Shop":
        await cast.save("Manufacturer", Name="Maker", Code="M")
        await cast.save("Brand", Name="Brand", Manufacturer="Maker")
        product = await cast.save("Product", Name="Cola", SKU="C", ShortName="C", BrandName="Brand")
        await cast.save("AssetType", Name="Cooler")
        outlets = await cast.outlets(range(30))
        assets = [
            await cast.save("Asset", SerialNumber=f"A{n}", AssetType="Cooler", LocationCode=f"L{n}") for n in range(30)
        ]
        async with run.database.scope(cast.client_id) as connection:
            await connection.execute(ADD_PICTURES, cast.client_id, PICTURES)
        await reprocess(run, cast.client_id, product, 1)
        for table in ("location", "asset", "product", "picture", "facing"):
            await age(url, table, timedelta(days=40))
        return cls(run, cast, outlets, assets, product, random.Random(SEED))

    async def pass_day(self, day: int) -> None:
        """Rename, move, delete, add, date back, and make all results anew."""
        save, chance = self.cast.save, self.chance
        await save("Location", id=chance.choice(self.outlets[:20]), Name=f"Renamed on {day}", City=f"City {day}")
        await save("Product", id=self.product, Name=f"Cola {day}")
        await save("Manufacturer", Code="M", Name=f"Maker {day}")
        await save("Asset", id=chance.choice(self.assets[10:20]), LocationId=chance.choice(self.outlets[:20]))
        await self.cast.delete("Asset", self.assets[20 + day])
        await self.cast.delete("Location", self.outlets[20 + day])
        await save("Location", Code=f"new {day}", Name="New", City="New", Latitude="1.5", Longitude="2.5")
        await save("Asset", SerialNumber=f"A{day}", ManufacturingDate=f"19{70 + day}-01-01")
        await reprocess(self.run, self.cast.client_id, self.product, day + 2)


@pytest.mark.timeout(0 if SOAK else 300)
async def test_after_five_missed_runs_the_next_delta_makes_the_tables_equal(
    run: Runtime, cast: Cast, client: Client, registry: Registry, publish: Publish, folder: Path, url: str
) -> None:
    exports = run.settings.data_dir.absolute() / "exports"
    clock = FakeClock(FIRST_SLOT - timedelta(hours=1))
    timed = replace(run, clock=clock)
    shop = await Shop.open(run, cast, url)
    await cast.save("Publication", Name="Nightly", Mode="delta", Schedule="0 2 * * *", CatchUp="latest")
    base = await publish(mode=Mode.FULL)

    for day in range(7):
        await shop.pass_day(day)
        clock.set(FIRST_SLOT + timedelta(days=day, minutes=1))
        async with run.database.scope(client.id, user_name="slow") as slow:  # committed behind the slot
            await add_late(slow, client.id, day)
            if day == DELIVERED[0]:
                await look(timed)
                await perform_waiting(timed)
        if day == DELIVERED[1]:
            await look(timed)
            await perform_waiting(timed)

    runs = [row for row in await runs_of(run, client.id) if row["due_on"] >= FIRST_SLOT]
    assert [row["state"] for row in runs] == ["done", *["skipped"] * 5, "done"]
    source = await publish(mode=Mode.FULL)
    pulls = [delta_rows(exports, row) for row in runs if row["state"] == "done"]
    for dataset in BULK_DATASETS:
        pulled = merged(
            registry.datasets[dataset].whole_key, rows(folder, base, dataset), *(pull[dataset] for pull in pulls)
        )
        assert pulled == rows(folder, source, dataset), (dataset, SEED)
    seen = {dataset for dataset in BULK_DATASETS if rows(folder, source, dataset)}
    assert {"AssetPurity", "AssetPurityProduct", "Location", "Asset", "Product"} <= seen
    facings = rows(folder, source, "AssetPurityProduct")
    assert sum(row["IsDeleted"] == 0 for row in facings) == PICTURES * 11
