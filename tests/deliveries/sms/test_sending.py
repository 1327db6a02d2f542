"""SMS through a server that answers as Twilio does: sent, counted, capped, refused."""
# ruff: noqa: RUF001  # typographic characters become plain ones here

import re
from dataclasses import replace
from datetime import timedelta

import pytest

from coldshelf.kit.http import open_outgoing
from tests.deliveries.sms.conftest import BASE, PHONE, Texting
from tests.support.twilio import FROM


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
