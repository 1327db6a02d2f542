"""Reading by cursor: no gap, no clock, no double page."""

import asyncio
import time
from collections.abc import Awaitable, Callable

import httpx
import pytest

from coldshelf.kit.ids import ClientId
from coldshelf.kit.runtime import Runtime
from tests.records.rows import add_outlets, touch_outlets
from tests.records.support import Handler, Json

# The fence waits for every writing transaction of the server, also in other databases: other tests may hold it a while.
PATIENCE_SECONDS = 30


@pytest.fixture
def locations(admin: httpx.AsyncClient) -> Handler:
    return Handler(admin, "Location")


def codes(page: Json) -> list[str]:
    return [record["Code"] for record in page["records"]]


async def eventually(ask: Callable[[], Awaitable[Json]], wanted: list[str]) -> Json:
    """Ask until the fence lets the wanted codes through; give the page."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while codes(page := await ask()) != wanted and time.monotonic() < deadline:  # noqa: ASYNC110  # nobody tells
        await asyncio.sleep(0.05)
    assert codes(page) == wanted
    return page


async def test_a_cursor_goes_on_where_it_stood_until_nothing_is_left(
    run: Runtime, client_id: ClientId, locations: Handler
) -> None:
    async with run.database.scope(client_id) as connection:
        await add_outlets(connection, 5)

    first = await eventually(lambda: locations.page(cursor="", limit=2), ["L1", "L2"])
    second = await locations.page(cursor=first["cursor"], limit=2)
    third = await locations.page(cursor=second["cursor"], limit=50)
    nothing = await locations.page(cursor=third["cursor"])

    assert (codes(second), codes(third)) == (["L3", "L4"], ["L5"])
    assert [page["totalRecords"] for page in (first, second, third, nothing)] == [5, 3, 1, 0]
    assert nothing["records"] == []
    assert (await locations.page(cursor=nothing["cursor"]))["records"] == []


async def test_changes_and_deletions_come_again_behind_the_cursor(
    run: Runtime, client_id: ClientId, locations: Handler
) -> None:
    async with run.database.scope(client_id) as connection:
        await add_outlets(connection, 3)
    cursor = (await eventually(lambda: locations.page(cursor=""), ["L1", "L2", "L3"]))["cursor"]
    async with run.database.scope(client_id) as connection:
        await touch_outlets(connection, "L2")
    async with run.database.scope(client_id) as connection:
        await connection.execute("UPDATE location SET is_deleted = true WHERE code = 'L1'")

    page = await eventually(lambda: locations.page(cursor=cursor), ["L2", "L1"])

    assert [record["IsDeleted"] for record in page["records"]] == [0, 1]


async def test_a_row_written_by_an_open_transaction_comes_after_its_end(
    run: Runtime, client_id: ClientId, locations: Handler
) -> None:
    """The later transaction commits first: its row waits too, so that the cursor never passes the earlier one."""
    async with run.database.scope(client_id) as slow:
        await add_outlets(slow, 1)
        async with run.database.scope(client_id) as quick:
            await add_outlets(quick, 1, first=2)

        during = await locations.page(cursor="")

    after = await eventually(lambda: locations.page(cursor=during["cursor"]), ["L1", "L2"])

    assert during["records"] == []
    assert after["totalRecords"] == 2


async def test_an_empty_list_gives_a_cursor_to_go_on_with(
    run: Runtime, client_id: ClientId, locations: Handler
) -> None:
    empty = await locations.page(cursor="")
    async with run.database.scope(client_id) as connection:
        await add_outlets(connection, 1)

    await eventually(lambda: locations.page(cursor=empty["cursor"]), ["L1"])


async def test_a_cursor_keeps_its_filters(run: Runtime, client_id: ClientId, locations: Handler) -> None:
    async with run.database.scope(client_id) as connection:
        await add_outlets(connection, 30)
    city = {"City": "City 3"}

    first = await eventually(lambda: locations.page(city, cursor="", limit=2), ["L3", "L13"])
    second = await locations.page(city, cursor=first["cursor"], limit=2)

    assert codes(second) == ["L23"]


async def gone(handler: Handler, *filters: Json, cursor: str) -> str:
    answer = await handler.page_answer(*filters, cursor=cursor)
    assert answer.status_code == 410, answer.text
    body = answer.json()
    assert {**body, "info": ""} == {"success": False, "info": "", "totalRecords": 0, "records": []}
    return str(body["info"])


async def test_a_cursor_of_something_else_is_gone(
    admin: httpx.AsyncClient, stranger: httpx.AsyncClient, locations: Handler
) -> None:
    cursor = (await locations.page(cursor=""))["cursor"]
    filtered = (await locations.page({"City": "x"}, cursor=""))["cursor"]
    foreign = "The cursor belongs to another client, dataset, filter or sight"

    assert await gone(Handler(admin, "Asset"), cursor=cursor) == foreign
    assert await gone(Handler(stranger, "Location"), cursor=cursor) == foreign
    assert await gone(locations, {"City": "x"}, cursor=cursor) == foreign
    assert await gone(locations, {"City": "y"}, cursor=filtered) == foreign


@pytest.mark.parametrize("spoil", [lambda text: text[:-1] + "_", lambda _: "nonsense", lambda text: "A" + text])
async def test_a_spoilt_cursor_is_gone(locations: Handler, spoil: Callable[[str], str]) -> None:
    cursor = (await locations.page(cursor=""))["cursor"]

    assert await gone(locations, cursor=spoil(cursor)) == "The cursor was not made by this server"


async def test_a_cursor_survives_a_restore_into_another_server(
    run: Runtime, client_id: ClientId, locations: Handler
) -> None:
    """There transaction ids start again lower; the generation in front of them keeps revisions rising."""
    async with run.database.scope(client_id) as connection:
        await add_outlets(connection, 2)
    cursor = (await eventually(lambda: locations.page(cursor=""), ["L1", "L2"]))["cursor"]
    async with run.database.system() as owner:
        await owner.execute("UPDATE server_generation SET system_identifier = system_identifier + 1")
        await owner.execute("SELECT coldshelf_renew_generation()")
    async with run.database.scope(client_id) as connection:
        await touch_outlets(connection, "L1")

    await eventually(lambda: locations.page(cursor=cursor), ["L1"])
