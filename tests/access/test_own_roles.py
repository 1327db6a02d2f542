"""Roles of a client's own: what they have against the published role that they are based on."""

import json

import httpx
import pytest
from fastapi import FastAPI
from tests.records.support import Handler
from tests.support.limits import limit_user, partner, signed_in

from coldshelf.access.principal import Role
from coldshelf.kit.ids import ClientId
from coldshelf.kit.runtime import Runtime


async def _role(admin: httpx.AsyncClient, name: str, based_on: Role, user_id: int, **said: object) -> int:
    roles = Handler(admin, "SecurityRole")
    saved = await roles.save(Name=name, BasedOn=based_on, **{key: json.dumps(value) for key, value in said.items()})
    await _done(roles, "assign", UserId=user_id, Name=name)
    return int(saved["id"])


async def _done(handler: Handler, action: str, **params: object) -> None:
    answer = await handler.post(action, **params)
    assert answer.json()["success"] is True, answer.text


async def test_a_role_of_the_clients_own_gives_and_takes_rights(
    run: Runtime, app: FastAPI, client_id: ClientId, admin: httpx.AsyncClient
) -> None:
    user_id = await partner(run, client_id, "planner", Role.SALES_REP)
    rights = {"Product": "write", "Location": "none", "Asset": "read"}
    await _role(admin, "Planner", Role.SALES_REP, user_id, Rights=rights, Permissions={"planogram.edit": True})

    async with signed_in(app, "planner") as http:
        product = await Handler(http, "Product").post("save", SKU="1", ProductName="Cola", ShortName="C")
        planogram = await Handler(http, "Planogram").post("save", PlanogramName="P")
        codes = {name: (await Handler(http, name).page_answer()).status_code for name in ("Location", "Asset", "Brand")}
        brand = await Handler(http, "Brand").post("save", Name="B")

    assert (product.status_code, planogram.status_code) == (200, 200)
    assert planogram.json()["success"] is True
    assert codes == {"Location": 403, "Asset": 200, "Brand": 200}
    assert brand.status_code == 403
    assert "The role Planner may not do this" in brand.text


async def test_which_planogram_an_asset_has_is_a_permission_of_its_own(
    run: Runtime, app: FastAPI, client_id: ClientId, admin: httpx.AsyncClient
) -> None:
    user_id = await partner(run, client_id, "installer", Role.INSTALLER)
    await Handler(admin, "AssetType").save(Name="M")
    for name in ("P", "Q"):
        await Handler(admin, "Planogram").save(PlanogramName=name)
    asset = await Handler(admin, "Asset").save(SerialNumber="S", AssetType="M", PlanogramName="P")

    async with signed_in(app, "installer") as http:
        assets = Handler(http, "Asset")
        same = await assets.post("save", id=asset["id"], PlanogramName="P", TagNumber="7")
        other = await assets.post("save", id=asset["id"], PlanogramName="Q")
        await _role(admin, "Fitter", Role.INSTALLER, user_id, Permissions={"planogram.assign": True})
        allowed = await assets.post("save", id=asset["id"], PlanogramName="Q")

    assert (same.json()["data"]["TagNumber"], other.status_code) == ("7", 403)
    assert allowed.json()["data"]["PlanogramName"] == "Q"


async def test_a_role_named_like_a_published_one_stands_in_its_place(
    run: Runtime, app: FastAPI, client_id: ClientId, admin: httpx.AsyncClient, stranger: httpx.AsyncClient
) -> None:
    await partner(run, client_id, "rep", Role.SALES_REP)
    roles = Handler(admin, "SecurityRole")
    saved = await roles.save(Name="Sales Rep", BasedOn="Sales Rep", Rights=json.dumps({"Product": "none"}))

    async with signed_in(app, "rep") as http:
        during = (await Handler(http, "Product").page_answer()).status_code
        await roles.delete(id=saved["id"])
        after = (await Handler(http, "Product").page_answer()).status_code

    assert (during, after) == (403, 200)
    assert (await roles.page())["totalRecords"] == 0


async def test_reps_are_limited_to_their_own_outlets_where_their_role_says_so(
    run: Runtime, app: FastAPI, client_id: ClientId, admin: httpx.AsyncClient
) -> None:
    rep = await partner(run, client_id, "rep", Role.SALES_REP)
    for n in (1, 2):
        await Handler(admin, "Location").save(Code=f"L{n}", Name=f"Outlet {n}")
    await _own(run, client_id, "L2", rep)
    roles = Handler(admin, "SecurityRole")

    async def seen(name: str = "rep") -> list[str]:
        async with signed_in(app, name) as http:
            return [record["Code"] for record in await Handler(http, "Location").records()]

    before = await seen()
    role = await roles.save(Name="Sales Rep", BasedOn="Sales Rep", OwnOutlets="true")
    during = await seen()
    await _own(run, client_id, "L1", rep)
    both = await seen()
    await partner(run, client_id, "new rep", Role.SALES_REP)
    nothing = await seen("new rep")
    await roles.save(id=role["id"], OwnOutlets="false")

    assert (before, during, both, nothing) == (["L1", "L2"], ["L2"], ["L1", "L2"], [])
    assert await seen("new rep") == ["L1", "L2"]


async def _own(run: Runtime, client_id: ClientId, code: str, rep: int) -> None:
    async with run.database.scope(client_id) as connection:
        await connection.execute("UPDATE location SET primary_sales_rep_id = $2 WHERE code = $1", code, rep)


async def test_a_role_in_use_stays_and_a_renamed_one_keeps_its_users(
    run: Runtime, app: FastAPI, client_id: ClientId, admin: httpx.AsyncClient
) -> None:
    user_id = await partner(run, client_id, "u", Role.SALES_REP)
    role = await _role(admin, "Guest", Role.SALES_REP, user_id, Rights={"Product": "none"})
    roles = Handler(admin, "SecurityRole")

    reason = await roles.refused("delete", id=role)
    await roles.save(id=role, Name="Visitor", Permissions=json.dumps({"export": False}))
    record = (await roles.load(id=role))["data"]
    async with signed_in(app, "u") as http:
        answer = await Handler(http, "Product").page_answer()

    assert reason == "1 users have the role Guest. Give them another role first"
    assert record == {
        "SecurityRoleId": role,
        "Name": "Visitor",
        "BasedOn": "Sales Rep",
        "Rights": {"Product": "none"},
        "Permissions": {"export": False},
        "OwnOutlets": False,
    }
    assert answer.status_code == 403


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ({"Name": "", "BasedOn": "Installer"}, "Role name: 1 to 100 printable characters"),
        ({"Name": "x", "BasedOn": "Operator"}, "BasedOn takes Client Admin, Installer, Sales Rep"),
        ({"Name": "Installer", "BasedOn": "Client Admin"}, "BasedOn must be Installer"),
        ({"Name": "Operator", "BasedOn": "Installer"}, "A role called Operator"),
        ({"Name": "x", "BasedOn": "Installer", "Rights": '{"Aset": "read"}'}, "did you mean Asset?"),
        ({"Name": "x", "BasedOn": "Installer", "Rights": '{"Asset": "all"}'}, "Rights.Asset takes none, read, write"),
        ({"Name": "x", "BasedOn": "Installer", "Rights": "{"}, "Rights takes {"),
        ({"Name": "x", "BasedOn": "Installer", "Rights": '{"Planogram": "write"}'}, "the permission planogram.edit"),
        ({"Name": "x", "BasedOn": "Installer", "Permissions": '{"exprt": true}'}, "did you mean export?"),
    ],
)
async def test_a_wrong_role_is_refused_with_its_cure(
    admin: httpx.AsyncClient, said: dict[str, str], reason: str
) -> None:
    answer = await Handler(admin, "SecurityRole").refused("save", **said)

    assert reason in answer


async def test_limits_are_set_and_shown_by_handler(
    run: Runtime, app: FastAPI, client_id: ClientId, admin: httpx.AsyncClient, stranger: httpx.AsyncClient
) -> None:
    user_id = await partner(run, client_id)
    limits = Handler(admin, "AccessLimit")
    said = {"Grants": '{"outlet": [5, 4]}', "Datasets": '["Location"]', "HiddenFields": '["personal"]'}

    saved = await limits.save(UserId=user_id, **said)
    foreign = await Handler(stranger, "AccessLimit").refused("save", UserId=user_id, **said)
    wrong = [
        await limits.refused("save", UserId=user_id, **{name: value})
        for name, value in (
            ("Grants", '{"region": [1]}'),
            ("Grants", '{"outlet": ["1"]}'),
            ("HiddenFields", '["LocationId"]'),
            ("HiddenFields", '["Nothing"]'),
            ("Datasets", '["Locations"]'),
        )
    ]

    assert (await limits.records()) == [
        {
            "AccessLimitId": saved["id"],
            "UserId": user_id,
            "TokenId": None,
            "Grants": {"outlet": [4, 5]},
            "Datasets": ["Location"],
            "HiddenFields": ["personal"],
        }
    ]
    assert foreign == "There is no such user"
    assert (await Handler(stranger, "AccessLimit").records()) == []
    assert wrong[0].startswith("There is no kind of grant 'region'")
    assert wrong[1].startswith("Grants.outlet.0: ")
    assert wrong[2] == "HiddenFields: LocationId cannot be hidden, no list can do without it"
    assert wrong[3].startswith("There is no field 'Nothing'")
    assert wrong[4] == "There is no entity or dataset 'Locations'; did you mean Location?"


async def test_a_limited_admin_cannot_widen_its_own_limit(
    run: Runtime, app: FastAPI, client_id: ClientId, admin: httpx.AsyncClient
) -> None:
    user_id = await partner(run, client_id)
    await limit_user(run, client_id, user_id, hidden=["personal"])

    async with signed_in(app, "partner") as http:
        answers = [
            await Handler(http, "AccessLimit").post("save", UserId=user_id),
            await Handler(http, "SecurityRole").post("save", Name="x", BasedOn="Client Admin"),
            await Handler(http, "SecurityRole").post("assign", UserId=user_id, Name="Client Admin"),
        ]

    assert [answer.status_code for answer in answers] == [403, 403, 403]


async def test_roles_of_another_client_are_not_there(
    admin: httpx.AsyncClient, stranger: httpx.AsyncClient, run: Runtime, client_id: ClientId
) -> None:
    role = (await Handler(admin, "SecurityRole").save(Name="Mine", BasedOn="Installer"))["id"]
    user_id = await partner(run, client_id)
    theirs = Handler(stranger, "SecurityRole")

    for action in ("load", "save", "delete"):
        assert await theirs.refused(action, id=role) == f"There is no role with id {role}"
    assert await theirs.refused("assign", UserId=user_id, Name="Mine") == "There is no role of your own called 'Mine'"
    assert await theirs.refused("assign", UserId=user_id, Name="Installer") == f"There is no user with id {user_id}"
    assert (await theirs.page())["totalRecords"] == 0
