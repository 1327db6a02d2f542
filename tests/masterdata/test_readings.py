"""How this room reads the contract where it leaves a choice (contract 5, 11)."""

import httpx
import pytest

from tests.records.support import Handler


@pytest.fixture
def locations(admin: httpx.AsyncClient) -> Handler:
    return Handler(admin, "Location")


@pytest.mark.parametrize("side", ["Left", "Right", "Magnet", "Shelf", "Under Shelf"])
async def test_the_side_of_a_handle_is_any_of_those_of_the_api_and_of_the_import(
    admin: httpx.AsyncClient, side: str
) -> None:
    """Reading 19; with Name alone the rest has defaults."""
    kinds = Handler(admin, "AssetType")

    saved = await kinds.save(Name="T", DoorHandleLocationType=side.upper())
    plain = await kinds.save(Name="U")

    assert saved["data"]["DoorHandleLocation"] == side
    assert [plain["data"][wire] for wire in ("DoorHandleLocation", "Orientation", "IsChestCooler")] == [
        "Left",
        "Vertical",
        False,
    ]


async def test_codes_and_serial_numbers_are_kept_up_to_250_characters(
    admin: httpx.AsyncClient, locations: Handler
) -> None:
    """Reading 20."""
    await Handler(admin, "AssetType").save(Name="T")
    assets = Handler(admin, "Asset")

    outlet = await locations.save(Code="c" * 250, Name="One")
    cooler = await assets.save(SerialNumber="s" * 250, AssetType="T", LocationCode="c" * 250)

    assert cooler["data"]["LocationId"] == outlet["id"]
    assert await assets.refused("save", SerialNumber="s" * 251, AssetType="T") == (
        "SerialNumber has 251 characters; at most 250"
    )


async def test_location_is_the_name_of_the_outlet_in_every_list(admin: httpx.AsyncClient, locations: Handler) -> None:
    """Reading 25."""
    await locations.save(Code="1", Name="Kiosk")
    await Handler(admin, "OutletAction").save(Code="1", OutletAction="Refill")

    (outlet,) = await locations.records()
    (action,) = await Handler(admin, "OutletAction").records({"Location": "Kiosk"})

    assert (outlet["Location"], action["Location"], action["LocationCode"]) == ("Kiosk", "Kiosk", "1")


async def test_an_outlet_has_a_channel_and_a_type_of_its_own(admin: httpx.AsyncClient, locations: Handler) -> None:
    for name in ("Grocery", "Convenience", "Kiosk"):
        await Handler(admin, "LocationType").save(Name=name, Code=name[:2])

    saved = await locations.save(
        Code="1", Name="One", Channel="grocery", SubChannel="convenience", LocationType="kiosk"
    )

    shown = ("Channel", "ChannelCode", "SubChannel", "LocationType", "OutletType")
    assert [saved["data"][wire] for wire in shown] == ["Grocery", "Gr", "Convenience", "Kiosk", "Kiosk"]


async def test_markets_lie_within_markets_and_show_a_new_name_of_the_one_above(admin: httpx.AsyncClient) -> None:
    asia = await Handler(admin, "Market").save(Name="Asia")

    saved = await Handler(admin, "MarketHierarchy").save(Name="Vietnam", ParentMarket="asia")
    await Handler(admin, "Market").save(id=asia["id"], Name="Far East")

    after = await Handler(admin, "Market").load(id=saved["id"])
    assert [answer["data"]["ParentMarketName"] for answer in (saved, after)] == ["Asia", "Far East"]
    assert after["data"]["ModifiedOn"] > saved["data"]["ModifiedOn"]


async def test_a_renamed_market_touches_the_outlets_and_coolers_that_show_it(
    admin: httpx.AsyncClient, locations: Handler
) -> None:
    market = await Handler(admin, "Market").save(Name="North")
    outlet = (await locations.save(Code="1", Name="One", MarketName="north"))["data"]
    other = (await locations.save(Code="2", Name="Two"))["data"]
    await Handler(admin, "AssetType").save(Name="T")
    cooler = (await Handler(admin, "Asset").save(SerialNumber="1", AssetType="T", LocationCode="1"))["data"]

    await Handler(admin, "Market").save(id=market["id"], Name="Far North")

    after = (await locations.load(id=outlet["LocationId"]))["data"]
    assert (after["MarketName"], after["ModifiedOn"] > outlet["ModifiedOn"]) == ("Far North", True)
    shown = (await Handler(admin, "Asset").load(id=cooler["AssetId"]))["data"]
    assert (shown["MarketName"], shown["ModifiedOn"] > cooler["ModifiedOn"]) == ("Far North", True)
    assert (await locations.load(id=other["LocationId"]))["data"] == other


async def test_every_door_of_a_cold_vault_is_an_asset_of_its_own(admin: httpx.AsyncClient) -> None:
    await Handler(admin, "AssetType").save(Name="Vault", Doors=2)
    assets = Handler(admin, "Asset")
    await assets.save(SerialNumber="V", AssetType="Vault")

    doors = [
        (await assets.save(SerialNumber=f"V-{n}", AssetType="Vault", ParentAssetSerialNumber="v"))["data"]
        for n in (1, 2)
    ]

    assert [door["ParentAssetSerialNumber"] for door in doors] == ["V", "V"]
    assert {door["Doors"] for door in doors} == {2}


async def test_the_place_in_the_store_and_the_installation_are_shown_under_both_names(
    admin: httpx.AsyncClient,
) -> None:
    await Handler(admin, "AssetType").save(Name="T")

    saved = await Handler(admin, "Asset").save(
        SerialNumber="1", AssetType="T", InStoreLocation="Entrance", InstallStatus="Installed"
    )

    shown = ("AssetLocation", "InStoreLocation", "InstallationStatus", "InstallStatus")
    assert [saved["data"][wire] for wire in shown] == ["Entrance", "Entrance", "Installed", "Installed"]


async def test_a_user_looks_after_an_outlet_once(admin: httpx.AsyncClient, locations: Handler) -> None:
    await locations.save(Code="1", Name="One")
    await Handler(admin, "User").save(PrimaryEmail="ann@example.org", Role="Sales Rep", FirstName="Ann")
    reps = Handler(admin, "SalesRep")
    first = await reps.save(LocationCode="1", SalesRepEmail="Ann@example.org")

    reason = await reps.refused("save", LocationCode="1", SalesRepEmail="ann@example.org")

    assert reason.startswith(f"SalesRep {first['id']} is that user in that outlet already")
    assert (first["data"]["FirstName"], first["data"]["LocationCode"]) == ("Ann", "1")
    assert (await reps.save(id=first["id"], LocationCode="1"))["id"] == first["id"]


async def test_a_duplicate_is_replenished_like_its_source(admin: httpx.AsyncClient) -> None:
    await Handler(admin, "ReplenishModel").save(Name="Daily")
    source = await Handler(admin, "Planogram").save(PlanogramName="Summer", ReplenishModel="daily")

    copy = (await Handler(admin, "Planogram").post("duplicate", id=source["id"])).json()

    assert (copy["data"]["PlanogramName"], copy["data"]["ReplenishModel"]) == ("Summer v2", "Daily")
