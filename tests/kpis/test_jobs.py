"""Measuring on a real database: once for each result, the picture is finished, outsiders are told."""

import asyncio
from dataclasses import replace

import httpx

from coldshelf.kit.ids import ClientId
from coldshelf.kit.runtime import Runtime
from coldshelf.kpis.formulas import KPI_VERSION, KPIS
from coldshelf.pictures.models import Status
from tests.compliance.cooler import Cooler

POSTGRES_TYPES = {"count": "bigint", "percent": "double precision", "yes_no": "boolean"}


async def test_the_table_has_a_column_for_each_kpi_and_no_others(run: Runtime, client_id: ClientId) -> None:
    async with run.database.scope(client_id, readonly=True) as connection:
        rows = await connection.fetch(
            "SELECT column_name, data_type FROM information_schema.columns WHERE table_name = 'picture_kpi'"
        )

    keys = dict.fromkeys(("client_id", "picture_id", "result_id"), "bigint")
    versions = dict.fromkeys(("kpi_version", "kpi_planogram_id", "planogram_version"), "bigint")
    versions |= {"planogram_modified_on": "timestamp with time zone"}
    assert {row["column_name"]: row["data_type"] for row in rows} == keys | versions | {
        figure.column: POSTGRES_TYPES[figure.measure] for figure in KPIS
    }


async def test_a_compared_picture_gets_its_figures(run: Runtime, client_id: ClientId) -> None:
    cooler = await Cooler.make(run, client_id, ["aab", "cde"])
    result_id = await cooler.recognise("aax", "c_?")

    await cooler.settle()

    (row,) = await cooler.rows("SELECT * FROM picture_kpi")
    assert dict(row) == {
        "client_id": client_id,
        "picture_id": cooler.picture_id,
        "result_id": result_id,
        "total_facings": 6,
        "empty_facings": 1,
        "unknown_facings": 1,
        "total_stock": 4,
        "foreign_product": 1,
        "own_facings": 3,
        "foreign_facings": 1,
        "competition": True,
        "own_share_of_shelf": 50.0,
        "foreign_share_of_shelf": 16.67,
        "empty_share_of_shelf": 16.67,
        "stock_percentage": 83.33,
        "purity_percentage": 60.0,
        "occupancy_percentage": None,
        "sku_count": 3,
        "sku_count_our": 2,
        "sku_count_foreign": 1,
        "assortment_depth_numeric": 2,
        "assortment_depth_compliance": 40.0,
        "planogram_facings": 6,
        "compliant_facings": 3,
        "non_compliant_facings": 3,
        "planogram_compliance": 50.0,
        "out_of_stock_skus": 3,
        "oos_percentage": 60.0,
        "stacked_products": 0,
        "ssd_count": None,
        "ncb_count": None,
        "percentage_of_ssd": None,
        "percentage_of_ncb": None,
        "our_stock": 3,
        "empty_facing": 1,
        "percentage_of_our_product": 75.0,
        "percentage_of_foreign_product": 25.0,
        "percentage_of_empty_facing": 16.67,
        "percentage_of_oos_sku": 60.0,
        "kpi_version": KPI_VERSION,
        "kpi_planogram_id": await cooler.value("SELECT id FROM planogram"),
        "planogram_version": 1,
        "planogram_modified_on": await cooler.value("SELECT modified_on FROM planogram"),
    }


async def test_a_measured_picture_is_processed_and_outsiders_are_told(run: Runtime, client_id: ClientId) -> None:
    cooler = await Cooler.make(run, client_id, ["ab"])
    await cooler.recognise("ab")
    before = await cooler.value("SELECT modified_on FROM picture")

    await cooler.settle()

    (picture,) = await cooler.rows("SELECT status_id, verified_on, modified_on FROM picture")
    (event,) = await cooler.rows("SELECT * FROM event WHERE type = 'image.processed'")
    assert picture["status_id"] == Status.PROCESSED
    assert picture["verified_on"] is not None
    assert picture["modified_on"] > before
    assert (event["key"], event["public"], event["links"]) == (cooler.picture_id, True, ["picture.view"])
    assert event["callback_urls"] == ["https://example.org/told"]


async def test_a_picture_without_a_planogram_has_figures_of_the_shelf_only(run: Runtime, client_id: ClientId) -> None:
    cooler = await Cooler.make(run, client_id, None)
    await cooler.recognise("ax")

    await cooler.settle()

    (row,) = await cooler.rows("SELECT own_share_of_shelf, planogram_facings, compliant_facings FROM picture_kpi")
    assert tuple(row) == (50.0, None, None)
    assert await cooler.value("SELECT status_id FROM picture") == Status.PROCESSED


async def test_figures_say_which_planogram_and_which_version_of_it_they_come_from(
    run: Runtime, client_id: ClientId, admin: httpx.AsyncClient
) -> None:
    cooler = await Cooler.make(run, client_id, ["ab"])
    async with run.database.scope(client_id) as connection:
        await connection.execute("UPDATE planogram SET version = 7")
    await cooler.recognise("ab")
    await cooler.settle()

    answer = await admin.get("/controllers/AssetPurity.ashx", params={"action": "list"})

    (record,) = answer.json()["records"]
    assert (record["KpiPlanogramId"], record["PlanogramVersion"]) == (record["PlanogramId"], 7)
    assert record["PlanogramModifiedOn"] < record["ModifiedOn"]
    assert (record["KpiVersion"], record["ResultVersion"], record["ModelVersion"]) == (KPI_VERSION, 1, "fake 1")
    assert record["ResultSource"] == "recogniser"


async def test_levels_and_beverage_types_reach_the_figures_and_stacked_products_do_not(
    run: Runtime, client_id: ClientId
) -> None:
    cooler = await Cooler.make(run, client_id, ["ab"])
    async with run.database.scope(client_id) as connection:
        await connection.execute(
            """
            WITH sparkling AS (
                INSERT INTO beverage_type (client_id, name) VALUES (coldshelf_client(), 'SSD') RETURNING id)
            UPDATE product SET beverage_type_id = sparkling.id FROM sparkling WHERE sku = 'a'"""
        )
    top = replace(cooler.row("b", 1, 1), stack_index=1)
    rows = [replace(cooler.row("a", 1, 1), stack_size=1, fill_level=50), top, cooler.row("_", 1, 2)]
    await cooler.serve(rows)

    await cooler.settle()

    (row,) = await cooler.rows("SELECT * FROM picture_kpi")
    assert (row["total_facings"], row["total_stock"], row["stacked_products"]) == (2, 1, 1)
    assert (row["occupancy_percentage"], row["ssd_count"], row["percentage_of_ssd"]) == (25.0, 1, 100.0)
    assert (row["compliant_facings"], row["non_compliant_facings"], row["out_of_stock_skus"]) == (1, 1, 0)


async def test_a_job_that_runs_twice_tells_once(run: Runtime, client_id: ClientId) -> None:
    cooler = await Cooler.make(run, client_id, ["ab"])
    await cooler.recognise("ab")
    await cooler.settle()
    before = await cooler.rows("SELECT * FROM picture")

    await cooler.settle()

    assert await cooler.rows("SELECT * FROM picture") == before
    assert await cooler.events("image.processed") == 1


async def test_a_second_comparison_of_a_result_is_measured_once(run: Runtime, client_id: ClientId) -> None:
    cooler = await Cooler.make(run, client_id, ["ab"])
    await cooler.recognise("xx")
    await cooler.recognise("ab")

    await cooler.settle()

    assert await cooler.events("picture.compared") == 2
    assert await cooler.events("image.processed") == 1
    assert await cooler.value("SELECT planogram_compliance FROM picture_kpi") == 100.0


async def test_a_result_that_is_not_compared_yet_is_left_to_its_own_comparison(
    run: Runtime, client_id: ClientId
) -> None:
    cooler = await Cooler.make(run, client_id, ["ab"])
    await cooler.recognise("xx")
    await cooler.settle("compliance.compare")
    await cooler.recognise("ab")

    await cooler.settle("kpis.measure")

    assert await cooler.value("SELECT count(*) FROM picture_kpi") == 0
    assert await cooler.value("SELECT status_id FROM picture") == Status.QUEUED

    await cooler.settle()

    assert await cooler.value("SELECT planogram_compliance FROM picture_kpi") == 100.0
    assert await cooler.events("image.processed") == 1


async def test_a_newer_result_replaces_the_figures_and_is_told_again(run: Runtime, client_id: ClientId) -> None:
    cooler = await Cooler.make(run, client_id, ["ab"])
    await cooler.recognise("xx")
    await cooler.settle()
    newer = await cooler.recognise("ab")

    await cooler.settle()

    (row,) = await cooler.rows("SELECT result_id, planogram_compliance FROM picture_kpi")
    assert tuple(row) == (newer, 100.0)
    assert await cooler.events("image.processed") == 2


async def test_two_jobs_at_once_tell_once(run: Runtime, client_id: ClientId) -> None:
    cooler = await Cooler.make(run, client_id, ["ab"])
    await cooler.recognise("xx")
    await cooler.recognise("ab")
    await cooler.settle("compliance.compare")

    await asyncio.gather(*(run.events.perform(run, job) for job in await cooler.steps("kpis.measure")))

    assert await cooler.events("image.processed") == 1
    assert await cooler.rows("SELECT error FROM event_step WHERE error <> ''") == []


async def test_a_picture_of_nothing_is_processed_too(run: Runtime, client_id: ClientId) -> None:
    cooler = await Cooler.make(run, client_id, ["ab"])
    await cooler.recognise()

    await cooler.settle()

    (row,) = await cooler.rows("SELECT total_facings, own_share_of_shelf, oos_percentage FROM picture_kpi")
    assert tuple(row) == (0, None, 100.0)


async def test_the_figures_stand_in_the_list_of_images(
    run: Runtime, client_id: ClientId, admin: httpx.AsyncClient
) -> None:
    cooler = await Cooler.make(run, client_id, ["ab"])
    await cooler.recognise("ax")
    await cooler.settle()

    answer = await admin.get("/controllers/AssetPurity.ashx", params={"action": "list"})

    (record,) = answer.json()["records"]
    shown = {name: record[name] for name in ("TotalStock", "ForeignProduct", "Competition", "OwnShareOfShelf")}
    assert shown == {"TotalStock": 2, "ForeignProduct": 1, "Competition": True, "OwnShareOfShelf": 50.0}
    assert (record["PlanogramCompliance"], record["OutOfStockSKUs"], record["StatusId"]) == (50.0, 1, 13)


async def test_the_compliance_stands_in_the_product_rows(
    run: Runtime, client_id: ClientId, admin: httpx.AsyncClient
) -> None:
    cooler = await Cooler.make(run, client_id, ["ab"])
    await cooler.recognise("ax")
    await cooler.settle()

    answer = await admin.get("/controllers/AssetPurityProduct.ashx", params={"action": "list"})

    rows = [(row["Product"], row["IsCompliant"], row["ComplianceStatus"]) for row in answer.json()["records"]]
    assert rows == [("a", True, "matched"), ("x", False, "wrong_product")]
