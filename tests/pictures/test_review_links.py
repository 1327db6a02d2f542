"""Links by which pictures are reviewed: each decides once, by its page only, and on record."""

import asyncio
from typing import Any

import httpx
import pytest
from tests.pictures.uploading import Shop, accepted, picture, rows, upload
from tests.records.support import Handler
from tests.support.links import ORIGIN, everything, minted, path_of, press

from coldshelf.kit.ids import ClientId
from coldshelf.kit.runtime import Runtime


async def record_of(run: Runtime, client_id: ClientId, picture_id: int) -> dict[str, Any]:
    return next(row for row in await rows(run, client_id) if row["id"] == picture_id)


async def test_programs_that_try_forms_do_nothing(
    url: str, admin: httpx.AsyncClient, nobody: httpx.AsyncClient, waiting: int
) -> None:
    path = path_of(await minted(admin, "picture.review", waiting))
    before = await everything(url)
    form = {"action": "approve"}

    for headers in ({}, {"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "cross-site"},
                    {"Origin": "null", "Sec-Fetch-Site": "cross-site"}, {"Referer": "http://coldshelf.test"},
                    {"Origin": "http://coldshelf.test.evil.example"}, {"Origin": "http://["},
                    {**ORIGIN, "Sec-Fetch-Site": "cross-site"}):  # fmt: skip
        answer = await nobody.post(path, data=form, headers=headers)
        assert answer.status_code == 403, headers
        assert "use the buttons of its page" in answer.text
    for empty in ({}, {"action": ""}, {"action": "reopen"}, {"action": "APPROVE"}, {"act": "approve"}):
        assert (await nobody.post(path, data=empty, headers=ORIGIN)).status_code == 400

    assert await everything(url) == before


@pytest.mark.parametrize("headers", [ORIGIN, {"Origin": "null", "Sec-Fetch-Site": "same-origin"}, {"Origin": "null"},
                                     {"Sec-Fetch-Site": "same-origin"}])  # fmt: skip
async def test_approval_is_done_once_on_record_and_shown(
    run: Runtime,
    admin: httpx.AsyncClient,
    nobody: httpx.AsyncClient,
    shop: Shop,
    waiting: int,
    headers: dict[str, str],
) -> None:
    link = await minted(admin, "picture.review", waiting, Recipient="Ada")
    path = path_of(link)
    assert "Approve</button>" in (await nobody.get(path)).text

    first = await nobody.post(path, data={"action": "approve"}, headers=headers)
    again = await nobody.post(path, data={"action": "approve"}, headers=headers)
    other = await nobody.post(path, data={"action": "reject", "why": "Not a cooler"}, headers=headers)
    page = await nobody.get(path)

    assert (first.status_code, first.headers["location"]) == (303, path.rpartition("/")[2])
    assert (again.status_code, again.headers["location"]) == (303, path.rpartition("/")[2])
    assert other.status_code == 409
    assert "decided otherwise already" in other.text
    assert "You approved this picture on" in page.text
    assert "Somebody else" not in page.text
    assert "<form" not in page.text
    kept = await record_of(run, shop.client_id, waiting)
    assert (kept["status_id"], kept["reviewer"]) == (12, f"link {link['LinkId']}")
    (note,) = (await Handler(admin, "AssetPurityReview").page(AssetPurityId=waiting))["records"]
    assert (note["Decision"], note["CreatedByUser"]) == ("Approved", f"link {link['LinkId']}")
    assert note["CreatedByUserId"] is None
    (audit,) = (await admin.get("/api/v1/link-actions")).json()["data"]
    told = {name: audit[name] for name in ("LinkId", "Purpose", "Dataset", "RecordKey", "Recipient", "Action")}
    assert told == {
        "LinkId": link["LinkId"],
        "Purpose": "picture.review",
        "Dataset": "AssetPurity",
        "RecordKey": waiting,
        "Recipient": "Ada",
        "Action": "approve",
    }
    assert audit["CreatedByUser"] == f"link {link['LinkId']}"
    kinds = [row["type"] for row in await rows(run, shop.client_id, "event", "ctid") if row["key"] == waiting]
    assert kinds.count("image.approved") == 1


async def test_rejection_takes_a_reason_which_is_kept(
    run: Runtime, admin: httpx.AsyncClient, nobody: httpx.AsyncClient, shop: Shop, waiting: int
) -> None:
    path = path_of(await minted(admin, "picture.review", waiting))

    without = await press(nobody, path, "reject")
    long = await press(nobody, path, "reject", reason="x" * 2001)
    done = await press(nobody, path, "reject", why="Wrong cooler", reason="That is <b>ours</b>")

    assert (without.status_code, long.status_code) == (400, 400)
    assert "reason is required" in without.text
    assert f'<a href="{path.rpartition("/")[2]}">Back to the page</a>' in without.text
    assert done.status_code == 200
    assert "You rejected this picture on" in done.text
    assert "Rejected: Wrong cooler: That is &lt;b&gt;ours&lt;/b&gt;" in done.text
    kept = await record_of(run, shop.client_id, waiting)
    assert (kept["status_id"], kept["rejection_reason"]) == (-1, "Wrong cooler: That is <b>ours</b>")
    (audit,) = await rows(run, shop.client_id, "link_action")
    assert audit["detail"] == "Wrong cooler: That is <b>ours</b>"


async def test_twenty_buttons_pressed_at_once_decide_once(
    run: Runtime, admin: httpx.AsyncClient, nobody: httpx.AsyncClient, shop: Shop, waiting: int
) -> None:
    """Of one link and both buttons, then of twenty links: more than the pool has connections."""
    path = path_of(await minted(admin, "picture.review", waiting))
    actions = ["approve", "reject"] * 10

    answers = await asyncio.gather(
        *(nobody.post(path, data={"action": name, "why": "Blurred"}, headers=ORIGIN) for name in actions)
    )

    won = next(name for name, answer in zip(actions, answers, strict=True) if answer.status_code == 303)
    assert [answer.status_code for answer in answers] == [303 if name == won else 409 for name in actions]
    assert len(await rows(run, shop.client_id, "picture_review")) == 1
    assert len(await rows(run, shop.client_id, "link_action")) == 1


async def test_twenty_links_at_once_decide_once(
    run: Runtime, admin: httpx.AsyncClient, nobody: httpx.AsyncClient, shop: Shop, waiting: int
) -> None:
    paths = [path_of(await minted(admin, "picture.review", waiting)) for _ in range(20)]

    answers = await asyncio.gather(*(nobody.post(path, data={"action": "approve"}, headers=ORIGIN) for path in paths))

    assert sorted(answer.status_code for answer in answers) == [303] + [409] * 19
    assert len(await rows(run, shop.client_id, "picture_review")) == 1
    assert len(await rows(run, shop.client_id, "link_action")) == 1
    loser = next(path for path, answer in zip(paths, answers, strict=True) if answer.status_code == 409)
    page = (await nobody.get(loser)).text
    assert "Somebody else approved this picture on" in page
    assert "You approved" not in page


async def test_what_somebody_else_decided_meanwhile_is_said_without_names(
    admin: httpx.AsyncClient, nobody: httpx.AsyncClient, waiting: int
) -> None:
    path = path_of(await minted(admin, "picture.review", waiting))
    desk = Handler(admin, "AssetPurity")
    await desk.post("reject", AssetPurityId=waiting, reason="Moved")

    page = await nobody.get(path)
    late = await press(nobody, path, "approve")

    assert "Somebody else rejected this picture on" in page.text
    assert "<form" not in page.text
    assert late.status_code == 409
    assert "Somebody else has decided on this picture meanwhile" in late.text
    assert "admin" not in page.text + late.text

    await desk.post("reopen", AssetPurityId=waiting)
    assert "Approve</button>" in (await nobody.get(path)).text
    assert (await press(nobody, path, "approve")).status_code == 200


async def test_a_decision_that_was_taken_back_needs_a_new_link(
    admin: httpx.AsyncClient, nobody: httpx.AsyncClient, waiting: int
) -> None:
    path = path_of(await minted(admin, "picture.review", waiting))
    await press(nobody, path, "reject", why="Not a cooler")
    await Handler(admin, "AssetPurity").post("reopen", AssetPurityId=waiting)

    page = (await nobody.get(path)).text

    assert "You rejected this picture on" in page
    assert "Somebody else took the decision back on" in page
    assert "ask for a new link" in page
    assert "<form" not in page
    assert (await press(nobody, path, "approve")).status_code == 409


async def test_a_picture_without_a_cooler_is_rejected_here_only(
    run: Runtime, admin: httpx.AsyncClient, nobody: httpx.AsyncClient, shop: Shop
) -> None:
    (entry,) = accepted(await upload(admin, picture(1), StoreNumber="MANY"))
    path = path_of(await minted(admin, "picture.review", entry["AssetPurityId"]))

    page = (await nobody.get(path)).text
    refused = await press(nobody, path, "approve")

    assert "Approve</button>" not in page
    assert refused.status_code == 400
    assert "Nobody said yet which cooler this picture shows" in refused.text
    assert (await record_of(run, shop.client_id, entry["AssetPurityId"]))["status_id"] == 0
    assert (await press(nobody, path, "reject", why="Not a cooler")).status_code == 200


async def test_a_link_to_look_does_not_decide(
    url: str, admin: httpx.AsyncClient, nobody: httpx.AsyncClient, waiting: int
) -> None:
    path = path_of(await minted(admin, "picture.view", waiting))
    before = await everything(url)

    answer = await press(nobody, path, "approve")

    assert answer.status_code == 400
    assert await everything(url) == before


async def test_a_form_that_is_too_large_is_refused_as_a_page(
    admin: httpx.AsyncClient, nobody: httpx.AsyncClient, waiting: int
) -> None:
    path = path_of(await minted(admin, "picture.review", waiting))

    answer = await press(nobody, path, "reject", reason="x" * 70_000)

    assert (answer.status_code, answer.headers["content-type"]) == (413, "text/html; charset=utf-8")
