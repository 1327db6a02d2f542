"""Links to pictures: what they show to whom, how they decide, and that nothing else does anything."""

import io
import re
from datetime import timedelta
from typing import Any

import httpx
from PIL import Image
from tests.compliance.cooler import Cooler
from tests.pictures.uploading import Shop, accepted, picture, rows, upload, work_off
from tests.records.support import Handler
from tests.support.links import everything, minted, path_of, press

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
