"""Messages by e-mail: what arrives, over TLS, once or with the same Message-ID; what bounces; who may see what."""

import random
import re
from datetime import timedelta
from email.utils import parsedate_to_datetime
from pathlib import Path

import httpx
import pytest

from coldshelf.deliveries.messages.writing import TRIED
from coldshelf.entrypoints.bootstrap import runtime
from coldshelf.kit.ids import ClientId
from coldshelf.kit.settings import load_settings
from tests.deliveries.conftest import Pushing, Row, mail_settings
from tests.publishing.proxy import CuttingProxy
from tests.records.support import Handler
from tests.support.limits import limit_user
from tests.support.mailbox import PASSWORD, Mailbox, mailbox

ANN = "ann@example.org"


@pytest.fixture
def chosen(box: Mailbox) -> Row:
    return mail_settings(box)


async def test_an_event_arrives_as_a_mail(push: Pushing, box: Mailbox) -> None:
    subscription = await push.ann()
    outlet = await push.outlet("L1", City="Wien")

    event = await push.happen(outlet)
    await push.deliver()

    (mail,) = box.mails
    head = mail.parsed
    assert (mail.sender, mail.address, mail.was_safe) == ("coldshelf@bottler.example", ANN, True)
    assert head["From"] == "Demo Bottler <coldshelf@bottler.example>"
    assert head["To"] == ANN
    assert head["Subject"] == "Alert: Outlet L1"
    assert head["Message-ID"] == f"<{event.id}.{subscription}@bottler.example>"
    assert parsedate_to_datetime(head["Date"]) == push.clock.now().replace(microsecond=0)
    assert head["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert head["List-Unsubscribe"].startswith("<https://coldshelf.example/unsubscribe/")
    assert [part.get_content_type() for part in head.iter_parts()] == ["text/plain", "text/html"]
    assert "Something needs to be done." in mail.text
    assert "City: Wien\n" in mail.text
    assert "Wien" in mail.html
    assert all(len(line) <= 998 and line.isascii() for line in mail.content.split(b"\r\n"))
    (delivery,) = await push.deliveries()
    assert (delivery["State"], delivery["Channel"], delivery["Status"]) == ("delivered", "email", 250)
    (attempt,) = await push.attempts()
    assert attempt["Request"].startswith("From: Demo Bottler")


@pytest.mark.parametrize("missing", ["starttls", "trust", "password"])
async def test_no_mail_goes_to_a_server_that_is_not_the_right_one(push: Pushing, box: Mailbox, missing: str) -> None:
    await push.ann()
    await push.happen(await push.outlet("L1"))
    box.offers_tls = missing != "starttls"
    if missing == "password":
        box.answers["AUTH"] = ["535 5.7.8 no"]
    if missing == "trust":
        object.__setattr__(push.run.settings, "outgoing_ca_file", None)

    await push.deliver()

    ((state, error),) = await push.states()
    assert state == "waiting"
    assert {"starttls": "STARTTLS", "trust": "certificate", "password": "535"}[missing] in error
    assert box.mails == []
    assert PASSWORD not in error


async def test_tls_may_be_implicit(url: str, tmp_path: Path, push: Pushing) -> None:
    async with mailbox(tmp_path, implicit=True) as safe:
        settings = load_settings(data_dir=tmp_path / "other", **mail_settings(safe, smtp_tls="implicit"))
        async with runtime(settings, url, clock=push.clock, migrate=False) as run:
            await push.ann()
            await push.happen(await push.outlet("L1"))
            push.run = run

            await push.deliver()

    assert [mail.was_safe for mail in safe.mails] == [True]


async def test_without_a_mail_server_a_mail_is_refused_with_the_cure(push: Pushing, box: Mailbox) -> None:
    await push.ann()
    await push.happen(await push.outlet("L1"))
    object.__setattr__(push.run.settings, "smtp_host", None)

    await push.deliver()

    ((state, error),) = await push.states()
    assert (state, box.mails) == ("refused", [])
    assert "set COLDSHELF_SMTP_HOST" in error


async def test_what_the_server_cannot_take_now_comes_later_with_the_same_id(push: Pushing, box: Mailbox) -> None:
    await push.ann()
    await push.happen(await push.outlet("L1"))
    box.answers |= {"RCPT": ["451 4.7.1 greylisted"], "CONTENT": ["452 4.3.1 full"]}

    await push.deliver()
    await push.deliver(later=timedelta(seconds=6))
    await push.deliver(later=timedelta(minutes=6))

    attempts = await push.attempts()
    assert [one["Status"] for one in attempts] == [451, 452, 250]
    assert len({re.search("Message-ID: (.*)", one["Request"])[1] for one in attempts}) == 1  # type: ignore[index]
    assert len(box.mails) == 1


async def test_an_address_that_bounces_gets_nothing_more_until_an_admin_clears_it(push: Pushing, box: Mailbox) -> None:
    await push.ann()
    outlet = await push.outlet("L1")
    box.answers["RCPT"] = ["550 5.1.1 no such user"]

    await push.happen(outlet)
    await push.deliver()
    await push.happen(outlet)
    await push.deliver()

    assert await push.states() == [
        ("failed", "The mail server said 550 5.1.1 no such user"),
        ("withheld", "Mail to this address came back (BouncedAddress)"),
    ]
    (bounced,) = await Handler(push.http, "BouncedAddress").records()
    assert (bounced["Address"], bounced["Kind"]) == (ANN, "hard")
    await Handler(push.http, "BouncedAddress").delete(id=bounced["BouncedAddressId"])
    await push.happen(outlet)
    await push.deliver()
    assert len(box.mails) == 1


@pytest.mark.parametrize(
    ("command", "answer"), [("CONTENT", "554 5.7.1 looks like spam"), ("RCPT", "550 5.7.1 relaying denied")]
)
async def test_what_is_refused_for_its_content_or_sender_has_failed_but_is_no_bounce(
    push: Pushing, box: Mailbox, command: str, answer: str
) -> None:
    await push.ann()
    await push.happen(await push.outlet("L1"))
    box.answers[command] = [answer]

    await push.deliver()

    assert [state for state, _ in await push.states()] == ["failed"]
    assert await Handler(push.http, "BouncedAddress").records() == []


async def test_bounces_are_noted_by_the_api(push: Pushing, box: Mailbox, stranger: httpx.AsyncClient) -> None:
    async def bounce(http: httpx.AsyncClient, **values: str) -> int:
        return (await http.post("/api/v1/bounces", json={"Address": ANN, "Kind": "hard", **values})).status_code

    assert await bounce(push.http, Address="no address") == 422
    assert await bounce(push.http, Kind="odd") == 400
    assert await bounce(stranger) == 200
    assert await bounce(push.http, Kind="soft") == 200
    await push.ann()
    outlet = await push.outlet("L1")
    await push.happen(outlet)
    await push.deliver()
    assert await bounce(push.http, Diagnostic="mailbox\r\nfull") == 200
    assert await bounce(push.http, Kind="soft") == 200
    await push.happen(outlet)
    await push.deliver()

    assert [state for state, _ in await push.states()] == ["delivered", "withheld"]
    assert [one["Kind"] for one in await Handler(push.http, "BouncedAddress").records()] == ["hard"]


async def test_a_mail_is_ended_by_its_link_which_posts(push: Pushing, box: Mailbox) -> None:
    subscription = await push.ann(Name="Alerts & <more>")
    outlet = await push.outlet("L1")
    await push.happen(outlet)
    await push.deliver()
    link = box.mails[0].parsed["List-Unsubscribe"].strip("<>").removeprefix("https://coldshelf.example")
    async with httpx.AsyncClient(transport=push.http._transport, base_url="http://coldshelf.test") as nobody:
        seen = await nobody.get(link)
        held = (await Handler(push.http, "Subscription").load(id=subscription))["data"]
        assert (seen.status_code, held["IsActive"]) == (200, True)
        assert "Alerts &amp; &lt;more&gt;" in seen.text
        assert "frame-ancestors 'none'" in seen.headers["content-security-policy"]
        assert ANN not in link

        for _ in range(2):
            posted = await nobody.post(link, data={"List-Unsubscribe": "One-Click"})
            assert (posted.status_code, "You are unsubscribed" in posted.text) == (200, True)
        altered = [await nobody.post(f"{link[:cut]}A{link[cut + 1 :]}") for cut in range(15, len(link), 7)]
        assert {answer.status_code for answer in altered if answer.url.path != link} == {404}

    held = (await Handler(push.http, "Subscription").load(id=subscription))["data"]
    assert (held["IsActive"], held["DisabledBecause"]) == (False, "the receiver unsubscribed")
    await push.happen(outlet)
    await push.deliver()
    assert [mail.address for mail in box.mails].count(ANN) == 1


async def test_a_link_that_went_to_somebody_else_ends_nothing(push: Pushing, box: Mailbox) -> None:
    subscription = await push.ann()
    await push.happen(await push.outlet("L1"))
    await push.deliver()
    link = box.mails[0].parsed["List-Unsubscribe"].strip("<>").removeprefix("https://coldshelf.example")
    await Handler(push.http, "Subscription").save(id=subscription, Url="bob@example.org")

    posted = await push.http.post(link)

    assert posted.status_code == 404
    assert (await Handler(push.http, "Subscription").load(id=subscription))["data"]["IsActive"] is True


HOSTILE = [
    "x\r\nBcc: eve@example.org",
    "x\nBcc: eve@example.org\n\nbody",
    "x\rBcc: eve@example.org",
    "x\u2028Bcc: eve@example.org",
    "x\x0bBcc: eve@example.org\x0c\x1c\x1d\x1e\x85",
    "=?utf-8?q?x=0D=0ABcc:_eve@example.org?=",
    "x" * 70 + "\r\n Bcc: eve@example.org",
    '"><script>alert(1)</script><img src=x onerror=alert(1)>',
    ".\r\n.\r\nMAIL FROM:<eve@example.org>",
    "{|Link|}{|Name|}\u202e",
    "Füße 冷蔵庫 😀",
]


@pytest.mark.parametrize("text", HOSTILE)
async def test_no_value_breaks_out_of_its_place(push: Pushing, box: Mailbox, text: str) -> None:
    await Handler(push.http, "MessageTemplate").save(
        Name="Own", Event="alert.opened", Channel="email", Subject="{|Location|}", Body="{|Location|}\n{|City|}"
    )
    await push.ann()
    outlet = await push.outlet("L1")
    async with push.run.database.scope(push.client_id) as connection:
        await connection.execute("UPDATE location SET name = $1, city = $1", text)

    await push.happen(outlet)
    await push.deliver()

    (mail,) = box.mails
    head = mail.parsed
    names = [name.lower() for name in head]
    assert len(names) == len(set(names))
    assert "bcc" not in names
    assert mail.address == ANN
    assert len(head["Subject"].splitlines()) == 1
    assert "<script>" not in mail.html
    assert "<img src=x" not in mail.html
    assert [part.get_content_type() for part in head.iter_parts()] == ["text/plain", "text/html"]
    if text.startswith("Füße"):
        assert head["Subject"] == text
        assert text in mail.text
        assert text in mail.html


@pytest.mark.parametrize(
    "address",
    [
        "ann@example.org\r\nBcc: eve@example.org",
        "ann@example.org, eve@example.org",
        "<ann@example.org>",
        "Ann <ann@example.org>",
        "ann@example.org>\r\nDATA",
        "ann @example.org",
        '"ann\r\n"@example.org',
        "ann@[127.0.0.1]",
        "ann@localhost",
        "ann..b@example.org",
        "@example.org",
        "",
        "änn@example.org",
        "ann@example.org\x00",
        "a" * 65 + "@example.org",
    ],
)
async def test_an_address_that_is_none_is_refused_when_it_is_saved(push: Pushing, address: str) -> None:
    said = await Handler(push.http, "Subscription").refused("save", Name="A", DeliverBy="email", Url=address)

    assert said


async def test_a_person_s_address_that_cannot_be_used_withholds_the_mail(push: Pushing, box: Mailbox) -> None:
    user = (await Handler(push.http, "User").save(PrimaryEmail="bob@example.org", Role="Sales Rep"))["id"]
    await push.ann(Url="", RecipientId=user)
    outlet = await push.outlet("L1")
    await push.happen(outlet)
    await push.deliver()
    async with push.run.database.scope(push.client_id) as connection:
        await connection.execute(
            "UPDATE app_user SET email = E'bob@example.org\\r\\nBcc: eve@example.org' WHERE id = $1", user
        )
    await push.happen(outlet)
    await push.deliver()

    assert [state for state, _ in await push.states()] == ["delivered", "withheld"]
    assert [mail.address for mail in box.mails] == ["bob@example.org"]


async def test_a_switched_off_channel_sends_nothing_and_says_so(push: Pushing, box: Mailbox) -> None:
    await push.ann()
    await Handler(push.http, "MessageSetting").save(SenderName="Fast Drinks", EmailIsOn="false")
    await push.happen(await push.outlet("L1"))

    await push.deliver()

    assert await push.states() == [("withheld", "The client has switched email off (MessageSetting)")]
    assert box.mails == []
    said = await Handler(push.http, "MessageSetting").refused("save", SenderName="Second")
    assert "already" in said


async def test_a_partner_s_mail_has_nothing_that_its_lists_would_not_show(push: Pushing, box: Mailbox) -> None:
    user = (await Handler(push.http, "User").save(PrimaryEmail="partner@example.org", Role="Sales Rep"))["id"]
    inside, outside = await push.outlet("L1", City="Wien"), await push.outlet("L2", City="Graz")
    await limit_user(push.run, push.client_id, user, {"outlet": [inside]}, hidden=["Location.City"])
    await push.ann(UserId=user)

    for outlet in (inside, outside):
        await push.happen(outlet)
    await push.deliver()

    (mail,) = box.mails
    assert mail.parsed["Subject"] == "Alert: Outlet L1"
    assert "Wien" not in mail.text
    assert [state for state, _ in await push.states()] == ["delivered", "withheld"]


async def test_a_mail_of_an_event_that_is_tried_out_says_so(push: Pushing, box: Mailbox) -> None:
    await push.ann()
    outlet = await push.outlet("L1")

    for triggered in (False, True):
        await push.happen(outlet, triggered=triggered)
        await push.deliver()

    assert [TRIED in mail.text for mail in box.mails] == [False, True]


async def test_a_test_is_sent_by_mail(push: Pushing, box: Mailbox) -> None:
    subscription = await push.ann(Events="order.*", QuietFrom="00:00", QuietTo="23:59", Digest="daily")

    answered = await push.http.post(f"/api/v1/subscriptions/{subscription}/test")
    await push.deliver()

    assert answered.status_code == 202
    assert [mail.parsed["Subject"] for mail in box.mails] == ["Test of Ann"]


async def test_admins_are_told_by_mail_when_a_subscription_ends(push: Pushing, box: Mailbox) -> None:
    subscription = await push.ann()
    await push.happen(await push.outlet("L1"))
    await push.deliver()
    link = box.mails[0].parsed["List-Unsubscribe"].strip("<>").removeprefix("https://coldshelf.example")
    await push.http.post(link)
    await push.settle()
    await push.deliver()

    told = box.mails[1]
    assert (told.address, told.parsed["Subject"]) == ("admin@example.org", "Switched off: Ann")
    assert "Why: the receiver unsubscribed" in told.text
    assert "List-Unsubscribe" not in told.parsed
    assert subscription


CUTS = 30


async def test_a_mail_whose_connection_is_cut_arrives_and_doubles_have_its_id(
    push: Pushing, box: Mailbox, client_id: ClientId
) -> None:
    seed = random.randrange(1_000_000)
    print(f"seed {seed}")
    choose = random.Random(seed)
    await push.ann()
    outlet = await push.outlet("L1")
    proxy = CuttingProxy([(0, box.port)])
    object.__setattr__(push.run.settings, "smtp_port", proxy.port)
    try:
        await push.happen(outlet)
        await push.deliver()
        traffic, events = proxy.passed, {}
        for _ in range(CUTS):
            event = await push.happen(outlet)
            events[f"<{event.id}.1@bottler.example>"] = outlet
            proxy.cut_after(choose.randrange(1, traffic))
            await push.deliver()
            for _ in range(3):
                await push.deliver(later=timedelta(minutes=40))
    finally:
        proxy.close()

    arrived = [mail.parsed["Message-ID"] for mail in box.mails[1:]]
    print(f"{proxy.cuts} cuts, {len(arrived) - len(set(arrived))} came again")
    assert set(arrived) == set(events)
    assert proxy.cuts == CUTS
    assert all("City" not in mail.text and mail.html.rstrip().endswith("</html>") for mail in box.mails)
    assert {state for state, _ in await push.states()} == {"delivered"}
