"""`POST /api/v1/images`: the contract's upload as a resource is added."""

import httpx
import pytest
from fastapi import FastAPI
from tests.pictures.uploading import Shop, accepted, nothing_kept, picture, rows, upload
from tests.support.limits import limit_user, partner, signed_in

from coldshelf.access.principal import Role
from coldshelf.kit.runtime import Runtime

pytestmark = pytest.mark.usefixtures("shop")
IMAGES = "/api/v1/images"


async def send(http: httpx.AsyncClient, *pictures: bytes, key: str = "", **fields: str) -> httpx.Response:
    return await http.post(
        IMAGES,
        data=fields,
        files=[("file", (f"{place}.jpg", content)) for place, content in enumerate(pictures)] or [("none", ("", b""))],
        headers={"Idempotency-Key": key} if key else {},
    )


async def test_an_image_is_stored_and_stands_where_the_answer_says(admin: httpx.AsyncClient) -> None:
    answer = await send(admin, picture(1), SerialNumber="C-1")

    entry = answer.json()["data"][0]
    record = await admin.get(answer.headers["location"])
    assert (answer.status_code, entry["Success"], entry["Info"]) == (201, True, "Image uploaded successfully")
    assert answer.headers["location"] == f"{IMAGES}/{entry['UniqueGuid']}"
    assert (record.json()["AssetPurityId"], record.json()["SerialNumber"]) == (entry["AssetPurityId"], "C-1")
    assert record.headers["etag"]


async def test_the_same_pictures_are_one_record_at_both_doors(admin: httpx.AsyncClient) -> None:
    first = accepted(await upload(admin, picture(1), SerialNumber="C-1"))[0]

    again = await send(admin, picture(1), SerialNumber="C-1")

    assert (again.status_code, again.json()["data"]) == (200, [first])
    assert again.headers["x-duplicate-of"] == first["UniqueGuid"]


async def test_a_repeated_key_gets_the_first_answer_and_another_request_is_refused(
    run: Runtime, admin: httpx.AsyncClient, shop: Shop
) -> None:
    first = await send(admin, picture(1), key="k", SerialNumber="C-1")
    again = await send(admin, picture(1), key="k", SerialNumber="C-1")
    other = await send(admin, picture(2), key="k", SerialNumber="C-1")

    assert (again.json(), again.headers["idempotency-replayed"]) == (first.json(), "true")
    assert again.headers["location"] == first.headers["location"]
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused")
    assert len(await rows(run, shop.client_id)) == 1


async def test_files_that_are_not_combined_are_answered_one_by_one(admin: httpx.AsyncClient) -> None:
    answer = await send(admin, picture(1), b"text", SerialNumber="C-1", IsStitchImage="false")

    assert answer.status_code == 201
    assert [entry["Success"] for entry in answer.json()["data"]] == [True, False]


@pytest.mark.parametrize(
    ("content", "fields", "code", "detail"),
    [
        (picture(1), {"SerialNumber": "nowhere"}, "asset_not_found", "Asset not found: nowhere"),
        (picture(1), {}, "identifier_missing", "StoreNumber or Asset Serial# is required"),
        (picture(1)[:200], {"SerialNumber": "C-1"}, "upload_refused", "Image is corrupted"),
        (b"", {"SerialNumber": "C-1"}, "no_image_files", "No image files found to upload"),
    ],
)
async def test_what_is_not_accepted_is_a_problem_document(
    run: Runtime, admin: httpx.AsyncClient, shop: Shop, content: bytes, fields: dict[str, str], code: str, detail: str
) -> None:
    answer = await send(admin, *([content] if content else []), **fields)

    assert (answer.status_code, answer.headers["content-type"]) == (400, "application/problem+json")
    assert (answer.json()["code"], answer.json()["detail"]) == (code, detail)
    assert await rows(run, shop.client_id) == []


async def test_who_may_not_upload_and_whose_cooler_it_is_not_store_nothing(
    run: Runtime, app: FastAPI, shop: Shop, stranger: httpx.AsyncClient
) -> None:
    user_id = await partner(run, shop.client_id, role=Role.SALES_REP)
    await limit_user(run, shop.client_id, user_id, {"outlet": [shop.outlets["MANY"]]})
    async with signed_in(app, "partner") as limited:
        beyond = await send(limited, picture(1), SerialNumber="C-1")
    foreign = await send(stranger, picture(1), SerialNumber="C-1")
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://coldshelf.test") as nobody:
        unknown = await send(nobody, picture(1), SerialNumber="C-1")

    assert [answer.json()["code"] for answer in (beyond, foreign)] == ["asset_not_found", "asset_not_found"]
    assert unknown.status_code == 401
    assert await nothing_kept(run, shop.client_id)
