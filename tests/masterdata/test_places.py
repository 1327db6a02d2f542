"""Countries, states and time zones: those of the standards are there as soon as somebody names them."""

import httpx
import pytest

from coldshelf.kit.ids import ClientId
from coldshelf.kit.runtime import Runtime
from coldshelf.masterdata.places import country_by, states_by
from tests.records.support import Handler


@pytest.fixture
def locations(admin: httpx.AsyncClient) -> Handler:
    return Handler(admin, "Location")


@pytest.mark.parametrize("name", ["Vietnam", "Viet Nam", "VN", "vnm", "VIỆT NAM", "Socialist Republic of Viet Nam"])
def test_a_country_is_known_by_any_usual_spelling(name: str) -> None:
    place = country_by(name)

    assert place
    assert (place.name, place.code) == ("Vietnam", "VN")


def test_a_state_is_known_by_name_or_code_with_or_without_accents() -> None:
    found = [states_by(name, "VN") for name in ("Hà Nội", "ha noi", "VN-HN")]

    assert [[place.code for place in places] for places in found] == [["VN-HN"]] * 3
    assert {place.code for place in states_by("Punjab")} == {"IN-PB", "PK-PB"}
    assert states_by("Atlantis") == []


async def test_the_first_outlet_that_names_a_country_adds_it_and_the_next_one_finds_it(
    admin: httpx.AsyncClient, locations: Handler
) -> None:
    first = await locations.save(Code="1", Name="One", CountryName="viet nam", StateName="Ha Noi")
    second = await locations.save(Code="2", Name="Two", CountryCode="VN", StateCode="vn-hn")

    assert [first["data"][wire] for wire in ("Country", "State")] == ["Vietnam", "Hà Nội"]
    for wire in ("CountryId", "StateId"):
        assert first["data"][wire] == second["data"][wire]
    (country,) = await Handler(admin, "Country").records()
    assert (country["Name"], country["Code"]) == ("Vietnam", "VN")
    (state,) = await Handler(admin, "State").records()
    assert (state["Name"], state["Code"], state["Country"]) == ("Hà Nội", "VN-HN", "Vietnam")


async def test_a_state_is_looked_for_in_the_country_that_is_named_with_it(locations: Handler) -> None:
    india = (await locations.save(Code="1", Name="One", CountryName="India", StateName="Punjab"))["data"]
    pakistan = (await locations.save(Code="2", Name="Two", CountryName="Pakistan", StateName="Punjab"))["data"]

    assert india["StateId"] != pakistan["StateId"]
    for wanted in (india, pakistan):
        again = await locations.save(Code="3", Name="Three", CountryName=wanted["Country"], StateName="punjab")
        assert again["data"]["StateId"] == wanted["StateId"]


async def test_a_state_of_several_countries_takes_a_country(locations: Handler) -> None:
    unknown_yet = await locations.refused("save", Code="1", Name="One", StateName="Punjab")
    await locations.save(Code="1", Name="One", CountryName="India", StateName="Punjab")
    await locations.save(Code="2", Name="Two", CountryName="Pakistan", StateName="Punjab")
    known = await locations.refused("save", Code="3", Name="Three", StateName="Punjab")

    assert unknown_yet == "State 'Punjab' lies in IN and PK; send CountryName too"
    assert known == "StateName: there are several State 'Punjab'; name the Country too"


async def test_a_state_outside_the_country_is_refused(locations: Handler) -> None:
    saved = await locations.save(Code="1", Name="One", CountryName="Vietnam", StateName="Hà Nội")

    at_once = await locations.refused("save", Code="2", Name="Two", CountryName="Vietnam", StateName="California")
    later = await locations.refused("save", id=saved["id"], CountryName="India")

    assert at_once == (
        "StateName: there is no State 'California' in that country; send a name or code of ISO 3166-2,"
        " or add your own with State.ashx"
    )
    assert later == (
        "State 'Hà Nội' lies in Vietnam, not in the country of this record; send StateName and CountryName together"
    )


async def test_countries_and_states_of_ones_own_can_be_added(admin: httpx.AsyncClient, locations: Handler) -> None:
    await Handler(admin, "Country").save(Name="Sealand")
    await Handler(admin, "State").save(Name="Platform", Country="Sealand")

    saved = await locations.save(Code="1", Name="One", CountryName="sealand", StateName="platform")

    assert (saved["data"]["Country"], saved["data"]["State"]) == ("Sealand", "Platform")


async def test_two_states_of_one_country_have_two_names(admin: httpx.AsyncClient) -> None:
    states = Handler(admin, "State")
    await states.save(Name="North", Country="Vietnam")
    await states.save(Name="North", Country="India")

    reason = await states.refused("save", Name="NORTH", Country="Vietnam")

    assert reason == "State with Name 'NORTH' exists already"


async def test_an_outlet_without_a_time_zone_has_that_of_its_client(
    run: Runtime, client_id: ClientId, locations: Handler
) -> None:
    async with run.database.system() as owner:
        await owner.execute("UPDATE client SET time_zone = 'Asia/Ho_Chi_Minh' WHERE id = $1", client_id)

    saved = await locations.save(Code="1", Name="One")
    moved = await locations.save(Code="1", TimeZone="SE Asia Standard Time")
    emptied = await locations.save(Code="1", TimeZone="")
    other = await locations.save(Code="1", City="Huế")

    zones = [answer["data"]["TimeZone"] for answer in (saved, moved, emptied, other)]
    assert zones == ["Asia/Ho_Chi_Minh", "Asia/Bangkok", "Asia/Ho_Chi_Minh", "Asia/Ho_Chi_Minh"]


async def test_a_renamed_state_touches_the_coolers_whose_outlets_show_it(
    admin: httpx.AsyncClient, locations: Handler
) -> None:
    outlet = (await locations.save(Code="1", Name="One", CountryName="Vietnam", StateName="Hà Nội"))["data"]
    await Handler(admin, "AssetType").save(Name="T")
    assets = Handler(admin, "Asset")
    before = (await assets.save(SerialNumber="1", AssetType="T", LocationCode="1"))["data"]

    await Handler(admin, "State").save(id=outlet["StateId"], Name="Hanoi")

    after = (await assets.load(id=before["AssetId"]))["data"]
    assert (before["State"], after["State"]) == ("Hà Nội", "Hanoi")
    assert after["ModifiedOn"] > before["ModifiedOn"]


async def test_an_outlet_that_moves_to_another_state_touches_its_coolers(
    admin: httpx.AsyncClient, locations: Handler
) -> None:
    await locations.save(Code="1", Name="One", CountryName="Vietnam", StateName="Hà Nội")
    await Handler(admin, "AssetType").save(Name="T")
    assets = Handler(admin, "Asset")
    before = (await assets.save(SerialNumber="1", AssetType="T", LocationCode="1"))["data"]

    await locations.save(Code="1", StateName="Đà Nẵng", CountryName="Vietnam")

    after = (await assets.load(id=before["AssetId"]))["data"]
    assert after["State"] == "Đà Nẵng"
    assert after["ModifiedOn"] > before["ModifiedOn"]
