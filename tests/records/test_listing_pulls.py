"""Long pulls by `start` and `limit` in the order of the key: linear, and without gaps while rows come and go."""

import httpx
import pytest

from coldshelf.kit.ids import ClientId
from coldshelf.kit.runtime import Runtime
from coldshelf.records.listing import FEW
from tests.records.rows import add_outlets, add_pictures
from tests.records.support import Handler, Json


@pytest.fixture
def outlets(admin: httpx.AsyncClient) -> Handler:
    return Handler(admin, "Location")


async def add(run: Runtime, client_id: ClientId, count: int, *, first: int = 1) -> None:
    async with run.database.scope(client_id) as connection:
        await add_outlets(connection, count, first=first)


async def delete(run: Runtime, client_id: ClientId, *codes: str) -> None:
    async with run.database.scope(client_id) as connection:
        await connection.execute("UPDATE location SET is_deleted = true WHERE code = ANY($1)", list(codes))


def codes(page: Json) -> list[str]:
    return [record["Code"] for record in page["records"]]


async def test_rows_deleted_during_a_pull_make_no_page_skip_another(
    run: Runtime, client_id: ClientId, outlets: Handler
) -> None:
    await add(run, client_id, 6)
    first = await outlets.page(limit=2)
    await delete(run, client_id, "L1", "L2", "L5")

    second = await outlets.page(start=2, limit=2)
    third = await outlets.page(start=4, limit=2)

    assert [codes(page) for page in (first, second, third)] == [["L1", "L2"], ["L3", "L4"], ["L6"]]
    assert [page["totalRecords"] for page in (first, second, third)] == [6, 5, 5]
    assert [record["RowNumber"] for record in second["records"]] == [3, 4]


async def test_images_added_during_a_pull_newest_first_double_and_skip_none(
    run: Runtime, client_id: ClientId, admin: httpx.AsyncClient
) -> None:
    images = Handler(admin, "AssetPurity")
    async with run.database.scope(client_id) as connection:
        await add_pictures(connection, 6)
    wanted = [record["AssetPurityId"] for record in await images.records()]

    received = await images.records(limit=2)
    async with run.database.scope(client_id) as connection:
        await add_pictures(connection, 3)
    received += await images.records(start=2, limit=2)
    received += await images.records(start=4, limit=2)

    assert [record["AssetPurityId"] for record in received] == wanted


async def test_the_total_is_counted_once_and_right_where_the_loop_ends(
    run: Runtime, client_id: ClientId, outlets: Handler
) -> None:
    rows = FEW + 500
    await add(run, client_id, rows)
    start, limit, received, totals = 0, 500, [], []
    while True:
        page = await outlets.page(start=start, limit=limit, fields="Code")
        received += codes(page)
        totals.append(page["totalRecords"])
        start += limit
        if start == limit:
            await delete(run, client_id, "L1", "L2", "L700")
        if start == 2 * limit:
            await add(run, client_id, 10, first=rows + 1)
        if start >= page["totalRecords"]:
            break

    assert received == [f"L{n}" for n in range(1, rows + 11) if n != 700]
    assert totals == [rows, rows, rows, rows, rows + 1, rows + 9]


async def test_a_pull_that_shrinks_ends_with_its_last_record(
    run: Runtime, client_id: ClientId, outlets: Handler
) -> None:
    rows = FEW + 500
    await add(run, client_id, rows)
    await outlets.page(limit=1000, fields="Code")
    await delete(run, client_id, *(f"L{n}" for n in range(1500, rows + 1)))

    page = await outlets.page(start=1000, limit=1000, fields="Code")

    assert codes(page) == [f"L{n}" for n in range(1001, 1500)]
    assert page["totalRecords"] == 1499


async def test_filtered_pulls_remember_their_own_place(run: Runtime, client_id: ClientId, outlets: Handler) -> None:
    await add(run, client_id, 40)
    city = {"City": "City 3"}
    first = await outlets.page(city, limit=2)
    other = await outlets.page(limit=2)
    await delete(run, client_id, "L3")

    second = await outlets.page(city, start=2, limit=2)
    plain = await outlets.page(start=2, limit=2)

    assert (codes(first), codes(second)) == (["L3", "L13"], ["L23", "L33"])
    assert (codes(other), codes(plain)) == (["L1", "L2"], ["L4", "L5"])


async def test_another_order_or_a_place_never_reached_is_paged_by_number(
    run: Runtime, client_id: ClientId, outlets: Handler
) -> None:
    await add(run, client_id, 9)
    await outlets.page(limit=2)

    assert codes(await outlets.page(start=2, limit=2, sort="Latitude", dir="DESC")) == ["L7", "L6"]
    assert codes(await outlets.page(start=2, limit=2, sort="LocationId", dir="DESC")) == ["L7", "L6"]
    assert codes(await outlets.page(start=5, limit=2)) == ["L6", "L7"]


async def test_who_comes_back_after_ten_minutes_gets_what_stands_there_by_then(
    run: Runtime, client_id: ClientId, outlets: Handler
) -> None:
    await add(run, client_id, 6)
    await outlets.page(limit=2)
    await delete(run, client_id, "L1")
    async with run.database.system() as owner:
        await owner.execute("UPDATE list_position SET noted_on = noted_on - interval '11 minutes'")

    page = await outlets.page(start=2, limit=2)

    assert (codes(page), page["totalRecords"]) == (["L4", "L5"], 5)


async def test_a_reader_does_not_follow_the_notes_of_another(
    run: Runtime, client_id: ClientId, outlets: Handler, sales_rep: httpx.AsyncClient
) -> None:
    await add(run, client_id, 6)
    await outlets.page(limit=2)
    await delete(run, client_id, "L1")

    theirs = await Handler(sales_rep, "Location").page(start=2, limit=2)

    assert codes(theirs) == ["L4", "L5"]
