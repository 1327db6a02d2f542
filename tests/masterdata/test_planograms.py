"""Planograms: their places, and that a used one does not change (contract 5.1, 11 no. 21)."""

import httpx
import orjson
import pytest

from coldshelf.kit.ids import ClientId
from coldshelf.kit.runtime import Runtime
from coldshelf.masterdata.service import planned_places, use_planogram
from tests.records.support import Handler

FROZEN = (
    "Planogram 'Summer' was used for a picture and does not change any more."
    " Save it under a new name and link the assets to that one."
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


async def test_new_facing_details_replace_the_places_and_keep_the_old_rows_as_deleted(
    run: Runtime, client_id: ClientId, planograms: Handler, products: list[int]
) -> None:
    a, b, _ = products
    first = await planograms.save(PlanogramName="Summer", FacingDetails=details([{"id": a}]))

    await planograms.save(id=first["id"], FacingDetails=details([{"id": b}, {"id": a}]))
    untouched = await planograms.save(id=first["id"], StartDate="2026-01-31")

    assert await places(run, client_id, first["id"]) == [(1, 1, b, 1), (1, 2, a, 1)]
    assert untouched["data"]["StartDate"] == "2026-01-31"
    async with run.database.scope(client_id) as connection:
        assert await connection.fetchval("SELECT count(*) FROM planogram_product WHERE is_deleted") == 1


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

    for change in ({"FacingDetails": details([{"id": b}])}, {"FacingDetails": ""}, {"Name": "Winter"}, {"Version": 2}):
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
