"""The picture in a mail: the annotated one, small, inside the message; and the mail as a phone shows it."""

import io
import os
import shutil
from email.message import EmailMessage
from pathlib import Path

import pytest
from PIL import Image

from tests.deliveries.conftest import Pushing, Row, mail_settings
from tests.pictures.uploading import accepted, open_shop, picture, upload, work_off
from tests.records.support import Handler
from tests.support.limits import limit_user
from tests.support.mailbox import Mail, Mailbox

CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome") or shutil.which("chrome")
PHONE = {"width": 390, "height": 844}


@pytest.fixture
def chosen(box: Mailbox) -> Row:
    return mail_settings(box, recogniser="colour")


async def seen(push: Pushing, content: bytes) -> Row:
    """Upload a picture of a cooler and let everything happen that follows."""
    await open_shop(push.run, push.client_id)
    (entry,) = accepted(await upload(push.http, content, SerialNumber="C-1"))
    await work_off(push.run)
    await push.deliver()
    return entry


def jpeg_of(mail: Mail) -> Image.Image:
    return Image.open(io.BytesIO(mail.part("image/jpeg").get_content()))


async def test_a_mail_about_a_picture_shows_the_annotated_one(push: Pushing, box: Mailbox) -> None:
    await push.ann(Events="image.processed")

    entry = await seen(push, picture(1, size=(1600, 2400)))

    (mail,) = box.mails
    related = mail.parsed.get_body(("related",))
    assert isinstance(related, EmailMessage)
    assert [part.get_content_type() for part in mail.parsed.walk()] == [
        *("multipart/alternative", "text/plain", "multipart/related", "text/html", "image/jpeg")
    ]
    held = mail.part("image/jpeg")
    assert (held["Content-ID"], held.get_content_disposition()) == ("<picture@coldshelf>", "inline")
    assert 'src="cid:picture@coldshelf"' in mail.html
    found = jpeg_of(mail)
    assert 1000 < max(found.size) <= 1024
    assert not found.getexif()
    small = await push.http.get(
        "/controllers/CoolerImagePreview.ashx",
        params={"guid": entry["UniqueGuid"], "imageType": "Annotated", "maxWidth": found.width},
    )
    assert small.content == held.get_content()
    assert "Outlet: Shop ONE (ONE)" in mail.text
    link = mail.html.partition('href="https://coldshelf.example')[2].partition('"')[0]
    shown = await push.http.get(link)
    assert (link[:3], shown.status_code, "Shop ONE" in shown.text) == ("/l/", 200, True)
    (attempt,) = await push.attempts()
    assert len(attempt["Request"]) == 20_000


async def test_who_does_not_see_the_guid_of_a_picture_gets_none(push: Pushing, box: Mailbox) -> None:
    user = (await Handler(push.http, "User").save(PrimaryEmail="partner@example.org", Role="Sales Rep"))["id"]
    await limit_user(push.run, push.client_id, user, None, hidden=["AssetPurity.UniqueGuid"])
    await push.ann(Events="image.processed", UserId=user)

    await seen(push, picture(1))

    (mail,) = box.mails
    assert "image/jpeg" not in [part.get_content_type() for part in mail.parsed.walk()]
    assert "cid:" not in mail.html


@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium is installed")
async def test_a_phone_shows_the_mail_whole(push: Pushing, box: Mailbox, tmp_path: Path) -> None:
    playwright = pytest.importorskip("playwright.async_api", reason="playwright is not installed")
    sample = Path(os.environ.get("COLDSHELF_PICTURE", ""))
    await push.ann(Events="image.*", Name="Sehr langer Name eines Abonnements " * 3)
    await seen(push, sample.read_bytes() if sample.is_file() else picture(1, size=(1600, 2400)))
    mail = box.mails[-1]
    (tmp_path / "picture.jpg").write_bytes(mail.part("image/jpeg").get_content())
    page_file = tmp_path / "mail.html"
    page_file.write_text(mail.html.replace("cid:picture@coldshelf", "picture.jpg"))

    async with playwright.async_playwright() as play:
        browser = await play.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        page = await browser.new_page(viewport=PHONE)
        await page.goto(page_file.as_uri())
        wide = await page.evaluate("document.documentElement.scrollWidth")
        drawn = await page.evaluate("document.images[0].naturalWidth > 0 && document.images[0].clientWidth")
        button = await page.get_by_role("link", name="Picture of a cooler").bounding_box()
        await page.screenshot(path=os.environ.get("COLDSHELF_SCREENSHOT", tmp_path / "mail.png"), full_page=True)
        await browser.close()

    assert wide == PHONE["width"]
    assert 250 < drawn <= PHONE["width"]
    assert button
    assert button["height"] >= 44
