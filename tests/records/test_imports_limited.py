"""Imports by credentials that are limited: what single records refuse is a bad cell of a file."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI

from coldshelf.access.principal import Role, house
from coldshelf.access.service import add_token, set_user_active, sign_in_password
from coldshelf.entrypoints.bootstrap import imports
from coldshelf.entrypoints.worker import works_of
from coldshelf.kit.ids import ClientId, UserId
from coldshelf.kit.queue import work_forever
from coldshelf.kit.runtime import Runtime
from coldshelf.records.imports import runs
from coldshelf.records.imports.checking import FileCheck
from coldshelf.records.imports.child import spool_file
from coldshelf.records.imports.service import import_now
from tests.conftest import PASSWORD
from tests.masterdata.import_support import PATH, Importer, as_csv
from tests.records.support import Handler, Json
from tests.support.limits import limit_user, partner, signed_in

TAKEN = "Use one that this credential sees."
SEEN = "Name an outlet that this credential may see."


@dataclass
class Scene:
    """Markets East and West with an outlet and a cooler each; the partner sees East only."""

    run: Runtime
    client_id: ClientId
    user_id: UserId
    admin: httpx.AsyncClient
    http: httpx.AsyncClient
    east: int

    def imports(self, name: str) -> Importer:
        return Importer(self.http, name)

    async def held(self, name: str) -> list[Json]:
        return await Handler(self.admin, name).records()


@pytest.fixture
async def scene(run: Runtime, app: FastAPI, client_id: ClientId, admin: httpx.AsyncClient) -> AsyncIterator[Scene]:
    await Handler(admin, "AssetType").save(Name="M", ModelNumber="M-1")
    for name in ("East", "West"):
        await Handler(admin, "Market").save(Name=name)
        await Handler(admin, "Location").save(Code=name[0], Name=f"{name} 1", Street="1", MarketName=name)
        await Handler(admin, "Asset").save(SerialNumber=f"S-{name[0]}", AssetType="M", LocationCode=name[0])
    east = (await Handler(admin, "Market").load(MarketName="East"))["data"]["MarketId"]
    user_id = await partner(run, client_id)
    await limit_user(run, client_id, user_id, {"market": [east]})
    async with signed_in(app, "partner") as http:
        yield Scene(run, client_id, user_id, admin, http, east)


def _cells(answer: Json) -> list[tuple[int, str, str, str]]:
    return [(item["row"], item["column"], item["value"], item["message"]) for item in answer["errors"]]


def _outlet(code: str, **more: object) -> Json:
    return {"Code": code, "Name": f"Outlet {code}", "Street": "Ring", **more}


async def test_a_partner_imports_what_stands_in_its_outlets(scene: Scene) -> None:
    rows = [
        _outlet("E", **{"Market": "East", "Asset Name": "S-E2", "Asset Type": "M"}),
        _outlet("E2", **{"Market": "East", "Contact Name": "Ann"}),
    ]

    checked = await scene.imports("Outlet").check(rows)
    answer = await scene.imports("Outlet").done(rows)
    status = await scene.http.get(PATH, params={"action": "status", "id": answer["importId"]})

    assert (checked["success"], checked["toInsert"], checked["toUpdate"]) == (True, 1, 1)
    assert (answer["inserted"], answer["updated"]) == (1, 1)
    assert [record["Code"] for record in await Handler(scene.http, "Location").records()] == ["E", "E2"]
    assert {record["Street"] for record in await Handler(scene.http, "Location").records()} == {"Ring"}
    assert [record["SerialNumber"] for record in await Handler(scene.http, "Asset").records()] == ["S-E", "S-E2"]
    assert status.json()["state"] == "done"
    assert [run["CreatedByUser"] for run in await scene.held("ImportRun")] == ["partner"]


@pytest.mark.parametrize("check", [True, False])
async def test_foreign_outlets_are_bad_cells_and_stay_as_they_are(scene: Scene, check: bool) -> None:
    before = await scene.held("Location"), await scene.held("Asset")
    outlets = [_outlet("W", Market="East"), _outlet("E", Market="West"), _outlet("N", Market="West"), _outlet("N2")]
    assets = [
        {"Serial Number": "S-W", "Asset Type": "M", "Outlet Code": "E"},
        {"Serial Number": "S-E", "Asset Type": "M", "Outlet Code": "W"},
        {"Serial Number": "S-3", "Asset Type": "M"},
        {"Serial Number": "S-4", "Asset Type": "M", "Parent Asset Serial Number": "S-W", "Outlet Code": "E"},
    ]
    params = {"check": 1} if check else {}

    refused = await scene.imports("Outlet").rows(outlets, **params)
    assets_refused = await scene.imports("Asset").rows(assets, **params)

    lost = "This Location would be where this credential does not see it"
    assert _cells(refused) == [
        (2, "Code", "W", "Code 'W' cannot be used: another Location has it"),
        (3, "Code", "E", lost),
        (4, "Code", "N", lost),
        (5, "Code", "N2", lost),
    ]
    assert _cells(assets_refused) == [
        (2, "Serial Number", "S-W", "Serial Number 'S-W' cannot be used: another Asset has it"),
        (3, "Outlet Code", "W", "Outlet Code: there is no Location 'W'"),
        (4, "Outlet Code", "", "This Asset would be where this credential does not see it"),
        (5, "Parent Asset Serial Number", "S-W", "Parent Asset Serial Number: there is no Asset 'S-W'"),
    ]
    if check:
        assert [item["cure"] for item in refused["errors"]] == [TAKEN, SEEN, SEEN, SEEN]
        assert all(item["cure"] for item in assets_refused["errors"])
    assert (await scene.held("Location"), await scene.held("Asset")) == before


async def test_what_was_seen_at_the_check_and_is_not_at_the_write_is_refused(scene: Scene, tmp_path: Path) -> None:
    path = tmp_path / "outlets.csv"
    path.write_bytes(as_csv([_outlet("N", Market="West")]))
    kind, file = runs.find_type(imports(), "Outlet"), runs.measure(path, path.name)
    new = runs.new_run(kind, file, runs.Options())
    sender = await sign_in_password(scene.run, "partner", PASSWORD)

    async with spool_file() as spool:
        checked = await FileCheck(scene.run, imports(), house(scene.client_id), kind).run(file, spool, runs.Options())
        async with scene.run.database.scope(scene.client_id) as connection:
            outcome = await import_now(connection, imports(), sender, checked, new, run=scene.run)

    assert checked.counts.inserted == 1
    assert _cells(outcome.as_json()) == [
        (2, "Code", "N", "This Location would be where this credential does not see it")
    ]
    assert [record["Code"] for record in await scene.held("Location")] == ["E", "W"]


async def test_what_all_outlets_share_is_named_but_not_added(scene: Scene) -> None:
    rows = [_outlet("E", Market="East", Channel="Kiosk"), _outlet("E2", Market="Far")]

    answer = await scene.imports("Outlet").rows(rows)
    types = [(await scene.imports(kind.type.name).post(b"x")).status_code for kind in imports()]

    assert _cells(answer) == [
        (2, "Channel", "Kiosk", "Channel: there is no Channel 'Kiosk'"),
        (3, "Market", "Far", "Market: there is no Market 'Far'"),
    ]
    assert await scene.held("Channel") == []
    by_type = dict(zip((kind.type.name for kind in imports()), types, strict=True))
    assert {name for name, status in by_type.items() if status == 403} == {"AssetType", "User", "Product", "Planogram"}


async def test_columns_that_the_sender_may_not_write_take_no_value(scene: Scene) -> None:
    await limit_user(
        scene.run,
        scene.client_id,
        scene.user_id,
        {"market": [scene.east]},
        datasets=["Location", "Contact"],
        hidden=["Location.City", "personal"],
    )
    row = _outlet("E", **{"City": "Graz", "Phone": "1", "Asset Name": "S-E2", "Asset Type": "M", "Contact Name": "Ann"})

    checked = await scene.imports("Outlet").check([row])
    template = await scene.http.get(PATH, params={"action": "template", "type": "Outlet", "format": "csv"})

    words = "this credential may not write it"
    assert {(column, value) for _, column, value, _ in _cells(checked)} >= {
        ("City", "Graz"), ("Phone", "1"), ("Asset Name", "S-E2"), ("Asset Type", "M"),
    }  # fmt: skip
    assert all(words in item["message"] and item["rule"].endswith("not for this credential") and item["cure"]
               for item in checked["errors"])  # fmt: skip
    heading = template.text.splitlines()[0].lstrip("\ufeff").split(",")
    assert {"Code", "Street", "Market"} <= set(heading)
    assert not {"City", "Phone", "Asset Name", "Smart Device Serial"} & set(heading)
    assert (await scene.imports("Asset").post(as_csv([{"Serial Number": "S-E"}]))).status_code == 403


async def test_emptying_blanks_leaves_hidden_fields_alone(scene: Scene) -> None:
    await Handler(scene.admin, "Location").save(LocationCode="E", City="Graz", PostalCode="8010")
    grants = {"market": [scene.east]}
    await limit_user(scene.run, scene.client_id, scene.user_id, grants, hidden=["Location.City"])

    rows = [_outlet("E", **{"City": "", "Postal Code": "", "Market": "East"})]
    await scene.imports("Outlet").done(rows, blanks="clear")

    outlet = (await scene.held("Location"))[0]
    assert (outlet["City"], outlet["PostalCode"], outlet["Street"]) == ("Graz", None, "Ring")


async def test_who_may_not_assign_planograms_does_not_by_file(scene: Scene, app: FastAPI) -> None:
    await Handler(scene.admin, "Planogram").save(PlanogramName="P", FacingDetails="[]")
    await Handler(scene.admin, "Planogram").save(PlanogramName="Q", FacingDetails="[]")
    await Handler(scene.admin, "Asset").save(SerialNumber="S-E", PlanogramName="P")
    await partner(scene.run, scene.client_id, "ian", Role.INSTALLER)
    row = {"Serial Number": "S-E", "Asset Type": "M", "Outlet Code": "E"}
    async with signed_in(app, "ian") as http:
        same = await Importer(http, "Asset").rows([{**row, "Planogram": "P", "Tag Number": "T"}])
        other = await Importer(http, "Asset").rows([{**row, "Planogram": "Q"}])

    assert same["success"] is True
    assert [(item["row"], item["column"]) for item in other["errors"]] == [(2, "Planogram")]
    assert "The role Installer may not do this; it takes Client Admin" in other["errors"][0]["message"]
    assert [asset["PlanogramName"] for asset in await scene.held("Asset")] == ["P", None]


async def test_imports_of_others_are_neither_seen_nor_undone(scene: Scene) -> None:
    theirs = await Importer(scene.admin, "Outlet").done([_outlet("W2", Market="West")])
    own = await scene.imports("Outlet").done([_outlet("E2", Market="East")])
    number = theirs["importId"]

    status = await scene.http.get(PATH, params={"action": "status", "id": number})
    undo = await scene.http.post(PATH, params={"action": "undo", "id": number})
    undone = await scene.imports("Outlet").undo(own["importId"])

    assert (status.status_code, undo.status_code) == (404, 404)
    assert number in undo.text
    assert (undone["success"], undone["removed"]) == (True, 1)
    assert [record["Code"] for record in await scene.held("Location")] == ["E", "W", "W2"]


async def test_an_undo_of_what_has_left_the_sight_is_refused(scene: Scene) -> None:
    own = await scene.imports("Outlet").done([_outlet("E", Market="East")])
    await limit_user(scene.run, scene.client_id, scene.user_id, {"outlet": [await _id(scene, "W")]})

    answer = await scene.imports("Outlet").undo(own["importId"])

    assert answer["success"] is False
    assert answer["errors"][0]["message"].endswith("where this credential does not see it")
    assert (await scene.held("Location"))[0]["Street"] == "Ring"


async def _id(scene: Scene, code: str) -> int:
    return int((await Handler(scene.admin, "Location").load(LocationCode=code))["id"])


async def _worked(scene: Scene, url: str, answer: Json) -> Json:
    stop = asyncio.Event()
    works = works_of(scene.run)
    worker = asyncio.create_task(work_forever(url, works, lease=timedelta(seconds=2), concurrency=1, stop=stop))
    try:
        async with asyncio.timeout(100):
            while True:
                status = await scene.admin.get(PATH, params={"action": "status", "id": answer["importId"]})
                if status.json()["state"] in {"done", "failed"}:
                    return dict(status.json())
                await asyncio.sleep(0.1)
    finally:
        stop.set()
        await worker


async def test_in_the_background_the_sender_is_limited_as_it_is_by_then(scene: Scene, url: str) -> None:
    rows = [_outlet("E2", Market="East")]
    first = await scene.imports("Outlet").rows(rows, background=1)
    first_state = await _worked(scene, url, first)
    second = await scene.imports("Outlet").rows([_outlet("E3", Market="East")], background=1)
    west = (await Handler(scene.admin, "Market").load(MarketName="West"))["id"]
    await limit_user(scene.run, scene.client_id, scene.user_id, {"market": [west]})

    second_state = await _worked(scene, url, second)

    assert (first_state["state"], first_state["inserted"]) == ("done", 1)
    assert second_state["state"] == "failed"
    assert _cells(second_state) == [(2, "Code", "E3", "This Location would be where this credential does not see it")]
    assert [record["Code"] for record in await scene.held("Location")] == ["E", "W", "E2"]


async def test_in_the_background_the_limit_of_a_token_holds(scene: Scene, app: FastAPI, url: str) -> None:
    token = await add_token(scene.run, scene.client_id, scene.user_id, "narrow")
    async with scene.run.database.scope(scene.client_id, readonly=True) as connection:
        token_id = await connection.fetchval("SELECT id FROM api_token WHERE name = 'narrow'")
    outlet = {"outlet": [await _id(scene, "E")]}
    await limit_user(scene.run, scene.client_id, scene.user_id, outlet, token_id=token_id)
    headers = {"Authorization": f"Bearer {token}"}
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app=app), base_url="http://coldshelf.test", headers=headers
    ) as http:
        answer = await Importer(http, "Outlet").rows([_outlet("E2", Market="East")], background=1)

    state = await _worked(scene, url, answer)

    assert _cells(state) == [(2, "Code", "E2", "This Location would be where this credential does not see it")]


async def test_a_file_of_who_may_not_sign_in_any_more_is_refused(scene: Scene, url: str) -> None:
    answer = await scene.imports("Outlet").rows([_outlet("E2", Market="East")], background=1)
    await set_user_active(scene.run, scene.client_id, scene.user_id, is_active=False)

    state = await _worked(scene, url, answer)

    assert (state["state"], state["errors"][0]["row"]) == ("failed", 0)
    assert "may not sign in any more" in state["errors"][0]["message"]
    assert [record["Code"] for record in await scene.held("Location")] == ["E", "W"]
