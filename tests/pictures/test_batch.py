"""Many uploads in one request: each as if it had come alone, in order, and nothing half-stored."""

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import httpx
import pytest
from tests.pictures.uploading import (
    PATH,
    Shop,
    nothing_kept,
    objects_of,
    picture,
    rows,
    upload,
)

from coldshelf.kit.runtime import Runtime
from coldshelf.kit.testing import FaultyStore

pytestmark = pytest.mark.usefixtures("shop")

Json = dict[str, Any]
BATCH = "/api/v1/images/batch"


async def send(http: httpx.AsyncClient, manifest: object, *files: tuple[str, bytes], **headers: str) -> httpx.Response:
    text = manifest if isinstance(manifest, str) else json.dumps(manifest)
    return await http.post(
        BATCH,
        data={"manifest": text},
        files=[("file", file) for file in files] or [("none", ("", b""))],
        headers={name.replace("_", "-"): value for name, value in headers.items()},
    )


async def test_every_item_is_answered_in_order_as_if_it_had_come_alone(
    run: Runtime, admin: httpx.AsyncClient, shop: Shop
) -> None:
    before = await upload(admin, picture(2), SerialNumber="C-2")
    manifest = [
        {"files": ["b.jpg"], "SerialNumber": "nowhere"},
        {"files": ["a.jpg"], "serialnumber": "C-1", "BeforeAfterImage": 2},
        {"files": ["left.jpg", "right.jpg"], "SerialNumber": "C-1", "GridOrder": "2,1"},
        {"files": ["text.jpg", "d.jpg"], "StoreNumber": "MANY", "IsStitchImage": False},
        {"files": ["again.jpg"], "SerialNumber": "C-2"},
    ]
    names = {"a.jpg": 1, "again.jpg": 2, "b.jpg": 3, "left.jpg": 4, "right.jpg": 5, "d.jpg": 6}
    files = [(name, picture(seed)) for name, seed in names.items()]

    answer = await send(admin, manifest, *files, ("text.jpg", b"text"))

    body = answer.json()
    assert (answer.status_code, body["stored"], body["refused"]) == (200, 3, 2)
    results = body["results"]
    assert [one["index"] for one in results] == [0, 1, 2, 3, 4]
    assert [one["success"] for one in results] == [False, True, True, False, True]
    assert results[0]["answer"] == [{"Success": False, "Info": "Asset not found: nowhere"}]
    assert [entry["Success"] for entry in results[3]["answer"]] == [False, True]
    assert results[4]["answer"] == before.json()
    assert results[4]["duplicate_of"] == [before.json()[0]["UniqueGuid"]]
    kept = {row["id"]: row for row in await rows(run, shop.client_id)}
    assert len(kept) == 4
    assert kept[results[1]["answer"][0]["AssetPurityId"]]["before_after"] == 2
    assert kept[results[2]["answer"][0]["AssetPurityId"]]["grid_order"] == "2,1"
    keys = {row["object_key"] for row in await rows(run, shop.client_id, "picture_file", "number")}
    quarantined = {row["object_key"] for row in await rows(run, shop.client_id, "quarantine")}
    assert set(objects_of(run)) == keys | quarantined


@pytest.mark.parametrize(
    ("manifest", "words"),
    [
        ("[", "manifest is not JSON"),
        ([], "manifest takes a list"),
        ({"files": ["a.jpg"]}, "manifest takes a list"),
        (["a.jpg"], "manifest[0] takes an object"),
        ([{"SerialNumber": "C-1"}], "manifest[0].files takes a list"),
        ([{"files": ["a.jpg"]}, {"files": ["a.jpg"]}], "manifest[1].files names 'a.jpg', which was not sent"),
        ([{"files": ["other.jpg"]}], "manifest[0].files names 'other.jpg', which was not sent"),
        ([{"files": ["a.jpg"], "SerialNumber": ["C-1"]}], "manifest[0].SerialNumber takes a text"),
        ([{"files": ["a.jpg"], "IMEI": "1", "imei": "2"}], "manifest[0] names a parameter twice"),
    ],
)
async def test_wrong_manifest_is_refused_with_its_place_and_nothing_is_stored(
    run: Runtime, admin: httpx.AsyncClient, shop: Shop, manifest: object, words: str
) -> None:
    answer = await send(admin, manifest, ("a.jpg", picture()))

    assert (answer.status_code, answer.json()["code"]) == (400, "manifest_invalid")
    assert answer.json()["detail"].startswith(words)
    assert await nothing_kept(run, shop.client_id)


async def test_file_that_no_item_names_and_a_missing_manifest_are_refused(
    run: Runtime, admin: httpx.AsyncClient, shop: Shop
) -> None:
    item = {"files": ["a.jpg"], "SerialNumber": "C-1"}

    unnamed = await send(admin, [item], ("a.jpg", picture(1)), ("b.jpg", picture(2)))
    doubled = await send(admin, [item], ("a.jpg", picture(1)), ("a.jpg", picture(2)))
    missing = await admin.post(BATCH, files=[("file", ("a.jpg", picture()))])

    assert unnamed.json()["detail"] == "The file 'b.jpg' is named by no item of the manifest"
    assert doubled.json()["detail"].startswith("Two files have the same name")
    assert missing.json()["detail"].startswith("The request takes multipart/form-data with the field manifest")
    assert await nothing_kept(run, shop.client_id)


async def test_batch_sent_again_with_its_key_goes_on_where_it_broke(
    run: Runtime, app: Any, admin: httpx.AsyncClient, shop: Shop
) -> None:
    manifest = [{"files": [f"{seed}.jpg"], "SerialNumber": "C-1"} for seed in range(6)]
    files = [(f"{seed}.jpg", picture(seed)) for seed in range(6)]
    _exchange(app, FaultyStore(run.objects, fail_commits=2))

    broken = await send(admin, manifest, *files, Idempotency_Key="trip 9")
    whole = await send(admin, manifest, *files, Idempotency_Key="trip 9")

    assert (broken.json()["stored"], broken.json()["refused"]) == (4, 2)
    failed = [one for one in broken.json()["results"] if not one["success"]]
    assert [one["status"] for one in failed] == [500, 500]
    assert failed[0]["answer"] == [{"Success": False, "Info": "Something went wrong while saving image"}]
    assert whole.json()["stored"] == 6
    assert sum(one["replayed"] for one in whole.json()["results"]) == 4
    assert len(await rows(run, shop.client_id)) == 6
    assert len(objects_of(run)) == 6


async def test_batch_has_its_own_bound_of_files(
    run: Runtime, admin: httpx.AsyncClient, shop: Shop, set_up: Callable[..., None]
) -> None:
    set_up(max_batch=2)
    files = [(f"{seed}.jpg", picture(seed)) for seed in range(3)]

    answer = await send(admin, [], *files)

    assert (answer.status_code, answer.json()["detail"]) == (413, "The upload has more than 2 files")
    assert await nothing_kept(run, shop.client_id)


async def test_manifest_is_bounded(admin: httpx.AsyncClient) -> None:
    answer = await send(admin, " " * (1024 * 1024 + 1))

    assert (answer.status_code, answer.json()["detail"]) == (413, "The field manifest is longer than 1,048,576 bytes")


async def test_cooler_of_another_client_is_not_found(
    run: Runtime, stranger: httpx.AsyncClient, nobody: httpx.AsyncClient, shop: Shop
) -> None:
    manifest = [{"files": ["a.jpg"], "SerialNumber": "C-1"}]

    foreign = await send(stranger, manifest, ("a.jpg", picture()))
    anonymous = await send(nobody, manifest, ("a.jpg", picture()))

    assert foreign.json()["results"][0]["answer"] == [{"Success": False, "Info": "Asset not found: C-1"}]
    assert anonymous.status_code == 401
    assert await nothing_kept(run, shop.client_id)


async def test_plain_upload_knows_nothing_of_manifests(admin: httpx.AsyncClient, shop: Shop) -> None:
    answer = await admin.post(
        f"{PATH}?action=uploadImage&SerialNumber=C-1",
        data={"manifest": "[]"},
        files=[("file", ("a.jpg", picture()))],
    )

    assert answer.json()[0]["Success"] is True


def _exchange(app: Any, objects: FaultyStore) -> None:
    app.state.run = replace(app.state.run, objects=objects)
