"""What Twilio tells of SMS, and what people text back."""

from datetime import timedelta
from decimal import Decimal

import httpx
import pytest

from coldshelf.deliveries.sms.service import catch_up
from coldshelf.deliveries.sms.twilio import signature
from coldshelf.kit.ids import ClientId
from coldshelf.kit.runtime import Runtime
from tests.deliveries.sms.conftest import PHONE, Texting
from tests.support.twilio import TOKEN


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
    await sms.text()
    await sms.text()
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
