"""Planograms: their places, and that a used one does not change (contract 5.1, 11 no. 21)."""

import asyncio

import httpx
import orjson
import pytest
from asyncpg import Record
from fastapi import FastAPI

from coldshelf.access.principal import Role
from coldshelf.kit.ids import ClientId
from coldshelf.kit.runtime import Runtime
from coldshelf.masterdata.service import planned_places, use_planogram
from tests.conftest import signed_in_client
from tests.records.support import Handler

FROZEN = (
    "Planogram 'Summer' was used for a picture and does not change any more."
    " Change a copy: action=duplicate takes the changes, and with RelinkAssets=1 links the assets to it."
)


@pytest.fixture
def planograms(admin: httpx.AsyncClient) -> Handler:
    return Handler(admin, "Planogram")


@pytest.fixture
async def products(admin: httpx.AsyncClient) -> list[int]:
    handler = Handler(admin, "Product")
    return [(await handler.save(Name=f"P{n}", SKU=f"S{n}", ShortName=f"P{n}"))["id"] for n in range(3)]


def details(*shelves: list[dict[str, object]]) -> str:
    return orjson.dumps([{"products": shelf} for shelf in shelves]).decode()


async def places(run: Runtime, client_id: ClientId, planogram_id: int) -> list[tuple[int, int, int, int]]:
    async with run.database.scope(client_id, readonly=True) as connection:
        found = await planned_places(connection, planogram_id)
    return [(place.shelf, place.position, place.product_id, place.stack_size) for place in found]


async def test_facing_details_become_places_by_shelf_and_position(
    run: Runtime, client_id: ClientId, planograms: Handler, products: list[int]
) -> None:
    a, b, c = products
    text = details([{"id": a}, {"id": b, "stackSize": 3}], [], [{"id": c}])

    saved = await planograms.save(PlanogramName="Summer", FacingDetails=text)

    assert (saved["data"]["Shelves"], saved["data"]["Facings"], saved["data"]["FacingDetails"]) == (3, 3, text)
    assert await places(run, client_id, saved["id"]) == [(1, 1, a, 1), (1, 2, b, 3), (3, 1, c, 1)]


async def rows_of_places(run: Runtime, client_id: ClientId) -> dict[tuple[int, int], Record]:
    """Give the row of each place by shelf and position."""
    async with run.database.scope(client_id, readonly=True) as connection:
        found = await connection.fetch("SELECT * FROM planogram_product ORDER BY id")
    rows = {(row["shelf"], row["position"]): row for row in found}
    assert len(rows) == len(found)
    return rows


async def test_a_place_keeps_its_row_through_every_change(
    run: Runtime, client_id: ClientId, planograms: Handler, products: list[int]
) -> None:
    a, b, c = products
    first = await planograms.save(PlanogramName="Summer", FacingDetails=details([{"id": a}, {"id": b}], [{"id": c}]))
    before = await rows_of_places(run, client_id)

    await planograms.save(id=first["id"], FacingDetails=details([{"id": c}, {"id": b}, {"id": a}]))
    untouched = await planograms.save(id=first["id"], StartDate="2026-01-31")

    after = await rows_of_places(run, client_id)
    assert await places(run, client_id, first["id"]) == [(1, 1, c, 1), (1, 2, b, 1), (1, 3, a, 1)]
    assert untouched["data"]["StartDate"] == "2026-01-31"
    assert {place: row["id"] for place, row in after.items() if place != (1, 3)} == {
        place: row["id"] for place, row in before.items()
    }
    assert after[1, 2] == before[1, 2]
    assert after[1, 1]["modified_on"] > before[1, 1]["modified_on"]
    assert after[2, 1]["modified_on"] > before[2, 1]["modified_on"]
    assert [place for place, row in after.items() if row["is_deleted"]] == [(2, 1)]


async def test_a_place_that_vanished_comes_back_as_the_same_row(
    run: Runtime, client_id: ClientId, planograms: Handler, products: list[int]
) -> None:
    a, b, _ = products
    both = details([{"id": a}, {"id": b, "stackSize": 2}])
    first = await planograms.save(PlanogramName="Summer", FacingDetails=both)
    before = await rows_of_places(run, client_id)

    await planograms.save(id=first["id"], FacingDetails=details([{"id": a}]))
    gone = await rows_of_places(run, client_id)
    await planograms.save(id=first["id"], FacingDetails=both)
    back = await rows_of_places(run, client_id)

    assert [rows[1, 2]["is_deleted"] for rows in (before, gone, back)] == [False, True, False]
    assert {rows[1, 2]["id"] for rows in (before, gone, back)} == {before[1, 2]["id"]}
    assert before[1, 2]["modified_on"] < gone[1, 2]["modified_on"] < back[1, 2]["modified_on"]
    assert before[1, 1] == gone[1, 1] == back[1, 1]


async def test_the_places_of_a_deleted_planogram_are_deleted_with_it(
    run: Runtime, client_id: ClientId, planograms: Handler, products: list[int]
) -> None:
    text = details([{"id": products[0]}])
    first = await planograms.save(PlanogramName="Summer", FacingDetails=text)
    await planograms.save(PlanogramName="Winter", FacingDetails=details([{"id": products[0]}], [{"id": products[1]}]))
    before = await rows_of_places_by_planogram(run, client_id)

    await planograms.delete(id=first["id"])

    after = await rows_of_places_by_planogram(run, client_id)
    assert [(row["is_deleted"], row["modified_by_user"]) for row in after.pop(first["id"])] == [(True, "admin")]
    del before[first["id"]]
    assert after == before


async def rows_of_places_by_planogram(run: Runtime, client_id: ClientId) -> dict[int, list[Record]]:
    found: dict[int, list[Record]] = {}
    async with run.database.scope(client_id, readonly=True) as connection:
        for row in await connection.fetch("SELECT * FROM planogram_product ORDER BY id"):
            found.setdefault(row["planogram_id"], []).append(row)
    return found


async def test_emptied_facing_details_leave_no_place(
    run: Runtime, client_id: ClientId, planograms: Handler, products: list[int]
) -> None:
    first = await planograms.save(PlanogramName="Summer", FacingDetails=details([{"id": products[0]}]))

    saved = await planograms.save(id=first["id"], FacingDetails="")

    assert [saved["data"][name] for name in ("FacingDetails", "Shelves", "Facings")] == ["[]", 0, 0]
    assert await places(run, client_id, first["id"]) == []


UNREADABLE = [
    ("{}", "FacingDetails takes a list of at most 50 shelves"),
    ("[1", "FacingDetails takes JSON text, not '[1'"),
    ("[" * 5000, "FacingDetails takes JSON text, not '" + "[" * 60 + "…'"),
    ("[{}]", 'FacingDetails, shelf 1: takes {"products": […]} with at most 50 places'),
    (
        '[{"products": [{"id": 1}, {"id": "x"}]}]',
        'FacingDetails, shelf 1, place 2: takes {"id": product id}, stackSize from 1 to 5',
    ),
    (
        '[{"products": [{"id": true}]}]',
        'FacingDetails, shelf 1, place 1: takes {"id": product id}, stackSize from 1 to 5',
    ),
    (
        '[{"products": [{"id": 1, "stackSize": 6}]}]',
        'FacingDetails, shelf 1, place 1: takes {"id": product id}, stackSize from 1 to 5',
    ),
    (
        '[{"products": [{"id": 99999999999999999999}]}]',
        'FacingDetails, shelf 1, place 1: takes {"id": product id}, stackSize from 1 to 5',
    ),
    ('[{"products": [{"id": 987654}]}]', "FacingDetails: there is no product with id 987654"),
    (orjson.dumps([{"products": []}] * 51).decode(), "FacingDetails takes a list of at most 50 shelves"),
]


async def test_facing_details_that_cannot_be_read_are_refused_with_the_place(planograms: Handler) -> None:
    for text, reason in UNREADABLE:
        assert await planograms.refused("save", PlanogramName="Summer", FacingDetails=text) == reason

    assert await planograms.records() == []


async def test_a_used_planogram_does_not_change(
    run: Runtime, client_id: ClientId, planograms: Handler, products: list[int]
) -> None:
    a, b, _ = products
    first = await planograms.save(PlanogramName="Summer", FacingDetails=details([{"id": a}]))
    async with run.database.scope(client_id) as connection:
        await use_planogram(connection, first["id"])
    used = (await planograms.load(id=first["id"]))["data"]

    for change in (
        {"FacingDetails": details([{"id": b}])},
        {"FacingDetails": ""},
        {"Name": "Winter"},
        {"Version": 2},
        {"PlanogramUse": "Priority"},
    ):
        assert await planograms.refused("save", id=first["id"], **change) == FROZEN

    assert (await planograms.load(id=first["id"]))["data"] == used
    assert used["UsedOn"] > used["CreatedOn"]
    assert await places(run, client_id, first["id"]) == [(1, 1, a, 1)]


async def test_a_used_planogram_takes_what_does_not_change_it(
    run: Runtime, client_id: ClientId, planograms: Handler, products: list[int]
) -> None:
    first = await planograms.save(PlanogramName="Summer", FacingDetails=details([{"id": products[0]}]))
    async with run.database.scope(client_id) as connection:
        await use_planogram(connection, first["id"])
        rows = await connection.fetch("SELECT id, revision FROM planogram_product")
    same = f'[ {{ "products": [ {{ "id": {products[0]}, "stackSize": 1 }} ] }} ]'

    saved = await planograms.save(PlanogramName="summer", FacingDetails=same, ExternalPlanogramCode="PG-1")

    assert saved["id"] == first["id"]
    assert saved["data"]["ExternalPlanogramCode"] == "PG-1"
    async with run.database.scope(client_id) as connection:
        assert await connection.fetch("SELECT id, revision FROM planogram_product") == rows


async def test_a_duplicate_of_a_used_planogram_can_be_changed(
    run: Runtime, client_id: ClientId, planograms: Handler, products: list[int]
) -> None:
    a, b, _ = products
    first = await planograms.save(PlanogramName="Summer", FacingDetails=details([{"id": a}]))
    async with run.database.scope(client_id) as connection:
        await use_planogram(connection, first["id"])

    copy = await planograms.save(PlanogramName="Summer v2", FacingDetails=first["data"]["FacingDetails"])
    await planograms.save(id=copy["id"], FacingDetails=details([{"id": b}]))

    assert await places(run, client_id, first["id"]) == [(1, 1, a, 1)]
    assert await places(run, client_id, copy["id"]) == [(1, 1, b, 1)]


# Uses


async def test_a_planogram_is_a_layout_unless_another_use_is_sent(planograms: Handler) -> None:
    first = await planograms.save(PlanogramName="Summer")

    second = await planograms.save(PlanogramName="List", PlanogramUse="priority")

    assert (first["data"]["PlanogramUse"], second["data"]["PlanogramUse"]) == ("Layout", "Priority")
    assert await planograms.refused("save", PlanogramName="X", PlanogramUse="Prio") == (
        "PlanogramUse takes Layout, Category, Priority, not 'Prio'"
    )


async def test_a_product_of_a_priorogram_has_one_priority_and_any_number_of_facings(
    run: Runtime, client_id: ClientId, planograms: Handler, products: list[int]
) -> None:
    a, b, _ = products
    twice = details([{"id": a}], [{"id": b}, {"id": a}])
    reason = (
        f"FacingDetails: product {a} has the priorities 1 and 2; it takes one, with an entry for each wanted facing"
    )

    saved = await planograms.save(
        PlanogramName="List", PlanogramUse="Priority", FacingDetails=details([{"id": a}, {"id": a}], [{"id": b}])
    )
    layout = await planograms.save(PlanogramName="Layout", FacingDetails=twice)

    assert await places(run, client_id, saved["id"]) == [(1, 1, a, 1), (1, 2, a, 1), (2, 1, b, 1)]
    assert await planograms.refused("save", id=saved["id"], FacingDetails=twice) == reason
    assert await planograms.refused("save", id=layout["id"], PlanogramUse="Priority") == reason
    assert await places(run, client_id, saved["id"]) == [(1, 1, a, 1), (1, 2, a, 1), (2, 1, b, 1)]


# Copies


async def used(run: Runtime, client_id: ClientId, planogram_id: int) -> None:
    async with run.database.scope(client_id) as connection:
        await use_planogram(connection, planogram_id)


async def test_duplicate_copies_places_use_and_model_under_the_next_version(
    run: Runtime, client_id: ClientId, admin: httpx.AsyncClient, planograms: Handler, products: list[int]
) -> None:
    await Handler(admin, "AssetType").save(Name="ACME 500")
    first = await planograms.save(
        PlanogramName="Summer",
        ExternalPlanogramCode="PG-1",
        PlanogramUse="Category",
        AssetType="ACME 500",
        StartDate="2026-01-31",
        FacingDetails=details([{"id": products[0], "stackSize": 2}], []),
    )
    await used(run, client_id, first["id"])

    second = Handler._done(await planograms.post("duplicate", id=first["id"]))
    third = Handler._done(await planograms.post("duplicate", id=second["id"]))
    fourth = Handler._done(await planograms.post("duplicate", id=first["id"]))

    kept = ("PlanogramUse", "AssetTypeName", "FacingDetails", "Shelves", "Facings")
    assert [second["data"][name] for name in kept] == [first["data"][name] for name in kept]
    assert [item["data"]["PlanogramName"] for item in (second, third, fourth)] == [
        "Summer v2",
        "Summer v3",
        "Summer v4",
    ]
    assert [item["data"]["Version"] for item in (second, third, fourth)] == [2, 3, 4]
    assert [second["data"][name] for name in ("UsedOn", "ExternalPlanogramCode", "StartDate")] == [None, None, None]
    assert await places(run, client_id, second["id"]) == [(1, 1, products[0], 2)]


async def test_duplicate_takes_the_change_that_a_used_planogram_refuses_and_links_its_assets(
    run: Runtime, client_id: ClientId, admin: httpx.AsyncClient, planograms: Handler, products: list[int]
) -> None:
    a, b, _ = products
    first = await planograms.save(PlanogramName="Summer", FacingDetails=details([{"id": a}]))
    await planograms.save(PlanogramName="Winter", FacingDetails=details([{"id": a}]))
    await used(run, client_id, first["id"])
    assets = Handler(admin, "Asset")
    await Handler(admin, "AssetType").save(Name="ACME 500")
    for serial, name in (("1", "Summer"), ("2", "Summer"), ("3", "Winter")):
        await assets.save(SerialNumber=serial, AssetType="ACME 500", PlanogramName=name)

    copy = Handler._done(
        await planograms.post(
            "duplicate", id=first["id"], Name="Autumn", FacingDetails=details([{"id": b}]), RelinkAssets=1
        )
    )

    assert "warnings" not in copy
    linked = {row["SerialNumber"]: row["PlanogramName"] for row in await assets.records()}
    assert linked == {"1": "Autumn", "2": "Autumn", "3": "Winter"}
    assert await places(run, client_id, copy["id"]) == [(1, 1, b, 1)]
    assert await places(run, client_id, first["id"]) == [(1, 1, a, 1)]


async def test_a_duplicate_that_fails_leaves_the_assets_where_they_are(
    admin: httpx.AsyncClient, planograms: Handler, products: list[int]
) -> None:
    first = await planograms.save(PlanogramName="Summer", FacingDetails=details([{"id": products[0]}]))
    await planograms.save(PlanogramName="Winter")
    await Handler(admin, "AssetType").save(Name="ACME 500")
    await Handler(admin, "Asset").save(SerialNumber="1", AssetType="ACME 500", PlanogramName="Summer")

    reasons = [
        await planograms.refused("duplicate", **sent)
        for sent in (
            {"id": first["id"], "PlanogramName": "winter", "RelinkAssets": 1},
            {"id": first["id"], "FacingDetails": details([{"id": 987654}]), "RelinkAssets": 1},
            {"id": 987654},
            {},
        )
    ]

    assert reasons == [
        "Planogram PlanogramName=winter exists already; leave id out to change it",
        "FacingDetails: there is no product with id 987654",
        "There is no Planogram with id 987654",
        "action=duplicate takes the id of the planogram to copy",
    ]
    (asset,) = await Handler(admin, "Asset").records()
    assert asset["PlanogramId"] == first["id"]
    assert len(await planograms.records()) == 2


async def test_two_duplicates_at_once_get_two_names(planograms: Handler) -> None:
    first = await planograms.save(PlanogramName="Summer")

    answers = await asyncio.gather(*(planograms.post("duplicate", id=first["id"]) for _ in range(3)))

    names = {Handler._done(answer)["data"]["PlanogramName"] for answer in answers}
    assert names == {"Summer v2", "Summer v3", "Summer v4"}


async def test_only_who_may_change_planograms_may_duplicate_them_and_only_by_post(
    run: Runtime, app: FastAPI, client_id: ClientId, planograms: Handler
) -> None:
    first = await planograms.save(PlanogramName="Summer")

    by_get = await planograms.http.get(planograms.path, params={"action": "duplicate", "id": first["id"]})
    async with await signed_in_client(run, app, client_id, "installer", Role.INSTALLER) as http:
        refused = await Handler(http, "Planogram").post("duplicate", id=first["id"])

    assert by_get.status_code == 400
    assert by_get.json()["info"] == "action=duplicate takes POST, not GET"
    assert refused.status_code == 403
    assert len(await planograms.records()) == 1


async def test_duplicate_stands_in_the_documents(admin: httpx.AsyncClient) -> None:
    path = (await admin.get("/openapi.json")).json()["paths"]["/controllers/planogram.ashx"]

    actions = {
        method: next(item for item in path[method]["parameters"] if item["name"] == "action")["schema"]["enum"]
        for method in ("get", "post")
    }
    assert "duplicate" in actions["post"]
    assert "duplicate" not in actions["get"]
    assert "RelinkAssets" in {item["name"] for item in path["post"]["parameters"]}
