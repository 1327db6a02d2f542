"""SMS through a server that answers as Twilio does: sent, counted, capped, told of, opted out of."""
# ruff: noqa: RUF001  # typographic characters become plain ones here

import re
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import Decimal

import httpx
import pytest

from coldshelf.deliveries.sms import catch_up
from coldshelf.deliveries.twilio import signature
from coldshelf.kit.http import open_outgoing
from coldshelf.kit.ids import ClientId
from coldshelf.kit.runtime import Runtime
from tests.deliveries.conftest import Hook, Pushing, Row
from tests.records.support import Handler
from tests.support.twilio import FROM, SID, TOKEN, Twilio, twilio_running

BASE = "https://coolers.example.org/house"
INBOUND = f"{BASE}/api/v1/sms/inbound"
PHONE = "+436601234567"


@dataclass
class Texting:
    """Lets a subscription by SMS hear of an outlet, in words of the client's own."""

    push: Pushing
    server: Twilio
    outlet: int
    subscription: int

    async def text(self, times: int = 1, links: tuple[str, ...] = ()) -> list[Row]:
        """Let it happen so often, deliver all of it at once, and give the deliveries."""
        for _ in range(times):
            await self.push.happen(self.outlet, links=links)
        return await self.deliver()

    async def deliver(self, later: timedelta = timedelta(0)) -> list[Row]:
        await self.push.deliver(later)
        return await self.push.deliveries()

    async def reads(self, subject: str, body: str) -> None:
        """Word the messages."""
        said = {"Name": "Words", "Event": "alert.opened", "Channel": "sms", "Subject": subject, "Body": body}
        await Handler(self.push.http, "MessageTemplate").save(**said)

    async def goes_to(self, phone: str) -> None:
        await Handler(self.push.http, "Subscription").save(id=self.subscription, Url=phone)

    async def records(self, name: str) -> list[Row]:
        return list((await Handler(self.push.http, name).page(sort=f"{name}Id", dir="ASC", limit=1000))["records"])

    async def month(self) -> tuple[int, int]:
        """Give the messages and segments that are counted."""
        found = await self.records("SmsMonth")
        return (found[0]["Messages"], found[0]["Segments"]) if found else (0, 0)

    async def switch(self, *, is_on: bool = True, cap: object = "") -> None:
        said = {"SenderName": "Bottler", "SmsIsOn": str(is_on).lower(), "SmsMonthlyCap": cap}
        await Handler(self.push.http, "MessageSetting").save(**said)

    async def says(self, text: str, phone: str = PHONE) -> httpx.Response:
        """Let a phone text back."""
        form = {"From": phone, "To": FROM, "Body": text, "MessageSid": "SM9", "AccountSid": SID, "NumSegments": "1"}
        return await self.server.call(self.push.http, INBOUND, form)


@pytest.fixture
async def far() -> AsyncIterator[Twilio]:
    async with twilio_running() as server:
        yield server


@pytest.fixture
def chosen(far: Twilio, hook: Hook) -> Row:
    far.house = BASE
    return {
        "outgoing_ports": (hook.seen.port, far.port),
        "public_url": BASE,
        "sms_account_sid": SID,
        "sms_auth_token": TOKEN,
        "sms_from": FROM,
        "sms_base_url": far.url,
    }


@pytest.fixture
async def sms(push: Pushing, far: Twilio) -> Texting:
    subscription = await push.subscribe(Name="Ann", DeliverBy="sms", Url=PHONE, Events="alert.opened")
    texting = Texting(push, far, await push.outlet("L1"), subscription)
    await texting.switch()
    await texting.reads("Cooler seen", "OK")
    return texting


async def test_a_text_is_sent_and_counted(sms: Texting) -> None:
    await sms.reads("Cooler seen", "Don’t wait – 3 × empty")

    (delivery,) = await sms.text()

    (form,) = sms.server.forms
    assert form == {
        "To": PHONE,
        "From": FROM,
        "Body": "Cooler seen\nDon't wait - 3 x empty",
        "StatusCallback": f"{BASE}/api/v1/sms/status/{sms.push.client_id}/{delivery['DeliveryId']}",
    }
    assert (delivery["State"], delivery["Status"], delivery["Error"]) == ("delivered", 201, "")
    (message,) = await sms.records("SmsMessage")
    assert (message["Phone"], message["State"], message["Encoding"]) == (PHONE, "queued", "GSM-7")
    assert (message["Sid"], message["Segments"], message["Price"]) == ("SM" + "0" * 32, 1, None)
    assert message["Month"] == f"{sms.push.clock.now():%Y-%m}"
    assert await sms.month() == (1, 1)


async def test_a_long_text_is_cut_to_the_most_segments_and_keeps_its_links(sms: Texting) -> None:
    await sms.reads("Cooler seen", "ž" * 1000)

    await sms.text(links=("picture.view",))

    body = sms.server.forms[0]["Body"]
    text, _, link = body.rpartition("\n")
    assert text.endswith("ž…")
    assert re.fullmatch(rf"[A-Za-z ]+: {BASE}/l/[A-Za-z0-9_.-]+", link)
    assert len(body) == 3 * 67
    assert await sms.month() == (1, 3)


async def test_links_that_leave_no_room_are_left_out_whole(sms: Texting) -> None:
    sms.push.run = replace(sms.push.run, settings=sms.push.run.settings.model_copy(update={"sms_most_segments": 1}))

    await sms.text(links=("picture.view", "picture.review", "order.accept", "order.cancel"))

    body = sms.server.forms[0]["Body"]
    assert len(body) <= 160
    assert all(re.search(r"(: https://\S{30,}|OK|\.\.\.|seen)$", line) for line in body.split("\n"))


async def test_nothing_is_sent_until_the_client_has_switched_sms_on(sms: Texting) -> None:
    await sms.switch(is_on=False)

    (delivery,) = await sms.text()

    assert (delivery["State"], delivery["Error"]) == ("withheld", "The client has switched sms off (MessageSetting)")
    assert (sms.server.forms, await sms.month()) == ([], (0, 0))


async def test_the_cap_of_a_month_holds_however_many_are_sent_at_once(sms: Texting) -> None:
    await sms.reads("Cooler seen", "a" * 200)  # two segments
    await sms.switch(cap=7)

    deliveries = await sms.text(times=12)
    reached = await sms.month()
    sms.push.clock.advance(timedelta(days=31))
    later = await sms.text()

    states = [one["State"] for one in deliveries]
    assert (states.count("delivered"), states.count("withheld")) == (3, 9)
    assert {one["Error"] for one in deliveries} == {"", "The month's cap of 7 segments is reached"}
    assert (reached, len(sms.server.forms)) == ((3, 6), 4)
    assert later[-1]["State"] == "delivered"
    assert [one["Segments"] for one in await sms.records("SmsMonth")] == [6, 2]


@pytest.mark.parametrize("cap", [0, 1])
async def test_a_cap_below_one_message_lets_none_through(sms: Texting, cap: int) -> None:
    await sms.reads("Cooler seen", "a" * 200)
    await sms.switch(cap=cap)

    assert [one["State"] for one in await sms.text()] == ["withheld"]
    assert await sms.records("SmsMessage") == []


@pytest.mark.parametrize(
    ("phone", "error"),
    [
        ("+15005550001", "Twilio 21211: This is no phone number. Correct that of the user: +, country, number"),
        ("+15005550002", "Twilio 21612: The sender cannot reach this number."),
        ("+15005550003", "Twilio 21408: SMS to this country are not switched on."),
        ("+15005550009", "Twilio 21614: This is no mobile phone."),
    ],
)
async def test_a_number_that_cannot_be_texted_fails_at_once_says_the_cure_and_costs_nothing(
    sms: Texting, phone: str, error: str
) -> None:
    await sms.goes_to(phone)

    (delivery,) = await sms.text()

    assert (delivery["State"], delivery["Attempts"], delivery["Status"]) == ("failed", 1, 400)
    assert delivery["Error"].startswith(error)
    assert await sms.month() == (0, 0)
    (message,) = await sms.records("SmsMessage")
    assert (message["State"], message["ErrorCode"]) == ("refused", int(error[7:12]))
    assert await sms.records("SmsOptOut") == []


async def test_who_has_opted_out_at_twilio_is_remembered_and_not_asked_for_again(sms: Texting) -> None:
    await sms.goes_to("+15005550004")

    (first,) = await sms.text()
    _, second = await sms.text()

    assert (first["State"], second["State"]) == ("failed", "withheld")
    assert first["Error"].startswith("Twilio 21610: The receiver has opted out")
    assert len(sms.server.forms) == 1
    (out,) = await sms.records("SmsOptOut")
    assert (out["Phone"], out["IsOut"], out["Because"]) == ("+15005550004", True, "Twilio 21610")
    assert await sms.month() == (0, 0)


@pytest.mark.parametrize("status", [429, 500, 503])
async def test_what_time_may_cure_is_tried_again_and_counted_once(sms: Texting, status: int) -> None:
    sms.server.next_answers.append((status, 20000 + status, "60"))

    (waiting,) = await sms.text()
    between = await sms.month()
    (early,) = await sms.deliver(later=timedelta(seconds=59))
    (delivered,) = await sms.deliver(later=timedelta(seconds=1))

    assert (waiting["State"], waiting["Status"], early["Attempts"]) == ("waiting", status, 1)
    assert (delivered["State"], delivered["Attempts"]) == ("delivered", 2)
    assert (between, await sms.month()) == ((0, 0), (1, 1))
    assert len(await sms.records("SmsMessage")) == 1


@pytest.mark.parametrize(
    ("changed", "error"),
    [
        ({"sms_from": "+15005550001"}, "Twilio 21606: COLDSHELF_SMS_FROM is no number of this account"),
        ({"sms_account_sid": "AC" + "1" * 32}, "Twilio 20003: Check COLDSHELF_SMS_ACCOUNT_SID"),
    ],
)
async def test_what_the_operator_can_cure_waits(sms: Texting, changed: dict[str, str], error: str) -> None:
    sms.push.run = replace(sms.push.run, settings=sms.push.run.settings.model_copy(update=changed))

    (delivery,) = await sms.text()

    assert delivery["State"] == "waiting"
    assert delivery["Error"].startswith(error)
    assert await sms.month() == (0, 0)


async def test_who_is_not_twilio_is_not_believed(sms: Texting) -> None:
    settings = sms.push.run.settings.model_copy(update={"sms_base_url": f"{sms.server.url}/elsewhere"})
    sms.push.run = replace(sms.push.run, settings=settings)

    (delivery,) = await sms.text()

    assert delivery["State"] == "waiting"
    assert "none of Twilio's: check COLDSHELF_SMS_BASE_URL" in delivery["Error"]
    assert await sms.month() == (0, 0)


async def test_without_an_account_the_delivery_is_refused_with_the_cure(sms: Texting) -> None:
    settings = sms.push.run.settings.model_copy(update={"sms_auth_token": None})
    sms.push.run = replace(sms.push.run, settings=settings)

    (delivery,) = await sms.text()

    assert delivery["State"] == "refused"
    assert "Ask the operator to set COLDSHELF_SMS_ACCOUNT_SID" in delivery["Error"]


async def test_the_api_is_called_through_the_guarded_client(sms: Texting) -> None:
    settings = sms.push.run.settings.model_copy(update={"outgoing_allow": ()})
    outgoing = open_outgoing(settings)
    sms.push.run = replace(sms.push.run, settings=settings, outgoing=outgoing)

    (delivery,) = await sms.text()

    await outgoing.close()
    assert (delivery["State"], sms.server.forms) == ("refused", [])


async def test_a_status_is_told_in_any_order_and_any_number_of_times(sms: Texting) -> None:
    (before,) = await sms.text()
    (sid,) = sms.server.messages
    sms.push.clock.advance(timedelta(seconds=30))

    answers = [await sms.server.tell(sms.push.http, sid, status) for status in ("sent", "delivered", "queued", "sent")]
    again = await sms.server.tell(sms.push.http, sid, "undelivered", "30003")

    assert {one.status_code for one in (*answers, again)} == {204}
    (message,), (delivery,) = await sms.records("SmsMessage"), await sms.push.deliveries()
    assert (message["State"], message["ErrorCode"]) == ("delivered", None)
    assert message["EndedOn"] > message["SentOn"]
    assert delivery["State"] == "delivered"
    assert delivery["DeliveredOn"] > before["DeliveredOn"]
    assert await sms.month() == (1, 1)


@pytest.mark.parametrize(("status", "code"), [("undelivered", "30006"), ("failed", "30005")])
async def test_what_is_lost_on_the_way_has_failed_with_the_reason(sms: Texting, status: str, code: str) -> None:
    await sms.text()
    (sid,) = sms.server.messages

    await sms.server.tell(sms.push.http, sid, status, code)

    (message,), (delivery,) = await sms.records("SmsMessage"), await sms.push.deliveries()
    assert (message["State"], message["ErrorCode"]) == (status, int(code))
    assert (delivery["State"], delivery["DeliveredOn"], delivery["Attempts"]) == ("failed", None, 1)
    assert delivery["Error"].startswith(f"{status}, Twilio {code}: ")
    replayed = await sms.push.http.post("/api/v1/deliveries/replay", json={"States": ["failed"]})
    assert replayed.json()["Count"] == 1
    assert [one["State"] for one in await sms.deliver()] == ["delivered"]
    await sms.server.tell(sms.push.http, sid, status, code)
    assert [one["State"] for one in await sms.push.deliveries()] == ["delivered"]  # the second message is under way
    assert await sms.month() == (2, 2)


async def test_calls_that_are_not_signed_change_nothing(sms: Texting) -> None:
    await sms.text()
    (message,) = sms.server.messages.values()
    form = {"MessageSid": message["sid"], "MessageStatus": "failed", "ErrorCode": "30005"}
    http, url = sms.push.http, message["callback"]
    path = f"/api/v1/sms/status/{sms.push.client_id}/1"

    refused = [
        await http.post(path, data=form),
        await sms.server.call(http, url, form, token="other"),
        await sms.server.call(http, f"{url}?more=1", form, **{"X-Twilio-Signature": _signed(url, form)}),
        await sms.server.call(http, url, form, **{"X-Twilio-Signature": _signed(path, form)}),
        await http.post("/api/v1/sms/inbound", data={"From": PHONE, "Body": "STOP"}),
        await http.post("/api/v1/sms/inbound", data={"From": PHONE}, headers={"X-Twilio-Signature": "x"}),
    ]

    assert {one.status_code for one in refused} == {403}
    assert {one.json()["code"] for one in refused} == {"call_not_signed"}
    assert (await http.post(path, content=b"a" * 70_000)).status_code == 413
    assert [one["State"] for one in await sms.push.deliveries()] == ["delivered"]
    assert await sms.records("SmsOptOut") == []


async def test_a_signed_call_about_what_is_unknown_or_another_clients_changes_nothing(
    sms: Texting, stranger: httpx.AsyncClient, other_client_id: ClientId
) -> None:
    await sms.text()
    (message,) = sms.server.messages.values()
    form = {"MessageSid": message["sid"], "MessageStatus": "failed"}
    own, foreign = f"/{sms.push.client_id}/", f"/{other_client_id}/"

    for url in (message["callback"].replace(own, foreign), f"{message['callback']}9"):
        assert (await sms.server.call(sms.push.http, url, form)).status_code == 204
    odd = await sms.server.call(sms.push.http, message["callback"], form | {"MessageSid": "SM-other"})

    assert odd.status_code == 204
    assert [one["State"] for one in await sms.push.deliveries()] == ["delivered"]
    for resource in ("sms-messages", "sms-months", "sms-opt-outs"):
        assert (await stranger.get(f"/api/v1/{resource}")).json()["data"] == []


@pytest.mark.parametrize("word", ["STOP", "stopall", "Unsubscribe", "CANCEL", "END", "quit"])
async def test_who_texts_stop_gets_nothing_more_until_start(sms: Texting, word: str) -> None:
    await sms.text()

    answered = await sms.says(word)
    out = await sms.text()
    (entry,) = await sms.records("SmsOptOut")
    helped, back = await sms.says("HELP"), await sms.says("start")
    again = await sms.text()

    assert (answered.status_code, answered.headers["content-type"]) == (200, "text/xml; charset=utf-8")
    assert answered.text.endswith("<Response></Response>")
    assert (entry["Phone"], entry["IsOut"], entry["Because"]) == (PHONE, True, word.upper())
    assert (out[-1]["State"], again[-1]["State"]) == ("withheld", "delivered")
    assert (helped.status_code, back.status_code, len(sms.server.forms)) == (200, 200, 2)
    assert [one["IsOut"] for one in await sms.records("SmsOptOut")] == [False]


async def test_a_stop_counts_for_every_client_that_has_written_and_for_no_other_number(
    sms: Texting, stranger: httpx.AsyncClient, other_client_id: ClientId
) -> None:
    await sms.text()
    others = "/api/v1/sms-opt-outs"

    await sms.says("STOP", "+436609999999")
    await sms.says("STOP please")
    nobody = await sms.records("SmsOptOut")
    await sms.says("STOP")
    of_one = (await stranger.get(others)).json()["data"]
    await _write_to(sms.push.run, other_client_id, PHONE)
    await sms.says("quit")

    assert (nobody, of_one) == ([], [])
    assert [(one["Phone"], one["Because"]) for one in await sms.records("SmsOptOut")] == [(PHONE, "STOP")]
    (of_both,) = (await stranger.get(others)).json()["data"]
    assert (of_both["Phone"], of_both["Because"]) == (PHONE, "QUIT")


async def _write_to(run: Runtime, client_id: ClientId, phone: str) -> None:
    """Let another client have written to a number."""
    async with run.database.scope(client_id) as connection:
        delivery = await connection.fetchval(
            """
            INSERT INTO delivery (client_id, url, endpoint, event_id, event_type, version, occurred_on, dataset,
                record_key, state)
            VALUES (coldshelf_client(), '', '', gen_random_uuid(), 'alert.opened', 1, now(), 'Location', 1, 'delivered')
            RETURNING id"""
        )
        await connection.execute(
            """
            INSERT INTO sms_message (client_id, delivery_id, phone, month, encoding, segments, state, sid)
            VALUES (coldshelf_client(), $1, $2, '2026-11', 'GSM-7', 1, 'sent', 'SM-other')""",
            delivery,
            phone,
        )


async def test_twilio_is_asked_about_what_it_has_not_told(sms: Texting) -> None:
    await sms.text(times=2)
    one, other = sms.server.messages.values()
    one |= {"status": "delivered", "price": "-0.01500", "num_segments": "2"}
    other |= {"status": "undelivered", "error_code": 30003}

    early = await catch_up(sms.push.run)
    sms.push.clock.advance(timedelta(minutes=11))
    asked = await catch_up(sms.push.run)
    other["price"] = "-0.00750"
    sms.push.clock.advance(timedelta(minutes=11))
    again = await catch_up(sms.push.run)
    sms.push.clock.advance(timedelta(minutes=11))

    assert (early, asked, again, await catch_up(sms.push.run)) == (0, 2, 1, 0)
    messages = await sms.records("SmsMessage")
    assert [(one["State"], one["Segments"], Decimal(str(one["Price"]))) for one in messages] == [
        ("delivered", 2, Decimal("0.015")), ("undelivered", 1, Decimal("0.0075")),
    ]  # fmt: skip
    (month,) = await sms.records("SmsMonth")
    assert (month["Messages"], month["Segments"], month["Currency"]) == (2, 3, "USD")
    assert Decimal(str(month["Price"])) == Decimal("0.0225")
    assert [one["State"] for one in await sms.push.deliveries()] == ["delivered", "failed"]


async def test_what_stays_unknown_is_asked_about_for_two_days(sms: Texting) -> None:
    await sms.text()

    asked = []
    for _ in range(5):
        sms.push.clock.advance(timedelta(hours=16))
        asked.append(await catch_up(sms.push.run))

    assert asked == [1, 1, 1, 1, 0]


async def test_a_lost_answer_is_made_good_by_the_status_that_is_told(sms: Texting) -> None:
    sms.server.next_answers.append((500, 20500, ""))
    (waiting,) = await sms.text()
    async with sms.push.run.database.scope(sms.push.client_id) as connection:  # as when the answer broke off
        await connection.execute("UPDATE sms_message SET state = 'new', is_counted = true")
    callback = sms.server.forms[0]["StatusCallback"]

    await sms.server.call(sms.push.http, callback, {"MessageSid": "SM7", "MessageStatus": "sent"})

    (delivered,) = await sms.deliver(later=timedelta(minutes=10))
    assert (waiting["State"], delivered["State"], delivered["Attempts"]) == ("waiting", "delivered", 1)
    assert len(sms.server.forms) == 1
    assert [one["Sid"] for one in await sms.records("SmsMessage")] == ["SM7"]


def _signed(url: str, form: dict[str, str]) -> str:
    return signature(TOKEN, url, list(form.items()))
