"""Callbacks: what is sent, how it is signed, when it is tried again, what ends it, and how it begins anew."""

import base64
import hashlib
import hmac
from datetime import timedelta

import httpx
import pytest

from coldshelf.deliveries.dispatching import forget
from coldshelf.deliveries.models import RETRIES
from tests.deliveries.conftest import Hook, Pushing
from tests.records.support import Handler
from tests.support.receiver import answer, redirect

DOWN = answer(b"broken", status="500 Internal Server Error")


async def test_an_event_arrives_with_its_record_and_a_signature(push: Pushing, hook: Hook) -> None:
    subscription = await push.subscribe(Name="Ours", Url=f"{hook.seen.url}/in", Events="alert.*")
    secret = await _new_secret(push.http, subscription)
    outlet = await push.outlet("L1", City="Wien")

    event = await push.happen(outlet)
    made = await push.deliver()

    (message,) = hook.messages
    assert made == 1
    assert (message["type"], message["version"], message["id"]) == ("alert.opened", 1, str(event.id))
    assert message["clientId"] == push.client_id
    assert message["timestamp"].endswith("Z")
    assert (message["data"]["LocationCode"], message["data"]["City"]) == ("L1", "Wien")
    assert message["links"] == {"record": f"/api/v1/locations/{outlet}"}
    headers = hook.headers(0)
    assert headers["webhook-id"] == str(event.id)
    assert _signature(secret, headers, hook.seen.bodies[0]) in headers["webhook-signature"].split()


async def test_what_nobody_takes_is_tried_by_the_table_and_then_has_failed(push: Pushing, hook: Hook) -> None:
    await push.subscribe(Name="Ours", Url=hook.seen.url)
    await push.happen(await push.outlet("L1"))
    hook.answers += [DOWN] * len(RETRIES)

    tried = [await push.deliver()]
    for wait in RETRIES[1:]:
        early = await push.deliver(later=wait - timedelta(seconds=2))
        due = await push.deliver(later=timedelta(seconds=2) + wait * 0.1)
        tried.append(early + due)
        assert early == 0

    (delivery,) = await push.deliveries()
    assert tried == [1] * len(RETRIES)
    assert (delivery["State"], delivery["Attempts"], delivery["Status"]) == ("failed", len(RETRIES), 500)
    assert delivery["DueOn"] is None
    attempts = await push.attempts()
    assert [one["Number"] for one in attempts] == list(range(1, len(RETRIES) + 1))
    assert {one["Answer"] for one in attempts} == {"broken"}
    assert len({hook.headers(number)["webhook-id"] for number in range(len(RETRIES))}) == 1
    assert await push.deliver(later=timedelta(days=2)) == 0


@pytest.mark.parametrize("said", ["7200", "date"])
async def test_a_receiver_may_ask_for_a_longer_wait(push: Pushing, hook: Hook, said: str) -> None:
    moment = f"{push.clock.now() + timedelta(hours=2):%a, %d %b %Y %H:%M:%S} GMT"
    hook.answers.append(
        answer(b"", f"Retry-After: {moment if said == 'date' else said}", status="503 Service Unavailable")
    )
    await push.subscribe(Name="Ours", Url=hook.seen.url)
    await push.happen(await push.outlet("L1"))

    assert await push.deliver() == 1
    assert await push.deliver(later=timedelta(minutes=119)) == 0
    assert await push.deliver(later=timedelta(minutes=2)) == 1
    assert [one["State"] for one in await push.deliveries()] == ["delivered"]


async def test_a_redirect_is_a_failure(push: Pushing, hook: Hook) -> None:
    hook.answers.append(redirect(f"{hook.seen.url}/elsewhere"))
    await push.subscribe(Name="Ours", Url=hook.seen.url)
    await push.happen(await push.outlet("L1"))

    await push.deliver()

    (delivery,) = await push.deliveries()
    assert delivery["State"] == "waiting"
    assert "redirects are not followed" in delivery["Error"]
    assert len(hook.messages) == 1


async def test_gone_switches_the_subscription_off_and_others_are_told(push: Pushing, hook: Hook) -> None:
    hook.answers.append(answer(b"", status="410 Gone"))
    subscription = await push.subscribe(Name="Gone", Url=f"{hook.seen.url}/gone", Events="alert.opened")
    outlet = await push.outlet("L1")
    await push.happen(outlet)

    await push.deliver()
    await push.happen(outlet)

    held = (await Handler(push.http, "Subscription").load(id=subscription))["data"]
    assert (held["IsActive"], held["DisabledBecause"]) == (False, "the receiver answered 410 Gone")
    assert [one["State"] for one in await push.deliveries()] == ["failed"]
    async with push.run.database.scope(push.client_id, readonly=True) as connection:
        assert await connection.fetchval("SELECT count(*) FROM event WHERE type = 'subscription.disabled'") == 1

    await Handler(push.http, "Subscription").save(id=subscription, IsActive="true")
    revived = (await Handler(push.http, "Subscription").load(id=subscription))["data"]
    assert (revived["IsActive"], revived["DisabledBecause"], revived["DisabledOn"]) == (True, "", None)


async def test_five_days_of_failures_switch_the_subscription_off(push: Pushing, hook: Hook) -> None:
    hook.answers += [DOWN] * 30
    subscription = await push.subscribe(Name="Ours", Url=hook.seen.url)
    outlet = await push.outlet("L1")
    for _ in range(7):
        await push.happen(outlet)
        await push.deliver(later=timedelta(hours=20))

    held = (await Handler(push.http, "Subscription").load(id=subscription))["data"]
    assert (held["IsActive"], held["DisabledBecause"]) == (False, "nothing has arrived for 5 days")
    assert {one["State"] for one in await push.deliveries()} == {"failed"}
    assert await push.deliver(later=timedelta(days=3)) == 0


async def test_what_waits_for_a_subscription_that_was_switched_off_is_not_sent(push: Pushing, hook: Hook) -> None:
    subscription = await push.subscribe(Name="Ours", Url=hook.seen.url)
    await push.happen(await push.outlet("L1"))
    await Handler(push.http, "Subscription").save(id=subscription, IsActive="false")

    await push.deliver()

    (delivery,) = await push.deliveries()
    assert (delivery["State"], delivery["Error"]) == ("failed", "The subscription is switched off")
    assert hook.messages == []


async def test_a_forbidden_address_is_refused_before_a_connection(push: Pushing) -> None:
    await push.subscribe(Name="Inside", Url="http://169.254.169.254/latest")
    await push.happen(await push.outlet("L1"))

    await push.deliver()

    (delivery,) = await push.deliveries()
    assert delivery["State"] == "refused"
    assert delivery["Error"]


async def test_only_events_that_are_meant_are_sent(push: Pushing, hook: Hook) -> None:
    await Handler(push.http, "Market").save(Name="Austria")
    await Handler(push.http, "Market").save(Name="Vienna", ParentMarketName="Austria")
    here, there = await push.outlet("L1", Market="Vienna"), await push.outlet("L2")
    await push.subscribe(Name="Orders", Url=f"{hook.seen.url}/orders", Events="order.*, image.processed")
    await push.subscribe(Name="Market", Url=f"{hook.seen.url}/market", Market="Austria")
    await push.subscribe(Name="Outlet", Url=f"{hook.seen.url}/outlet", LocationCode="L2")
    await push.subscribe(Name="Off", Url=f"{hook.seen.url}/off", IsActive="false")

    for outlet in (here, there):
        await push.happen(outlet)
        await push.happen(outlet, "order.accepted")
    await push.deliver()

    sent = sorted(
        (request.split(" ")[1], message["type"], message["data"]["LocationCode"])
        for request, message in zip(hook.seen.requests, hook.messages, strict=True)
    )
    assert sent == [
        ("/market", "alert.opened", "L1"),
        ("/market", "order.accepted", "L1"),
        ("/orders", "order.accepted", "L1"),
        ("/orders", "order.accepted", "L2"),
        ("/outlet", "alert.opened", "L2"),
        ("/outlet", "order.accepted", "L2"),
    ]


async def test_an_unknown_event_is_refused_with_those_there_are(push: Pushing) -> None:
    said = await Handler(push.http, "Subscription").refused(
        "save", Name="Ours", Url="https://a.example", Events="image.processed, picture.*"
    )

    assert said.startswith("Events: picture.* means no event; there are * and ")
    assert "order.recommended" in said


async def test_the_callback_url_of_an_upload_is_called_with_the_secret_of_the_client(push: Pushing, hook: Hook) -> None:
    answered = await push.http.post("/api/v1/callback-secret")
    outlet = await push.outlet("L1")

    await push.happen(outlet, callback_urls=(f"{hook.seen.url}/mine",))
    await push.deliver()

    assert hook.seen.requests[0].startswith("POST /mine ")
    signed = hook.headers(0)["webhook-signature"].split()
    assert _signature(answered.json()["Secret"], hook.headers(0), hook.seen.bodies[0]) in signed


async def test_a_test_reaches_one_subscription_only(push: Pushing, hook: Hook) -> None:
    subscription = await push.subscribe(Name="Ours", Url=hook.seen.url, Events="order.*")
    await push.subscribe(Name="Other", Url=f"{hook.seen.url}/other")

    answered = await push.http.post(f"/api/v1/subscriptions/{subscription}/test")
    await push.deliver()

    (message,) = hook.messages
    assert answered.status_code == 202
    assert (message["type"], message["id"]) == ("subscription.test", answered.json()["EventId"])


async def test_what_failed_can_begin_anew(push: Pushing, hook: Hook) -> None:
    subscription = await push.subscribe(Name="Ours", Url=hook.seen.url)
    outlet = await push.outlet("L1")
    hook.answers.append(answer(b"", status="410 Gone"))
    event = await push.happen(outlet)
    await push.deliver()
    nothing = await push.http.post("/api/v1/deliveries/replay", json={"States": ["failed"]})
    await Handler(push.http, "Subscription").save(id=subscription, IsActive="true")

    answered = await push.http.post("/api/v1/deliveries/replay", json={"States": ["failed"]})
    await push.deliver()

    assert nothing.status_code == 404
    assert answered.status_code == 202
    assert answered.json()["Count"] == 1
    assert [one["State"] for one in await push.deliveries()] == ["delivered"]
    assert {hook.headers(number)["webhook-id"] for number in range(2)} == {str(event.id)}


async def test_an_event_is_put_on_its_way_once(push: Pushing, hook: Hook) -> None:
    await push.subscribe(Name="Ours", Url=hook.seen.url)
    event = await push.happen(await push.outlet("L1"))
    async with push.run.database.scope(push.client_id) as connection:
        await connection.execute("UPDATE event_step SET done_on = NULL WHERE event_id = $1", event.id)
    payload = b'{"client":%d,"event":"%s","handler":"deliveries.alert.opened"}' % (
        push.client_id,
        str(event.id).encode(),
    )

    await push.run.events.perform(push.run, payload)

    assert len(await push.deliveries()) == 1


async def test_copies_of_records_are_forgotten_after_30_days(push: Pushing, hook: Hook) -> None:
    await push.subscribe(Name="Ours", Url=hook.seen.url)
    await push.happen(await push.outlet("L1"))
    await push.deliver()

    await forget(push.run)
    (before,) = await push.attempts()
    push.clock.advance(timedelta(days=30, seconds=1))
    await forget(push.run)
    (after,) = await push.attempts()

    assert '"L1"' in before["Request"]
    assert (after["Request"], after["Answer"], after["Status"]) == ("", "", 200)


async def test_strangers_neither_see_nor_touch_it(push: Pushing, hook: Hook, stranger: httpx.AsyncClient) -> None:
    subscription = await push.subscribe(Name="Ours", Url=hook.seen.url)
    await push.happen(await push.outlet("L1"))
    await push.deliver()
    (delivery,) = await push.deliveries()

    for path in (f"subscriptions/{subscription}/secret", f"subscriptions/{subscription}/test"):
        assert (await stranger.post(f"/api/v1/{path}")).status_code == 404
    replayed = await stranger.post("/api/v1/deliveries/replay", json={"DeliveryIds": [delivery["DeliveryId"]]})
    assert replayed.status_code == 404
    for resource in ("deliveries", "delivery-attempts", "subscriptions"):
        assert (await stranger.get(f"/api/v1/{resource}")).json()["data"] == []


def _signature(secret: str, headers: dict[str, str], body: bytes) -> str:
    content = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    digest = hmac.digest(base64.b64decode(secret.removeprefix("whsec_")), content, hashlib.sha256)
    return f"v1,{base64.b64encode(digest).decode()}"


async def _new_secret(http: httpx.AsyncClient, subscription: int) -> str:
    answered = await http.post(f"/api/v1/subscriptions/{subscription}/secret")
    assert answered.status_code == 200, answered.text
    return str(answered.json()["Secret"])
