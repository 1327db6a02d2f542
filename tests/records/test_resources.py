"""Reads of `/api/v1`: pages, cursors, changes, fields, filters, tags."""

from typing import Any
from urllib.parse import quote

import httpx
import pytest
from fastapi import FastAPI

from coldshelf.kit.ids import ClientId
from coldshelf.kit.runtime import Runtime
from tests.records.rows import add_outlets, add_pictures
from tests.records.support import Handler
from tests.support.limits import limit_user, partner, signed_in

LOCATIONS = "/api/v1/locations"


async def page(http: httpx.AsyncClient, path: str = LOCATIONS, **params: object) -> dict[str, Any]:
    answer = await http.get(path, params={name: str(value) for name, value in params.items()})
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


async def problem(http: httpx.AsyncClient, status: int, path: str = LOCATIONS, **params: object) -> dict[str, Any]:
    answer = await http.get(path, params={name: str(value) for name, value in params.items()})
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    return dict(answer.json())


@pytest.fixture
async def outlets(run: Runtime, client_id: ClientId) -> None:
    async with run.database.scope(client_id) as connection:
        await add_outlets(connection, 25)


@pytest.mark.usefixtures("outlets")
async def test_pages_are_followed_by_their_cursor_to_the_end(admin: httpx.AsyncClient) -> None:
    codes, pages, cursor = [], 0, ""
    while True:
        found = await page(admin, limit=10, **({"cursor": cursor} if cursor else {}))
        codes += [record["Code"] for record in found["data"]]
        pages += 1
        if found["next"] is None:
            break
        cursor = found["next"]

    assert pages == 3
    assert codes == [f"L{n}" for n in range(1, 26)]


@pytest.mark.usefixtures("outlets")
async def test_a_page_links_the_next_one(admin: httpx.AsyncClient) -> None:
    first = await admin.get(LOCATIONS, params={"limit": "20", "fields": "Code"})
    address, _, relation = first.headers["link"].partition("; ")

    second = await admin.get(address.strip("<>"))

    assert relation == 'rel="next"'
    assert second.json() == {"data": [{"Code": f"L{n}"} for n in range(21, 26)], "next": None}
    assert "link" not in second.headers


@pytest.mark.usefixtures("outlets")
async def test_records_added_and_deleted_between_pages_shift_none_out_of_sight(admin: httpx.AsyncClient) -> None:
    first = await page(admin, limit=10, fields="Code")
    await Handler(admin, "Location").delete(LocationCode="L3")
    await Handler(admin, "Location").save(Code="L26", Name="Late")

    rest = await page(admin, limit=1000, fields="Code", cursor=first["next"])

    assert [record["Code"] for record in rest["data"]] == [f"L{n}" for n in range(11, 27)]


@pytest.mark.usefixtures("outlets")
async def test_sorted_pages_keep_their_order(admin: httpx.AsyncClient) -> None:
    first = await page(admin, limit=2, sort="-Name", fields="Name")

    second = await page(admin, limit=2, sort="-Name", fields="Name", cursor=first["next"])

    assert [record["Name"] for record in first["data"]] == ["Outlet 9", "Outlet 8"]
    assert [record["Name"] for record in second["data"]] == ["Outlet 7", "Outlet 6"]


@pytest.mark.usefixtures("outlets")
async def test_filters_are_those_of_the_contract(admin: httpx.AsyncClient) -> None:
    city = '{"city": {"operator": "IN", "value": ["City 1", "City 2"]}}'

    assert len((await page(admin, filters=city))["data"]) == 6
    assert (await page(admin, filter=city)) == (await page(admin, filters=city))
    assert [record["Code"] for record in (await page(admin, limit=1, filters='{"Code": "l7"}'))["data"]] == ["L7"]


@pytest.mark.usefixtures("outlets")
async def test_a_pull_by_time_says_until_when_it_is_complete(admin: httpx.AsyncClient) -> None:
    answer = await admin.get(LOCATIONS, params={"filters": '{"ModifiedOn": {"operator": ">", "value": "2024-01-01"}}'})

    assert len(answer.json()["data"]) == 25
    assert answer.headers["x-data-as-of"] >= answer.json()["data"][-1]["ModifiedOn"][:-1]


async def test_changes_are_followed_with_deletions_and_without_an_end(admin: httpx.AsyncClient) -> None:
    handler = Handler(admin, "Location")
    await handler.save(Code="1", Name="A")
    await handler.save(Code="2", Name="B")
    first = await page(admin, f"{LOCATIONS}/changes", limit=1, fields="Code,IsDeleted")
    second = await page(admin, f"{LOCATIONS}/changes", cursor=first["next"], fields="Code,IsDeleted")
    await handler.delete(LocationCode="1")

    third = await page(admin, f"{LOCATIONS}/changes", cursor=second["next"], fields="Code,IsDeleted")
    fourth = await page(admin, f"{LOCATIONS}/changes", cursor=third["next"], fields="Code,IsDeleted")
    by_handler = await handler.page(cursor=second["next"])

    assert (first["data"], first["more"]) == ([{"Code": "1", "IsDeleted": False}], True)
    assert (second["data"], second["more"]) == ([{"Code": "2", "IsDeleted": False}], False)
    assert third["data"] == [{"Code": "1", "IsDeleted": True}]
    assert (fourth["data"], fourth["next"]) == ([], third["next"])
    assert ([record["Code"] for record in by_handler["records"]], by_handler["cursor"]) == (["1"], third["next"])


async def test_an_empty_resource_is_an_empty_page(admin: httpx.AsyncClient) -> None:
    changes = await page(admin, f"{LOCATIONS}/changes")

    assert await page(admin) == {"data": [], "next": None}
    assert changes == {"data": [], "next": changes["next"], "more": False}
    assert await page(admin, f"{LOCATIONS}/changes", cursor=changes["next"]) == changes


UNUSABLE: tuple[tuple[dict[str, str], str, str], ...] = (
    ({"limit": "1001"}, "page_invalid", "limit"),
    ({"limit": "0"}, "page_invalid", "limit"),
    ({"limit": "x"}, "input_invalid", "limit"),
    ({"start": "5"}, "page_invalid", "start"),
    ({"nmae": "x"}, "page_invalid", "nmae"),
    ({"fields": "Code,Nmae"}, "page_invalid", "fields"),
    ({"sort": "Nmae"}, "filter_invalid", "sort"),
    ({"filters": "{"}, "filter_invalid", "filters"),
    ({"filters": '{"Name": {"operator": "~", "value": 1}}'}, "filter_invalid", "filters"),
    ({"filters": "{}", "filter": "{}"}, "page_invalid", "filter"),
)


async def test_what_cannot_be_used_of_a_query_is_named(admin: httpx.AsyncClient) -> None:
    for params, code, parameter in UNUSABLE:
        found = await problem(admin, 400, **params)

        assert found["code"] == code, params
        named = [place.get("parameter") for place in found["errors"]]
        assert named == [parameter], params


@pytest.mark.usefixtures("outlets")
async def test_a_cursor_goes_on_with_what_it_was_made_for_only(admin: httpx.AsyncClient) -> None:
    cursor = (await page(admin, limit=1))["next"]

    for change in ({"sort": "Name"}, {"filters": '{"Name": "x"}'}, {"includeDeleted": "true"}):
        assert (await problem(admin, 410, cursor=cursor, **change))["code"] == "cursor_gone"
    assert (await problem(admin, 410, "/api/v1/assets", cursor=cursor))["code"] == "cursor_gone"
    assert (await problem(admin, 410, cursor="made up"))["code"] == "cursor_gone"
    assert (await problem(admin, 410, f"{LOCATIONS}/changes", cursor="made up"))["code"] == "cursor_gone"


async def test_values_have_real_types(admin: httpx.AsyncClient, run: Runtime, client_id: ClientId) -> None:
    async with run.database.scope(client_id) as connection:
        await add_pictures(connection, 1)
    saved = await Handler(admin, "Location").save(Code="1", Name="A", Latitude="1.234567", IsKeyLocation="true")

    found = (await page(admin))["data"][0]
    image = (await page(admin, "/api/v1/images"))["data"][0]

    assert found["Latitude"] == 1.234567
    assert (found["IsKeyLocation"], found["IsDeleted"], found["City"]) == (True, False, None)
    assert found["ModifiedOn"] == saved["data"]["ModifiedOn"] + "Z"
    assert "RowNumber" not in found
    assert image["ReceivedOn"] == "2026-01-01T00:00:01.000000Z"
    assert image["EventTime"] == "2026-01-01T07:00:01.000000"


async def test_a_planograms_places_are_json_on_both_ways(admin: httpx.AsyncClient) -> None:
    product = await admin.post("/api/v1/products", json={"Name": "Fizz", "SKU": "F", "ShortName": "F"})
    places = [{"products": [{"id": product.json()["ProductId"], "stackSize": 2}]}]

    made = await admin.post("/api/v1/planograms", json={"PlanogramName": "Summer", "FacingDetails": places})

    assert made.status_code == 201, made.text
    assert made.json()["FacingDetails"] == places
    assert (await page(admin, "/api/v1/planograms"))["data"] == [made.json()]


async def test_decimals_keep_every_digit(admin: httpx.AsyncClient) -> None:
    body = b'{"Name": "Fizz", "SKU": "F", "ShortName": "F", "CasePrice": 12345678901234.5678}'

    made = await admin.post("/api/v1/products", content=body, headers={"Content-Type": "application/json"})
    read = await admin.get("/api/v1/products/SKU:f")

    assert b'"CasePrice":12345678901234.5678' in made.content
    assert b'"CasePrice":12345678901234.5678' in read.content


async def test_images_are_read_by_id_and_guid(admin: httpx.AsyncClient, run: Runtime, client_id: ClientId) -> None:
    async with run.database.scope(client_id) as connection:
        await add_pictures(connection, 2)
    newest = (await page(admin, "/api/v1/images", limit=1))["data"][0]

    by_id = await admin.get(f"/api/v1/images/{newest['AssetPurityId']}")
    by_guid = await admin.get(f"/api/v1/images/{newest['UniqueGuid']}")

    assert by_id.json() == by_guid.json() == newest
    assert newest["AssetPurityId"] == 2
    assert (await problem(admin, 404, "/api/v1/images/3"))["code"] == "record_not_found"


async def test_a_record_is_read_by_its_codes(admin: httpx.AsyncClient) -> None:
    for code in ("524", "A/B", "a b:c", "Hà Nội", "x?y#z%"):
        made = await admin.post(LOCATIONS, json={"Code": code, "Name": "Kiosk", "ExternalLocationCode": f"E {code}"})
        quoted = quote(code, safe="")

        for name in ("code:", "LocationCode:", "external:E%20", "EXTERNALLOCATIONCODE:e%20"):
            read = await admin.get(f"{LOCATIONS}/{name}{quoted}")

            assert read.status_code == 200, (name, code, read.text)
            assert read.json() == made.json()


async def test_an_address_of_nothing_is_not_found(admin: httpx.AsyncClient) -> None:
    for address in ("0", "99", "code:none", "name:x", "x", "", "1" * 30, "code:", "code:%00", "-1"):
        found = await problem(admin, 404, f"{LOCATIONS}/{address}")

        assert found["code"] == "record_not_found", address


async def test_a_reader_that_has_the_state_gets_no_body(admin: httpx.AsyncClient) -> None:
    made = await admin.post(LOCATIONS, json={"Code": "1", "Name": "A"})
    path, tag = made.headers["location"], made.headers["etag"]

    read = await admin.get(path)
    known = await admin.get(path, headers={"If-None-Match": f'"other", W/{tag}'})
    await admin.patch(path, json={"Name": "B"})
    changed = await admin.get(path, headers={"If-None-Match": tag})

    assert read.headers["etag"] == tag
    assert (known.status_code, known.content, known.headers["etag"]) == (304, b"", tag)
    assert (changed.status_code, changed.json()["Name"]) == (200, "B")
    assert changed.headers["etag"] != tag


async def test_a_record_cut_to_its_fields_keeps_its_tag_and_hides_what_is_hidden(
    run: Runtime, app: FastAPI, client_id: ClientId, admin: httpx.AsyncClient
) -> None:
    made = (await admin.post(LOCATIONS, json={"Code": "1", "Name": "A", "City": "Graz"})).json()
    place = f"{LOCATIONS}/{made['LocationId']}"
    await limit_user(run, client_id, await partner(run, client_id), hidden=["City"])

    whole, cut = await admin.get(place), await admin.get(place, params={"fields": "name,Code"})
    known = await admin.get(place, params={"fields": "Name"}, headers={"If-None-Match": whole.headers["etag"]})
    async with signed_in(app, "partner") as http:
        paths = (place, LOCATIONS, f"{LOCATIONS}/changes")
        hidden = [await http.get(path, params={"fields": "City"}) for path in paths]

    assert (cut.json(), cut.headers["etag"]) == ({"Name": "A", "Code": "1"}, whole.headers["etag"])
    assert known.status_code == 304
    assert [answer.status_code for answer in hidden] == [400, 400, 400]
    assert all(answer.json()["detail"].startswith("fields: Location has no field 'City'") for answer in hidden)
