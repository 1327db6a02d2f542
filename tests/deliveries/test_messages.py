"""Messages whatever their channel: words, digests, quiet hours, preferred ways, Slack."""

import asyncio
import random
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from coldshelf.access.principal import Role
from coldshelf.deliveries.dispatching import LEASE, take
from coldshelf.deliveries.loading import load
from coldshelf.deliveries.messages.message import placeholders_of
from coldshelf.deliveries.messages.placeholders import check_placeholders, fill, one_line
from coldshelf.deliveries.messages.templates import BUILT_IN
from coldshelf.deliveries.sending import attempt
from coldshelf.entrypoints.bootstrap import PUBLIC, surroundings
from coldshelf.kit.ids import UserId
from coldshelf.records.errors import FieldInvalid
from tests.conftest import signed_in_client
from tests.deliveries.conftest import Hook, Pushing, Row, mail_settings
from tests.records.support import Handler
from tests.support.limits import limit_user
from tests.support.mailbox import Mailbox
from tests.support.receiver import answer


@pytest.fixture
def chosen(box: Mailbox) -> Row:
    return mail_settings(box)


async def person(push: Pushing, name: str = "bob", **values: object) -> int:
    said = {"PrimaryEmail": f"{name}@example.org", "Role": "Sales Rep", **values}
    return int((await Handler(push.http, "User").save(**said))["id"])


# Words


EVENTS = (*PUBLIC, "digest")


@pytest.mark.parametrize("event", EVENTS)
def test_every_event_has_words_whose_placeholders_exist(event: str) -> None:
    words, known = BUILT_IN[event], placeholders_of(surroundings(), event)

    check_placeholders("Subject", words.subject, known)
    check_placeholders("Body", words.body, known)


def test_placeholders_are_filled_and_other_text_is_kept() -> None:
    filled = fill("{| Name |} costs {100} {||} {x|y}\nEmpty: {|None|}\n\n\n{|name|}", {"Name": "{|Other|}"})

    assert filled == "{|Other|} costs {100}  {x|y}\n\n{|Other|}"


def test_an_unknown_placeholder_is_named_with_those_there_are() -> None:
    with pytest.raises(FieldInvalid, match=r"Body: there is no \{\|Citty\|\}; there are City, Name"):
        check_placeholders("Body", "{|Name|} {|Citty|} {|city|}", ["Name", "City"])


@pytest.mark.parametrize("breaking", ["\r", "\n", "\r\n", "\x0b", "\x0c", "\x1c", "\x85", "\u2028", "\u2029", "\x00"])
def test_a_header_is_one_line(breaking: str) -> None:
    assert one_line(f" a{breaking}b ") == "a b"


async def test_a_client_s_words_are_chosen_by_language(push: Pushing, box: Mailbox) -> None:
    for language, word in (("de", "Achtung"), ("en", "Attention"), ("de-AT", "Obacht")):
        await Handler(push.http, "MessageTemplate").save(
            Name=language, Event="alert.opened", Channel="email", Language=language, Subject=word, Body="{|Location|}"
        )
    await Handler(push.http, "MessageSetting").save(SenderName="Fast Drinks", Language="de")
    for name, language in (("a", "de-AT"), ("b", "de-CH"), ("c", "fr"), ("d", "en-GB"), ("e", "")):
        await push.ann(Name=name, Url=f"{name}@example.org", Language=language)

    await push.happen(await push.outlet("L1"))
    await push.deliver()

    said = {mail.address[0]: mail.parsed["Subject"] for mail in box.mails}
    assert said == {"a": "Obacht", "b": "Achtung", "c": "Achtung", "d": "Attention", "e": "Achtung"}
    assert {mail.parsed["From"] for mail in box.mails} == {"Fast Drinks <coldshelf@bottler.example>"}


async def test_templates_that_cannot_be_used_are_refused(push: Pushing) -> None:
    template = Handler(push.http, "MessageTemplate")
    good = {"Name": "a", "Event": "image.processed", "Channel": "email", "Body": "{|PlanogramCompliance|}"}
    await template.save(**good)

    unknown = await template.refused("save", **good | {"Name": "b", "Language": "de", "Body": "{|Nonsense|}"})
    event = await template.refused("save", **good | {"Name": "b", "Event": "image.seen"})
    again = await template.refused("save", **good | {"Name": "b", "Language": "EN"})
    broken = await template.refused("save", **good | {"Name": "b", "Language": "de", "Subject": "a\nb"})

    assert unknown.startswith("Body: there is no {|Nonsense|}; there are ")
    assert "PlanogramCompliance" in unknown
    assert event.startswith("Event: there is no image.seen; there are ")
    assert again == "MessageTemplate 'a' has the words of image.processed, email, EN already"
    assert broken.startswith("Subject takes one line")


async def test_a_template_is_shown_before_it_is_saved(push: Pushing, stranger: httpx.AsyncClient) -> None:
    outlet = await push.outlet("L1")
    subscription = await push.ann(Name="<b>Ann</b>")

    async def shown(http: httpx.AsyncClient = push.http, **values: object) -> httpx.Response:
        return await http.post("/api/v1/message-templates/preview", json=values)

    sample = await shown(Event="alert.opened", Channel="email", Subject="{|AlertText|}", Body="<i>{|Temperature|}")
    real = await shown(Event="subscription.disabled", Channel="email", RecordId=subscription)
    built_in = [
        await shown(Event=event, Channel=channel) for event in (*PUBLIC, "digest") for channel in ("email", "sms")
    ]
    unknown = await shown(Event="alert.opened", Channel="email", Body="{|Nope|}")
    foreign = await shown(stranger, Event="subscription.disabled", Channel="email", RecordId=subscription)

    assert sample.json()["Subject"] == "Stock below 80 %"
    assert sample.json()["Text"] == "<i>12"
    assert "&lt;i&gt;12" in sample.json()["Html"]
    assert real.json()["Subject"] == "Switched off: <b>Ann</b>"
    assert "&lt;b&gt;Ann&lt;/b&gt;" in real.json()["Html"]
    assert [answer.status_code for answer in built_in] == [200] * len(built_in)
    assert unknown.status_code == 422
    assert foreign.status_code == 404
    assert outlet


async def test_only_admins_preview_and_note_bounces(push: Pushing, app: Any) -> None:
    async with await signed_in_client(push.run, app, push.client_id, "rep", Role.SALES_REP) as rep:
        preview = await rep.post("/api/v1/message-templates/preview", json={"Event": "digest", "Channel": "email"})
        bounce = await rep.post("/api/v1/bounces", json={"Address": "a@example.org", "Kind": "hard"})

    assert (preview.status_code, bounce.status_code) == (403, 403)


# Who and how


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"DeliverBy": "callback", "Url": ""}, "Url takes an address"),
        ({"DeliverBy": "callback", "Digest": "daily"}, "Digest is for people"),
        ({"DeliverBy": "slack", "Url": "ann@example.org"}, "Url takes the address of an incoming webhook"),
        ({"DeliverBy": "email", "Url": "https://a.example"}, "Url takes a mailbox"),
        ({"DeliverBy": "email", "Url": ""}, "Url takes a mailbox"),
        ({"DeliverBy": "sms", "Url": "066012345"}, "Url takes a number"),
        ({"DeliverBy": "preferred", "Url": "ann@example.org"}, "DeliverBy=preferred takes a RecipientId"),
        ({"DeliverBy": "pigeon"}, "DeliverBy"),
        ({"QuietFrom": "22:00"}, "QuietFrom and QuietTo go together"),
        ({"QuietFrom": "22:00", "QuietTo": "22:00"}, "QuietFrom and QuietTo go together"),
        ({"QuietFrom": "9", "QuietTo": "10:00"}, "QuietFrom takes a time"),
        ({"TimeZone": "Mars/Base"}, "TimeZone takes a zone"),
        ({"Language": "very english"}, "Language takes a tag"),
    ],
)
async def test_a_subscription_that_could_reach_nobody_is_refused(push: Pushing, values: Row, said: str) -> None:
    given = {"Name": "A", "Url": "https://a.example", **values}

    assert said in await Handler(push.http, "Subscription").refused("save", **given)


async def test_a_person_is_reached_as_it_prefers_and_where_it_is_now(push: Pushing, box: Mailbox) -> None:
    bob = await person(push, "bob", PreferredNotificationType="Email")
    cleo = await person(push, "cleo", PreferredNotificationType="Text", PrimaryPhone="+43 (660) 123-45678")
    for name, user in (("Bob", bob), ("Cleo", cleo)):
        await push.subscribe(Name=name, DeliverBy="preferred", RecipientId=user, Events="alert.*")
    await Handler(push.http, "MessageSetting").save(SenderName="Fast Drinks", SmsIsOn="true")
    outlet = await push.outlet("L1")

    await push.happen(outlet)
    await Handler(push.http, "User").save(id=bob, PrimaryEmail="robert@example.org")
    await push.deliver()

    assert [mail.address for mail in box.mails] == ["robert@example.org"]
    assert [(one["Channel"], one["State"]) for one in await push.deliveries()] == [
        ("email", "delivered"),
        ("sms", "refused"),  # no account
    ]


async def test_messages_wait_while_it_is_quiet_and_callbacks_do_not(push: Pushing, box: Mailbox, hook: Hook) -> None:
    bob = await person(push, TimeZone="Asia/Tokyo")
    await push.subscribe(
        Name="Bob", DeliverBy="email", RecipientId=bob, Events="alert.*", QuietFrom="22:00", QuietTo="07:00"
    )
    await push.subscribe(Name="System", Url=hook.seen.url, QuietFrom="00:00", QuietTo="23:59")
    push.clock.set(datetime(2027, 3, 28, 14, 0, tzinfo=UTC))  # 23:00 in Tokyo

    await push.happen(await push.outlet("L1"))
    await push.deliver()
    waiting = {one["Channel"]: (one["State"], one["DueOn"], one["Attempts"]) for one in await push.deliveries()}
    early = await push.deliver(later=timedelta(hours=7, minutes=59))
    await push.deliver(later=timedelta(minutes=1))

    assert len(hook.messages) == 1
    assert waiting["email"] == ("waiting", "2027-03-28T22:00:00.000000", 0)
    assert early == 0
    assert len(box.mails) == 1


async def test_what_fails_into_the_night_waits_for_the_morning(push: Pushing, box: Mailbox) -> None:
    await push.ann(TimeZone="Europe/Vienna", QuietFrom="22:00", QuietTo="07:00")
    push.clock.set(datetime(2027, 3, 27, 20, 59, 58, tzinfo=UTC))  # 21:59:58; the clocks change in this night
    box.answers["RCPT"] = ["451 later"]
    await push.happen(await push.outlet("L1"))

    await push.deliver()
    await push.deliver(later=timedelta(seconds=6))

    (delivery,) = await push.deliveries()
    assert (delivery["State"], delivery["DueOn"]) == ("waiting", "2027-03-28T05:00:00.000000")
    assert len(box.mails) == 0


# Digests


async def test_a_digest_lists_what_happened_in_its_slot(push: Pushing, box: Mailbox) -> None:
    await push.ann(Digest="hourly", TimeZone="Europe/Vienna")
    outlets = [await push.outlet(f"L{number}") for number in range(3)]
    push.clock.set(datetime(2027, 1, 4, 9, 10, tzinfo=UTC))
    for outlet in outlets:
        await push.happen(outlet)
    nothing = await push.deliver(later=timedelta(minutes=49))
    await push.deliver(later=timedelta(minutes=1))
    await push.happen(outlets[0])
    await push.deliver(later=timedelta(hours=1))

    assert nothing == 0
    first, second = box.mails
    assert first.parsed["Subject"] == "Ann: 3 new"
    assert first.text.splitlines()[:3] == [f"- 2027-01-04 10:10 Alert: Outlet L{number}" for number in range(3)]
    assert second.parsed["Subject"] == "Ann: 1 new"
    assert first.parsed["Message-ID"] != second.parsed["Message-ID"]
    assert [one["Type"] for one in await push.deliveries()] == ["digest", "digest"]


async def test_a_digest_lists_fifty_and_counts_the_others(push: Pushing, box: Mailbox) -> None:
    await push.ann(Digest="daily")
    outlet = await push.outlet("L1")
    for _ in range(53):
        await push.happen(outlet)

    await push.deliver(later=timedelta(days=1))

    lines = box.mails[0].text.splitlines()
    assert (lines[49][:2], lines[50]) == ("- ", "and 3 more")


async def test_a_partner_s_digest_counts_only_what_its_lists_show(push: Pushing, box: Mailbox) -> None:
    user = await person(push, "partner")
    inside, outside = await push.outlet("L1"), await push.outlet("L2")
    await limit_user(push.run, push.client_id, UserId(user), {"outlet": [inside]})
    await push.ann(Digest="weekly", UserId=user)
    await push.ann(Name="Other", Digest="weekly", UserId=user, LocationCode="L2")
    for outlet in (inside, outside, inside):
        await push.happen(outlet)

    await push.deliver(later=timedelta(days=7))

    (mail,) = box.mails
    assert mail.parsed["Subject"] == "Ann: 2 new"
    assert "L2" not in mail.text
    assert sorted(state for state, _ in await push.states()) == ["delivered", "withheld"]


async def test_nothing_of_a_digest_is_lost_or_doubled_when_its_worker_dies(push: Pushing, box: Mailbox) -> None:
    """Workers take it and die; meanwhile more happens: every event stands in exactly one digest."""
    await push.ann(Digest="hourly")
    outlet = await push.outlet("L1")
    seed = random.randrange(1_000_000)
    print(f"seed {seed}")
    choose = random.Random(seed)
    happened = 0
    for _ in range(20):
        for _ in range(choose.randrange(3)):
            await push.happen(outlet)
            happened += 1
        push.clock.advance(timedelta(minutes=choose.randrange(1, 50)))
        fate = choose.choice(["dies at once", "dies after sending", "lives", "nobody"])
        if fate.startswith("dies"):
            taken = await take(push.run, 10)
        if fate == "dies after sending":
            for one in await load(push.run, surroundings(), taken):
                await attempt(push.run, surroundings(), one)
        if fate == "lives":
            await push.deliver()
    await push.deliver(later=timedelta(hours=2) + LEASE)
    await push.deliver(later=timedelta(hours=2) + LEASE)

    counts = {(mail.parsed["Message-ID"], int(mail.parsed["Subject"].split(" ")[1])) for mail in box.mails}
    assert len({message_id for message_id, _ in counts}) == len(counts), "what comes again is the same"
    assert sum(count for _, count in counts) == happened
    print(f"{happened} events, {len(counts)} digests, {len(box.mails) - len(counts)} came again")
    assert all(state == "delivered" for state, _ in await push.states())


async def test_what_happens_while_a_digest_is_taken_is_in_it_or_in_the_next(push: Pushing, box: Mailbox) -> None:
    """A step that adds to a digest holds it: a worker that looks meanwhile leaves it alone."""
    await push.ann(Digest="hourly")
    outlet = await push.outlet("L1")
    await push.happen(outlet)
    push.clock.advance(timedelta(hours=1))
    async with push.run.database.scope(push.client_id) as adding:
        await adding.execute("SELECT FROM delivery WHERE event_type = 'digest' FOR NO KEY UPDATE")
        assert await take(push.run, 10) == []
    await push.deliver()

    assert len(box.mails) == 1


async def test_digests_are_filled_from_many_sides_at_once(push: Pushing, box: Mailbox) -> None:
    await push.ann(Digest="hourly")
    await push.ann(Name="Bob", Url="bob@example.org", Digest="daily")
    outlet = await push.outlet("L1")

    await asyncio.gather(*(push.happen(outlet) for _ in range(12)))
    await push.deliver(later=timedelta(days=1))

    assert sorted(mail.parsed["Subject"] for mail in box.mails) == ["Ann: 12 new", "Bob: 12 new"]


# Slack


async def test_slack_is_told_through_its_webhook(push: Pushing, hook: Hook) -> None:
    subscription = await push.subscribe(Name="Team", DeliverBy="slack", Url=f"{hook.seen.url}/T/B", Events="alert.*")
    outlet = await push.outlet("L1")
    await Handler(push.http, "Location").save(id=outlet, Name="<!channel> & co")

    await push.happen(outlet)
    await push.http.post(f"/api/v1/subscriptions/{subscription}/test")
    await push.deliver()

    first, second = sorted(hook.messages, key=lambda message: "Test" in message["text"])
    assert set(first) == {"text"}
    assert first["text"].startswith("*Alert: &lt;!channel&gt; &amp; co*\nSomething needs to be done.")
    assert second["text"].startswith("*Test of Team*")


@pytest.mark.parametrize(
    ("status", "state", "is_active"),
    [
        ("404 Not Found", "failed", False),
        ("410 Gone", "failed", False),
        ("400 Bad Request", "failed", True),
        ("500 Oops", "waiting", True),
    ],
)
async def test_what_slack_answers_counts(push: Pushing, hook: Hook, status: str, state: str, is_active: bool) -> None:
    hook.answers.append(answer(b"no_service", status=status))
    subscription = await push.subscribe(Name="Team", DeliverBy="slack", Url=hook.seen.url, Events="alert.*")
    await push.happen(await push.outlet("L1"))

    await push.deliver()

    assert [one for one, _ in await push.states()][:1] == [state]
    assert (await Handler(push.http, "Subscription").load(id=subscription))["data"]["IsActive"] is is_active


async def test_slack_is_asked_again_when_it_says_so(push: Pushing, hook: Hook) -> None:
    hook.answers.append(answer(b"", "Retry-After: 3600", status="429 Too Many Requests"))
    await push.subscribe(Name="Team", DeliverBy="slack", Url=hook.seen.url, Events="alert.*")
    await push.happen(await push.outlet("L1"))

    assert await push.deliver() == 1
    assert await push.deliver(later=timedelta(minutes=59)) == 0
    assert await push.deliver(later=timedelta(minutes=2)) == 1
    assert len(hook.messages) == 2


async def test_a_webhook_that_leads_inside_is_refused(push: Pushing, hook: Hook) -> None:
    await push.subscribe(Name="Inside", DeliverBy="slack", Url="http://169.254.169.254/latest", Events="alert.*")
    await push.happen(await push.outlet("L1"))

    await push.deliver()

    assert [state for state, _ in await push.states()] == ["refused"]
