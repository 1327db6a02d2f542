"""Writes of `/api/v1`: create, change, put, delete; preconditions, idempotency, places of errors."""

import asyncio
from typing import Any

import httpx

from tests.records.support import Handler

LOCATIONS = "/api/v1/locations"
OUTLET = {"Code": "524", "Name": "Kiosk"}
IS_JSON = {"Content-Type": "application/json"}


def problem(answer: httpx.Response, status: int, code: str) -> dict[str, Any]:
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    body = dict(answer.json())
    assert (body["status"], body["code"], body["type"]) == (status, code, f"urn:coldshelf:error:{code}")
    assert body["requestId"] == answer.headers["x-request-id"]
    return body


def pointers(body: dict[str, Any]) -> list[str]:
    return [place["pointer"] for place in body["errors"]]


async def names(http: httpx.AsyncClient) -> list[str]:
    return [record["Name"] for record in (await http.get(LOCATIONS)).json()["data"]]


async def test_a_created_record_has_an_address_and_a_tag(admin: httpx.AsyncClient) -> None:
    made = await admin.post(LOCATIONS, json=OUTLET)

    read = await admin.get(made.headers["location"])

    assert made.status_code == 201
    assert made.headers["location"] == f"{LOCATIONS}/{made.json()['LocationId']}"
    assert read.json() == made.json()
    assert read.headers["etag"] == made.headers["etag"]


async def test_creating_what_exists_changes_nothing(admin: httpx.AsyncClient) -> None:
    await admin.post(LOCATIONS, json=OUTLET)

    again = await admin.post(LOCATIONS, json={**OUTLET, "Name": "Other"})

    assert problem(again, 409, "record_exists")["cure"] == "PATCH changes it, PUT adds or changes."
    assert await names(admin) == ["Kiosk"]


async def test_only_what_is_sent_changes_and_null_clears(admin: httpx.AsyncClient) -> None:
    made = await admin.post(LOCATIONS, json={**OUTLET, "City": "Hà Nội", "Street": "1"})

    changed = await admin.patch(f"{LOCATIONS}/code:524", json={"City": None, "Code": "525"})

    assert changed.status_code == 200, changed.text
    body = changed.json()
    assert (body["Code"], body["City"], body["Street"], body["Name"]) == ("525", None, "1", "Kiosk")
    assert body["LocationId"] == made.json()["LocationId"]
    assert (await admin.get(f"{LOCATIONS}/code:524")).status_code == 404


async def test_put_adds_or_changes_by_a_code(admin: httpx.AsyncClient) -> None:
    first = await admin.put(f"{LOCATIONS}/external:X-1", json=OUTLET)
    second = await admin.put(f"{LOCATIONS}/external:x-1", json={"Name": "Renamed"})

    assert (first.status_code, second.status_code) == (201, 200)
    assert first.json()["ExternalLocationCode"] == "X-1"
    assert second.json()["Name"] == "Renamed"
    assert second.json()["Code"] == "524"
    assert first.headers["location"] == f"{LOCATIONS}/{second.json()['LocationId']}"


async def test_put_adds_nothing_by_an_id_or_without_what_is_required(admin: httpx.AsyncClient) -> None:
    for number in ("7", "0", "00"):
        problem(await admin.put(f"{LOCATIONS}/{number}", json=OUTLET), 404, "record_not_found")
        problem(await admin.patch(f"{LOCATIONS}/{number}", json=OUTLET), 404, "record_not_found")
    lacking = await admin.put(f"{LOCATIONS}/external:X-1", json={"Name": "A"})
    other = await admin.put(f"{LOCATIONS}/code:524", json={"Code": "525", "Name": "A"})

    assert pointers(problem(lacking, 422, "field_invalid")) == ["/Code"]
    problem(other, 422, "field_invalid")
    assert await names(admin) == []


async def test_put_with_if_none_match_adds_only(admin: httpx.AsyncClient) -> None:
    only_new = {"If-None-Match": "*"}
    first = await admin.put(f"{LOCATIONS}/code:524", json=OUTLET, headers=only_new)
    second = await admin.put(f"{LOCATIONS}/code:524", json={"Name": "B"}, headers=only_new)

    assert first.status_code == 201
    problem(second, 412, "precondition_failed")
    assert await names(admin) == ["Kiosk"]


async def test_a_deleted_record_is_gone_but_for_its_change(admin: httpx.AsyncClient) -> None:
    await admin.post(LOCATIONS, json=OUTLET)

    deleted = await admin.delete(f"{LOCATIONS}/code:524")
    again = await admin.delete(f"{LOCATIONS}/code:524")
    changes = (await admin.get(f"{LOCATIONS}/changes")).json()["data"]

    assert (deleted.status_code, deleted.content) == (204, b"")
    problem(again, 404, "record_not_found")
    assert [(record["Code"], record["IsDeleted"]) for record in changes] == [("524", True)]


async def test_what_is_referred_to_is_not_deleted(admin: httpx.AsyncClient) -> None:
    await admin.post("/api/v1/asset-types", json={"Name": "T"})
    await admin.post("/api/v1/assets", json={"SerialNumber": "S", "AssetType": "T"})

    refused = await admin.delete("/api/v1/asset-types/code:T")

    problem(refused, 409, "record_in_use")
    assert (await admin.get("/api/v1/asset-types/code:T")).status_code == 200


async def test_a_stale_tag_stops_the_change(admin: httpx.AsyncClient) -> None:
    made = await admin.post(LOCATIONS, json=OUTLET)
    await admin.patch(f"{LOCATIONS}/code:524", json={"Name": "Newer"})
    stale = {"If-Match": made.headers["etag"]}

    for method in ("PATCH", "PUT", "DELETE"):
        body = {} if method == "DELETE" else {"json": {"Name": "Stale"}}
        refused = await admin.request(method, f"{LOCATIONS}/code:524", headers=stale, **body)

        problem(refused, 412, "precondition_failed")
    assert await names(admin) == ["Newer"]


async def test_the_right_tag_and_a_star_let_the_change_through(admin: httpx.AsyncClient) -> None:
    made = await admin.post(LOCATIONS, json=OUTLET)
    path = made.headers["location"]

    first = await admin.patch(path, json={"Name": "A"}, headers={"If-Match": f'"x", {made.headers["etag"]}'})
    second = await admin.patch(path, json={"Name": "B"}, headers={"If-Match": "*"})
    weak = await admin.patch(path, json={"Name": "C"}, headers={"If-Match": "W/" + second.headers["etag"]})
    third = await admin.delete(path, headers={"If-Match": second.headers["etag"]})

    assert (first.status_code, second.status_code, third.status_code) == (200, 200, 204)
    problem(weak, 412, "precondition_failed")


async def test_of_two_changes_with_one_tag_one_wins(admin: httpx.AsyncClient) -> None:
    made = await admin.post(LOCATIONS, json=OUTLET)
    tag = {"If-Match": made.headers["etag"]}

    answers = await asyncio.gather(
        *(admin.patch(made.headers["location"], json={"Name": name}, headers=tag) for name in ("A", "B", "C"))
    )

    won = [answer for answer in answers if answer.status_code == 200]
    assert sorted(answer.status_code for answer in answers) == [200, 412, 412]
    assert await names(admin) == [won[0].json()["Name"]]


WRONG: tuple[tuple[dict[str, Any], list[str]], ...] = (
    ({}, ["/Code", "/Name"]),
    ({"Code": "", "Name": None}, ["/Code", "/Name"]),
    ({**OUTLET, "Nmae": 1, "City": 5}, ["/Nmae", "/City"]),
    ({**OUTLET, "ModifiedOn": "2026-01-01"}, ["/ModifiedOn"]),
    ({**OUTLET, "PreSellerRouteId": 5}, ["/PreSellerRouteId"]),
    ({**OUTLET, "name": "Other"}, ["/name"]),
    ({**OUTLET, "Latitude": "1.5"}, ["/Latitude"]),
    ({**OUTLET, "Latitude": 91}, ["/Latitude"]),
    ({**OUTLET, "Latitude": 1.23456789}, ["/Latitude"]),
    ({**OUTLET, "IsActive": 1}, ["/IsActive"]),
    ({**OUTLET, "IsActive": None}, ["/IsActive"]),
    ({**OUTLET, "City": "x" * 51}, ["/City"]),
    ({**OUTLET, "City": "\0"}, ["/City"]),
    ({**OUTLET, "TimeZone": "Mars"}, ["/TimeZone"]),
    ({**OUTLET, "id": 5}, ["/id"]),
    ({**OUTLET, "a/b~": 5}, ["/a~1b~0"]),
)


async def test_every_wrong_place_is_named_and_nothing_is_written(admin: httpx.AsyncClient) -> None:
    for body, places in WRONG:
        refused = await admin.post(LOCATIONS, json=body)

        assert pointers(problem(refused, 422, "field_invalid")) == places, body
    assert await names(admin) == []


UNREADABLE = (b"", b"[]", b"{", b'"x"', b"\xff", b'{"Name": "a", "Name": "b"}', b'{"Name": NaN}', b"[" * 100_000)


async def test_what_is_no_json_object_is_refused(admin: httpx.AsyncClient) -> None:
    for content in UNREADABLE:
        problem(await admin.post(LOCATIONS, content=content, headers=IS_JSON), 422, "field_invalid")


async def test_other_media_types_are_refused(admin: httpx.AsyncClient) -> None:
    form = await admin.post(LOCATIONS, data=OUTLET)
    merge = {"Content-Type": "application/merge-patch+json; charset=utf-8"}
    await admin.post(LOCATIONS, json=OUTLET)
    patched = await admin.patch(f"{LOCATIONS}/code:524", content=b'{"Name": "B"}', headers=merge)

    problem(form, 415, "media_type_unknown")
    assert patched.json()["Name"] == "B"


async def test_a_body_that_is_too_large_is_refused(admin: httpx.AsyncClient) -> None:
    refused = await admin.post(LOCATIONS, json={**OUTLET, "DirectionNotes": "x" * 1_100_000})

    problem(refused, 413, "too_large")


async def test_whole_numbers_are_read_in_every_way_that_json_writes_them(admin: httpx.AsyncClient) -> None:
    for number, kept in ((b"5", 5), (b"6.0", 6), (b"7e0", 7), (b"null", None)):
        body = b'{"Name": "T", "Shelves": ' + number + b"}"

        made = await admin.put("/api/v1/asset-types/code:T", content=body, headers=IS_JSON)

        assert made.json()["Shelves"] == kept, made.text


async def test_what_is_no_whole_number_is_refused(admin: httpx.AsyncClient) -> None:
    for number in (b"5.5", b'"5"', b"1e400", b"1e999999999", b"99999999999999999999", b"[5]", b"true"):
        body = b'{"Name": "T", "Shelves": ' + number + b"}"

        refused = await admin.post("/api/v1/asset-types", content=body, headers=IS_JSON)

        assert pointers(problem(refused, 422, "field_invalid")) == ["/Shelves"], number


async def test_a_reference_to_nothing_is_named(admin: httpx.AsyncClient) -> None:
    by_id = await admin.post("/api/v1/assets", json={"SerialNumber": "S", "AssetTypeId": 77})
    by_name = await admin.post("/api/v1/assets", json={"SerialNumber": "S", "AssetType": "None"})

    assert pointers(problem(by_id, 422, "field_invalid")) == ["/AssetTypeId"]
    assert pointers(problem(by_name, 422, "field_invalid")) == ["/AssetType"]


async def test_a_repeated_create_is_answered_again_with_its_headers(admin: httpx.AsyncClient) -> None:
    key = {"Idempotency-Key": "k-1"}
    first = await admin.post(LOCATIONS, json=OUTLET, headers=key)
    await admin.patch(first.headers["location"], json={"Name": "Later"})

    again = await admin.post(LOCATIONS, json=OUTLET, headers=key)
    other = await admin.post(LOCATIONS, json={**OUTLET, "Name": "Other"}, headers=key)

    assert (again.status_code, again.content) == (201, first.content)
    assert [again.headers[name] for name in ("location", "etag")] == [
        first.headers[name] for name in ("location", "etag")
    ]
    assert again.headers["idempotency-replayed"] == "true"
    assert "idempotency-replayed" not in first.headers
    problem(other, 422, "idempotency_key_reused")
    assert await names(admin) == ["Later"]


async def test_every_write_takes_a_key(admin: httpx.AsyncClient) -> None:
    await admin.post(LOCATIONS, json=OUTLET)
    for method in ("PATCH", "PUT", "DELETE"):
        body = {} if method == "DELETE" else {"json": {"Name": method}}
        key = {"Idempotency-Key": method}

        first = await admin.request(method, f"{LOCATIONS}/code:524", headers=key, **body)
        again = await admin.request(method, f"{LOCATIONS}/code:524", headers=key, **body)

        assert first.status_code == again.status_code == (204 if method == "DELETE" else 200)
        assert (again.content, again.headers["idempotency-replayed"]) == (first.content, "true")


async def test_a_refused_write_leaves_its_key_free(admin: httpx.AsyncClient) -> None:
    key = {"Idempotency-Key": "k-1"}
    refused = await admin.post(LOCATIONS, json={"Code": "524"}, headers=key)

    made = await admin.post(LOCATIONS, json=OUTLET, headers=key)

    assert (refused.status_code, made.status_code) == (422, 201)


async def test_a_cookie_changes_nothing_from_another_site(admin: httpx.AsyncClient, browser: httpx.AsyncClient) -> None:
    await Handler(admin, "Planogram").save(PlanogramName="P")

    crossed = await browser.patch("/api/v1/planograms/code:P", json={"Version": 2}, headers={"Origin": "http://evil"})
    without = await browser.patch("/api/v1/planograms/code:P", json={"Version": 2})
    own = await browser.patch(
        "/api/v1/planograms/code:P", json={"Version": 2}, headers={"Origin": "http://coldshelf.test"}
    )

    problem(crossed, 403, "foreign_origin")
    problem(without, 403, "foreign_origin")
    assert own.json()["Version"] == 2
