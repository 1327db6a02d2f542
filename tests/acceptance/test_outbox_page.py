"""The outbox page in a real browser, over a real sandbox: what is kept comes in by itself, breaks as it is switched.

`COLDSHELF_SCREENSHOTS` names a folder for pictures of it.
"""

import os
import shutil
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from email.message import EmailMessage
from pathlib import Path
from urllib.parse import urlsplit

import pytest

pytest.importorskip("playwright", reason="playwright is not installed")

from playwright.async_api import Browser, Page, async_playwright, expect  # looked for first

from coldshelf.access.service import client_by_code
from coldshelf.deliveries.developing.sandbox import Sandbox
from coldshelf.deliveries.models import Delivery, Parcel
from coldshelf.entrypoints.bootstrap import runtime
from coldshelf.kit.ids import new_sorted_id
from coldshelf.kit.settings import load_settings
from tests.acceptance.installation import Installation, installed
from tests.acceptance.test_crash import picture
from tests.conftest import PASSWORD
from tests.records.support import Handler

CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome") or shutil.which("chrome")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium is installed")
SECONDS = 30_000  # ms
SIZES = {"desktop": (1280, 860), "phone": (390, 844)}
HTML = """<h1 style="color:#0b62c4">Cooler C-1 needs you</h1><p>Two shelves are empty.</p>
<img src="cid:cooler" alt="the cooler" width="320"><script>parent.document.title = "broken in"</script>"""


@pytest.fixture(scope="module")
async def house() -> AsyncIterator[Installation]:
    async with installed(environment={"COLDSHELF_SANDBOX": "true"}) as running:
        async with running.http() as http:
            for name, events in (("Warehouse", "subscription.*"), ("Sales app", "image.processed")):
                url = f"https://hooks.example/{name.split()[0].lower()}"
                await Handler(http, "Subscription").save(Name=name, Url=url, Events=events)
            done = await http.post("/api/v1/events/subscription.disabled/trigger", json={})
            assert done.status_code == 202, done.text
        await running.settle()  # there is a delivery, which mails are said to be of
        yield running


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    async with async_playwright() as play:
        opened = await play.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        yield opened
        await opened.close()


async def _page(browser: Browser, house: Installation, size: str) -> tuple[Page, list[str], list[str]]:
    """Open the page; give it with what the browser complains about, and the hosts that were asked."""
    width, height = SIZES[size]
    context = await browser.new_context(
        viewport={"width": width, "height": height}, http_credentials={"username": "admin", "password": PASSWORD}
    )
    page, wrong, asked = await context.new_page(), [], []
    page.on("console", lambda message: wrong.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("request", lambda request: asked.append(urlsplit(request.url).hostname or ""))
    await page.goto(f"{house.address}/outbox")
    await expect(page.locator("#state")).to_contain_text("This is a sandbox", timeout=SECONDS)
    return page, wrong, asked


async def test_what_is_triggered_comes_in_and_breaks_as_it_is_switched(house: Installation, browser: Browser) -> None:
    page, wrong, asked = await _page(browser, house, "desktop")

    await page.locator("#trigger").select_option("subscription.disabled")
    await page.locator("#fire").click()
    await expect(page.locator("#notice")).to_contain_text("subscription.disabled about Subscription", timeout=SECONDS)
    line = page.locator("#messages button").first
    await expect(line).to_contain_text("hooks.example/warehouse", timeout=SECONDS)
    await expect(line.locator(".outcome")).to_have_text("200")
    await line.click()
    await expect(page.locator("#shown pre")).to_contain_text('"type": "subscription.disabled"')
    await page.get_by_role("tab", name="Headers").click()
    await expect(page.locator("#shown table")).to_contain_text("webhook-signature")
    await _shoot(page, "desktop-callback")

    await page.locator("#switches summary").click()
    await page.locator("#switchboard select[name=callback]").select_option("500")
    await expect(page.locator("#broken")).to_contain_text("callback: fails (500)")
    await page.locator("#again").click()
    await expect(page.locator("#messages .outcome.bad").first).to_have_text("500", timeout=SECONDS)
    await _shoot(page, "desktop-broken")
    await page.locator("#switchboard select[name=callback]").select_option("ok")
    await expect(page.locator("#broken")).to_have_text("")
    await page.locator("#event").select_option("image.processed")
    await expect(page.locator("#empty")).to_be_visible()

    assert wrong == []
    assert set(asked) == {"127.0.0.1"}


async def test_a_mail_is_shown_and_can_do_nothing(house: Installation, browser: Browser) -> None:
    await _mail(house)
    page, wrong, asked = await _page(browser, house, "desktop")

    await page.locator("#messages button", has_text="Cooler C-1").first.click()
    mail = page.frame_locator("#shown iframe")
    await expect(mail.get_by_role("heading", name="Cooler C-1 needs you")).to_be_visible(timeout=SECONDS)
    width = await mail.locator("img").evaluate("image => image.naturalWidth")
    await _shoot(page, "desktop-mail")

    assert width > 0
    assert await page.title() == "Outbox · Coldshelf"
    assert [line for line in wrong if "script" not in line] == []
    assert set(asked) <= {"127.0.0.1", ""}


async def test_it_fits_a_phone(house: Installation, browser: Browser) -> None:
    await _mail(house)
    page, wrong, _ = await _page(browser, house, "phone")

    await expect(page.locator("#messages button").first).to_be_visible(timeout=SECONDS)
    await _shoot(page, "phone-list")
    await page.locator("#messages button", has_text="Cooler C-1").first.click()
    await expect(page.locator("#message")).to_be_visible(timeout=SECONDS)
    await expect(page.locator("#list")).to_be_hidden()
    await _shoot(page, "phone-mail")
    wide = await page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth")
    await page.locator("#back").click()
    await expect(page.locator("#list")).to_be_visible()

    assert not wide
    assert [line for line in wrong if "script" not in line] == []


async def _mail(house: Installation) -> None:
    """Let a mail be kept."""
    mail = EmailMessage()
    mail["Subject"], mail["To"], mail["From"] = "Cooler C-1 needs you", "ann@example.org", "coldshelf@example.org"
    mail.set_content("Two shelves are empty.")
    mail.add_alternative(HTML, subtype="html")
    html = mail.get_body(("html",))
    assert isinstance(html, EmailMessage)
    html.add_related(picture(1), "image", "jpeg", cid="<cooler>")
    async with runtime(load_settings(data_dir=house.folder), house.database_url, migrate=False) as run:
        client = await client_by_code(run, "demo")
        delivery_id = (await house.fetch("SELECT max(id) AS id FROM delivery"))[0]["id"]
        delivery = Delivery(
            client_id=client.id, id=delivery_id, subscription_id=None, user_id=None, url="", number=1,
            event_id=new_sorted_id(), type="alert.opened", version=1, occurred_on=datetime.now(UTC),
            dataset="Location", key=1, channel="email",
        )  # fmt: skip
        await Sandbox().carry(run, delivery, Parcel(address="ann@example.org", body=mail.as_bytes()))


async def _shoot(page: Page, name: str) -> None:
    folder = os.environ.get("COLDSHELF_SCREENSHOTS")
    if folder:
        await page.screenshot(path=Path(folder) / f"{name}.png")
