"""Which cooler and outlet an upload belongs to: every row of the combinations of contract 2.1."""

import httpx
import pytest
from fastapi import FastAPI
from tests.conftest import PASSWORD, signed_in_client
from tests.pictures.uploading import (
    IMEI_NOWHERE,
    IMEI_ONE,
    IMEI_TWO,
    Shop,
    accepted,
    info_of,
    nothing_kept,
    open_shop,
    picture,
    rows,
    upload,
)
from tests.support.limits import limit_user, partner, signed_in

from coldshelf.access.principal import OPERATORS, Role
from coldshelf.access.service import add_device_token, add_token, add_user
from coldshelf.kit.ids import ClientId
from coldshelf.kit.runtime import Runtime

pytestmark = pytest.mark.usefixtures("shop")

NOT_LINKED = "Outlet not Found OR is Linked with Asset: "


async def test_identifiers_that_lead_nowhere_are_refused_with_the_published_words(
    run: Runtime, admin: httpx.AsyncClient, shop: Shop
) -> None:
    cases = [
        ({"SerialNumber": "ASSET-123"}, "Asset not found: ASSET-123"),
        ({"SerialNumber": "ASSET-123", "StoreNumber": "ONE", "IMEI": IMEI_ONE}, "Asset not found: ASSET-123"),
        (
            {"SerialNumber": "C-1", "StoreNumber": "MANY"},
            "Asset assigned to outlet code ONE, passed code MANY - mismatch",
        ),
        (
            {"SerialNumber": "C-1", "StoreNumber": "unheard"},
            "Asset assigned to outlet code ONE, passed code unheard - mismatch",
        ),
        ({"SerialNumber": "C-LOOSE", "StoreNumber": "ONE"}, NOT_LINKED + "ONE"),
        ({"IMEI": IMEI_ONE, "StoreNumber": "MANY"}, "Asset assigned to outlet code ONE, passed code MANY - mismatch"),
        ({"IMEI": IMEI_NOWHERE}, f"Asset not found: {IMEI_NOWHERE}"),
        ({"IMEI": "000"}, "Asset not found: 000"),
        ({"IMEI": "000", "StoreNumber": "unheard"}, NOT_LINKED + "unheard"),
        ({"StoreNumber": "unheard"}, NOT_LINKED + "unheard"),
        ({"StoreNumber": "NONE"}, NOT_LINKED + "NONE"),
        ({"StoreNumber": "OLD"}, NOT_LINKED + "OLD"),
        ({"StoreNumber": "NONE", "SceneType": "AssetView"}, NOT_LINKED + "NONE"),
        ({"StoreNumber": "unheard", "SceneType": "StoreView"}, NOT_LINKED + "unheard"),
        ({"SerialNumber": "C-OLD"}, "Asset C-OLD is Inactive"),
        ({"SerialNumber": "c-old", "StoreNumber": "OLD"}, "Asset C-OLD is Inactive"),
        ({}, "StoreNumber or Asset Serial# is required"),
        ({"SerialNumber": "  ", "StoreNumber": "", "IMEI": ""}, "StoreNumber or Asset Serial# is required"),
    ]

    for sent, words in cases:
        answer = await upload(admin, picture(), **sent)
        assert (answer.status_code, info_of(answer)) == (200, words), sent

    assert await nothing_kept(run, shop.client_id)


async def test_identifiers_that_lead_to_a_cooler_find_it(run: Runtime, admin: httpx.AsyncClient, shop: Shop) -> None:
    overruled = f"IMEI {IMEI_TWO} belongs to asset C-2; the serial number was used"
    unmapped = f"IMEI {IMEI_NOWHERE} is mapped to no asset; found by the store"
    cases = [
        ({"SerialNumber": "C-1"}, "C-1", "ONE", ""),
        ({"SerialNumber": " c-1 "}, "C-1", "ONE", ""),
        ({"SerialNumber": "C-1", "StoreNumber": "one"}, "C-1", "ONE", ""),
        ({"SerialNumber": "C-LOOSE"}, "C-LOOSE", None, ""),
        ({"SerialNumber": "C-1", "IMEI": IMEI_ONE}, "C-1", "ONE", ""),
        ({"SerialNumber": "C-1", "IMEI": IMEI_TWO}, "C-1", "ONE", overruled),
        ({"SerialNumber": "C-1", "IMEI": "000"}, "C-1", "ONE", ""),
        ({"IMEI": IMEI_ONE}, "C-1", "ONE", ""),
        ({"IMEI": IMEI_TWO, "StoreNumber": "many"}, "C-2", "MANY", ""),
        ({"IMEI": IMEI_NOWHERE, "StoreNumber": "ONE"}, "C-1", "ONE", unmapped),
        ({"StoreNumber": "ONE"}, "C-1", "ONE", ""),
        ({"StoreNumber": "MANY"}, None, "MANY", ""),
        ({"StoreNumber": "NONE", "SceneType": "StoreView"}, None, "NONE", ""),
        ({"StoreNumber": "NONE", "SceneType": "POS"}, None, "NONE", ""),
        ({"StoreNumber": "MANY", "SceneType": "Promotion"}, None, "MANY", ""),
    ]

    for seed, (sent, *_) in enumerate(cases):
        accepted(await upload(admin, picture(seed), **sent))

    records = await rows(run, shop.client_id)
    found = [(record["serial_number"], record["location_code"], record["notes"]) for record in records]
    assert found == [(serial, outlet, note) for _, serial, outlet, note in cases]
    assert [record["asset_id"] for record in records] == [
        shop.assets[serial] if serial else None for _, serial, _, _ in cases
    ]


async def test_identifiers_of_another_client_do_not_exist(
    run: Runtime, stranger: httpx.AsyncClient, shop: Shop, other_client_id: ClientId
) -> None:
    for sent, words in (
        ({"SerialNumber": "C-1"}, "Asset not found: C-1"),
        ({"IMEI": IMEI_ONE}, f"Asset not found: {IMEI_ONE}"),
        ({"StoreNumber": "ONE"}, NOT_LINKED + "ONE"),
    ):
        assert info_of(await upload(stranger, picture(), **sent)) == words

    assert await nothing_kept(run, shop.client_id)
    assert await nothing_kept(run, other_client_id)


async def test_same_serial_number_of_two_clients_is_two_coolers(
    run: Runtime, admin: httpx.AsyncClient, stranger: httpx.AsyncClient, shop: Shop, other_client_id: ClientId
) -> None:
    theirs = await open_shop(run, other_client_id)

    accepted(await upload(admin, picture(), SerialNumber="C-1"))
    answer = await upload(stranger, picture(), SerialNumber="C-1")

    assert "X-Duplicate-Of" not in answer.headers
    assert [row["asset_id"] for row in await rows(run, shop.client_id)] == [shop.assets["C-1"]]
    assert [row["asset_id"] for row in await rows(run, theirs.client_id)] == [theirs.assets["C-1"]]


async def test_anonymous_caller_is_asked_to_sign_in(run: Runtime, nobody: httpx.AsyncClient, shop: Shop) -> None:
    answer = await upload(nobody, picture(), SerialNumber="C-1")

    assert (answer.status_code, answer.headers["www-authenticate"]) == (401, 'Basic realm="Coldshelf"')
    assert await nothing_kept(run, shop.client_id)


async def test_wrong_password_is_refused(run: Runtime, nobody: httpx.AsyncClient, admin: object, shop: Shop) -> None:
    nobody.auth = httpx.BasicAuth("admin", "wrong")
    answer = await upload(nobody, picture(), SerialNumber="C-1")

    assert answer.status_code == 401
    assert await nothing_kept(run, shop.client_id)


async def test_operator_belongs_to_no_client(run: Runtime, nobody: httpx.AsyncClient, shop: Shop) -> None:
    await add_user(run, OPERATORS, "operator", password=PASSWORD, role=Role.OPERATOR)
    nobody.auth = httpx.BasicAuth("operator", PASSWORD)

    answer = await upload(nobody, picture(), SerialNumber="C-1", query={"action": "nonsense"})

    assert (answer.status_code, info_of(answer)) == (200, "Invalid request. Client not specified")
    assert await nothing_kept(run, shop.client_id)


async def test_every_role_of_a_client_may_upload(run: Runtime, app: FastAPI, shop: Shop) -> None:
    for seed, role in enumerate((Role.INSTALLER, Role.SALES_REP, Role.CLIENT_ADMIN)):
        async with await signed_in_client(run, app, shop.client_id, f"user {seed}", role) as http:
            accepted(await upload(http, picture(seed), SerialNumber="C-1"))

    assert [row["created_by_user"] for row in await rows(run, shop.client_id)] == ["user 0", "user 1", "user 2"]


async def test_device_uploads_for_its_own_cooler_only(run: Runtime, nobody: httpx.AsyncClient, shop: Shop) -> None:
    token = await add_device_token(run, shop.client_id, shop.devices[IMEI_ONE])
    nobody.headers["Authorization"] = f"Bearer {token}"

    for sent, words in (
        ({"SerialNumber": "C-2"}, "Asset not found: C-2"),
        ({"IMEI": IMEI_TWO}, f"Asset not found: {IMEI_TWO}"),
        ({"StoreNumber": "MANY"}, "Asset not found: MANY"),
        ({"SerialNumber": "C-OLD"}, "Asset not found: C-OLD"),
    ):
        assert info_of(await upload(nobody, picture(), **sent)) == words
    assert await nothing_kept(run, shop.client_id)

    accepted(await upload(nobody, picture(1), SerialNumber="C-1"))
    accepted(await upload(nobody, picture(2), IMEI=IMEI_ONE))
    accepted(await upload(nobody, picture(3), StoreNumber="ONE"))
    assert {row["serial_number"] for row in await rows(run, shop.client_id)} == {"C-1"}


async def test_token_of_a_user_uploads_as_bearer_and_as_password(
    run: Runtime, nobody: httpx.AsyncClient, shop: Shop
) -> None:
    user_id, _ = await add_user(run, shop.client_id, "app", password=PASSWORD, role=Role.SALES_REP)
    token = await add_token(run, shop.client_id, user_id, "phone")

    nobody.headers["Authorization"] = f"Bearer {token}"
    accepted(await upload(nobody, picture(1), SerialNumber="C-1"))
    del nobody.headers["Authorization"]
    nobody.auth = httpx.BasicAuth("anything", token)
    accepted(await upload(nobody, picture(2), SerialNumber="C-1"))

    assert len(await rows(run, shop.client_id)) == 2


async def test_cookie_uploads_from_its_own_site_only(run: Runtime, nobody: httpx.AsyncClient, shop: Shop) -> None:
    await add_user(run, shop.client_id, "rep", password=PASSWORD, role=Role.SALES_REP)
    signed = await nobody.post("/Controllers/Login.ashx", data={"Username": "rep", "Password": PASSWORD})
    assert signed.json() == {"success": True}

    foreign = await upload(nobody, picture(), SerialNumber="C-1", headers={"Origin": "http://evil.test"})
    assert foreign.status_code == 403
    assert await nothing_kept(run, shop.client_id)

    accepted(await upload(nobody, picture(), SerialNumber="C-1", headers={"Origin": "http://coldshelf.test"}))


async def test_who_is_limited_to_outlets_uploads_for_those_only(
    run: Runtime, app: FastAPI, client_id: ClientId, shop: Shop
) -> None:
    user_id = await partner(run, client_id)
    await limit_user(run, client_id, user_id, {"outlet": [shop.outlets["ONE"], shop.outlets["OLD"]]})
    refused = [
        ({"SerialNumber": "C-2"}, "Asset not found: C-2"),
        ({"SerialNumber": "C-2", "StoreNumber": "ONE"}, "Asset not found: C-2"),
        ({"SerialNumber": "C-LOOSE"}, "Asset not found: C-LOOSE"),
        ({"IMEI": IMEI_TWO}, f"Asset not found: {IMEI_TWO}"),
        ({"StoreNumber": "MANY"}, NOT_LINKED + "MANY"),
        ({"StoreNumber": "MANY", "SceneType": "StoreView"}, NOT_LINKED + "MANY"),
    ]

    async with signed_in(app, "partner") as http:
        for fields, reason in refused:
            assert info_of(await upload(http, picture(), **fields)) == reason
        kept = await nothing_kept(run, client_id)
        own = await upload(http, picture(), SerialNumber="C-1", IMEI=IMEI_TWO)

    assert kept
    assert accepted(own)
