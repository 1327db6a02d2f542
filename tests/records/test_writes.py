"""Who may save and delete, how often a repeated request counts, and from where (contract 1.1, 1.3, 1.4)."""

import asyncio

import httpx
import pytest

from tests.records.support import Handler

OUTLET = {"Code": "524", "Name": "Kiosk"}
ASSET = {"SerialNumber": "SN-1", "AssetType": "T"}
ONLY_ADMINS = "The role {} may not do this; it takes Client Admin."


async def forbidden(handler: Handler, action: str, **params: object) -> str:
    answer = await handler.post(action, **params)
    assert answer.status_code == 403, answer.text
    body = answer.json()
    assert {**body, "info": ""} == {"success": False, "info": "", "totalRecords": 0, "records": []}
    return str(body["info"])


async def test_installers_save_assets_but_no_outlets_and_products(
    admin: httpx.AsyncClient, installer: httpx.AsyncClient
) -> None:
    await Handler(installer, "AssetType").save(Name="T")

    saved = await Handler(installer, "Asset").save(**ASSET)

    assert saved["data"]["CreatedByUser"] == "installer"
    for name in ("Location", "Product", "Planogram", "Brand", "Manufacturer"):
        for action in ("save", "delete"):
            assert await forbidden(Handler(installer, name), action, id=1) == ONLY_ADMINS.format("Installer")
    assert await Handler(admin, "Location").records() == []


async def test_sales_reps_read_and_change_nothing(admin: httpx.AsyncClient, sales_rep: httpx.AsyncClient) -> None:
    saved = await Handler(admin, "Location").save(**OUTLET)

    assert await Handler(sales_rep, "Location").load(id=saved["id"]) == saved
    assert await Handler(sales_rep, "Location").records() == [saved["data"]]
    assert await forbidden(Handler(sales_rep, "Location"), "save", id=saved["id"], Name="X") == ONLY_ADMINS.format(
        "Sales Rep"
    )
    for name in ("Asset", "AssetType", "SmartDevice"):
        reason = await forbidden(Handler(sales_rep, name), "save", **ASSET)
        assert reason == "The role Sales Rep may not do this; it takes Client Admin, Installer."
    assert await Handler(admin, "Location").load(id=saved["id"]) == saved


async def test_operators_and_devices_neither_read_nor_write(
    operator: httpx.AsyncClient, device: httpx.AsyncClient
) -> None:
    for role, http in (("Operator", operator), ("Device", device)):
        for action in ("list", "load", "save", "delete"):
            reason = await forbidden(Handler(http, "Location"), action, **OUTLET)
            if role == "Operator" and action != "list":
                assert reason == "An operator account belongs to no client."
            else:
                assert reason.startswith(f"The role {role} may not do this; ")


async def test_nobody_is_asked_to_sign_in(nobody: httpx.AsyncClient) -> None:
    answer = await Handler(nobody, "Location").post("list")

    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"] == 'Basic realm="Coldshelf"'
    assert answer.json() == {"success": False, "info": "Sign-in is needed", "totalRecords": 0, "records": []}


@pytest.mark.parametrize("action", ["save", "delete", "Save"])
async def test_a_change_by_get_is_refused_and_changes_nothing(admin: httpx.AsyncClient, action: str) -> None:
    await Handler(admin, "Location").save(**OUTLET)

    answer = await admin.get("/controllers/Location.ashx", params={"action": action, **OUTLET, "Name": "Changed"})

    assert answer.status_code == 400
    assert answer.json()["info"] == f"action={action.lower()} takes POST, not GET"
    assert [record["Name"] for record in await Handler(admin, "Location").records()] == ["Kiosk"]


@pytest.mark.parametrize(
    ("name", "action", "known"),
    [
        ("Location", "", "list, export, load, save, delete"),
        ("Location", "drop", "list, export, load, save, delete"),
        ("AssetPurity", "save", "list, export"),
        ("AssetPurityProduct", "load", "list, export"),
    ],
)
async def test_an_unknown_action_is_refused_with_the_known_ones(
    admin: httpx.AsyncClient, name: str, action: str, known: str
) -> None:
    answer = await Handler(admin, name).post(action)

    assert answer.status_code == 400
    assert answer.json()["info"] == f"Action not found: {action!r}; {name} takes {known}"


async def test_an_unknown_handler_is_not_found(admin: httpx.AsyncClient) -> None:
    answer = await Handler(admin, "Nothing").post("list")

    assert answer.status_code == 404
    assert answer.json()["success"] is False


async def test_reads_take_get_and_post_alike(admin: httpx.AsyncClient) -> None:
    saved = await Handler(admin, "Location").save(**OUTLET)
    path = "/controllers/Location.ashx"

    by_get = await admin.get(path, params={"action": "load", "id": saved["id"]})
    by_query = await admin.post(path, params={"action": "load", "id": saved["id"]})
    by_form = await admin.post(path, data={"action": "load", "id": saved["id"]})

    assert by_get.json() == by_query.json() == by_form.json() == saved


async def test_a_repeated_key_gives_the_first_answer_and_no_second_effect(admin: httpx.AsyncClient) -> None:
    handler, key = Handler(admin, "Location"), {"Idempotency-Key": "k-1"}
    first = await handler.post("save", key, **OUTLET)
    await handler.save(id=first.json()["id"], Name="Later")

    again = await handler.post("save", key, **OUTLET)

    assert again.content == first.content
    assert "Idempotency-Replayed" not in first.headers
    assert again.headers["Idempotency-Replayed"] == "true"
    assert again.headers["Content-Type"] == first.headers["Content-Type"] == "application/json"
    assert [record["Name"] for record in await handler.records()] == ["Later"]


async def test_a_key_of_another_request_is_refused(admin: httpx.AsyncClient) -> None:
    handler, key = Handler(admin, "Location"), {"Idempotency-Key": "k-1"}
    await handler.post("save", key, **OUTLET)

    other_value = await handler.post("save", key, **{**OUTLET, "Name": "Other"})
    other_action = await handler.post("delete", key, **OUTLET)
    other_entity = await Handler(admin, "Manufacturer").post("save", key, **OUTLET)

    for answer in (other_value, other_action, other_entity):
        assert answer.status_code == 422
        assert answer.json()["info"] == "This Idempotency-Key was used for another request"
    assert [record["Name"] for record in await handler.records()] == ["Kiosk"]


async def test_keys_of_two_users_are_different_keys(admin: httpx.AsyncClient, installer: httpx.AsyncClient) -> None:
    key = {"Idempotency-Key": "k-1"}
    first = await Handler(admin, "AssetType").post("save", key, Name="A")

    other = await Handler(installer, "AssetType").post("save", key, Name="B")

    assert other.status_code == 200
    assert other.json()["id"] != first.json()["id"]


async def test_the_same_key_at_once_acts_once(admin: httpx.AsyncClient) -> None:
    handler, key = Handler(admin, "Location"), {"Idempotency-Key": "k-1"}

    answers = await asyncio.gather(*(handler.post("save", key, id=0, **OUTLET) for _ in range(8)))

    assert {answer.content for answer in answers} == {answers[0].content}
    assert sorted(answer.headers.get("Idempotency-Replayed", "") for answer in answers) == [""] + ["true"] * 7
    assert (await handler.page())["totalRecords"] == 1


async def test_a_refused_request_leaves_its_key_free(admin: httpx.AsyncClient) -> None:
    handler, key = Handler(admin, "Location"), {"Idempotency-Key": "k-1"}
    refused = await handler.post("save", key, Code="524")

    mended = await handler.post("save", key, **OUTLET)

    assert refused.json() == {"success": False, "info": "Location needs Name"}
    assert mended.json()["success"] is True


async def test_a_refused_save_writes_nothing(admin: httpx.AsyncClient) -> None:
    makers = Handler(admin, "Manufacturer")
    maker = await makers.save(Name="Acme", Code="A")
    await makers.save(Name="Bolt", Code="B")

    reason = await makers.refused("save", id=maker["id"], IsForeign=True, Code="b")

    assert reason == "Manufacturer with Code 'b' exists already"
    assert await makers.load(id=maker["id"]) == maker


@pytest.mark.parametrize("origin", ["https://evil.example", "null"])
async def test_a_cookie_from_another_site_changes_nothing_but_may_list(browser: httpx.AsyncClient, origin: str) -> None:
    handler, foreign = Handler(browser, "Location"), {"Origin": origin}

    saved = await handler.post("save", foreign, **OUTLET)
    listed = await handler.post("list", foreign)

    assert saved.status_code == 403
    assert saved.json()["info"] == "This call changes something and comes from another site"
    assert (listed.status_code, listed.json()["totalRecords"]) == (200, 0)


async def test_a_cookie_needs_an_origin_to_change_something(browser: httpx.AsyncClient) -> None:
    handler = Handler(browser, "Location")

    without = await handler.post("save", **OUTLET)
    own = await handler.post("save", {"Origin": "http://coldshelf.test"}, **OUTLET)

    assert without.status_code == 403
    assert own.json()["success"] is True


async def test_basic_credentials_need_no_origin_but_no_foreign_one(admin: httpx.AsyncClient) -> None:
    handler = Handler(admin, "Location")

    foreign = await handler.post("save", {"Origin": "https://evil.example"}, **OUTLET)
    without = await handler.post("save", **OUTLET)

    assert foreign.status_code == 403
    assert without.json()["success"] is True


async def test_writers_of_the_same_rows_in_opposite_order_all_succeed(admin: httpx.AsyncClient) -> None:
    """A rename goes down to products; a product that names its maker and brand goes up: they must not deadlock."""
    makers, brands, products = (Handler(admin, name) for name in ("Manufacturer", "Brand", "Product"))
    maker = await makers.save(Name="Maker 0")
    brand = await brands.save(Name="Brand 0", ManufacturerId=maker["id"])
    goods = [
        await products.save(Name=f"P{n}", SKU=f"S{n}", ShortName="P", BrandId=brand["id"], ManufacturerId=maker["id"])
        for n in range(4)
    ]

    answers = await asyncio.gather(
        *(makers.post("save", id=maker["id"], Name=f"Maker {n}", IsForeign=n % 2) for n in range(10)),
        *(brands.post("save", id=brand["id"], Name=f"Brand {n}", ManufacturerId=maker["id"]) for n in range(10)),
        *(
            products.post("save", id=item["id"], BrandId=brand["id"], ManufacturerId=maker["id"], UPC=n)
            for n in range(5)
            for item in goods
        ),
    )

    assert [answer.json() for answer in answers if not answer.json()["success"]] == []
