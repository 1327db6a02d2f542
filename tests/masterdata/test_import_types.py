"""What each type of import writes (contract 5.2 to 5.4): keys, side effects, all or nothing, undo."""

from datetime import UTC, datetime

import httpx
import pytest

from coldshelf.access.principal import Role
from coldshelf.kit.ids import ClientId
from coldshelf.kit.runtime import Runtime
from tests.conftest import signed_in_client
from tests.masterdata.import_support import PATH, Importer, as_csv, as_json
from tests.records.support import Handler, Json

TYPE = {
    "Asset Type": "Acme 500",
    "Model Number": "500",
    "Manufacturer": "Acme",
    "Orientation Type": "vertical",
    "Door Handle Location": "under shelf",
}
OUTLET = {"Code": "OUT-1", "Name": "Corner", "Street": "1 Main Street"}
PRODUCT = {
    "Product": "Fizz Lime",
    "SKU": "FZ-1",
    "Packaging Type": "Can",
    "Measurement Unit": "ml",
    "Short Name": "Lime",
}


async def _records(http: httpx.AsyncClient, name: str) -> list[Json]:
    return await Handler(http, name).records()


async def _one(http: httpx.AsyncClient, name: str) -> Json:
    (record,) = await _records(http, name)
    return record


def _errors(answer: Json) -> list[tuple[int, str, str]]:
    assert answer["success"] is False, answer
    return [(item["row"], item["column"], item["message"]) for item in answer["errors"]]


async def test_the_answer_of_an_import_is_that_of_the_contract(admin: httpx.AsyncClient) -> None:
    done = await Importer(admin, "assettype").rows([TYPE])
    refused = await Importer(admin, "AssetType").rows([{**TYPE, "Manufacturer": ""}])

    assert {**done, "importId": ""} == {
        "success": True, "importId": "", "type": "AssetType", "totalRows": 1, "inserted": 1, "updated": 0, "errors": [],
    }  # fmt: skip
    assert {**refused, "importId": ""} == {
        "success": False,
        "importId": "",
        "totalRows": 1,
        "errorCount": 1,
        "errors": [
            {"row": 2, "column": "Manufacturer", "value": "", "message": "Missing required field: Manufacturer"}
        ],
    }
    assert len(done["importId"]) == len(refused["importId"]) == 36


async def test_asset_types_are_found_by_model_and_manufacturer_and_keep_what_is_left_empty(
    admin: httpx.AsyncClient,
) -> None:
    importer = Importer(admin, "AssetType")
    await importer.done([{**TYPE, "Shelves": 5, "External Code": "T-1"}])

    again = await importer.done([{**TYPE, "Asset Type": "ACME 500 new", "Manufacturer": "ACME", "Shelves": ""}])
    other = await importer.done([{**TYPE, "Asset Type": "Beta 500", "Manufacturer": "Beta"}])

    assert (again["inserted"], again["updated"]) == (0, 1)
    assert (other["inserted"], other["updated"]) == (1, 0)
    first, second = await _records(admin, "AssetType")
    assert (first["Name"], first["Shelves"], first["DoorHandleLocation"]) == ("ACME 500 new", 5, "Under Shelf")
    assert (second["Name"], second["Manufacturer"]) == ("Beta 500", "Beta")
    assert [maker["Name"] for maker in await _records(admin, "Manufacturer")] == ["Acme", "Beta"]


async def test_the_external_code_finds_what_the_key_does_not(admin: httpx.AsyncClient) -> None:
    importer = Importer(admin, "AssetType")
    await importer.done([{**TYPE, "External Code": "T-1"}])

    answer = await importer.done([{**TYPE, "Model Number": "501", "External Code": "t-1"}])

    assert (answer["inserted"], answer["updated"]) == (0, 1)
    record = await _one(admin, "AssetType")
    assert (record["ModelNumber"], record["ExternalAssetTypeCode"]) == ("501", "t-1")


async def test_a_unique_value_of_another_record_is_refused_in_phase_2(admin: httpx.AsyncClient) -> None:
    importer = Importer(admin, "AssetType")
    await importer.done([TYPE])

    refused = await importer.rows([{**TYPE, "Model Number": "501"}])

    assert _errors(refused) == [(2, "Asset Type", "Asset Type 'Acme 500' cannot be used: another AssetType has it")]


async def test_one_bad_cell_in_the_last_row_writes_nothing_of_the_file(admin: httpx.AsyncClient) -> None:
    rows = [{**OUTLET, "Code": f"OUT-{number}", "Market": "East"} for number in range(50)]
    rows[-1]["Country"] = "Atlantis"

    refused = await Importer(admin, "Outlet").rows(rows)

    assert _errors(refused) == [(51, "Country", "Country: there is no Country 'Atlantis'")]
    assert refused["totalRows"] == 50
    for name in ("Location", "Market", "Country"):
        assert await _records(admin, name) == [], name


async def test_outlets_bring_their_assets_contacts_reps_and_devices(admin: httpx.AsyncClient) -> None:
    await Importer(admin, "AssetType").done([TYPE])
    await Importer(admin, "User").done(
        [{"First Name": "Ann", "Last Name": "Lee", "Email": "Ann@Example.org", "Phone": "1", "Role": "sales rep"}]
    )
    row = {
        **OUTLET, "State": "California", "Country": "United States", "TimeZone": "Pacific Standard Time",
        "Active": "No",
        "IsKeyOutlet": "yes", "Market": "West", "Channel": "Kiosk", "Contact Name": "Bob", "Contact Phone": "2",
        "Sales Rep Email": "ANN@example.org", "Primary Sales Rep": "Yes", "Asset Type": "acme 500",
        "Asset Name": "SN-1",
        "Smart Device Serial": "CAM-1", "Smart Device Type": "Camera", "Smart Device IMEI": "847",
    }  # fmt: skip

    answer = await Importer(admin, "Outlet").done(
        [row, {**OUTLET, "Asset Name": "SN-2", "Asset Type": "Acme 500", "Contact Name": "Bob"}]
    )

    assert (answer["totalRows"], answer["inserted"], answer["updated"]) == (2, 1, 0)
    outlet = await _one(admin, "Location")
    shown = {name: outlet[name] for name in ("Code", "State", "Country", "TimeZone", "MarketName", "Channel")}
    assert shown == {
        "Code": "OUT-1", "State": "California", "Country": "United States", "TimeZone": "America/Los_Angeles",
        "MarketName": "West", "Channel": "Kiosk",
    }  # fmt: skip
    assert (outlet["IsActive"], outlet["IsKeyLocation"], outlet["PrimarySalesRep"]) == (False, True, "ann@example.org")
    assets = await _records(admin, "Asset")
    assert [(asset["SerialNumber"], asset["LocationCode"]) for asset in assets] == [
        ("SN-1", "OUT-1"),
        ("SN-2", "OUT-1"),
    ]
    device = await _one(admin, "SmartDevice")
    assert (device["AssetSerialNumber"], device["SmartDeviceType"], device["IMEI"]) == ("SN-1", "Camera", "847")
    assert (await _one(admin, "Contact"))["LocationCode"] == "OUT-1"
    assert (await _one(admin, "SalesRep"))["SalesRepEmail"] == "ann@example.org"


async def test_the_same_outlet_file_again_changes_no_row(admin: httpx.AsyncClient) -> None:
    await Importer(admin, "AssetType").done([TYPE])
    rows = [{**OUTLET, "Market": "East", "Asset Name": "SN-1", "Asset Type": "Acme 500", "Contact Name": "Bob"}]
    await Importer(admin, "Outlet").done(rows)
    before = {name: await _records(admin, name) for name in ("Location", "Asset", "Contact", "Market")}

    again = await Importer(admin, "Outlet").done(rows)

    assert (again["inserted"], again["updated"]) == (0, 1)
    assert {name: await _records(admin, name) for name in before} == before
    run = (await _records(admin, "ImportRun"))[0]
    assert (run["Updated"], run["Unchanged"], run["State"]) == (1, 1, "done")


async def test_an_outlet_of_several_rows_must_say_the_same(admin: httpx.AsyncClient) -> None:
    refused = await Importer(admin, "Outlet").rows([OUTLET, {**OUTLET, "Name": "Other"}])

    assert _errors(refused) == [(3, "Name", "Row 2 says another Name for the same Location")]


async def test_a_new_asset_of_an_outlet_needs_its_type(admin: httpx.AsyncClient) -> None:
    refused = await Importer(admin, "Outlet").rows([{**OUTLET, "Asset Name": "SN-1"}, {**OUTLET, "Asset Notes": "x"}])

    assert _errors(refused) == [
        (2, "Asset Type", "Missing required field: Asset Type"),
        (3, "Asset Name", "Missing required field: Asset Name"),
    ]


async def test_cells_for_people_change_neither_the_sales_rep_nor_the_asset_type(admin: httpx.AsyncClient) -> None:
    await Importer(admin, "AssetType").done([TYPE])
    await Importer(admin, "User").done(
        [{"First Name": "Ann", "Last Name": "Lee", "Email": "ann@example.org", "Phone": "1", "Role": "Sales Rep"}]
    )
    before = {name: await _records(admin, name) for name in ("User", "AssetType", "Manufacturer")}
    row = {
        **OUTLET, "Sales Rep Email": "ann@example.org", "Sales Rep First Name": "Bea", "Sales Rep Last Name": "May",
        "Sales Rep Phone": "2", "Sales Rep Role": "Installer", "Asset Name": "SN-1", "Asset Type": "Acme 500",
        "Asset Model Number": "900",
    }  # fmt: skip

    await Importer(admin, "Outlet").done([{**row, "Asset Manufacturer": "acme"}])
    refused = await Importer(admin, "Outlet").rows([{**row, "Asset Manufacturer": "Nobody"}])

    assert {name: await _records(admin, name) for name in before} == before
    assert _errors(refused) == [
        (2, "Asset Manufacturer", "Asset Manufacturer: there is no Manufacturer 'Nobody'"),
    ]


async def test_a_state_of_another_country_is_refused(admin: httpx.AsyncClient) -> None:
    refused = await Importer(admin, "Outlet").rows([{**OUTLET, "State": "California", "Country": "Germany"}])

    assert [(row, column) for row, column, _ in _errors(refused)] == [(2, "State")]


async def test_a_new_brand_needs_a_manufacturer_and_marks_its_products(admin: httpx.AsyncClient) -> None:
    await Handler(admin, "Manufacturer").save(Name="Rival", IsForeign="true")
    importer = Importer(admin, "Product")

    refused = await importer.rows([{**PRODUCT, "Brand": "Fizz"}])
    await importer.done([{**PRODUCT, "Brand": "Fizz", "Manufacturer Name": "Rival", "Product Category": "Soda"}])
    await importer.done([{**PRODUCT, "Product": "Fizz Two", "SKU": "FZ-2", "Brand": "FIZZ", "Foreign": "No"}])

    assert _errors(refused) == [(2, "Manufacturer Name", "Missing required field: Manufacturer Name")]
    first, second = [item for item in await _records(admin, "Product") if item["SKU"].startswith("FZ")]
    assert (first["IsForeign"], first["Manufacturer"], first["ProductCategory"]) == (True, "Rival", "Soda")
    assert (second["IsForeign"], second["BrandName"], second["Manufacturer"]) == (False, "Fizz", "Rival")
    assert [brand["Name"] for brand in await _records(admin, "Brand")] == ["Fizz"]


async def test_users_are_found_by_their_e_mail_in_lower_case(admin: httpx.AsyncClient) -> None:
    user = {"First Name": "Ann", "Last Name": "Lee", "Email": "Ann@Example.org", "Phone": "1", "Role": "Installer"}
    importer = Importer(admin, "User")

    first = await importer.done([user])
    second = await importer.done([{**user, "Email": "ANN@EXAMPLE.ORG", "Phone": "2"}])

    assert (first["inserted"], second["updated"]) == (1, 1)
    found = [item for item in await _records(admin, "User") if item["PrimaryEmail"] == "ann@example.org"]
    assert [(item["PrimaryPhone"], item["Username"]) for item in found] == [("2", "ann@example.org")]


async def test_parents_are_linked_by_their_serial_number(admin: httpx.AsyncClient) -> None:
    await Importer(admin, "AssetType").done([TYPE])
    importer = Importer(admin, "Asset")
    await importer.done([{"Serial Number": "VAULT", "Asset Type": "Acme 500"}])

    await importer.done(
        [{"Serial Number": "DOOR-1", "Asset Type": "Acme 500", "Parent Asset Serial Number": "vault",
          "Latitude": "48.2", "Manufacturing Date": "03/17/2026"}]
    )  # fmt: skip

    door = (await _records(admin, "Asset"))[1]
    assert (door["ParentAssetSerialNumber"], door["Latitude"]) == ("VAULT", 48.2)
    assert door["ManufacturingDate"] == "2026-03-17"


async def _planned(admin: httpx.AsyncClient) -> Importer:
    await Importer(admin, "AssetType").done([TYPE])
    await Importer(admin, "Asset").done(
        [{"Serial Number": serial, "Asset Type": "Acme 500"} for serial in ("SN-1", "SN-2")]
    )
    await Importer(admin, "Product").done([PRODUCT, {**PRODUCT, "Product": "Fizz Two", "SKU": "FZ-2"}])
    return Importer(admin, "Planogram")


def _place(sku: str, shelf: int, **more: object) -> dict[str, object]:
    return {"Product SKU": sku, "Shelf/Priority": shelf, **more}


async def test_planograms_are_laid_out_named_and_linked(admin: httpx.AsyncClient) -> None:
    importer = await _planned(admin)
    serial = {"Asset Serial Number": "sn-1"}

    first = await importer.done([_place("FZ-1", 3, **serial), _place("fz-2", 1, **{**serial, "Product Stack Size": 2})])
    second = await importer.done([_place("FZ-1", 1, **serial)])
    alone = await importer.done([_place("FZ-1", 1, **{"Planogram Name": "Template", "External Code": "P-1"})])

    day = f"{datetime.now(UTC):%m-%d}"
    plans = await _records(admin, "Planogram")
    assert [answer["inserted"] for answer in (first, second, alone)] == [1, 1, 1]
    assert [plan["PlanogramName"] for plan in plans] == [f"sn-1_{day}_v1", f"sn-1_{day}_v2", "Template"]
    assert (plans[0]["Shelves"], plans[0]["Facings"]) == (3, 2)
    products = {item["SKU"]: item["ProductId"] for item in await _records(admin, "Product")}
    assert plans[0]["FacingDetails"] == (
        f'[{{"products":[{{"id":{products["FZ-2"]},"stackSize":2}}]}},{{"products":[]}},'
        f'{{"products":[{{"id":{products["FZ-1"]},"stackSize":1}}]}}]'
    )
    assets = await _records(admin, "Asset")
    assert [asset["PlanogramName"] for asset in assets] == [f"sn-1_{day}_v2", None]


async def test_planograms_are_only_created(admin: httpx.AsyncClient) -> None:
    importer = await _planned(admin)
    row = _place("FZ-1", 1, **{"Planogram Name": "Summer"})
    await importer.done([row])

    refused = await importer.rows([{**row, "Planogram Name": "SUMMER"}])
    nameless = await importer.rows([_place("FZ-1", 1)])

    assert _errors(refused) == [(2, "Planogram Name", "Planogram 'SUMMER' exists already")]
    assert _errors(nameless) == [(2, "Planogram Name", "Missing required field: Planogram Name or Asset Serial Number")]
    assert len(await _records(admin, "Planogram")) == 1


async def test_outlet_actions_are_appended(admin: httpx.AsyncClient) -> None:
    await Importer(admin, "Outlet").done([OUTLET])
    importer = Importer(admin, "ImportOutletAction")
    content = as_json([{"Code": "out-1", "OutletAction": "Refill", "PlannedDate": "03/17/2026"}])

    await importer.file(content, "a.json")
    await importer.file(content, "a.json")

    actions = await _records(admin, "OutletAction")
    assert [(item["LocationCode"], item["OutletAction"], item["PlannedDate"]) for item in actions] == [
        ("OUT-1", "Refill", "2026-03-17")
    ] * 2


async def test_factory_assets_are_found_by_their_serial_number(admin: httpx.AsyncClient) -> None:
    await Importer(admin, "AssetType").done([TYPE])
    row = {"Asset serial number": "F-1", "Asset Type": "Acme 500", "Smart Device serial": "CAM-1"}
    importer = Importer(admin, "FactoryAsset")

    await importer.done([row])
    again = await importer.done([{**row, "Asset serial number": "f-1", "Tag Number": "T"}])

    assert (again["inserted"], again["updated"]) == (0, 1)
    assert (await _one(admin, "FactoryAsset"))["TagNumber"] == "T"


async def test_empty_cells_keep_their_fields_unless_they_are_to_clear_them(admin: httpx.AsyncClient) -> None:
    importer = Importer(admin, "Outlet")
    await importer.done([{**OUTLET, "City": "Wien", "Market": "East", "Active": "No"}])
    emptied = [{**OUTLET, "City": "", "Market": "", "Active": ""}]

    await importer.done(emptied)
    kept = await _one(admin, "Location")
    await importer.done(emptied, blanks="clear")
    cleared = await _one(admin, "Location")

    assert (kept["City"], kept["MarketName"], kept["IsActive"]) == ("Wien", "East", False)
    assert (cleared["City"], cleared["MarketName"], cleared["IsActive"]) == (None, None, True)


# --- Undo


async def test_undo_gives_back_what_was_and_takes_away_what_was_new(admin: httpx.AsyncClient) -> None:
    importer = Importer(admin, "Outlet")
    await importer.done([{**OUTLET, "City": "Wien", "Market": "East"}])
    before = await _one(admin, "Location")
    changed = await importer.done(
        [{**OUTLET, "City": "Graz", "Market": "West", "Contact Name": "Bob"}, {**OUTLET, "Code": "OUT-2"}]
    )

    undone = await importer.undo(changed["importId"])
    again = await importer.undo(changed["importId"])

    assert {**undone, "importId": ""} == {"success": True, "importId": "", "restored": 1, "removed": 3}
    after = await _one(admin, "Location")
    assert {**after, "ModifiedOn": ""} == {**before, "ModifiedOn": ""}
    assert after["ModifiedOn"] > before["ModifiedOn"]
    assert await _records(admin, "Contact") == []
    assert [market["Name"] for market in await _records(admin, "Market")] == ["East"]
    assert again["success"] is False
    run = (await _records(admin, "ImportRun"))[0]
    assert (run["State"], run["UndoneByUser"]) == ("undone", "admin")


async def test_undo_is_refused_naming_the_rows_that_changed_since(admin: httpx.AsyncClient) -> None:
    importer = Importer(admin, "Outlet")
    answer = await importer.done([OUTLET, {**OUTLET, "Code": "OUT-2"}])
    await Handler(admin, "Location").save(LocationCode="OUT-2", City="Linz")
    before = await _records(admin, "Location")

    refused = await importer.undo(answer["importId"])

    assert [(item["row"], item["column"]) for item in refused["errors"]] == [(3, "LocationId")]
    assert "was changed since, by admin" in refused["errors"][0]["message"]
    assert await _records(admin, "Location") == before


async def test_undo_is_refused_while_others_refer_to_what_was_new(admin: httpx.AsyncClient) -> None:
    types = Importer(admin, "AssetType")
    answer = await types.done([TYPE])
    await Importer(admin, "Asset").done([{"Serial Number": "SN-1", "Asset Type": "Acme 500"}])

    refused = await types.undo(answer["importId"])

    assert [(item["row"], item["message"].split(" is ")[1]) for item in refused["errors"]] == [
        (2, "used by Asset meanwhile")
    ]
    assert len(await _records(admin, "AssetType")) == 1


async def test_what_an_import_added_along_the_way_stays_where_others_use_it(admin: httpx.AsyncClient) -> None:
    importer = Importer(admin, "Outlet")
    answer = await importer.done([{**OUTLET, "Market": "East"}])
    await importer.done([{**OUTLET, "Code": "OUT-2", "Market": "East"}])

    undone = await importer.undo(answer["importId"])

    assert undone["success"] is True
    assert (await _one(admin, "Location"))["MarketName"] == "East"


async def test_an_import_that_failed_cannot_be_undone(admin: httpx.AsyncClient) -> None:
    importer = Importer(admin, "Outlet")
    answer = await importer.rows([{**OUTLET, "Name": ""}])

    refused = await importer.undo(answer["importId"])

    assert refused == {
        "success": False,
        "info": f"Import {answer['importId']} is failed; only one that is done can be undone",
    }


# --- Who may


async def test_a_stranger_neither_sees_nor_undoes_nor_refers(
    admin: httpx.AsyncClient, stranger: httpx.AsyncClient
) -> None:
    answer = await Importer(admin, "Outlet").done([OUTLET])
    params = {"id": answer["importId"]}

    seen = await stranger.get(PATH, params={"action": "status", **params})
    undone = await stranger.post(PATH, params={"action": "undo", **params})
    refused = await Importer(stranger, "ImportOutletAction").rows([{"Outlet Code": "OUT-1", "Outlet Action": "x"}])
    own = await Importer(stranger, "Outlet").done([OUTLET])

    assert (seen.status_code, undone.status_code) == (404, 404)
    assert _errors(refused) == [(2, "Outlet Code", "Outlet Code: there is no Location 'OUT-1'")]
    assert own["inserted"] == 1
    assert (await _one(admin, "Location"))["Name"] == "Corner"


@pytest.mark.parametrize(
    ("role", "may"),
    [
        (Role.INSTALLER, {"Asset", "AssetType", "FactoryAsset"}),
        (Role.SALES_REP, set()),
    ],
)
async def test_types_are_imported_by_whoever_may_save_their_records(
    run: Runtime, app: object, client_id: ClientId, role: Role, may: set[str]
) -> None:
    kinds = ("Outlet", "Planogram", "Product", "User", "Asset", "AssetType", "ImportOutletAction", "FactoryAsset")

    async with await signed_in_client(run, app, client_id, "somebody", role) as http:  # type: ignore[arg-type]
        answers = {kind: (await Importer(http, kind).post(b"x\n1\n")).status_code for kind in kinds}
        templates = {
            kind: (await http.get(PATH, params={"action": "template", "type": kind})).status_code for kind in kinds
        }

    assert {kind for kind, status in answers.items() if status == 200} == may
    assert {kind for kind, status in templates.items() if status == 200} == may
    assert set(answers.values()) | set(templates.values()) <= {200, 403}


async def test_without_sign_in_nothing_is_imported(app: object) -> None:
    transport = httpx.ASGITransport(app=app)  # type: ignore[arg-type]
    async with httpx.AsyncClient(transport=transport, base_url="http://coldshelf.test") as http:
        answer = await http.post(PATH, params={"type": "Outlet"}, files={"file": ("a.csv", as_csv([OUTLET]))})

    assert answer.status_code == 401
