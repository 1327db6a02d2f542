"""The reference pages in a real browser: they work offline, open fast, and show and try every operation."""

import shutil
from collections.abc import AsyncIterator
from urllib.parse import urlsplit

import pytest

pytest.importorskip("playwright", reason="playwright is not installed")

from playwright.async_api import Page, async_playwright, expect  # looked for first

from tests.acceptance.installation import Installation, installed
from tests.conftest import PASSWORD

CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome") or shutil.which("chrome")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium is installed")
SECONDS = 60_000  # ms: the first document takes a while on a busy machine


@pytest.fixture(scope="module")
async def house() -> AsyncIterator[Installation]:
    async with installed(workers=0) as running:
        yield running


@pytest.fixture
async def asked() -> list[str]:
    """Every host that the page asked for something."""
    return []


@pytest.fixture
async def page(asked: list[str]) -> AsyncIterator[Page]:
    async with async_playwright() as play:
        browser = await play.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        context = await browser.new_context(
            viewport={"width": 1280, "height": 900}, http_credentials={"username": "admin", "password": PASSWORD}
        )
        page = await context.new_page()
        page.on("request", lambda request: asked.append(urlsplit(request.url).hostname or urlsplit(request.url).scheme))
        yield page
        await browser.close()


@pytest.fixture
async def wrong(page: Page) -> list[str]:
    """Everything that the browser complains about."""
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: said.append(str(error)))
    return said


async def test_the_index_leads_to_a_resource_that_shows_its_operations(
    house: Installation, page: Page, asked: list[str], wrong: list[str]
) -> None:
    await page.goto(f"{house.address}/docs")
    await page.get_by_role("link", name="Market", exact=True).click()
    await expect(page.locator("#operations-Market-list_markets")).to_be_visible(timeout=SECONDS)

    async with house.http() as http:
        document = (await http.get("/openapi/Market.json")).json()
    operations = {operation["operationId"] for path in document["paths"].values() for operation in path.values()}
    shown = await page.locator(".opblock").evaluate_all("all => all.map(one => one.id)")
    assert {name.rpartition("Market-")[2] for name in shown} == operations
    assert await page.title() == "Coldshelf API: Market"
    assert wrong == []
    assert set(asked) <= {"127.0.0.1", "data", "blob"}


async def test_one_page_shows_everything(house: Installation, page: Page, asked: list[str], wrong: list[str]) -> None:
    await page.goto(f"{house.address}/docs/all")
    await expect(page.locator(".opblock-tag-section").first).to_be_visible(timeout=3 * SECONDS)

    async with house.http() as http:
        document = (await http.get("/openapi.json")).json()
    tags = {tag for path in document["paths"].values() for operation in path.values() for tag in operation["tags"]}
    assert set(await page.locator(".opblock-tag").evaluate_all("all => all.map(one => one.dataset.tag)")) == tags
    assert wrong == []
    assert set(asked) <= {"127.0.0.1", "data", "blob"}


async def test_a_call_is_tried_on_the_page(house: Installation, page: Page, asked: list[str]) -> None:
    async with house.http() as http:
        made = await http.post("/api/v1/markets", json={"Name": "East"})
        assert made.status_code == 201, made.text

    await page.goto(f"{house.address}/docs/Market#/Market/list_markets")
    operation = page.locator("#operations-Market-list_markets")
    await expect(operation).to_be_visible(timeout=SECONDS)
    await operation.locator("button.try-out__btn").click(timeout=SECONDS)  # the address unfolds the operation
    await operation.locator("button.execute").click()

    answer = operation.locator(".live-responses-table .response-col_description .highlight-code").first
    await expect(answer).to_contain_text('"East"', timeout=SECONDS)
    assert set(asked) <= {"127.0.0.1", "data", "blob"}
