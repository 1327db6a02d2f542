"""Links to pictures: what they show to whom, how they decide, and that nothing else does anything."""

import asyncio
import io
import re
from datetime import timedelta
from typing import Any

import httpx
import pytest
from PIL import Image
from tests.compliance.cooler import Cooler
from tests.pictures.uploading import Shop, accepted, picture, rows, taken, upload, work_off
from tests.records.support import Handler
from tests.support.links import ORIGIN, everything, minted, path_of, press

from coldshelf.access.principal import Role
from coldshelf.access.service import add_user
from coldshelf.entrypoints.bootstrap import PURPOSES, registry
from coldshelf.kit.ids import ClientId
from coldshelf.kit.runtime import Runtime
from coldshelf.kit.testing import FakeClock
from coldshelf.pictures.events import LINKS, VIEW_LINK
from coldshelf.pictures.service.erasing import erase_picture
from coldshelf.records.erasing import erase_record

SIZE = (640, 480)
HEADERS = {
    "cache-control": "no-store",
    "referrer-policy": "no-referrer",
    "x-robots-tag": "noindex, nofollow",
    "x-content-type-options": "nosniff",
}


@pytest.fixture
async def waiting(run: Runtime, admin: httpx.AsyncClient, shop: Shop) -> int:
    """A prepared picture of C-1 that waits for review: its time lies in the future."""
    content = taken(picture(1, size=SIZE), "2999:03:04 12:00:00")
    (entry,) = accepted(await upload(admin, content, SerialNumber="C-1"))
    await work_off(run, only="pictures.")
    (record,) = await rows(run, shop.client_id)
    assert (record["status_id"], record["rejection_reason"]) == (0, "CaptureTimeInFuture")
    return int(entry["AssetPurityId"])


async def record_of(run: Runtime, client_id: ClientId, picture_id: int) -> dict[str, Any]:
    return next(row for row in await rows(run, client_id) if row["id"] == picture_id)


async def test_the_page_says_where_when_and_what_and_shows_the_picture(
    admin: httpx.AsyncClient, nobody: httpx.AsyncClient, waiting: int
) -> None:
    path = path_of(await minted(admin, "picture.view", waiting))

    page = await nobody.get(path)

    assert page.status_code == 200
    assert {name: page.headers[name] for name in HEADERS} == HEADERS
    assert "default-src 'none'" in page.headers["content-security-policy"]
    for words in ("Shop ONE", "Springfield, Oregon, USA", "C-1", "Monday, 4 March 2999, 12:00", "America/Los_Angeles",
                  "UTC\N{MINUS SIGN}8", "Waits for review: its time lies in the future"):  # fmt: skip
        assert words in page.text
    assert "<form" not in page.text
    source = re.search(r'<img src="([^"]+)"', page.text)
    assert source
    image = await nobody.get(httpx.URL(f"http://coldshelf.test{path}").join(source[1].replace("&amp;", "&")))
    assert (image.status_code, image.headers["content-type"]) == (200, "image/jpeg")
    assert {name: image.headers[name] for name in HEADERS} == HEADERS
    with Image.open(io.BytesIO(image.content)) as shown:
        assert shown.size == SIZE


async def test_the_link_tells_nothing_of_client_record_or_person(
    run: Runtime, admin: httpx.AsyncClient, shop: Shop, waiting: int
) -> None:
    link = await minted(admin, "picture.view", waiting, Recipient="ada@example.org")

    assert re.fullmatch(r"http://127\.0\.0\.1:8000/l/[a-z2-7]{48}", link["Url"])
    (kept,) = await rows(run, shop.client_id, "link")
    token = path_of(link).rpartition("/")[2]
    assert token not in repr(kept)
    assert token not in (await admin.get("/api/v1/links")).text
    assert "ada@" not in (await admin.get(path_of(link))).text


async def test_the_base_of_links_can_be_set(admin: httpx.AsyncClient, waiting: int, set_up: Any) -> None:
    set_up(public_url="https://coolers.example.org/shelf/")

    link = await minted(admin, "picture.view", waiting)

    assert link["Url"].startswith("https://coolers.example.org/shelf/l/")


async def test_a_picture_is_served_redacted_or_not_at_all(
    run: Runtime, admin: httpx.AsyncClient, nobody: httpx.AsyncClient, shop: Shop
) -> None:
    (entry,) = accepted(await upload(admin, picture(1, size=SIZE), SerialNumber="C-1"))
    path = path_of(await minted(admin, "picture.view", entry["AssetPurityId"]))

    before = await nobody.get(f"{path}/picture")
    page = await nobody.get(path)
    await work_off(run, only="pictures.")
    after = await nobody.get(f"{path}/picture")

    assert before.status_code == 404
    assert "The picture is being prepared." in page.text
    assert '<meta http-equiv="refresh" content="15">' in page.text
    assert after.status_code == 200
    (kept,) = await rows(run, shop.client_id, "picture_file", "number")
    assert after.content != run.objects.get(kept["object_key"])


async def test_the_result_is_shown_in_words(run: Runtime, admin: httpx.AsyncClient, client_id: ClientId) -> None:
    cooler = await Cooler.make(run, client_id, ["aab", "cde"])
    await cooler.recognise("aax", "c_?")
    await cooler.settle()

    page = (await admin.get(path_of(await minted(admin, "picture.view", cooler.picture_id)))).text

    tiles = re.findall(r"<b>(\d+)</b>([a-z ]+)</div>", page)
    assert tiles == [("4", "on shelf"), ("3", "missing"), ("1", "unknown"), ("1", "gaps")]
    assert re.search(r"Missing</h2><ul><li>b</li><li>d</li><li>e</li></ul>", page)
    assert "<span>a</span><b>2</b>" in page
    assert "Products recognised" in page
    assert "On shelf: 3 different products" in page


async def test_whatever_names_hold_is_text(run: Runtime, admin: httpx.AsyncClient, shop: Shop, waiting: int) -> None:
    nasty = "<script>alert(1)</script>\" onload='x' &amp; {0}{title}"
    async with run.database.scope(shop.client_id) as connection:
        await connection.execute("UPDATE picture SET location_name = $1, serial_number = $1, city = $1", nasty)

    page = (await admin.get(path_of(await minted(admin, "picture.review", waiting)))).text

    assert "<script" not in page
    assert " onload='" not in page
    assert "{0}{title}" in page
    assert page.count("&lt;script&gt;alert(1)&lt;/script&gt;&quot;") >= 3


async def test_looking_changes_nothing_however_often_and_by_whom(
    url: str, admin: httpx.AsyncClient, nobody: httpx.AsyncClient, waiting: int
) -> None:
    paths = [path_of(await minted(admin, purpose, waiting)) for purpose in ("picture.view", "picture.review")]
    before = await everything(url)

    for path in paths:
        for address in (path, f"{path}/picture", f"{path}?action=approve", f"{path}?action=reject&reason=x"):
            assert (await nobody.get(address)).status_code == 200
            assert (await nobody.head(address)).status_code == 200
        assert (await nobody.options(path)).status_code == 405
        for method in ("PUT", "PATCH", "DELETE"):
            assert (await nobody.request(method, path, data={"action": "approve"})).status_code == 405

    assert await everything(url) == before


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


async def test_expired_and_revoked_links_say_so_and_do_nothing(
    url: str, admin: httpx.AsyncClient, nobody: httpx.AsyncClient, waiting: int, clock: FakeClock
) -> None:
    first = await minted(admin, "picture.review", waiting)
    second = await minted(admin, "picture.review", waiting)
    assert (await admin.post(f"/api/v1/links/{first['LinkId']}/revoke")).status_code == 200
    clock.advance(timedelta(days=7))
    before = await everything(url)

    for link, words in ((first, "taken back"), (second, "has expired")):
        path = path_of(link)
        for answer in (
            await nobody.get(path),
            await nobody.get(f"{path}/picture"),
            await press(nobody, path, "approve"),
        ):
            assert answer.status_code == 410
            assert words in answer.text
            assert answer.headers["cache-control"] == "no-store"

    assert await everything(url) == before


async def test_a_link_ends_with_its_user_its_client_and_its_picture(
    run: Runtime, url: str, admin: httpx.AsyncClient, nobody: httpx.AsyncClient, shop: Shop, waiting: int
) -> None:
    user = (await Handler(admin, "User").page({"Username": "admin"}))["records"][0]["UserId"]
    for_user = path_of(await minted(admin, "picture.view", waiting, UserId=user))
    for_all = path_of(await minted(admin, "picture.view", waiting))

    async def statuses() -> list[int]:
        return [(await nobody.get(path)).status_code for path in (for_user, for_all)]

    async with run.database.system() as connection:
        assert await statuses() == [200, 200]
        await connection.execute("UPDATE app_user SET is_active = false WHERE id = $1", user)
    assert await statuses() == [410, 200]
    async with run.database.system() as connection:
        await connection.execute("UPDATE app_user SET is_active = true WHERE id = $1", user)
        await connection.execute("UPDATE client SET is_active = false")
    assert await statuses() == [410, 410]
    async with run.database.system() as connection:
        await connection.execute("UPDATE client SET is_active = true")
        await connection.execute("UPDATE picture SET is_deleted = true")
    assert await statuses() == [410, 410]
    assert "not kept any more" in (await nobody.get(for_all)).text


async def test_erasure_ends_links_and_empties_what_they_tell_of_persons(
    run: Runtime, admin: httpx.AsyncClient, nobody: httpx.AsyncClient, shop: Shop, waiting: int
) -> None:
    path = path_of(await minted(admin, "picture.review", waiting, Recipient="Ada"))
    await press(nobody, path, "reject", why="Not a cooler", reason="Ada is in it")

    async with run.database.scope(shop.client_id) as connection:
        await erase_picture(connection, waiting)

    (link,) = await rows(run, shop.client_id, "link")
    (audit,) = await rows(run, shop.client_id, "link_action")
    assert (link["recipient"], link["used_by_action"], audit["action"]) == ("", "reject", "reject")
    assert (audit["recipient"], audit["detail"]) == ("", "")
    assert (await nobody.get(path)).status_code == 410


async def test_erasure_of_a_user_empties_for_whom_links_were_made(
    run: Runtime, admin: httpx.AsyncClient, shop: Shop, waiting: int
) -> None:
    user_id, _ = await add_user(run, shop.client_id, "ada", role=Role.SALES_REP)
    await minted(admin, "picture.view", waiting, Recipient="Ada", UserId=user_id)
    await minted(admin, "picture.view", waiting, Recipient="Bob")
    declared = registry()

    async with run.database.scope(shop.client_id) as connection:
        await erase_record(connection, declared, declared.entities["User"], user_id)

    assert [link["recipient"] for link in await rows(run, shop.client_id, "link")] == ["", "Bob"]


def test_the_links_that_events_name_are_offered() -> None:
    assert {name for names in LINKS.values() for name in names} | {VIEW_LINK} == set(PURPOSES)


async def test_a_form_that_is_too_large_is_refused_as_a_page(
    admin: httpx.AsyncClient, nobody: httpx.AsyncClient, waiting: int
) -> None:
    path = path_of(await minted(admin, "picture.review", waiting))

    answer = await press(nobody, path, "reject", reason="x" * 70_000)

    assert (answer.status_code, answer.headers["content-type"]) == (413, "text/html; charset=utf-8")
