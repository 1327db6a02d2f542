"""The filter grammar (contract 1.6) and plain parameters as filters."""

import json

import httpx
import orjson
import pytest
from fastapi import FastAPI

from coldshelf.entrypoints.bootstrap import registry
from coldshelf.kit.ids import ClientId
from coldshelf.kit.runtime import Runtime
from coldshelf.records.errors import FilterInvalid
from coldshelf.records.filters import OPERATORS, parse_filters
from tests.records.rows import add_outlets, add_pictures
from tests.records.support import Handler
from tests.support.limits import limit_user, partner, signed_in

CONDITION = '{"operator": ">", "value": 1}'


@pytest.fixture
async def outlets(run: Runtime, client_id: ClientId, admin: httpx.AsyncClient) -> Handler:
    """Nine outlets: codes L1 to L9, cities City 1 to City 9, latitudes 1 to 9; L7 to L9 have no street."""
    async with run.database.scope(client_id) as connection:
        await add_outlets(connection, 9)
    return Handler(admin, "Location")


FOUND: list[tuple[dict[str, object], str]] = [
    ({"Latitude": {"operator": "=", "value": 3}}, "3"),
    ({"Latitude": {"operator": "!=", "value": 3}}, "12456789"),
    ({"Latitude": {"operator": "<>", "value": "3.0"}}, "12456789"),
    ({"Latitude": {"operator": "<", "value": 3}}, "12"),
    ({"Latitude": {"operator": "<=", "value": 3}}, "123"),
    ({"Latitude": {"operator": ">", "value": 7}}, "89"),
    ({"Latitude": {"operator": ">=", "value": 7.5}}, "89"),
    ({"Latitude": {"operator": "IN", "value": [1, 5, 77]}}, "15"),
    ({"Latitude": {"operator": "not  in", "value": [1, 2, 3, 4]}}, "56789"),
    ({"Latitude": {"operator": "Between", "value": [4, 6]}}, "456"),
    ({"Name": {"operator": "LIKE", "value": "LET 4"}}, "4"),
    ({"Name": {"operator": "LIKE", "value": "%"}}, ""),
    ({"Street": {"operator": "IS NULL"}}, "789"),
    ({"Street": {"operator": "is not null", "value": None}}, "123456"),
    ({"Latitude": 3}, "3"),
    ({"City": "City 3"}, "3"),
    ({"City": "CITY 3"}, ""),
    ({"code": "l3"}, "3"),
    ({"LOCATIONCODE": "L3"}, "3"),
    ({"code": {"operator": "IN", "value": ["l3", "L4", "nothing"]}}, "34"),
    ({"code": {"operator": "NOT IN", "value": ["l3", "L4"]}}, "1256789"),
    ({"code": {"operator": "!=", "value": "l3"}}, "12456789"),
    ({"code": {"operator": ">", "value": "L7"}}, "89"),
    ({"Latitude": [{"operator": ">", "value": 2}, {"operator": "<=", "value": 4}]}, "34"),
    ({"Latitude": {"operator": ">", "value": 5}, "Street": {"operator": "IS NULL"}}, "789"),
    ({"IsActive": True, "Latitude": {"operator": "<", "value": 3}}, "12"),
    ({"IsActive": "no"}, ""),
    ({"IsDeleted": 0, "Latitude": 1}, "1"),
    ({"IsDeleted": 1}, ""),
    ({}, "123456789"),
]
"""Filters, and the numbers of the outlets that they find."""


async def test_every_operator_finds_what_it_says(outlets: Handler) -> None:
    for filters, found in FOUND:
        page = await outlets.page(filters)

        assert [record["Code"] for record in page["records"]] == [f"L{number}" for number in found], filters
        assert page["totalRecords"] == len(found)


async def test_the_published_example_filters_by_time_in_utc(outlets: Handler) -> None:
    text = '{"modifiedOn":{"operator":">","value":"2024-08-01T00:00:00"}}'

    page = (await outlets.http.get(outlets.path, params={"action": "list", "filters": text})).json()

    assert page["totalRecords"] == 9


async def test_a_time_without_a_zone_is_utc(run: Runtime, client_id: ClientId, admin: httpx.AsyncClient) -> None:
    async with run.database.scope(client_id) as connection:
        await add_pictures(connection, 5)

    for operator, value, found in (
        ("<=", "2026-01-01T00:00:02", 2),
        ("<", "2026-01-01T00:00:02.000000Z", 1),
        ("<=", "2026-01-01T07:00:02+07:00", 2),
        ("=", "2026-01-01 00:00:03", 1),
        ("BETWEEN", ["2026-01-01T00:00:02", "2026-01-01T00:00:04"], 3),
        (">", "2026-01-02", 0),
    ):
        page = await Handler(admin, "AssetPurity").page({"receivedOn": {"operator": operator, "value": value}})
        assert page["totalRecords"] == found, value


async def test_guids_local_times_and_numbers_are_filtered_as_their_types(
    run: Runtime, client_id: ClientId, admin: httpx.AsyncClient
) -> None:
    async with run.database.scope(client_id) as connection:
        await add_pictures(connection, 5)
    images = Handler(admin, "AssetPurity")
    wanted = (await images.records())[2]

    for name in ("UniqueGuid", "EventTime", "AssetPurityId", "ImageName"):
        found = await images.records({name: wanted[name]})
        listed = await images.records({name: {"operator": "IN", "value": [wanted[name]]}})
        assert found == listed
        assert [record["AssetPurityId"] for record in found] == [wanted["AssetPurityId"]]
    assert (await images.page({"Temperature": {"operator": ">=", "value": 4.5}}))["totalRecords"] == 5


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("{", "filters is not JSON: Expecting property name enclosed in double quotes: line 1 column 2 (char 1)"),
        ("[1]", 'filters must be an object such as {"modifiedOn": {"operator": ">", "value": "…"}}'),
        ('"x"', 'filters must be an object such as {"modifiedOn": {"operator": ">", "value": "…"}}'),
        ('{"Colour": "red"}', "filters: Location has no field 'Colour'; a record of action=list has all names"),
        (
            '{"a' + "b" * 300 + '": 1}',
            "filters: Location has no field 'a" + "b" * 58 + "…; a record of action=list has all names",
        ),
        (
            '{"City": {"operator": "~", "value": "x"}}',
            f"filters.City: unknown operator '~'; known: {', '.join(OPERATORS)}",
        ),
        (
            '{"city": {"operator": "=", "val": "x"}}',
            "filters.City: unknown key 'val'; a condition takes operator and value",
        ),
        ('{"City": {"operator": "="}}', "filters.City: takes text; for empty fields use IS NULL"),
        ('{"City": null}', "filters.City: takes text; for empty fields use IS NULL"),
        ('{"City": {"value": {"a": 1}}}', "filters.City: takes text"),
        ('{"City": "x", "City": "y"}', "filters is not JSON: it names 'City' twice"),
        ('{"LocationId": "x"}', "filters.LocationId: 'x' is not a whole number"),
        ('{"LocationId": 1.5}', "filters.LocationId: 1.5 is not a whole number"),
        ('{"LocationId": "1_0"}', "filters.LocationId: '1_0' is not a whole number"),
        ('{"LocationId": 9223372036854775808}', "filters.LocationId: 9223372036854775808 is not a whole number"),
        ('{"LocationId": true}', "filters.LocationId: True is not a whole number"),
        ('{"Latitude": NaN}', "filters.Latitude: nan is not a decimal number"),
        ('{"Latitude": 1e999}', "filters.Latitude: inf is not a decimal number"),
        ('{"ModifiedOn": "yesterday"}', "filters.ModifiedOn: 'yesterday' is not a time such as 2024-08-01T00:00:00"),
        (
            '{"ModifiedOn": "0001-01-01T00:00:00+10:00"}',
            "filters.ModifiedOn: '0001-01-01T00:00:00+10:00' is not a time such as 2024-08-01T00:00:00",
        ),
        ('{"IsActive": "maybe"}', "filters.IsActive: 'maybe' is not true or false"),
        ('{"City": {"operator": "IN", "value": "x"}}', "filters.City: IN takes a list"),
        ('{"City": {"operator": "IN", "value": []}}', "filters.City: IN takes 1 to 1000 values"),
        ('{"City": {"operator": "BETWEEN", "value": ["x"]}}', "filters.City: BETWEEN takes two values"),
        ('{"LocationId": {"operator": "LIKE", "value": "1"}}', "filters.LocationId: LIKE takes a text field"),
        ('{"City": "\\ud800"}', "filters.City: '\\ud800' is not text"),
        ('{"City": {"operator": "LIKE", "value": "\\u0000"}}', "filters.City: '\\x00' is not text"),
        ("[" * 100_000, "filters is not JSON: it is nested too deeply"),
        (
            '{"LocationId": ' + "9" * 5000 + "}",
            "filters is not JSON: a number in it has too many digits",
        ),
    ],
    ids=range(29),
)
def test_what_cannot_be_used_is_an_error_that_names_the_place(text: str, reason: str) -> None:
    with pytest.raises(FilterInvalid) as caught:
        parse_filters(registry().datasets["Location"], text)

    assert caught.value.message == reason


async def test_a_filter_that_cannot_be_used_is_answered_in_the_published_shape(outlets: Handler) -> None:
    for filters in ({"Colour": "red"}, {"City": "\ud800"}, {"City": {"operator": "LIKE", "value": "\x00"}}):
        answer = await outlets.post("list", filters=json.dumps(filters))

        assert answer.status_code == 400
        assert {**answer.json(), "info": ""} == {"success": False, "info": "", "totalRecords": 0, "records": []}


@pytest.mark.parametrize("part", ["[]", "[1, 2]", f"[{CONDITION}, 5]"])
def test_a_list_of_values_is_refused_with_the_cure(part: str) -> None:
    with pytest.raises(FilterInvalid) as caught:
        parse_filters(registry().datasets["Location"], f'{{"LocationId": {part}}}')

    assert caught.value.message == (
        f"filters.LocationId: a list takes conditions such as {CONDITION};"
        ' for any of several values send {"operator": "IN", "value": […]}'
    )


async def test_the_number_of_values_and_conditions_is_bounded(outlets: Handler) -> None:
    many = await outlets.page_refused(
        orjson.dumps({"LocationId": {"operator": "IN", "value": [*range(1001)]}}).decode()
    )
    long = await outlets.page_refused(orjson.dumps({"LocationId": [{"value": 1}] * 101}).decode())
    most = await outlets.post(
        "list", filters=orjson.dumps({"Latitude": {"operator": "IN", "value": [*range(1000)]}}).decode()
    )

    assert many == "filters.LocationId: IN takes 1 to 1000 values"
    assert long == "filters has 101 conditions; at most 100"
    assert most.json()["totalRecords"] == 9


async def test_plain_parameters_filter_by_id_and_take_comma_lists(admin: httpx.AsyncClient) -> None:
    assets, locations = Handler(admin, "Asset"), Handler(admin, "Location")
    await Handler(admin, "AssetType").save(Name="T")
    ids = [(await locations.save(Code=code, Name=code))["id"] for code in "abc"]
    for code in "abc":
        await assets.save(SerialNumber=code, AssetType="T", LocationCode=code)

    one = await assets.records(LocationId=ids[1])
    two = await assets.records(locationid=f"{ids[0]}, {ids[2]}")
    both = await assets.records({"SerialNumber": "A"}, LocationId=f"{ids[0]},{ids[2]}")
    empty = await assets.records(LocationId="")

    assert [[record["SerialNumber"] for record in found] for found in (one, two, both, empty)] == [
        ["b"],
        ["a", "c"],
        ["a"],
        ["a", "b", "c"],
    ]
    assert await assets.page_refused(LocationId="x") == "LocationId: 'x' is not a whole number"


async def test_names_that_other_records_hold_can_be_filtered(admin: httpx.AsyncClient) -> None:
    await Handler(admin, "AssetType").save(Name="T")
    await Handler(admin, "Location").save(Code="a", Name="Kiosk", City="Huế")
    await Handler(admin, "Asset").save(SerialNumber="1", AssetType="T", LocationCode="a")
    await Handler(admin, "Asset").save(SerialNumber="2", AssetType="T")
    assets = Handler(admin, "Asset")

    for filters in (
        {"City": "Huế"},
        {"AssetType": "t", "LocationCode": "A"},
        {"Location": {"operator": "LIKE", "value": "KIO"}},
    ):
        page = await assets.page(filters)
        assert (page["totalRecords"], page["records"][0]["SerialNumber"]) == (1, "1")
    assert (await assets.page({"LocationCode": {"operator": "IS NULL"}}))["totalRecords"] == 1


PLAIN: list[tuple[list[tuple[str, str]], str]] = [
    ([("search_Name", "LET 4")], "4"),
    ([("match_name", "outlet 7")], "7"),
    ([("match_Name", "7 outlet")], "7"),
    ([("match_Name", "7 kiosk")], ""),
    ([("Latitude_From", "3"), ("latitude_to", "5")], "345"),
    ([("Latitude_From", "8")], "89"),
    ([("Code[]", "l3"), ("Code[]", "L5"), ("code[]", "none")], "35"),
    ([("Latitude", "3"), ("Latitude_operator", ">=")], "3456789"),
    ([("Latitude", "2,4"), ("Latitude_operator", "not in")], "1356789"),
    ([("Latitude", "2,4"), ("Latitude_operator", "between")], "234"),
    ([("Name", "LET 4"), ("Name_operator", "like")], "4"),
    ([("Name", "4 outlet"), ("Name_operator", "MATCH")], "4"),
    ([("Street_operator", "IS NULL")], "789"),
    ([("Latitude", ""), ("Latitude_operator", ">")], "123456789"),
    ([("search_Name", "")], "123456789"),
    ([("search_Name", "Outlet"), ("Latitude_To", "2"), ("filters", '{"Code": "L2"}')], "2"),
]
"""Plain parameters, and the numbers of the outlets that they find."""


async def test_plain_parameters_filter_as_in_the_old_list_service(outlets: Handler) -> None:
    for sent, found in PLAIN:
        for answer in (
            await outlets.http.get(outlets.path, params=httpx.QueryParams([("action", "list"), *sent])),
            await outlets.http.post(
                outlets.path,
                content=str(httpx.QueryParams([("action", "list"), *sent])),
                headers={"content-type": "application/x-www-form-urlencoded"},
            ),
        ):
            page = answer.json()

            assert [record["Code"] for record in page["records"]] == [f"L{number}" for number in found], sent
            assert "warnings" not in page, sent


@pytest.mark.parametrize(
    ("sent", "reason"),
    [
        (
            {"search_Colour": "red"},
            "search_Colour: Location has no field 'colour'; a record of action=list has all names",
        ),
        ({"Nmae[]": "x"}, "Nmae[]: Location has no field 'nmae'; is it Name?"),
        ({"search_Latitude": "4"}, "search_Latitude: LIKE takes a text field"),
        ({"Latitude_From": "north"}, "Latitude_From: 'north' is not a decimal number"),
        ({"Latitude_operator": ">"}, "Latitude_operator: Latitude is missing; send the value that is compared"),
        ({"Latitude": "1", "Latitude_operator": "~"}, "Latitude_operator: unknown operator '~'; known"),
        ({"match_Name": " ".join("word" for _ in range(21))}, "match_Name: takes 1 to 20 words"),
        ({"Latitude": "1,2,3", "Latitude_operator": "BETWEEN"}, "Latitude_operator: BETWEEN takes two values"),
    ],
)
async def test_a_plain_parameter_that_cannot_be_used_is_named_with_the_cure(
    outlets: Handler, sent: dict[str, str], reason: str
) -> None:
    if "~" in reason:
        reason = f"Latitude_operator: unknown operator '~'; known: {', '.join(OPERATORS)}"

    assert await outlets.page_refused(**sent) == reason


async def test_images_take_comma_lists_of_outlet_codes_and_serial_numbers(
    run: Runtime, client_id: ClientId, admin: httpx.AsyncClient
) -> None:
    async with run.database.scope(client_id) as connection:
        await add_pictures(connection, 4)
        await connection.execute("UPDATE picture SET location_code = 'L' || id % 4, serial_number = 'S,' || id % 4")
    images = Handler(admin, "AssetPurity")

    found = await images.records(OutletCode="L1, L3", fields="LocationCode", sort="LocationCode")
    none = await images.records(AssetSerialNumber="S,1")
    refused = await images.page_refused(OutletCode=",".join(f"L{n}" for n in range(1001)))

    assert found == [{"LocationCode": "L1"}, {"LocationCode": "L3"}]
    assert none == []  # a serial number with a comma is asked for by filters
    assert refused == "OutletCode: IN takes 1 to 1000 values"


async def test_images_take_yes_or_no_for_latest_verified_competition_and_purity(
    run: Runtime, client_id: ClientId, admin: httpx.AsyncClient
) -> None:
    async with run.database.scope(client_id) as connection:
        await add_pictures(connection, 6)
        kind = await connection.fetchval(
            "INSERT INTO asset_type (client_id, name) VALUES ($1, 'T') RETURNING id", client_id
        )
        await connection.execute(
            "INSERT INTO asset (client_id, serial_number, asset_type_id) VALUES ($1, 'A', $2), ($1, 'B', $2)",
            client_id,
            kind,
        )
        await connection.execute(
            "UPDATE picture SET asset_id = (SELECT min(id) FROM asset) + id % 2, verified_on = NULL WHERE id < 6"
        )
        await connection.execute("UPDATE picture SET verified_on = now() WHERE id = 2")
        await connection.execute("UPDATE picture SET is_deleted = true WHERE id = 5")
        await connection.execute(
            "WITH made AS (INSERT INTO recognition_result (client_id, picture_id, number, event_id, recogniser,"
            " recogniser_version, is_served, shelves, purity_status)"
            " SELECT $1, n, 1, gen_random_uuid(), 'r', '1', true, '[]', '' FROM generate_series(1, 2) AS n"
            " RETURNING id, picture_id)"
            " INSERT INTO picture_kpi (client_id, picture_id, result_id, competition, purity_percentage)"
            " SELECT $1, picture_id, id, picture_id = 1, CASE picture_id WHEN 1 THEN 80 ELSE 100 END FROM made",
            client_id,
        )
    images = Handler(admin, "AssetPurity")

    async def found(**sent: object) -> list[int]:
        page = await admin.get(
            "/api/v1/images", params={"sort": "AssetPurityId", "fields": "AssetPurityId", **_text(sent)}
        )
        ids = [record["AssetPurityId"] for record in await images.records(**sent, sort="AssetPurityId")]
        assert [record["AssetPurityId"] for record in page.json()["data"]] == ids, sent
        return ids

    assert await found(isLatest="true") == [3, 4]
    assert await found(isLatest=0) == [1, 2, 6]
    assert await found(isLatest=1, AssetId=(await images.records(isLatest=1))[0]["AssetId"]) == [4]
    assert await found(IsVerified="True") == [2]
    assert await found(IsVerified="False") == [1, 3, 4, 6]
    assert (await found(Competition=1), await found(Competition=0)) == ([1], [2])
    assert (await found(purityissue=1), await found(PurityIssue=0)) == ([1], [2])
    assert await found(isLatest="") == [1, 2, 3, 4, 6]
    assert "isLatest" in await images.page_refused(isLatest="perhaps")


def _text(sent: dict[str, object]) -> dict[str, str]:
    return {name: str(value) for name, value in sent.items()}


@pytest.mark.parametrize(("name", "cure"), [("SmartDeviceId", "AssetId"), ("SalesRepId", "LocationId")])
async def test_a_published_filter_that_cannot_be_answered_is_an_error_with_the_cure(
    admin: httpx.AsyncClient, name: str, cure: str
) -> None:
    reason = await Handler(admin, "AssetPurity").page_refused(**{name: 1})

    assert reason.startswith(f"{name}: AssetPurity cannot be filtered by it")
    assert cure in reason


async def test_who_does_not_see_a_field_has_no_yes_or_no_of_it(
    run: Runtime, app: FastAPI, client_id: ClientId, admin: httpx.AsyncClient
) -> None:
    await limit_user(run, client_id, await partner(run, client_id), hidden=["AssetPurity.PurityPercentage"])

    async with signed_in(app, "partner") as http:
        page = await http.get("/api/v1/images", params={"PurityIssue": "true"})

    assert (await admin.get("/api/v1/images", params={"PurityIssue": "true"})).status_code == 200
    assert page.status_code == 400
    assert "PurityPercentage" in page.json()["detail"]
