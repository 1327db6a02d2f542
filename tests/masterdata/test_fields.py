"""What single fields take and refuse (contract 1.4, 5.1)."""

import httpx
import pytest

from tests.records.support import Handler


@pytest.fixture
def locations(admin: httpx.AsyncClient) -> Handler:
    return Handler(admin, "Location")


@pytest.fixture
def asset_types(admin: httpx.AsyncClient) -> Handler:
    return Handler(admin, "AssetType")


@pytest.fixture
def assets(admin: httpx.AsyncClient) -> Handler:
    return Handler(admin, "Asset")


@pytest.mark.parametrize(
    "path", ["/controllers/Location.ashx", "/Controllers/LOCATION.ashx", "/CONTROLLERS/location.ASHX"]
)
async def test_the_published_sample_saves_an_outlet_under_any_letter_case(admin: httpx.AsyncClient, path: str) -> None:
    query = "?action=save&Code=524&Name=Test Location&ExternalLocationCode=Test-01"

    answer = await admin.post(path + query)
    again = await admin.post(path + "?ACTION=Save&CODE=524&name=Renamed&externallocationcode=TEST-01")

    body = answer.json()
    assert body["success"] is True
    assert {
        name: body["data"][name] for name in ("Code", "LocationCode", "Name", "Location", "ExternalLocationCode")
    } == {
        "Code": "524",
        "LocationCode": "524",
        "Name": "Test Location",
        "Location": "Test Location",
        "ExternalLocationCode": "Test-01",
    }
    assert again.json()["id"] == body["id"]
    assert again.json()["data"]["Name"] == "Renamed"


async def test_the_form_wins_over_the_query_string(admin: httpx.AsyncClient) -> None:
    answer = await admin.post("/controllers/Location.ashx?action=save&Code=1&Name=Query", data={"name": "Form"})

    assert answer.json()["data"]["Name"] == "Form"


async def test_a_json_body_is_taken_with_numbers_booleans_and_nulls(locations: Handler) -> None:
    sent = {"Code": "1", "Name": "Café №1", "Latitude": 21.028511, "IsActive": False, "City": None}

    answer = await locations.http.post(locations.path, params={"action": "save"}, json=sent)

    record = answer.json()["data"]
    assert {name: record[name] for name in sent} == sent


@pytest.mark.parametrize("name", ["SateId", "StateId", "stateid"])
async def test_the_published_spelling_of_a_states_id_is_taken_and_the_right_one_returned(
    admin: httpx.AsyncClient, locations: Handler, name: str
) -> None:
    state = await Handler(admin, "State").save(Name="Hà Nội", Country="Vietnam")

    saved = await locations.save(Code="1", Name="One", **{name: state["id"]})

    assert (saved["data"]["StateId"], saved["data"]["State"]) == (state["id"], "Hà Nội")
    assert "SateId" not in saved["data"]
    assert "warnings" not in saved


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("Pacific Standard Time", "America/Los_Angeles"),
        ("SE ASIA standard time", "Asia/Bangkok"),
        ("Asia/Ho_Chi_Minh", "Asia/Ho_Chi_Minh"),
        ("asia/ho_chi_minh", "Asia/Ho_Chi_Minh"),
        ("UTC", "Etc/UTC"),
    ],
)
async def test_windows_and_iana_zones_come_in_and_iana_is_kept(locations: Handler, sent: str, kept: str) -> None:
    saved = await locations.save(Code="1", Name="One", TimeZone=sent)

    assert saved["data"]["TimeZone"] == kept


@pytest.mark.parametrize("sent", ["Middle Earth", "America", "../../etc/passwd", "localtime"])
async def test_an_unknown_time_zone_is_refused(locations: Handler, sent: str) -> None:
    reason = await locations.refused("save", Code="1", Name="One", TimeZone=sent)

    assert reason == (
        f"TimeZone: there is no TimeZone {sent!r}; use a name such as Asia/Bangkok or Pacific Standard Time"
    )


async def test_lengths_are_those_published_and_counted_in_characters(locations: Handler) -> None:
    saved = await locations.save(Code="é" * 250, Name="One", PostalCode="1" * 12)
    reason = await locations.refused("save", Code="é" * 251, Name="One")
    other = await locations.refused("save", id=saved["id"], PostalCode="1" * 13)

    assert saved["data"]["Code"] == "é" * 250
    assert reason == "Code has 251 characters; at most 250"
    assert other == "PostalCode has 13 characters; at most 12"


async def test_a_required_field_cannot_be_emptied(locations: Handler) -> None:
    saved = await locations.save(Code="1", Name="One")

    assert await locations.refused("save", id=saved["id"], Name="  ") == "Name must not be empty"
    assert (await locations.load(id=saved["id"]))["data"] == saved["data"]


async def test_an_empty_value_clears_a_field_and_gives_a_choice_its_default(
    locations: Handler, asset_types: Handler
) -> None:
    location = await locations.save(Code="1", Name="One", City="Huế", Latitude=16.46)
    kind = await asset_types.save(Name="T", DoorHandleLocation="Right", Orientation="Horizontal", Doors=2)

    cleared = await locations.save(id=location["id"], City="", Latitude="")
    default = await asset_types.save(id=kind["id"], DoorHandleLocation="", Orientation="", Doors="")

    assert (cleared["data"]["City"], cleared["data"]["Latitude"]) == (None, None)
    assert [default["data"][name] for name in ("DoorHandleLocation", "Orientation", "Doors")] == [
        "Left",
        "Vertical",
        None,
    ]


@pytest.mark.parametrize("sent", ["under shelf", "UNDER SHELF", "Under Shelf"])
async def test_choices_are_taken_in_any_letter_case(asset_types: Handler, sent: str) -> None:
    saved = await asset_types.save(Name="T", DoorHandleLocation=sent)

    assert saved["data"]["DoorHandleLocation"] == "Under Shelf"


async def test_another_choice_is_refused_with_the_list(asset_types: Handler) -> None:
    reason = await asset_types.refused("save", Name="T", DoorHandleLocation="Top")

    assert reason == "DoorHandleLocation takes Left, Right, Magnet, Shelf, Under Shelf, not 'Top'"


@pytest.mark.parametrize(
    ("sent", "kept"), [("Yes", True), ("no", False), ("TRUE", True), ("0", False), ("False", False)]
)
async def test_booleans_are_taken_in_words_and_digits(locations: Handler, sent: str, kept: bool) -> None:
    saved = await locations.save(Code="1", Name="One", IsActive=sent)

    assert saved["data"]["IsActive"] is kept


@pytest.mark.parametrize(
    ("name", "sent", "reason"),
    [
        ("IsActive", "maybe", "IsActive takes true or false, not 'maybe'"),
        ("IsActive", "", "IsActive takes true or false, and must not be empty"),
        ("Latitude", "north", "Latitude takes a decimal number, not 'north'"),
        ("Latitude", "1_0", "Latitude takes a decimal number, not '1_0'"),
        ("Latitude", "NaN", "Latitude takes a decimal number, not 'NaN'"),
        ("Latitude", "90.5", "Latitude is 90.5; at most 90"),
        ("Longitude", "-180.000001", "Longitude is -180.000001; at least -180"),
        ("Latitude", "1e400", "Latitude is 1E+400; at most 90"),
    ],
)
async def test_a_value_of_another_kind_is_refused_and_the_field_named(
    locations: Handler, name: str, sent: str, reason: str
) -> None:
    assert await locations.refused("save", Code="1", Name="One", **{name: sent}) == reason


@pytest.mark.parametrize(
    ("name", "sent", "reason"),
    [
        ("Doors", "1.5", "Doors takes a whole number, not '1.5'"),
        ("Doors", "\uff11", "Doors takes a whole number, not '\uff11'"),
        ("Doors", "-1", "Doors is -1; at least 0"),
        ("CabinetHeight", "99999.9999", "CabinetHeight is 99999.9999; at most 99999"),
    ],
)
async def test_counts_and_sizes_are_bounded(asset_types: Handler, name: str, sent: str, reason: str) -> None:
    assert await asset_types.refused("save", Name="T", **{name: sent}) == reason


async def test_what_is_rounded_is_said(admin: httpx.AsyncClient) -> None:
    products = Handler(admin, "Product")
    product = {"Name": "P", "SKU": "1", "ShortName": "P"}

    saved = await products.save(**product, CasePrice="12.34567")
    large = await products.refused("save", **product, CasePrice="99999999999999.99999")
    exact = await products.save(**product, CasePrice="99999999999999.9999")

    assert saved["data"]["CasePrice"] == 12.3457
    assert saved["warnings"] == ["CasePrice was rounded to 12.3457: it keeps 4 decimals"]
    assert large == "CasePrice is 100000000000000.0000; at most 14 digits before the point"
    answer = await admin.get(products.path, params={"action": "load", "id": exact["id"]})
    assert b'"CasePrice":99999999999999.9999,' in answer.content


async def test_two_names_of_one_field_must_agree(assets: Handler, asset_types: Handler) -> None:
    await asset_types.save(Name="T")

    reason = await assets.refused("save", SerialNumber="1", AssetType="T", AssetLocation="Door", InStoreLocation="Wall")

    assert reason == "AssetLocation and InStoreLocation are the same field and say different things"


async def test_names_stand_in_for_ids(admin: httpx.AsyncClient, assets: Handler) -> None:
    location = await Handler(admin, "Location").save(
        Code="524", Name="Kiosk", City="Huế", State="VN-26", PostalCode="49"
    )
    kind = await Handler(admin, "AssetType").save(Name="Acme 500")
    planogram = await Handler(admin, "Planogram").save(PlanogramName="Summer")

    saved = await assets.save(SerialNumber="1", LocationCode="524", AssetType="ACME 500", PlanogramName="summer")

    shown = ("LocationId", "LocationCode", "Location", "City", "State", "PostalCode", "OutletActive")
    assert [saved["data"][name] for name in shown] == [
        location["id"],
        "524",
        "Kiosk",
        "Huế",
        "Thừa Thiên-Huế",
        "49",
        True,
    ]
    assert (saved["data"]["AssetTypeId"], saved["data"]["AssetType"]) == (kind["id"], "Acme 500")
    assert (saved["data"]["PlanogramId"], saved["data"]["PlanogramName"]) == (planogram["id"], "Summer")
    assert "warnings" not in saved


async def test_a_location_is_found_by_its_external_code_too(admin: httpx.AsyncClient, assets: Handler) -> None:
    location = await Handler(admin, "Location").save(Code="524", Name="Kiosk", ExternalLocationCode="X-1")
    await Handler(admin, "AssetType").save(Name="T")

    saved = await assets.save(SerialNumber="1", AssetType="T", ExternalLocationCode="x-1")

    assert saved["data"]["LocationId"] == location["id"]


@pytest.mark.parametrize(
    ("sent", "reason"),
    [
        ({"AssetType": "Nothing"}, "AssetType: there is no AssetType 'Nothing'"),
        ({"AssetTypeId": 99}, "AssetTypeId: there is no AssetType '99'"),
        ({"AssetTypeId": "T"}, "AssetTypeId takes a whole number, not 'T'."),
        ({"AssetType": "T", "LocationCode": "0"}, "LocationCode: there is no Location '0'"),
        ({"AssetType": "T", "AssetTypeId": 2}, "AssetTypeId and AssetType name different records of AssetType"),
        ({"AssetType": ""}, "AssetTypeId must not be empty"),
        ({"AssetTypeId": 0}, "AssetTypeId must not be empty"),
        ({}, "Asset needs AssetTypeId"),
    ],
)
async def test_a_reference_to_nothing_is_refused(
    assets: Handler, asset_types: Handler, sent: dict[str, object], reason: str
) -> None:
    await asset_types.save(Name="T")
    await asset_types.save(Name="U")

    assert await assets.refused("save", SerialNumber="1", **sent) == reason
    assert await assets.records() == []


async def test_a_deleted_record_cannot_be_referred_to(assets: Handler, asset_types: Handler) -> None:
    kind = await asset_types.save(Name="T")
    await asset_types.delete(id=kind["id"])

    reason = await assets.refused("save", SerialNumber="1", AssetTypeId=kind["id"])

    assert reason == f"AssetTypeId: there is no AssetType '{kind['id']}'"


async def test_a_reference_is_emptied_by_zero_or_nothing(admin: httpx.AsyncClient, assets: Handler) -> None:
    await Handler(admin, "Location").save(Code="524", Name="Kiosk")
    await Handler(admin, "AssetType").save(Name="T")
    asset = await assets.save(SerialNumber="1", AssetType="T", LocationCode="524")

    by_zero = await assets.save(id=asset["id"], LocationId=0)
    again = await assets.save(id=asset["id"], LocationCode="524")
    by_nothing = await assets.save(id=asset["id"], LocationCode="")

    assert [by_zero["data"]["LocationCode"], again["data"]["LocationCode"], by_nothing["data"]["LocationCode"]] == [
        None,
        "524",
        None,
    ]


async def test_an_asset_is_no_part_of_itself(assets: Handler, asset_types: Handler) -> None:
    await asset_types.save(Name="T")
    vault = await assets.save(SerialNumber="vault", AssetType="T")
    door = await assets.save(SerialNumber="door", AssetType="T", ParentAssetSerialNumber="Vault")

    reason = await assets.refused("save", id=door["id"], ParentAssetId=door["id"])

    assert door["data"]["ParentAssetId"] == vault["id"]
    assert reason == f"ParentAssetId: Asset {door['id']} cannot refer to itself"


async def test_a_record_in_use_is_not_deleted(assets: Handler, asset_types: Handler) -> None:
    kind = await asset_types.save(Name="T")
    asset = await assets.save(SerialNumber="1", AssetType="T")

    reason = await asset_types.refused("delete", id=kind["id"])
    await assets.delete(id=asset["id"])
    deleted = await asset_types.delete(id=kind["id"])

    assert reason == f"AssetType {kind['id']} is still used by Asset. Change or delete those first."
    assert deleted["data"]["IsDeleted"] == 1


async def test_the_visible_code_may_change_when_the_external_code_finds_the_record(locations: Handler) -> None:
    first = await locations.save(Code="524", Name="One", ExternalLocationCode="X-1")

    renamed = await locations.save(Code="525", ExternalLocationCode="x-1")

    assert renamed["id"] == first["id"]
    assert (renamed["data"]["Code"], renamed["data"]["ExternalLocationCode"]) == ("525", "X-1")


async def test_a_record_found_by_code_takes_its_first_external_code(locations: Handler) -> None:
    first = await locations.save(Code="524", Name="One")

    linked = await locations.save(Code="524", ExternalLocationCode="X-1")

    assert linked["id"] == first["id"]
    assert linked["data"]["ExternalLocationCode"] == "X-1"


async def test_codes_of_two_records_are_never_mixed(locations: Handler) -> None:
    first = await locations.save(Code="524", Name="One", ExternalLocationCode="X-1")
    second = await locations.save(Code="525", Name="Two", ExternalLocationCode="X-2")

    other_external = await locations.refused("save", Code="524", Name="One", ExternalLocationCode="X-9")
    taken = await locations.refused("save", Code="525", ExternalLocationCode="X-1")
    by_id = await locations.refused("save", id=first["id"], ExternalLocationCode="x-2")

    assert other_external == "Location with Code '524' exists already; its ExternalLocationCode is 'X-1'"
    assert taken == "Location with Code '525' exists already"
    assert by_id == "Location with ExternalLocationCode 'x-2' exists already"
    for saved in (first, second):
        assert await locations.load(id=saved["id"]) == saved


async def test_letter_case_of_a_code_changes_by_id_only(locations: Handler) -> None:
    saved = await locations.save(Code="Ägypten", Name="One")

    by_code = await locations.save(Code="ÄGYPTEN", Name="Two")
    by_id = await locations.save(id=saved["id"], Code="ÄGYPTEN")

    assert (by_code["id"], by_code["data"]["Code"], by_code["data"]["Name"]) == (saved["id"], "Ägypten", "Two")
    assert by_id["data"]["Code"] == "ÄGYPTEN"
