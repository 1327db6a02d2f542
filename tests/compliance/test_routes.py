"""GetCompliance over HTTP, for planograms of every use."""

from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from coldshelf.access.principal import Role
from coldshelf.access.service import add_device_token
from coldshelf.kit.ids import ClientId
from coldshelf.kit.runtime import Runtime
from tests.compliance.cooler import Cooler
from tests.conftest import signed_in_client
from tests.records.support import Handler

PATH = "/controllers/AssetPurity.ashx"


async def compliance(http: httpx.AsyncClient, cooler: Cooler, shape: str = "") -> dict[str, Any]:
    params = {"action": "GetCompliance", "AssetPurityId": str(cooler.picture_id), "format": shape}
    answer = await http.get(PATH, params=params)
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def told(document: dict[str, Any]) -> list[tuple[int, int, str, str, str]]:
    """Give place, status, planned and found SKU of each position."""
    return [
        (
            item["Shelf"],
            item["Position"],
            item["Status"],
            item["Planned"]["SKU"] if item["Planned"] else "",
            item["Found"]["Product"] if item["Found"] else "",
        )
        for item in document["Positions"]
    ]


async def test_each_position_tells_what_is_planned_and_what_was_found(
    run: Runtime, client_id: ClientId, admin: httpx.AsyncClient
) -> None:
    cooler = await Cooler.make(run, client_id, ["abc", "def"])
    await cooler.recognise("a?cx", "_f")
    await cooler.settle("compliance.compare")

    document = await compliance(admin, cooler)

    assert told(document) == [
        (1, 1, "matched", "a", "a"),
        (1, 2, "wrong_product", "b", "?"),
        (1, 3, "matched", "c", "c"),
        (1, 4, "extra", "", "x"),
        (2, 1, "empty", "d", "_"),
        (2, 2, "missing", "e", ""),
        (2, 3, "matched", "f", "f"),
    ]
    assert document["Counts"] == {
        "matched": 3,
        "wrong_product": 1,
        "missing": 1,
        "extra": 1,
        "moved": 0,
        "empty": 1,
    }
    assert (document["AssetPurityId"], document["PlanogramUse"], document["PlanogramFacings"]) == (
        cooler.picture_id,
        "Layout",
        6,
    )
    assert [item["IsDoubtful"] for item in document["Positions"]] == [False, True, False, False, False, False, False]
    assert document["Positions"][0]["Found"] | {"AssetPurityProductId": 0} == {
        "AssetPurityProductId": 0,
        "ProductId": cooler.products["a"],
        "SKU": "a",
        "Product": "a",
        "Shelf": 1,
        "Position": 1,
        "Door": 1,
        "Confidence": 90.0,
    }


async def test_a_planogram_of_categories_takes_any_product_of_them(
    run: Runtime, client_id: ClientId, admin: httpx.AsyncClient
) -> None:
    cooler = await Cooler.make(run, client_id, ["aa", "d"], use="Category")
    await cooler.recognise("bc", "x")
    await cooler.settle()

    document = await compliance(admin, cooler)

    assert told(document) == [
        (1, 1, "matched", "a", "b"),
        (1, 2, "matched", "a", "c"),
        (2, 1, "wrong_product", "d", "x"),
    ]
    assert await cooler.value("SELECT compliant_facings FROM picture_kpi") == 2


async def test_a_priorogram_tells_each_product_and_the_weighted_availability(
    run: Runtime, client_id: ClientId, admin: httpx.AsyncClient
) -> None:
    cooler = await Cooler.make(run, client_id, ["aa", "b", "c"], use="Priority")
    await cooler.recognise("cx", "_a")
    await cooler.settle()

    document = await compliance(admin, cooler)

    assert told(document) == [
        (1, 1, "matched", "a", "a"),
        (1, 2, "missing", "a", ""),
        (2, 1, "missing", "b", ""),
        (3, 1, "matched", "c", "c"),
        (1, 2, "extra", "", "x"),
        (2, 1, "empty", "", "_"),
    ]
    assert document["Availability"] == 72.73
    assert [
        (item["SKU"], item["Priority"], item["WantedFacings"], item["FoundFacings"], item["IsAvailable"])
        for item in document["Products"]
    ] == [("a", 1, 2, 1, True), ("b", 2, 1, 0, False), ("c", 3, 1, 1, True)]
    (figures,) = await cooler.rows(
        "SELECT planogram_facings, compliant_facings, planogram_compliance, out_of_stock_skus FROM picture_kpi"
    )
    assert tuple(figures) == (4, 2, 50.0, 1)


async def test_the_shape_of_azure_has_an_entry_for_each_planned_position(
    run: Runtime, client_id: ClientId, admin: httpx.AsyncClient
) -> None:
    cooler = await Cooler.make(run, client_id, ["abc"])
    await cooler.recognise("bac")
    await cooler.settle("compliance.compare")

    document = await compliance(admin, cooler, "Azure")

    entries = document["matchedResultsPerPosition"]
    assert [(item["positionId"], item["detectedObject"]["tags"][0]["name"]) for item in entries] == [
        ("1-1", "b"),
        ("1-2", "a"),
        ("1-3", "c"),
    ]
    assert document["matchingResultPerPosition"] == entries


async def test_a_comparison_freezes_its_planogram(run: Runtime, client_id: ClientId) -> None:
    cooler = await Cooler.make(run, client_id, ["abc"])
    await cooler.recognise("abc")

    await cooler.settle("compliance.compare")

    assert await cooler.value("SELECT used_on IS NOT NULL FROM planogram")


@pytest.mark.parametrize(
    ("planned", "compared"), [(None, True), (["abc"], False)], ids=["no planogram", "not compared yet"]
)
async def test_without_a_comparison_there_is_none_to_tell(
    run: Runtime, client_id: ClientId, admin: httpx.AsyncClient, planned: list[str] | None, compared: bool
) -> None:
    cooler = await Cooler.make(run, client_id, planned)
    await cooler.recognise("abc")
    if compared:
        await cooler.settle("compliance.compare")

    answer = await admin.get(PATH, params={"action": "GetCompliance", "AssetPurityId": cooler.picture_id})

    assert answer.status_code == 400
    assert answer.json()["info"] == f"There is no comparison with a planogram for AssetPurityId {cooler.picture_id}"


async def test_what_cannot_be_read_is_refused_with_what_it_takes(admin: httpx.AsyncClient) -> None:
    nothing = await admin.get(PATH, params={"action": "GetCompliance"})
    shape = await admin.get(PATH, params={"action": "GetCompliance", "AssetPurityId": 1, "format": "xml"})

    assert nothing.json()["info"] == "AssetPurityId is required"
    assert shape.json()["info"] == "format takes json, azure, not 'xml'"


async def test_people_of_the_client_may_read_comparisons_and_devices_may_not(
    run: Runtime, app: FastAPI, client_id: ClientId, admin: httpx.AsyncClient
) -> None:
    cooler = await Cooler.make(run, client_id, ["a"])
    await cooler.recognise("a")
    await cooler.settle("compliance.compare")

    async with await signed_in_client(run, app, client_id, "rep", Role.SALES_REP) as http:
        assert (await compliance(http, cooler))["Counts"]["matched"] == 1
    camera = await Handler(admin, "SmartDevice").save(SerialNumber="CAM-9")
    token = await add_device_token(run, client_id, camera["id"])
    refused = await admin.get(
        PATH,
        params={"action": "GetCompliance", "AssetPurityId": cooler.picture_id},
        auth=("device", token),
    )
    assert refused.status_code == 403


async def test_getcompliance_and_its_format_stand_in_the_documents(admin: httpx.AsyncClient) -> None:
    path = (await admin.get("/openapi.json")).json()["paths"]["/controllers/assetpurity.ashx"]

    parameters = {item["name"]: item for item in path["get"]["parameters"]}
    assert "getcompliance" in parameters["action"]["schema"]["enum"]
    assert "azure" in parameters["format"]["description"]
