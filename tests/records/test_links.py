"""Links through the API: who makes them, for what, which are listed, and how they are taken back."""

from datetime import UTC, datetime, timedelta

import httpx
import pytest
from fastapi import FastAPI

from coldshelf.access.principal import Role
from coldshelf.access.service import mint
from coldshelf.entrypoints.bootstrap import PURPOSES
from coldshelf.kit.ids import ClientId
from coldshelf.kit.runtime import Runtime
from tests.compliance.cooler import Cooler
from tests.conftest import signed_in_client
from tests.pictures.uploading import rows
from tests.records.support import Handler
from tests.support.limits import limit_user, partner, signed_in
from tests.support.links import everything, minted, path_of

LINKS = "/api/v1/links"


@pytest.fixture
async def picture(run: Runtime, client_id: ClientId) -> int:
    return (await Cooler.make(run, client_id, None)).picture_id


def wish(picture: int, **more: object) -> dict[str, object]:
    return {"Purpose": "picture.view", "RecordKey": picture, **more}


async def test_a_link_is_listed_with_what_it_is_for_and_without_its_token(
    admin: httpx.AsyncClient, picture: int
) -> None:
    until = datetime.now(UTC) + timedelta(hours=3)

    made = await minted(admin, "picture.view", picture, Recipient=" Ada ", ExpiresOn=until.isoformat())

    (listed,) = (await admin.get(LINKS)).json()["data"]
    assert {name: listed[name] for name in ("LinkId", "Purpose", "Dataset", "RecordKey", "Recipient")} == {
        "LinkId": made["LinkId"],
        "Purpose": "picture.view",
        "Dataset": "AssetPurity",
        "RecordKey": picture,
        "Recipient": "Ada",
    }
    assert (listed["CreatedByUser"], listed["UsedByAction"], listed["RevokedOn"]) == ("admin", None, None)
    assert abs(datetime.fromisoformat(listed["ExpiresOn"]).replace(tzinfo=UTC) - until) < timedelta(seconds=2)
    assert (await admin.get(f"{LINKS}/{made['LinkId']}")).json()["RecordKey"] == picture
    assert [one["LinkId"] for one in (await admin.get(LINKS, params={"RecordKey": picture})).json()["data"]] == [
        made["LinkId"]
    ]


async def test_the_same_key_makes_one_link(run: Runtime, admin: httpx.AsyncClient, picture: int) -> None:
    headers = {"Idempotency-Key": "link 1"}

    first = await admin.post(LINKS, json=wish(picture), headers=headers)
    again = await admin.post(LINKS, json=wish(picture), headers=headers)
    other = await admin.post(LINKS, json=wish(picture, Recipient="Bob"), headers=headers)

    assert (first.status_code, again.json(), again.headers["idempotency-replayed"]) == (201, first.json(), "true")
    assert other.status_code == 422
    assert (await admin.get(LINKS)).json()["data"][0]["LinkId"] == first.json()["LinkId"]
    assert len((await admin.get(LINKS)).json()["data"]) == 1


@pytest.mark.parametrize(
    ("change", "status", "code"),
    [
        ({"Purpose": "picture.steal"}, 400, "purpose_unknown"),
        ({"RecordKey": 987654321}, 404, "record_not_found"),
        ({"RecordKey": 0}, 400, "input_invalid"),
        ({"ExpiresOn": "2020-01-01T00:00:00Z"}, 400, "input_invalid"),
        ({"ExpiresOn": "2999-01-01T00:00:00Z"}, 400, "input_invalid"),
        ({"ExpiresOn": "2030-01-01T00:00:00"}, 400, "input_invalid"),
        ({"UserId": 987654321}, 404, "user_not_found"),
        ({"Recipient": "x" * 257}, 400, "input_invalid"),
        ({"Surprise": 1}, 400, "input_invalid"),
    ],
)
async def test_what_cannot_be_is_refused_and_makes_none(
    admin: httpx.AsyncClient, picture: int, change: dict[str, object], status: int, code: str
) -> None:
    answer = await admin.post(LINKS, json={**wish(picture), **change})

    assert (answer.status_code, answer.json()["code"]) == (status, code), answer.text
    assert (await admin.get(LINKS)).json()["data"] == []


async def test_links_are_made_and_seen_by_client_admins_who_may_do_the_same(
    run: Runtime, app: FastAPI, client_id: ClientId, admin: httpx.AsyncClient, picture: int
) -> None:
    made = await minted(admin, "picture.view", picture)
    async with await signed_in_client(run, app, client_id, "rep", Role.SALES_REP) as rep:
        answers = [
            await rep.post(LINKS, json=wish(picture)),
            await rep.get(LINKS),
            await rep.get("/api/v1/link-actions"),
            await rep.post(f"{LINKS}/{made['LinkId']}/revoke"),
        ]
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://coldshelf.test") as nobody:
        unsigned = [await nobody.post(LINKS, json=wish(picture)), await nobody.get(LINKS)]
    await Handler(admin, "SecurityRole").save(
        Name="Desk", BasedOn="Client Admin", Permissions='{"picture.review": false}'
    )
    user = await partner(run, client_id, "desk")
    await Handler(admin, "SecurityRole").post("assign", UserId=user, Name="Desk")
    async with signed_in(app, "desk") as desk:
        may_view = await desk.post(LINKS, json=wish(picture))
        may_review = await desk.post(LINKS, json=wish(picture, Purpose="picture.review"))

    assert [answer.status_code for answer in answers] == [403] * 4
    assert [answer.status_code for answer in unsigned] == [401] * 2
    assert (may_view.status_code, may_review.status_code) == (201, 403)


async def test_limited_credentials_make_and_see_none(
    run: Runtime, app: FastAPI, client_id: ClientId, admin: httpx.AsyncClient, picture: int
) -> None:
    outlet = (await Handler(admin, "Location").save(Code="L1", Name="Outlet"))["id"]
    user = await partner(run, client_id)
    await limit_user(run, client_id, user, {"outlet": [outlet]})
    sighted = await partner(run, client_id, "sighted")
    await limit_user(run, client_id, sighted, datasets=["Link"])

    async with signed_in(app, "partner") as http:
        refused = [await http.post(LINKS, json=wish(picture)), await http.get(LINKS)]
    async with signed_in(app, "sighted") as http:
        refused.append(await http.post(LINKS, json=wish(picture)))

    assert [answer.status_code for answer in refused] == [403] * 3
    assert (await admin.get(LINKS)).json()["data"] == []


async def test_another_clients_records_and_links_are_not_there(
    url: str, admin: httpx.AsyncClient, stranger: httpx.AsyncClient, picture: int
) -> None:
    made = await minted(admin, "picture.view", picture)
    before = await everything(url)

    for_record = await stranger.post(LINKS, json=wish(picture))
    taken_back = await stranger.post(f"{LINKS}/{made['LinkId']}/revoke")
    loaded = await stranger.get(f"{LINKS}/{made['LinkId']}")
    user = (await Handler(admin, "User").page({"Username": "admin"}))["records"][0]["UserId"]
    own = (await Handler(stranger, "User").page({"Username": "stranger"}))["records"][0]["UserId"]
    for_user = await admin.post(LINKS, json=wish(picture, UserId=own))

    assert (for_record.status_code, for_record.json()["code"]) == (404, "record_not_found")
    assert (taken_back.status_code, taken_back.json()["code"]) == (404, "link_not_found")
    assert loaded.status_code == 404
    assert (for_user.status_code, for_user.json()["code"]) == (404, "user_not_found")
    assert (await stranger.get(LINKS)).json()["data"] == []
    assert await everything(url) == before
    assert user != own


async def test_a_link_is_taken_back_at_once_and_once(
    run: Runtime, client_id: ClientId, admin: httpx.AsyncClient, picture: int
) -> None:
    made = await minted(admin, "picture.view", picture)
    assert (await admin.get(path_of(made))).status_code == 200

    first = await admin.post(f"{LINKS}/{made['LinkId']}/revoke")
    again = await admin.post(f"{LINKS}/{made['LinkId']}/revoke")

    assert (first.status_code, again.json()) == (200, first.json())
    assert (await admin.get(path_of(made))).status_code == 410
    (kept,) = await rows(run, client_id, "link")
    assert kept["modified_by_user"] == "admin"


async def test_who_mints_twice_for_one_message_sends_one_link(
    run: Runtime, client_id: ClientId, admin: httpx.AsyncClient, picture: int
) -> None:
    async def made(once: str, recipient: str = "Ada") -> tuple[int, str]:
        async with run.database.scope(client_id, user_name="messages") as connection:
            link = await mint(
                run, connection, client_id, PURPOSES["picture.view"], picture, recipient=recipient, once=once
            )
        return link.id, link.url

    first = await made("message 1")

    assert await made("message 1") == first
    assert len({first, await made("message 2"), await made("message 1", "Bob"), await made(""), await made("")}) == 5
    assert len(await rows(run, client_id, "link")) == 5


async def test_the_document_says_what_links_are_for(admin: httpx.AsyncClient) -> None:
    document = (await admin.get("/openapi.json")).json()

    mint_operation = document["paths"]["/api/v1/links"]["post"]
    assert "`picture.view`" in mint_operation["description"]
    assert "`picture.review`" in mint_operation["description"]
    assert document["paths"]["/l/{token}"]["get"]["security"] == []
    assert set(document["paths"]["/l/{token}"]["post"]["responses"]) >= {
        "303",
        "400",
        "403",
        "404",
        "409",
        "410",
        "429",
    }
