"""Pictures that wait are approved, rejected or reopened by a client admin, each decision once and on record."""

import asyncio
import json
from datetime import datetime
from typing import Any

import asyncpg
import httpx
import pytest
from fastapi import FastAPI
from tests.conftest import signed_in_client
from tests.pictures.uploading import Shop, accepted, picture, rows, taken, upload, work_off
from tests.records.support import Handler

from coldshelf.access.principal import Role
from coldshelf.kit.ids import ClientId
from coldshelf.kit.runtime import Runtime

Json = dict[str, Any]
PREPARE = "pictures.prepare"


@pytest.fixture
def desk(admin: httpx.AsyncClient, shop: Shop) -> Handler:
    return Handler(admin, "AssetPurity")


async def pending(http: httpx.AsyncClient, seed: int = 1, **sent: object) -> Json:
    """Upload a picture that waits: its store has two coolers."""
    (entry,) = accepted(await upload(http, picture(seed), **(sent or {"StoreNumber": "MANY"})))
    return entry


async def record(run: Runtime, client_id: ClientId, picture_id: int) -> Json:
    return next(row for row in await rows(run, client_id) if row["id"] == picture_id)


async def event_types(run: Runtime, client_id: ClientId, picture_id: int) -> list[str]:
    """Name the events about a picture in their order."""
    return [row["type"] for row in await rows(run, client_id, "event", "ctid") if row["key"] == picture_id]


async def decided(handler: Handler, action: str, **params: object) -> Json:
    answer = await handler.post(action, **params)
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


async def test_approval_with_the_cooler_starts_the_pipeline_once(
    run: Runtime, admin: httpx.AsyncClient, shop: Shop, desk: Handler
) -> None:
    entry = await pending(admin)
    await work_off(run, only=PREPARE)

    answer = await decided(desk, "approve", AssetPurityId=entry["AssetPurityId"], SerialNumber="C-2")

    (result,) = answer["results"]
    assert (answer["success"], answer["decided"]) == (True, 1)
    assert result == {
        "AssetPurityId": entry["AssetPurityId"],
        "success": True,
        "repeated": False,
        "UniqueGuid": entry["UniqueGuid"],
        "StatusId": 12,
        "ImageStatus": "ImageQueueToIR",
        "SubmissionOutcome": "Provisioned",
        "RejectionReason": None,
        "AssetId": shop.assets["C-2"],
        "SerialNumber": "C-2",
        "SceneType": "ProductAnalysis",
    }
    kinds = await event_types(run, shop.client_id, entry["AssetPurityId"])
    assert kinds == ["picture.stored", "image.pending", "image.approved", "picture.prepared"]
    kept = await record(run, shop.client_id, entry["AssetPurityId"])
    assert (kept["reviewer"], kept["columns"], kept["location_code"]) == ("admin", 8, "MANY")
    assert kept["verified_on"] is not None


async def test_approval_before_the_preparation_leaves_the_start_to_it(
    run: Runtime, admin: httpx.AsyncClient, shop: Shop, desk: Handler
) -> None:
    entry = await pending(admin)
    await decided(desk, "approve", AssetPurityId=entry["AssetPurityId"], SerialNumber="C-2")
    before = await event_types(run, shop.client_id, entry["AssetPurityId"])

    await work_off(run, only=PREPARE)

    after = await event_types(run, shop.client_id, entry["AssetPurityId"])
    assert before == ["picture.stored", "image.pending", "image.approved"]
    assert after == [*before, "picture.prepared"]
    assert (await record(run, shop.client_id, entry["AssetPurityId"]))["status_id"] == 12


async def test_doubtful_quality_does_not_take_an_approval_back(
    run: Runtime, admin: httpx.AsyncClient, shop: Shop, desk: Handler
) -> None:
    entry = await pending(admin)
    await decided(desk, "approve", AssetPurityId=entry["AssetPurityId"], SerialNumber="C-2")
    await work_off(run, only=PREPARE)

    kept = await record(run, shop.client_id, entry["AssetPurityId"])

    assert (kept["status_id"], kept["submission_outcome"], kept["rejection_reason"]) == (12, "Provisioned", None)


async def test_rejection_ends_the_picture_with_its_reason(
    run: Runtime, admin: httpx.AsyncClient, shop: Shop, desk: Handler
) -> None:
    entry = await pending(admin)
    await work_off(run)

    answer = await decided(desk, "reject", AssetPurityId=entry["AssetPurityId"], reason="Not a cooler")
    await work_off(run)

    assert answer["results"][0]["RejectionReason"] == "Not a cooler"
    kept = await record(run, shop.client_id, entry["AssetPurityId"])
    assert (kept["status_id"], kept["submission_outcome"], kept["reviewer"]) == (-1, "Rejected", "admin")
    kinds = await event_types(run, shop.client_id, entry["AssetPurityId"])
    assert kinds == ["picture.stored", "image.pending", "image.rejected"]


async def test_every_decision_is_listed_with_who_from_to_and_why(
    run: Runtime, admin: httpx.AsyncClient, shop: Shop, desk: Handler
) -> None:
    entry = await pending(admin, SceneType="Shelf of honour", SerialNumber="C-1")
    await decided(desk, "approve", AssetPurityId=entry["AssetPurityId"], SceneType="assetview", reason="Typing error")

    page = await Handler(admin, "AssetPurityReview").page(AssetPurityId=entry["AssetPurityId"])

    (note,) = page["records"]
    assert {name: note[name] for name in note if name.startswith(("From", "To", "Dec", "Rea"))} == {
        "Decision": "Approved",
        "Reason": "Typing error",
        "FromStatusId": 0,
        "ToStatusId": 2,
        "FromReason": "UnknownScene",
        "ToReason": None,
        "FromSerialNumber": "C-1",
        "ToSerialNumber": "C-1",
        "FromSceneType": "Shelf of honour",
        "ToSceneType": "AssetView",
    }
    assert note["CreatedByUser"] == "admin"
    listed = await desk.page(AssetPurityId=entry["AssetPurityId"])
    assert (listed["records"][0]["Username"], listed["records"][0]["SceneType"]) == ("admin", "AssetView")


async def test_scene_without_analysis_starts_no_recognition(
    run: Runtime, admin: httpx.AsyncClient, shop: Shop, desk: Handler
) -> None:
    entry = await pending(admin)
    await work_off(run)

    await decided(desk, "approve", AssetPurityId=entry["AssetPurityId"], SceneType="StoreView")

    assert "picture.prepared" not in await event_types(run, shop.client_id, entry["AssetPurityId"])
    assert (await record(run, shop.client_id, entry["AssetPurityId"]))["status_id"] == 2


@pytest.mark.parametrize(
    ("correction", "words"),
    [
        ({}, "AssetPurity {id} shows ProductAnalysis and has no asset"),
        ({"SerialNumber": "nowhere"}, "Asset not found: nowhere"),
        ({"AssetId": 987654}, "Asset not found: 987654"),
        ({"SerialNumber": "C-1"}, "Asset assigned to outlet code ONE, passed code MANY - mismatch"),
        ({"SerialNumber": "C-OLD", "StoreNumber": "OLD"}, "Asset C-OLD is Inactive"),
        ({"SceneType": "Moon"}, "SceneType takes ProductAnalysis, POS, AssetBarcode, AssetView, StoreView, Promotion"),
    ],
)
async def test_correction_is_checked_like_an_upload(
    run: Runtime, admin: httpx.AsyncClient, shop: Shop, desk: Handler, correction: Json, words: str
) -> None:
    entry = await pending(admin)
    before = await record(run, shop.client_id, entry["AssetPurityId"])

    answer = await decided(desk, "approve", AssetPurityId=entry["AssetPurityId"], **correction)

    assert answer["success"] is False
    assert answer["results"][0]["info"].startswith(words.format(id=entry["AssetPurityId"]))
    assert await record(run, shop.client_id, entry["AssetPurityId"]) == before
    assert await rows(run, shop.client_id, "picture_review") == []


async def test_other_store_may_be_corrected_with_its_cooler_and_clock(
    run: Runtime, admin: httpx.AsyncClient, shop: Shop, desk: Handler
) -> None:
    async with run.database.scope(shop.client_id) as connection:
        zone = await connection.fetchval(
            "SELECT id FROM time_zone WHERE name = 'Asia/Tokyo' AND client_id = $1", shop.client_id
        ) or await connection.fetchval(
            "INSERT INTO time_zone (client_id, name) VALUES ($1, 'Asia/Tokyo') RETURNING id", shop.client_id
        )
        await connection.execute("UPDATE location SET time_zone_id = $1 WHERE code = 'ONE'", zone)
    noon = datetime(2026, 3, 4, 12, 0)  # noqa: DTZ001  # a camera without a zone
    content = taken(picture(), noon)
    (entry,) = accepted(await upload(admin, content, StoreNumber="MANY"))

    await decided(desk, "approve", AssetPurityId=entry["AssetPurityId"], SerialNumber="C-1", StoreNumber="ONE")

    kept = await record(run, shop.client_id, entry["AssetPurityId"])
    assert (kept["location_code"], kept["planogram_name"]) == ("ONE", "Plan A")
    assert kept["captured_local"] == noon
    assert kept["captured_on"].isoformat() == "2026-03-04T03:00:00+00:00"


async def test_corrected_picture_goes_through_the_outcome_table_again(
    run: Runtime, admin: httpx.AsyncClient, shop: Shop, desk: Handler, url: str
) -> None:
    entry = await pending(admin)
    await _set_client(url, shop.client_id, "demands_planogram = true")

    answer = await decided(desk, "approve", AssetPurityId=entry["AssetPurityId"], SerialNumber="C-2")

    assert (answer["results"][0]["StatusId"], answer["results"][0]["RejectionReason"]) == (-1, "NoPlanogram")
    assert (await event_types(run, shop.client_id, entry["AssetPurityId"]))[-1] == "image.rejected"


async def test_client_that_reviews_by_hand_may_approve_without_a_planogram(
    run: Runtime, admin: httpx.AsyncClient, shop: Shop, desk: Handler, url: str
) -> None:
    await _set_client(url, shop.client_id, "demands_planogram = true, reviews_by_hand = true")
    entry = await pending(admin, SerialNumber="C-2")
    waits = await record(run, shop.client_id, entry["AssetPurityId"])

    answer = await decided(desk, "approve", AssetPurityId=entry["AssetPurityId"])

    assert (waits["status_id"], waits["rejection_reason"]) == (0, "NoPlanogram")
    assert answer["results"][0]["SubmissionOutcome"] == "Provisioned"


async def test_planogram_given_meanwhile_is_taken(
    run: Runtime, admin: httpx.AsyncClient, shop: Shop, desk: Handler, url: str
) -> None:
    await _set_client(url, shop.client_id, "demands_planogram = true, reviews_by_hand = true")
    entry = await pending(admin, SerialNumber="C-2")
    async with run.database.scope(shop.client_id) as connection:
        await connection.execute(
            "UPDATE asset SET planogram_id = (SELECT min(id) FROM planogram) WHERE serial_number = 'C-2'"
        )

    await decided(desk, "approve", AssetPurityId=entry["AssetPurityId"])

    assert (await record(run, shop.client_id, entry["AssetPurityId"]))["planogram_name"] == "Plan A"


async def test_second_reviewer_is_told_that_it_is_decided(
    run: Runtime, app: FastAPI, admin: httpx.AsyncClient, shop: Shop, desk: Handler
) -> None:
    entry = await pending(admin)
    await decided(desk, "reject", AssetPurityId=entry["AssetPurityId"], reason="Dark")
    async with await signed_in_client(run, app, shop.client_id, "ann", Role.CLIENT_ADMIN) as http:
        ann = Handler(http, "AssetPurity")
        same = await decided(ann, "reject", AssetPurityId=entry["AssetPurityId"], reason="Dark")
        other = await decided(ann, "approve", AssetPurityId=entry["AssetPurityId"], SerialNumber="C-2")

    for answer in (same, other):
        assert answer["success"] is False
        assert answer["results"][0]["info"].startswith(f"AssetPurity {entry['AssetPurityId']} was rejected by admin on")
    assert len(await rows(run, shop.client_id, "picture_review")) == 1


async def test_same_decision_of_the_same_reviewer_changes_nothing_more(
    run: Runtime, admin: httpx.AsyncClient, shop: Shop, desk: Handler
) -> None:
    entry = await pending(admin)
    wanted = {"AssetPurityId": entry["AssetPurityId"], "SerialNumber": "C-2"}
    await work_off(run, only=PREPARE)

    first = await decided(desk, "approve", **wanted)
    again = await decided(desk, "approve", **wanted)

    assert (first["results"][0]["repeated"], again["results"][0]["repeated"]) == (False, True)
    assert again["success"] is True
    kinds = await event_types(run, shop.client_id, entry["AssetPurityId"])
    assert kinds.count("picture.prepared") == kinds.count("image.approved") == 1
    assert len(await rows(run, shop.client_id, "picture_review")) == 1


async def test_reviewers_at_the_same_moment_decide_once(
    run: Runtime, admin: httpx.AsyncClient, shop: Shop, desk: Handler
) -> None:
    entry = await pending(admin)
    await work_off(run, only=PREPARE)
    wanted = {"AssetPurityId": entry["AssetPurityId"]}

    answers = await asyncio.gather(
        *(decided(desk, "approve", **wanted, SerialNumber="C-2") for _ in range(4)),
        *(decided(desk, "reject", **wanted, reason="No") for _ in range(4)),
    )

    kinds = await event_types(run, shop.client_id, entry["AssetPurityId"])
    assert sum(answer["success"] and not answer["results"][0]["repeated"] for answer in answers) == 1
    assert len([kind for kind in kinds if kind in {"image.approved", "image.rejected"}]) == 1
    assert len(await rows(run, shop.client_id, "picture_review")) == 1


async def test_picture_that_never_waited_is_not_decided_on(
    run: Runtime, admin: httpx.AsyncClient, shop: Shop, desk: Handler
) -> None:
    (entry,) = accepted(await upload(admin, picture(), SerialNumber="C-1"))

    answer = await decided(desk, "reject", AssetPurityId=entry["AssetPurityId"], reason="No")
    undo = await decided(desk, "reopen", AssetPurityId=entry["AssetPurityId"])

    number = entry["AssetPurityId"]
    assert answer["results"][0]["info"] == f"AssetPurity {number} does not wait for review: it is Provisioned"
    assert undo["results"][0]["info"] == f"AssetPurity {number} was not decided by a reviewer: it is Provisioned"


async def test_reopened_picture_is_what_it_was_and_runs_once_when_approved_again(
    run: Runtime, admin: httpx.AsyncClient, shop: Shop, desk: Handler
) -> None:
    entry = await pending(admin)
    await work_off(run)
    before = await record(run, shop.client_id, entry["AssetPurityId"])
    await decided(desk, "approve", AssetPurityId=entry["AssetPurityId"], SerialNumber="C-2")

    answer = await decided(desk, "reopen", AssetPurityId=entry["AssetPurityId"], reason="Wrong cooler")

    after = await record(run, shop.client_id, entry["AssetPurityId"])
    changing = {"modified_on", "modified_by_user", "modified_by_user_id", "revision"}
    assert answer["success"] is True
    assert {name: after[name] for name in after if name not in changing} == {
        name: before[name] for name in before if name not in changing
    }
    await decided(desk, "approve", AssetPurityId=entry["AssetPurityId"], SerialNumber="C-3")
    await work_off(run)
    results = await rows(run, shop.client_id, "recognition_result")
    assert [(row["number"], row["is_served"]) for row in results] == [(1, True)]
    kept = await record(run, shop.client_id, entry["AssetPurityId"])
    assert (kept["status_id"], kept["serial_number"]) == (13, "C-3")
    decisions = [row["decision"] for row in await rows(run, shop.client_id, "picture_review")]
    assert decisions == ["Approved", "Reopened", "Approved"]


async def test_decision_with_a_result_stands(run: Runtime, admin: httpx.AsyncClient, shop: Shop, desk: Handler) -> None:
    entry = await pending(admin)
    await decided(desk, "approve", AssetPurityId=entry["AssetPurityId"], SerialNumber="C-2")
    await work_off(run)

    answer = await decided(desk, "reopen", AssetPurityId=entry["AssetPurityId"])

    number = entry["AssetPurityId"]
    assert answer["results"][0]["info"] == f"AssetPurity {number} has a result already, which may have been read"
    assert (await record(run, shop.client_id, number))["status_id"] == 13


async def test_many_are_decided_by_filter_and_one_failure_stops_no_other(
    run: Runtime, admin: httpx.AsyncClient, shop: Shop, desk: Handler
) -> None:
    numbers = [(await pending(admin, seed))["AssetPurityId"] for seed in range(3)]
    await pending(admin, 7, SerialNumber="C-1", SceneType="Unheard of")
    wanted = {"filters": json.dumps({"LocationCode": "MANY"}), "reason": "Test pictures"}
    await decided(desk, "approve", AssetPurityId=numbers[1], SceneType="StoreView")

    named = await decided(desk, "reject", AssetPurityId=f"{numbers[0]},{numbers[1]},999999", reason="Test")
    found = await decided(desk, "reject", **wanted)

    assert [one["success"] for one in named["results"]] == [True, False, False]
    assert (named["success"], named["decided"]) == (False, 1)
    assert named["results"][2]["info"] == "There is no AssetPurity with id 999999"
    assert [one["AssetPurityId"] for one in found["results"]] == [numbers[2]]
    assert [row["status_id"] for row in await rows(run, shop.client_id)] == [-1, 2, -1, 0]


async def test_request_names_its_pictures_and_a_rejection_its_reason(desk: Handler) -> None:
    assert (await desk.refused("approve")).startswith("Name the pictures: AssetPurityId, filters, or all=true")
    assert await desk.refused("reject", AssetPurityId=1) == "reason is required to reject a picture."
    assert (
        await desk.refused("reject", AssetPurityId=1, reason="x", SceneType="POS")
        == "A correction goes with approve, not with reject."
    )
    too_many = ",".join(str(number) for number in range(1, 1002))
    refused = await desk.refused("reject", AssetPurityId=too_many, reason="x")
    assert refused == "AssetPurityId: IN takes 1 to 1000 values"


async def test_only_client_admins_review(run: Runtime, app: FastAPI, admin: httpx.AsyncClient, shop: Shop) -> None:
    entry = await pending(admin)
    for role in (Role.SALES_REP, Role.INSTALLER):
        async with await signed_in_client(run, app, shop.client_id, f"the {role}", role) as http:
            contract = await Handler(http, "AssetPurity").post("reject", AssetPurityId=1, reason="x")
            clean = await http.post(_path(entry), json={"decision": "reject", "reason": "x"})
            many = await http.post("/api/v1/images/review", json={"decision": "reopen", "all_pending": True})

            assert (contract.status_code, clean.status_code, many.status_code) == (403, 403, 403)
    assert await rows(run, shop.client_id, "picture_review") == []


async def test_picture_of_another_client_cannot_be_found(
    run: Runtime, admin: httpx.AsyncClient, stranger: httpx.AsyncClient, shop: Shop
) -> None:
    entry = await pending(admin)
    before = await rows(run, shop.client_id)
    wish = {"decision": "reject", "reason": "x"}

    contract = await decided(
        Handler(stranger, "AssetPurity"), "reject", AssetPurityId=entry["AssetPurityId"], reason="x"
    )
    clean = await stranger.post(_path(entry), json=wish)
    many = await stranger.post("/api/v1/images/review", json={**wish, "guids": [entry["UniqueGuid"]]})
    everything = await stranger.post("/api/v1/images/review", json={**wish, "all_pending": True})

    assert contract["results"][0]["info"] == f"There is no AssetPurity with id {entry['AssetPurityId']}"
    assert (clean.status_code, clean.json()["code"]) == (404, "picture_not_found")
    assert many.json()["results"] == [
        {
            "guid": entry["UniqueGuid"],
            "id": None,
            "code": "picture_not_found",
            "detail": f"There is no image {entry['UniqueGuid']}",
        }
    ]
    assert everything.json() == {"decided": 0, "refused": 0, "results": []}
    assert await rows(run, shop.client_id) == before


async def test_clean_route_answers_the_image_and_problems(run: Runtime, admin: httpx.AsyncClient, shop: Shop) -> None:
    entry = await pending(admin)

    nothing = await admin.post(_path(entry), json={"decision": "reject"})
    wrong = await admin.post(_path(entry), json={"decision": "maybe"})
    done = await admin.post(
        _path(entry), json={"decision": "approve", "asset_id": shop.assets["C-3"]}, headers={"Idempotency-Key": "1"}
    )
    again = await admin.post(
        _path(entry), json={"decision": "approve", "asset_id": shop.assets["C-3"]}, headers={"Idempotency-Key": "1"}
    )
    late = await admin.post(_path(entry), json={"decision": "reject", "reason": "x"})

    assert (nothing.status_code, nothing.json()["detail"]) == (400, "reason is required to reject a picture.")
    assert wrong.status_code == 400
    for unusable in ({"serial_number": "a\0b"}, {"asset_id": 2**63}, {"reason": "\0"}, {"unknown": 1}):
        answer = await admin.post(_path(entry), json={"decision": "approve", **unusable})
        assert answer.status_code == 400, unusable
    assert done.json() == {
        "guid": entry["UniqueGuid"],
        "id": entry["AssetPurityId"],
        "status_id": 2,
        "status": "Provisioned",
        "outcome": "Provisioned",
        "rejection_reason": None,
        "asset_id": shop.assets["C-3"],
        "serial_number": "C-3",
        "scene_type": "ProductAnalysis",
        "repeated": False,
    }
    assert (again.content, again.headers["idempotency-replayed"]) == (done.content, "true")
    assert (late.status_code, late.json()["code"]) == (409, "picture_decided")


async def test_review_of_many_keeps_the_order_of_the_guids(run: Runtime, admin: httpx.AsyncClient, shop: Shop) -> None:
    entries = [await pending(admin, seed) for seed in range(3)]
    guids = [entry["UniqueGuid"] for entry in reversed(entries)]

    answer = await admin.post(
        "/api/v1/images/review", json={"decision": "approve", "serial_number": "C-2", "guids": [*guids, guids[0]]}
    )
    unnamed = await admin.post("/api/v1/images/review", json={"decision": "reopen"})

    assert [one["guid"] for one in answer.json()["results"]] == guids
    assert answer.json()["decided"] == 3
    assert unnamed.json()["detail"] == "Name the images in one way: guids, filters or all_pending."


def _path(entry: Json) -> str:
    return f"/api/v1/images/{entry['UniqueGuid']}/review"


async def _set_client(url: str, client_id: ClientId, change: str) -> None:
    owner = await asyncpg.connect(url)
    await owner.execute(f"UPDATE client SET {change} WHERE id = $1", client_id)
    await owner.close()
