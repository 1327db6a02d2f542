"""Lists: paging, sort, formats and what is refused (contract 1.5, 1.7, 1.8, 1.9)."""

import asyncio
from typing import Any

import httpx
import orjson
import pytest
from fastapi import FastAPI

from coldshelf.access.principal import Principal, Role
from coldshelf.entrypoints.bootstrap import registry
from coldshelf.kit.ids import ClientId, UserId
from coldshelf.kit.runtime import Runtime
from coldshelf.kit.web.params import Params
from coldshelf.records.listing import BATCH, list_records, read_list_request
from tests.records.rows import add_outlets, add_pictures
from tests.records.support import Handler, Json


@pytest.fixture
def locations(admin: httpx.AsyncClient) -> Handler:
    return Handler(admin, "Location")


@pytest.fixture
async def outlets(run: Runtime, client_id: ClientId, locations: Handler) -> Handler:
    """The handler of outlets, with 120 of them."""
    async with run.database.scope(client_id) as connection:
        await add_outlets(connection, 120)
    return locations


def codes(records: list[Json]) -> list[str]:
    return [record["Code"] for record in records]


async def test_a_page_has_50_records_unless_a_limit_is_sent(outlets: Handler) -> None:
    page = await outlets.page()

    assert set(page) == {"success", "totalRecords", "records"}
    assert (page["success"], page["totalRecords"], len(page["records"])) == (True, 120, 50)
    assert codes(page["records"]) == [f"L{n}" for n in range(1, 51)]


async def test_start_and_limit_cut_the_list_and_rows_are_numbered_through(outlets: Handler) -> None:
    page = await outlets.page(start=100, limit=30)

    assert page["totalRecords"] == 120
    assert [(record["Code"], record["RowNumber"]) for record in page["records"]] == [
        (f"L{n}", n) for n in range(101, 121)
    ]


async def test_a_start_behind_the_end_gives_no_records_and_the_total(outlets: Handler) -> None:
    assert await outlets.page(start=120) == {"success": True, "totalRecords": 120, "records": []}


async def test_the_published_query_of_a_list_is_taken(outlets: Handler) -> None:
    answer = await outlets.http.get("/Controllers/Location.ashx?action=list&start=0&limit=50&asArray=0")
    posted = await outlets.http.post("/Controllers/Location.ashx?action=list")

    assert answer.json() == posted.json()
    assert "warnings" not in answer.json()


async def test_parameters_have_any_letter_case(outlets: Handler) -> None:
    page = await outlets.page(START=2, Limit=1, SORT="code", Dir="desc")

    assert codes(page["records"]) == ["L97"]


@pytest.mark.parametrize(
    ("params", "reason"),
    [
        ({"limit": 50_001}, "limit is 50001; at most 50000 records fit one page"),
        ({"limit": 0}, "limit is 0; ask for at least 1 record"),
        ({"limit": -5}, "limit is -5; it takes 0 or more"),
        ({"limit": "all"}, "limit takes a whole number, not 'all'."),
        ({"start": -1}, "start is -1; it takes 0 or more"),
        ({"start": 2**62}, f"start is {2**62}; it takes 0 or more"),
        ({"sort": "Colour"}, "sort: Location has no field 'Colour'; a record of action=list has all names"),
        ({"dir": "up"}, "dir is 'up'; it takes ASC or DESC"),
        ({"includeDeleted": "some"}, "includeDeleted takes true, false, 1, 0, yes or no, not 'some'."),
        ({"format": "yaml"}, "format is 'yaml'; a list is given as json, xml, array (or JSON-Array) and csv"),
        ({"asArray": 1, "format": "csv"}, "asArray=1 is the format array, and format is csv: send one of them"),
        (
            {"cursor": "", "start": 5},
            "cursor and start exclude each other: a cursor knows where it stands and its order",
        ),
        (
            {"cursor": "", "sort": "Code"},
            "cursor and sort exclude each other: a cursor knows where it stands and its order",
        ),
    ],
)
async def test_a_page_that_cannot_be_given_is_an_error_in_the_published_shape(
    locations: Handler, params: dict[str, object], reason: str
) -> None:
    assert await locations.page_refused(**params) == reason


async def test_the_largest_limit_is_taken(outlets: Handler) -> None:
    assert len((await outlets.page(limit=50_000))["records"]) == 120


async def test_parameters_without_a_meaning_are_named(outlets: Handler) -> None:
    page = await outlets.page(limit=1, colour="red", SalesRepId=5, _dc=1)

    assert page["warnings"] == [
        "colour was ignored: it is no parameter of this list",
        "SalesRepId was ignored: it is no parameter of this list",
    ]


async def test_a_sort_orders_by_any_field_and_then_by_id(outlets: Handler) -> None:
    ascending = await outlets.records(sort="City", limit=14)
    descending = await outlets.records(sort="city", dir="DESC", limit=2)

    assert codes(ascending) == [f"L{n}" for n in range(10, 121, 10)] + ["L1", "L11"]
    assert codes(descending) == ["L119", "L109"]


async def test_a_sort_pages_without_gaps_over_equal_and_empty_values(outlets: Handler) -> None:
    seen = [
        code
        for start in range(0, 120, 7)
        for code in codes(await outlets.records(sort="Street", dir="DESC", start=start, limit=7))
    ]

    assert sorted(seen) == sorted(f"L{n}" for n in range(1, 121))


async def test_a_sort_may_use_a_name_that_another_record_holds(admin: httpx.AsyncClient) -> None:
    await Handler(admin, "AssetType").save(Name="T")
    for code in ("2", "3", "1"):
        await Handler(admin, "Location").save(Code=code, Name=f"Kiosk {code}")
        await Handler(admin, "Asset").save(SerialNumber=f"S{code}", AssetType="T", LocationCode=code)

    records = await Handler(admin, "Asset").records(sort="Location", dir="desc")

    assert [record["Location"] for record in records] == ["Kiosk 3", "Kiosk 2", "Kiosk 1"]


async def test_images_come_newest_first_but_oldest_first_in_a_delta(
    run: Runtime, client_id: ClientId, admin: httpx.AsyncClient
) -> None:
    async with run.database.scope(client_id) as connection:
        await add_pictures(connection, 3)
    images = Handler(admin, "AssetPurity")

    plain = await images.records()
    ascending = await images.records(dir="asc")
    delta = await images.records({"modifiedOn": {"operator": ">", "value": "2024-08-01T00:00:00"}})

    newest_first = sorted((record["AssetPurityId"] for record in plain), reverse=True)
    assert [record["AssetPurityId"] for record in plain] == newest_first
    assert [record["AssetPurityId"] for record in ascending] == newest_first[::-1]
    assert [record["AssetPurityId"] for record in delta] == newest_first[::-1]


async def test_every_kind_of_value_is_written_as_published(
    run: Runtime, client_id: ClientId, admin: httpx.AsyncClient
) -> None:
    async with run.database.scope(client_id) as connection:
        await add_pictures(connection, 1)
        guid = await connection.fetchval("SELECT guid::text FROM picture")

    record = (await Handler(admin, "AssetPurity").records())[0]

    expected: dict[str, Any] = {
        "UniqueGuid": guid,
        "EventTimeUtc": "2026-01-01T00:00:01.000000",
        "PurityDateTime": "2026-01-01T00:00:01.000000",
        "EventTime": "2026-01-01T07:00:01.000000",
        "IsDeleted": 0,
        "Temperature": 4.5,
        "ImageStatus": "Processed",
        "IsLightOn": None,
        "RowNumber": 1,
    }
    assert {name: record[name] for name in expected} == expected


@pytest.mark.usefixtures("outlets")
async def test_records_carry_every_declared_column_in_order(admin: httpx.AsyncClient) -> None:
    for dataset in registry().listed:
        if not dataset.handler:
            continue
        text = (await Handler(admin, dataset.name).page_answer(limit=1)).content

        assert text.startswith(b'{"success":true,"totalRecords":')
        for record in orjson.loads(text)["records"]:
            assert list(record) == [*(column.wire for column in dataset.columns), "RowNumber"]


async def test_only_the_fields_that_are_named_come_in_that_order(outlets: Handler) -> None:
    page = await outlets.page(fields="city, NAME,code,Name", limit=2)
    numbered = await outlets.page(fields="Code,RowNumber", start=1, limit=1)
    only_numbers = await outlets.page(fields="RowNumber", limit=2)

    assert [list(record.items()) for record in page["records"]] == [
        [("City", "City 1"), ("Name", "Outlet 1"), ("Code", "L1")],
        [("City", "City 2"), ("Name", "Outlet 2"), ("Code", "L2")],
    ]
    assert page["totalRecords"] == 120
    assert numbered["records"] == [{"Code": "L2", "RowNumber": 2}]
    assert only_numbers["records"] == [{"RowNumber": 1}, {"RowNumber": 2}]


async def test_fields_can_be_filtered_and_sorted_by_without_being_given(
    outlets: Handler, admin: httpx.AsyncClient
) -> None:
    assets = Handler(admin, "Asset")
    kind = await Handler(admin, "AssetType").save(Name="Cooler")
    for number in (1, 2):
        await assets.save(SerialNumber=f"S{number}", AssetTypeId=kind["id"], LocationCode=f"L{number}")

    by_city = await outlets.records({"City": "City 3"}, fields="Code", sort="Name", dir="DESC", limit=2)
    of_join = await assets.records({"Location": "Outlet 2"}, fields="SerialNumber", sort="LocationCode")
    shown = await assets.records(fields="Location", sort="LocationCode", dir="DESC")
    delta = await outlets.records({"modifiedOn": {"operator": ">", "value": "2024-08-01"}}, fields="Code", limit=1)

    assert by_city == [{"Code": "L93"}, {"Code": "L83"}]
    assert of_join == [{"SerialNumber": "S2"}]
    assert shown == [{"Location": "Outlet 2"}, {"Location": "Outlet 1"}]
    assert delta == [{"Code": "L1"}]


async def test_a_field_that_is_not_there_is_refused_with_what_may_be_meant(locations: Handler) -> None:
    assert await locations.page_refused(fields="Code,Nmae") == ("fields: Location has no field 'nmae'; is it Name?")
    assert "has no field 'colour'" in await locations.page_refused(fields="colour")
    assert "between two commas" in await locations.page_refused(fields="Code,,Name")


async def test_an_error_ends_the_published_loop(locations: Handler, nobody: httpx.AsyncClient) -> None:
    refused = await locations.page_answer({"colour": "red"})
    unsigned = await Handler(nobody, "Location").page_answer()

    for answer, status in ((refused, 400), (unsigned, 401)):
        assert answer.status_code == status
        assert (answer.json()["totalRecords"], answer.json()["records"]) == (0, [])


def _principal(client_id: ClientId) -> Principal:
    return Principal(client_id, UserId(1), "admin", Role.CLIENT_ADMIN)


async def test_a_large_page_comes_in_parts(run: Runtime, client_id: ClientId) -> None:
    async with run.database.scope(client_id) as connection:
        await add_outlets(connection, 2500)
    request = read_list_request(registry().datasets["Location"], Params([("limit", "2500")]), most=50_000)

    answer = await list_records(run, _principal(client_id), request)

    assert not isinstance(answer.body, bytes)
    assert len([part async for part in answer.body]) == 2500 // BATCH + 3


async def test_a_large_page_is_one_json_document(run: Runtime, client_id: ClientId, locations: Handler) -> None:
    async with run.database.scope(client_id) as connection:
        await add_outlets(connection, 2500)

    page = await locations.page(start=100, limit=2400)

    assert (page["totalRecords"], len(page["records"])) == (2500, 2400)
    assert codes(page["records"]) == [f"L{n}" for n in range(101, 2501)]
    assert page["records"][-1]["RowNumber"] == 2500


async def test_a_caller_that_hangs_up_gives_its_connection_back(
    run: Runtime, app: FastAPI, client_id: ClientId, admin: httpx.AsyncClient
) -> None:
    async with run.database.scope(client_id) as connection:
        await add_outlets(connection, 5000)
    request = admin.build_request("GET", "/controllers/location.ashx", params={"action": "list", "limit": 5000})
    authorization = next(admin.auth.auth_flow(request)).headers["authorization"].encode() if admin.auth else b""
    scope = {
        "type": "http",
        "method": "GET",
        "path": "/controllers/location.ashx",
        "query_string": request.url.query,
        "headers": [(b"authorization", authorization)],
        "app": app,
    }
    asked, half = asyncio.Event(), asyncio.Event()
    parts = 0

    async def receive() -> dict[str, object]:
        if not asked.is_set():
            asked.set()
            return {"type": "http.request", "body": b"", "more_body": False}
        await half.wait()
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        nonlocal parts
        if message["type"] == "http.response.body":
            parts += 1
            half.set()
            await asyncio.sleep(0.05)

    calls = run.settings.pool_size + 5  # more than there are connections
    for _ in range(calls):
        asked.clear()
        half.clear()
        await app(dict(scope), receive, send)

    assert parts == calls
    assert (await Handler(admin, "Location").page(limit=1))["totalRecords"] == 5000
