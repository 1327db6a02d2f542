"""The pages of links in a real browser at the size of a phone, in front of a real server."""

import io
import shutil
from collections.abc import AsyncIterator
from urllib.parse import urlsplit

import pytest

pytest.importorskip("playwright", reason="playwright is not installed")

from PIL import Image
from playwright.async_api import Page, ViewportSize, async_playwright, expect  # looked for first

from tests.acceptance.installation import Installation, installed
from tests.acceptance.test_crash import picture
from tests.conftest import samples_folder
from tests.pictures.uploading import taken
from tests.support.links import minted, path_of

CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome") or shutil.which("chrome")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium is installed")
PHONE = ViewportSize(width=390, height=844)
SECONDS = 30_000  # ms: a phone's worth of patience on a busy machine


@pytest.fixture(scope="module")
async def house() -> AsyncIterator[Installation]:
    async with installed(workers=1) as running:
        yield running


@pytest.fixture
async def wrong() -> list[str]:
    """Everything that the browser complains about, and every other host that a page asks for something."""
    return []


@pytest.fixture
async def page(house: Installation, wrong: list[str]) -> AsyncIterator[Page]:
    own = urlsplit(house.address).netloc
    async with async_playwright() as play:
        browser = await play.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        context = await browser.new_context(viewport=PHONE, device_scale_factor=2, is_mobile=True, has_touch=True)
        page = await context.new_page()
        page.on("console", lambda message: wrong.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on(
            "request",
            lambda request: None if urlsplit(request.url).netloc in {own, ""} else wrong.append(request.url),
        )
        yield page
        await browser.close()


def cooler_picture(number: int) -> bytes:
    """Give a picture whose time lies in the future, so that it waits: of a real cooler where there are samples."""
    folder = samples_folder()
    content = (folder / "cooler_pepsico_vn" / "images" / "dev_001.jpg").read_bytes() if folder else picture(number)
    return taken(content, f"2999:03:04 12:00:{number:02}")


async def waiting(house: Installation, number: int, purpose: str = "picture.review") -> str:
    """Upload a picture that waits for review; give the address of a link to it."""
    async with house.http() as http:
        answer = await http.post(
            "/Controllers/CoolRAPI.ashx?action=uploadImage",
            data={"SerialNumber": "C-1"},
            files=[("file", ("a.jpg", cooler_picture(number)))],
        )
        (entry,) = answer.json()
        await house.settle()
        return house.address + path_of(await minted(http, purpose, entry["AssetPurityId"]))


async def fits(page: Page) -> bool:
    """Say whether nothing is wider than the phone, and the picture is there."""
    return bool(
        await page.evaluate(
            "document.documentElement.scrollWidth <= innerWidth"
            " && [...document.images].every(one => one.complete && one.naturalWidth > 0)"
        )
    )


async def test_a_picture_is_approved_with_one_tap(house: Installation, page: Page, wrong: list[str]) -> None:
    address = await waiting(house, 1)
    await page.goto(address)
    await expect(page.get_by_role("heading", name="Shop ONE")).to_be_visible()
    await expect(page.get_by_text("Waits for review: its time lies in the future")).to_be_visible()
    assert await fits(page)

    await page.get_by_role("button", name="Approve").tap()

    await expect(page.get_by_text("You approved this picture on")).to_be_visible(timeout=SECONDS)
    assert page.url == address
    assert await page.get_by_role("button").count() == 0
    assert await fits(page)
    await page.reload()
    await expect(page.get_by_text("You approved this picture on")).to_be_visible()
    decisions = await house.fetch("SELECT decision, created_by_user FROM picture_review")
    assert [one["decision"] for one in decisions] == ["Approved"]
    assert wrong == []


async def test_a_picture_is_rejected_with_a_reason(house: Installation, page: Page, wrong: list[str]) -> None:
    await page.goto(await waiting(house, 2))

    await page.get_by_text("Reject …").tap()
    await page.get_by_role("button", name="Reject", exact=True).tap()
    assert await page.get_by_text("You rejected").count() == 0  # the browser asks for a reason first
    await page.get_by_text("Wrong cooler").tap()
    await page.get_by_label("In your own words").fill("It stands <b>next door</b>")
    assert await fits(page)
    await page.get_by_role("button", name="Reject", exact=True).tap()

    await expect(page.get_by_text("You rejected this picture on")).to_be_visible(timeout=SECONDS)
    await expect(page.get_by_text("Rejected: Wrong cooler: It stands <b>next door</b>")).to_be_visible()
    assert wrong == []


async def test_the_picture_opens_in_full_size(house: Installation, page: Page) -> None:
    await page.goto(await waiting(house, 3, "picture.view"))

    await page.get_by_role("img").tap()
    await page.wait_for_url("**/picture")
    answer = await page.request.get(page.url)

    with Image.open(io.BytesIO(await answer.body())) as shown, Image.open(io.BytesIO(cooler_picture(3))) as sent:
        assert shown.size == sent.size
    assert answer.headers["cache-control"] == "no-store"


async def test_links_that_do_not_hold_say_why(house: Installation, page: Page) -> None:
    address = await waiting(house, 4)
    async with house.http() as http:
        revoked = (await http.get("/api/v1/links")).json()["data"][0]["LinkId"]

        for wanted, status, words in (
            (address[:-1] + ("a" if address[-1] != "a" else "b"), 404, "This link is not right"),
            (f"{house.address}/l/x", 404, "This link is not right"),
        ):
            answer = await page.goto(wanted)
            assert answer
            assert answer.status == status
            await expect(page.get_by_role("heading", name=words)).to_be_visible()
            assert await fits(page)
        assert (await http.post(f"/api/v1/links/{revoked}/revoke")).status_code == 200
    answer = await page.goto(address)
    assert answer
    assert answer.status == 410
    await expect(page.get_by_role("heading", name="This link was taken back")).to_be_visible()
