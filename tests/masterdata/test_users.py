"""Users as the admins of their client manage them (contract 1.3, 5.3)."""

from collections.abc import AsyncIterator

import httpx
import pytest
from fastapi import FastAPI

from coldshelf.access.service import add_token
from coldshelf.kit.ids import ClientId, UserId
from coldshelf.kit.runtime import Runtime
from tests.records.support import Handler, Json

ANN = {
    "FirstName": "Ann",
    "LastName": "Lee",
    "PrimaryEmail": "Ann@Example.org",
    "PrimaryPhone": "+84 1",
    "Role": "sales rep",
}
SECRET = " a password of hers "


@pytest.fixture
def users(admin: httpx.AsyncClient) -> Handler:
    return Handler(admin, "User")


@pytest.fixture
async def ann(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    """Ann with her password, whether she may come in or not."""
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(
        transport=transport, base_url="http://coldshelf.test", auth=("ann@example.org", SECRET)
    ) as http:
        yield http


async def _status(http: httpx.AsyncClient) -> int:
    return (await http.get("/controllers/Location.ashx?action=list")).status_code


async def _with_password(users: Handler) -> Json:
    saved = await users.save(**ANN)
    await users.post("setPassword", id=saved["id"], Password=SECRET)
    return saved


async def test_a_new_user_has_a_lower_case_e_mail_to_sign_in_with_and_no_password_yet(
    users: Handler, ann: httpx.AsyncClient
) -> None:
    saved = (await users.save(**ANN))["data"]

    assert {wire: saved[wire] for wire in ("PrimaryEmail", "Username", "Role", "FirstName", "IsActive")} == {
        "PrimaryEmail": "ann@example.org",
        "Username": "ann@example.org",
        "Role": "Sales Rep",
        "FirstName": "Ann",
        "IsActive": True,
    }
    assert await _status(ann) == 401
    for empty in ("", "x"):
        answer = await ann.get("/controllers/Location.ashx?action=list", auth=("ann@example.org", empty))
        assert answer.status_code == 401


async def test_an_admin_sets_the_password_and_no_list_ever_shows_it(users: Handler, ann: httpx.AsyncClient) -> None:
    saved = await users.save(**ANN)

    answer = await users.post("setPassword", PrimaryEmail="ANN@example.org", Password=SECRET)

    assert answer.json()["success"] is True
    assert SECRET not in answer.text
    assert await _status(ann) == 200
    page = await users.page_answer(limit=100, includeDeleted=1)
    assert "argon2" not in page.text
    assert not [wire for wire in (await users.load(id=saved["id"]))["data"] if "password" in wire.lower()]


async def test_a_short_password_is_refused(users: Handler, ann: httpx.AsyncClient) -> None:
    saved = await users.save(**ANN)

    reason = await users.refused("setPassword", id=saved["id"], Password="short")  # refused

    assert "assword" in reason
    assert await _status(ann) == 401


async def test_only_admins_manage_users_and_set_passwords(users: Handler, ann: httpx.AsyncClient) -> None:
    saved = await _with_password(users)
    handler = Handler(ann, "User")

    for action in ("save", "delete", "load", "setPassword"):
        assert (await handler.post(action, id=saved["id"], Role="Client Admin", Password=SECRET)).status_code == 403
    assert (await handler.page_answer()).status_code == 403
    assert (await users.load(id=saved["id"]))["data"]["Role"] == "Sales Rep"


async def test_nobody_sets_the_password_of_another_clients_user(
    users: Handler, ann: httpx.AsyncClient, stranger: httpx.AsyncClient
) -> None:
    saved = await _with_password(users)

    for finding in ({"id": saved["id"]}, {"PrimaryEmail": "ann@example.org"}):
        reason = await Handler(stranger, "User").refused("setPassword", **finding, Password="another password")
        assert reason.startswith("There is no User ")

    assert await _status(ann) == 200


@pytest.mark.parametrize("how", ["delete", "deactivate"])
async def test_a_deleted_or_inactive_user_is_out_at_once_with_all_tokens(
    run: Runtime, client_id: ClientId, users: Handler, ann: httpx.AsyncClient, how: str
) -> None:
    saved = await _with_password(users)
    token = await add_token(run, client_id, UserId(saved["id"]), "phone")
    assert await _status(ann) == 200

    if how == "delete":
        await users.delete(PrimaryEmail="ann@example.org")
    else:
        await users.save(id=saved["id"], IsActive=False)

    assert await _status(ann) == 401
    by_token = await ann.get(
        "/controllers/Location.ashx?action=list", auth=None, headers={"Authorization": f"Bearer {token}"}
    )
    assert by_token.status_code == 401


async def test_a_user_whom_others_name_can_be_deleted_and_stays_in_what_was_done(
    users: Handler, admin: httpx.AsyncClient
) -> None:
    ann = await users.save(**ANN)
    await Handler(admin, "Location").save(Code="1", Name="One", PrimarySalesRep="ann@example.org")
    await Handler(admin, "OutletAction").save(LocationCode="1", OutletAction="Visit", AssignedToUser="ann@example.org")

    await users.delete(id=ann["id"])

    (action,) = await Handler(admin, "OutletAction").records()
    assert action["AssignedToUser"] == "ann@example.org"
    (outlet,) = await Handler(admin, "Location").records()
    assert outlet["PrimarySalesRep"] == "ann@example.org"


async def test_names_to_sign_in_with_are_unique_in_the_whole_installation(
    users: Handler, stranger: httpx.AsyncClient
) -> None:
    await users.save(**ANN)

    reason = await Handler(stranger, "User").refused("save", **ANN)

    assert (
        reason == "PrimaryEmail 'ann@example.org' is taken; names to sign in with are unique in the whole installation"
    )


async def test_a_new_e_mail_is_the_new_name_to_sign_in_with(users: Handler, app: FastAPI) -> None:
    saved = await _with_password(users)

    await users.save(id=saved["id"], PrimaryEmail="Lee@Example.org")

    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url="http://coldshelf.test") as http:
        for name, status in (("ann@example.org", 401), ("lee@example.org", 200)):
            answer = await http.get("/controllers/Location.ashx?action=list", auth=(name, SECRET))
            assert answer.status_code == status


async def test_a_name_of_its_own_stays_when_the_e_mail_changes(users: Handler) -> None:
    (admin,) = await users.records({"Username": "admin"})

    saved = await users.save(id=admin["UserId"], PrimaryEmail="chief@example.org")

    assert (saved["data"]["Username"], saved["data"]["PrimaryEmail"]) == ("admin", "chief@example.org")


@pytest.mark.parametrize(
    ("sent", "reason"),
    [
        ({"PrimaryEmail": "nobody"}, "PrimaryEmail takes an e-mail address such as ann@example.org, not 'nobody'"),
        ({"PrimaryEmail": ""}, "User needs PrimaryEmail: it is the name to sign in with"),
        ({"Role": "Operator"}, "Role takes Client Admin, Installer, Sales Rep, not 'Operator'"),
        ({"Role": ""}, "Role must not be empty"),
    ],
)
async def test_what_a_user_takes_is_checked(users: Handler, sent: dict[str, str], reason: str) -> None:
    assert await users.refused("save", **{**ANN, **sent}) == reason
    assert [record["Username"] for record in await users.records()] == ["admin"]
