"""Base + deltas = full, whatever happened in between; and a delta misses nothing that was committed late."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from coldshelf.access.models import Client
from coldshelf.entrypoints import bootstrap
from coldshelf.kit.db import Connection
from coldshelf.kit.ids import ClientId
from coldshelf.kit.runtime import Runtime
from coldshelf.publishing.models import BULK_DATASETS, Mode
from coldshelf.publishing.service import export
from coldshelf.records.registry import Registry
from tests.publishing.conftest import Publish
from tests.publishing.support import Cast, Row, age, merged, rows

DECLARED = bootstrap.registry()
KEYS = {name: DECLARED.datasets[name].whole_key for name in BULK_DATASETS}


async def test_base_and_deltas_are_the_full_export(publish: Publish, cast: Cast, folder: Path) -> None:
    await cast.save("Manufacturer", Name="Maker", Code="M")
    await cast.save("Brand", Name="Brand", Manufacturer="Maker")
    cola = await cast.save("Product", Name="Cola", SKU="C", ShortName="C", BrandName="Brand", CasePrice="12.3456")
    await cast.save("AssetType", Name="Cooler")
    outlets = await cast.outlets(range(4))
    assets = [
        await cast.save("Asset", SerialNumber=f"A{n}", AssetType="Cooler", LocationCode=f"L{n % 2}") for n in range(6)
    ]
    base = await publish(mode=Mode.FULL)

    await cast.save("Location", id=outlets[0], Name="Renamed", City="")
    await cast.save("AssetType", Name="Cooler", ModelNumber="not shown anywhere")
    await cast.delete("Asset", assets[1])
    await cast.delete("Location", outlets[3])
    first = await publish(mode=Mode.DELTA)
    await cast.save("Manufacturer", Code="M", Name="Bought Maker")
    await cast.save("Product", id=cola, CasePrice="0.0001", IsActive="0")
    await cast.save("Asset", SerialNumber="A9", AssetType="Cooler", LocationCode="L2")
    await cast.save("Asset", id=assets[2], LocationId=outlets[2])
    second = await publish(mode=Mode.DELTA)
    full = await publish(mode=Mode.FULL)

    for dataset, key in KEYS.items():
        pulls = [rows(folder, manifest, dataset) for manifest in (base, first, second)]
        assert merged(key, *pulls) == rows(folder, full, dataset), dataset
    by_id = {row["AssetId"]: row for row in rows(folder, full, "Asset")}
    assert [by_id[assets[n]]["IsDeleted"] for n in range(3)] == [0, 1, 0]
    assert (by_id[assets[0]]["Location"], by_id[assets[0]]["City"]) == ("Renamed", None)
    assert {row["Manufacturer"] for row in rows(folder, full, "Product") if row["SKU"] == "C"} == {"Bought Maker"}


async def test_a_rename_reaches_the_rows_that_show_the_name(
    publish: Publish, cast: Cast, folder: Path, url: str
) -> None:
    await cast.save("AssetType", Name="Cooler")
    (outlet, _) = await cast.outlets(range(2))
    await cast.save("Asset", SerialNumber="shows it", AssetType="Cooler", LocationId=outlet)
    await cast.save("Asset", SerialNumber="does not", AssetType="Cooler", LocationCode="L1")
    await age(url, "asset", timedelta(days=40))
    await age(url, "location", timedelta(days=40))

    await cast.save("Location", id=outlet, Name="Renamed")
    delta = await publish(mode=Mode.DELTA, datasets=["Asset", "Location"])

    assert [(row["SerialNumber"], row["Location"]) for row in rows(folder, delta, "Asset")] == [("shows it", "Renamed")]
    assert [row["Name"] for row in rows(folder, delta, "Location")] == ["Renamed"]


async def test_a_delta_holds_thirty_days_and_the_base_the_rest(
    publish: Publish, cast: Cast, folder: Path, url: str
) -> None:
    await cast.outlets(range(3))
    await age(url, "location", timedelta(days=30, hours=1), "code = 'L0'")
    await age(url, "location", timedelta(days=29, hours=23), "code = 'L1'")

    full = await publish(mode=Mode.FULL, datasets=["Location"])
    delta = await publish(mode=Mode.DELTA, datasets=["Location"])

    assert _codes(rows(folder, full, "Location")) == ["L0", "L1", "L2"]
    assert _codes(rows(folder, delta, "Location")) == ["L1", "L2"]
    assert delta.head.window_from is not None
    assert timedelta(days=30) <= delta.head.started_on - delta.head.window_from < timedelta(days=30, minutes=1)


async def test_what_is_committed_after_the_base_comes_with_the_next_delta(
    publish: Publish, run: Runtime, cast: Cast, client: Client, folder: Path
) -> None:
    async with run.database.scope(client.id, user_name="slow") as slow:
        await slow.execute("INSERT INTO location (client_id, code, name) VALUES ($1, 'slow', 'Slow')", client.id)
        await asyncio.sleep(0.01)
        await cast.outlets([1])
        base = await publish(mode=Mode.FULL, datasets=["Location"])
    delta = await publish(mode=Mode.DELTA, datasets=["Location"])

    assert _codes(rows(folder, base, "Location")) == ["L1"]
    late = next(row for row in rows(folder, delta, "Location") if row["LocationCode"] == "slow")
    assert base.head.as_of < late["ModifiedOn"] < base.head.started_on


async def test_the_window_follows_the_database_where_its_clock_is_behind(  # the parts of an export
    run: Runtime, registry: Registry, client: Client, cast: Cast, folder: Path, url: str
) -> None:
    class FastClock:
        def now(self) -> datetime:
            return datetime.now(UTC) + timedelta(days=2)

    await cast.outlets([0])
    await age(url, "location", timedelta(days=29))

    delta = await export(
        replace(run, clock=FastClock()),
        registry,
        url=url,
        client=client,
        mode=Mode.DELTA,
        datasets=["Location"],
        destination=folder,
    )

    assert _codes(rows(folder, delta, "Location")) == ["L0"]


async def test_a_newer_result_reaches_the_record_and_hides_the_old_products(
    publish: Publish, run: Runtime, cast: Cast, client: Client, folder: Path
) -> None:
    product = await cast.save("Product", Name="Cola", SKU="C", ShortName="C")
    async with run.database.scope(client.id) as connection:
        picture = await connection.fetchval(PICTURE, client.id)
        await _add_result(connection, client.id, picture, product, number=1)
    base = await publish(mode=Mode.FULL)

    async with run.database.scope(client.id) as connection:
        await connection.execute("UPDATE recognition_result SET is_served = false")
        await connection.execute("UPDATE facing SET is_deleted = true")
        await _add_result(connection, client.id, picture, product, number=2)
        await connection.execute("UPDATE picture SET is_deleted = is_deleted")
    delta = await publish(mode=Mode.DELTA)
    full = await publish(mode=Mode.FULL)

    for dataset in ("AssetPurity", "AssetPurityProduct"):
        pulls = [rows(folder, manifest, dataset) for manifest in (base, delta)]
        assert merged(KEYS[dataset], *pulls) == rows(folder, full, dataset), dataset
    (old,), (record,) = rows(folder, base, "AssetPurity"), rows(folder, full, "AssetPurity")
    assert [(row["ResultVersion"], row["ModelVersion"]) for row in (old, record)] == [(1, "colour 1"), (2, "colour 2")]
    assert record["UniqueGuid"] == GUID
    assert record["EventTime"] == record["EventTimeUtc"].replace(tzinfo=None) + timedelta(hours=7)
    assert record["OwnShareOfShelf"] is None
    products = rows(folder, full, "AssetPurityProduct")
    assert [(row["IsDeleted"], row["Product"], row["X1"]) for row in products] == [(1, "Cola", 0.5), (0, "Cola", 0.5)]


GUID = "6f9619ff-8b86-4011-b42d-00cf4fc964ff"
PICTURE = f"""
    INSERT INTO picture (client_id, guid, scene_type, image_received_from, before_after, is_stitched, file_count,
        image_name, total_bytes, received_on, captured_on, captured_local, capture_time_source, status_id,
        submission_outcome)
    VALUES ($1, '{GUID}', 'Cooler', 1, 0, false, 1, 'a.jpg', 1, now(), '2026-11-21T01:02:03.000004Z',
        '2026-11-21T08:02:03.000004', 'exif_zone', 13, 'AutoProvisioned')
    RETURNING id"""


async def _add_result(connection: Connection, client_id: ClientId, picture: int, product: int, *, number: int) -> None:
    result = await connection.fetchval(
        "INSERT INTO recognition_result (client_id, picture_id, number, event_id, recogniser, recogniser_version,"
        " is_served, shelves, purity_status)"
        " VALUES ($1, $2, $3::bigint, gen_random_uuid(), 'colour', $3::bigint::text, true, '[]', '') RETURNING id",
        client_id,
        picture,
        number,
    )
    await connection.execute(
        "INSERT INTO facing (client_id, result_id, picture_id, shelf, position, product_id, product_name, sku,"
        " is_foreign, is_empty, is_unknown, x1, y1, x2, y2, x3, y3, x4, y4)"
        " VALUES ($1, $2, $3, 1, 1, $4, 'Cola', 'C', false, false, false, 0.5, 1, 2, 3, 4, 5, 6, 7)",
        client_id,
        result,
        picture,
        product,
    )


def _codes(found: list[Row]) -> list[str]:
    return [row["LocationCode"] for row in found]
