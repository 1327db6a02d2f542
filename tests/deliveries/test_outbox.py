"""A sandbox keeps what would leave, shows it, and answers as it is told to."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import timedelta
from email.message import EmailMessage

import httpx
import pytest
from fastapi import FastAPI

from coldshelf.access.principal import Role
from coldshelf.deliveries.developing.outbox_store import forget as forget_messages
from coldshelf.deliveries.developing.sandbox import Behaviour, Sandbox, answer_of
from coldshelf.deliveries.dispatching import deliver_due, forget
from coldshelf.deliveries.models import Delivery, Parcel
from coldshelf.entrypoints.bootstrap import runtime, surroundings
from coldshelf.kit.http.errors import AnswerBroken, CallTimedOut, ConnectFailed
from coldshelf.kit.ids import new_sorted_id
from coldshelf.kit.runtime import Runtime
from tests.deliveries.conftest import Hook, Pushing, Row
from tests.support.limits import limit_user, partner, signed_in

BASE = "/api/v1/outbox"
SLOW_FOR = timedelta(milliseconds=50)
AROUND = replace(surroundings(), carry=Sandbox(SLOW_FOR).carry)


@pytest.fixture
async def run(run: Runtime, url: str) -> AsyncIterator[Runtime]:
    """The same installation as a sandbox."""
    settings = run.settings.model_copy(update={"sandbox": True})
    async with runtime(settings, url, clock=run.clock, migrate=False) as opened:
        yield opened


@dataclass
class Box:
    push: Pushing

    async def deliver(self, later: timedelta = timedelta(0)) -> int:
        self.push.clock.advance(later)
        return await deliver_due(self.push.run, AROUND)

    async def switch(self, **behaviours: str) -> httpx.Response:
        return await self.push.http.put(f"{BASE}/switches", json=behaviours)

    async def rows(self, **filters: str) -> list[Row]:
        answered = await self.push.http.get(BASE, params=filters)
        assert answered.status_code == 200, answered.text
        return list(answered.json()["data"])


@pytest.fixture
def box(push: Pushing) -> Box:
    return Box(push)


async def test_a_callback_is_kept_and_does_not_leave(box: Box, hook: Hook) -> None:
    await box.push.subscribe(Name="Ours", Url=f"{hook.seen.url}/in")
    event = await box.push.happen(await box.push.outlet("L1", City="Wien"))

    await box.deliver()

    (row,) = await box.rows()
    assert hook.seen.connections == 0
    assert (row["Channel"], row["Type"], row["EventId"]) == ("callback", "alert.opened", str(event.id))
    assert (row["Address"], row["Behaviour"], row["Status"]) == (f"{hook.seen.url}/in", "ok", 200)
    assert [one["State"] for one in await box.push.deliveries()] == ["delivered"]
    whole = (await box.push.http.get(f"{BASE}/{row['OutboxId']}/message")).json()
    headers = {one["Name"]: one["Value"] for one in whole["Headers"]}
    assert headers["webhook-id"] == str(event.id)
    assert headers["webhook-signature"].startswith("v1,")
    assert '"City":"Wien"' in whole["Body"]
    assert row["Size"] == len(whole["Body"].encode())
    assert (whole["IsBase64"], whole["Parts"]) == (False, [])


async def test_a_forbidden_address_needs_no_network_in_a_sandbox(box: Box) -> None:
    await box.push.subscribe(Name="Mine", Url="https://nowhere.invalid/hook")
    await box.push.happen(await box.push.outlet("L1"))

    await box.deliver()

    assert [row["Address"] for row in await box.rows()] == ["https://nowhere.invalid/hook"]


@pytest.mark.parametrize(
    ("behaviour", "state", "status", "error"),
    [
        ("refuse", "waiting", None, "the sandbox refuses the connection"),
        ("time_out", "waiting", None, "the sandbox gives no answer in time"),
        ("cut", "waiting", None, "the sandbox broke off its answer"),
        ("500", "waiting", 500, "Status 500"),
        ("410", "failed", 410, "Status 410"),
        ("slow", "delivered", 200, ""),
    ],
)
async def test_a_channel_breaks_as_it_is_switched(
    box: Box, behaviour: str, state: str, status: int | None, error: str
) -> None:
    await box.push.subscribe(Name="Ours", Url="https://a.example/hook")
    await box.push.happen(await box.push.outlet("L1"))
    switched = await box.switch(callback=behaviour)

    await box.deliver()

    (delivery,) = await box.push.deliveries()
    (row,) = await box.rows()
    assert switched.json()["Switches"]["callback"] == behaviour
    assert (delivery["State"], delivery["Status"], delivery["Error"]) == (state, status, error)
    assert (row["Behaviour"], row["Status"]) == (behaviour, status)


async def test_retries_are_rehearsed_until_the_channel_is_well_again(box: Box) -> None:
    await box.push.subscribe(Name="Ours", Url="https://a.example/hook")
    await box.push.happen(await box.push.outlet("L1"))

    await box.switch(callback="500")
    await box.deliver()
    await box.deliver(later=timedelta(seconds=6))
    well = await box.switch()
    await box.deliver(later=timedelta(minutes=6))

    assert well.json()["Switches"]["callback"] == "ok"
    assert [(row["Number"], row["Status"]) for row in await box.rows()] == [(3, 200), (2, 500), (1, 500)]
    assert [one["State"] for one in await box.push.deliveries()] == ["delivered"]


async def test_gone_switches_the_subscription_off_as_a_real_one_would(box: Box) -> None:
    subscription = await box.push.subscribe(Name="Ours", Url="https://a.example/hook")
    await box.push.happen(await box.push.outlet("L1"))

    await box.switch(callback="410")
    await box.deliver()

    held = (await box.push.http.get(f"/api/v1/subscriptions/{subscription}")).json()
    assert (held["IsActive"], held["DisabledBecause"]) == (False, "the receiver answered 410 Gone")


async def test_messages_are_found_by_channel_event_and_page(box: Box) -> None:
    outlet = await box.push.outlet("L1")
    await box.push.subscribe(Name="Ours", Url="https://a.example/hook")
    for kind in ("alert.opened", "alert.closed", "alert.opened"):
        await box.push.happen(outlet, kind)
        await box.deliver()

    assert [row["Type"] for row in await box.rows(Type="alert.closed")] == ["alert.closed"]
    assert len(await box.rows(Channel="callback")) == 3
    assert await box.rows(Channel="email") == []
    first = (await box.push.http.get(BASE, params={"limit": 2})).json()
    rest = (await box.push.http.get(BASE, params={"limit": 2, "cursor": first["next"]})).json()
    ids = [row["OutboxId"] for row in [*first["data"], *rest["data"]]]
    assert (len(first["data"]), rest["next"]) == (2, None)
    assert ids == sorted(ids, reverse=True)


async def test_a_mail_is_shown_in_its_parts(box: Box) -> None:
    mail = EmailMessage()
    mail["Subject"] = "Kühler 7: zu leer"
    mail["To"] = "ann@example.org"
    mail.set_content("Plain words")
    mail.add_alternative("<p>Words <img src='cid:cooler'></p>", subtype="html")
    html_part = mail.get_body(("html",))
    assert isinstance(html_part, EmailMessage)
    html_part.add_related(b"\xff\xd8\xff", "image", "jpeg", cid="<cooler>")
    delivery = await _delivery(box)

    answer = await Sandbox().carry(
        box.push.run, replace(delivery, channel="email"), Parcel(address="ann@example.org", body=mail.as_bytes())
    )

    (row,) = await box.rows(Channel="email")
    whole = (await box.push.http.get(f"{BASE}/{row['OutboxId']}/message")).json()
    assert answer.status == 250
    assert (row["Subject"], row["Address"]) == ("Kühler 7: zu leer", "ann@example.org")
    assert {"Name": "Subject", "Value": "Kühler 7: zu leer"} in whole["Headers"]
    plain, html, jpeg = whole["Parts"]
    assert (plain["ContentType"], plain["Text"]) == ("text/plain", "Plain words\n")
    assert html["Text"].startswith("<p>Words <img")
    assert (jpeg["ContentType"], jpeg["ContentId"], jpeg["Base64"]) == ("image/jpeg", "cooler", "/9j/")


async def test_each_channel_breaks_in_its_own_words(box: Box) -> None:
    said = [answer_of("email", one).status for one in (Behaviour.OK, Behaviour.SLOW, Behaviour.ERROR, Behaviour.GONE)]
    texted = [answer_of("sms", one).status for one in (Behaviour.OK, Behaviour.ERROR, Behaviour.GONE)]
    delivery = await _delivery(box)

    assert said == [250, 250, 451, 550]
    assert texted == [201, 500, 400]
    for word, kind in (("refuse", ConnectFailed), ("time_out", CallTimedOut), ("cut", AnswerBroken)):
        await box.switch(callback=word)
        with pytest.raises(kind):
            await Sandbox().carry(box.push.run, delivery, Parcel(address="https://a.example", body=b"{}"))


@pytest.mark.parametrize(
    ("body", "code"),
    [({"fax": "ok"}, "channel_unknown"), ({"callback": "explode"}, "input_invalid"), ([1], "input_invalid")],
)
async def test_switches_that_mean_nothing_are_refused(box: Box, body: object, code: str) -> None:
    answered = await box.push.http.put(f"{BASE}/switches", json=body)

    assert (answered.status_code, answered.json()["code"]) == (400, code)


async def test_old_messages_and_all_but_the_newest_are_forgotten(box: Box, stranger: httpx.AsyncClient) -> None:
    outlet = await box.push.outlet("L1")
    await box.push.subscribe(Name="Ours", Url="https://a.example/hook")
    for _ in range(4):
        await box.push.happen(outlet)
    await box.deliver()
    ids = [row["OutboxId"] for row in await box.rows()]

    async with box.push.run.database.system() as connection:
        await forget_messages(connection, box.push.clock.now() - timedelta(days=30), 3)
    newest = [row["OutboxId"] for row in await box.rows()]
    box.push.clock.advance(timedelta(days=31))
    await forget(box.push.run)

    assert newest == ids[:3]
    assert await box.rows() == []


async def test_strangers_and_who_is_limited_see_nothing(box: Box, stranger: httpx.AsyncClient, app: FastAPI) -> None:
    await box.push.subscribe(Name="Ours", Url="https://a.example/hook")
    outlet = await box.push.outlet("L1")
    await box.push.happen(outlet)
    await box.deliver()
    (row,) = await box.rows()
    paths = (f"{BASE}/{row['OutboxId']}", f"{BASE}/{row['OutboxId']}/message")

    assert [(await stranger.get(path)).status_code for path in paths] == [404, 404]
    assert (await stranger.get(BASE)).json()["data"] == []
    await stranger.put(f"{BASE}/switches", json={"callback": "500"})
    assert (await box.push.http.get(f"{BASE}/switches")).json()["Switches"]["callback"] == "ok"
    limited = await partner(box.push.run, box.push.client_id, "limited")
    await limit_user(box.push.run, box.push.client_id, limited, hidden=["personal"])
    await partner(box.push.run, box.push.client_id, "sales", Role.SALES_REP)
    for name in ("limited", "sales"):
        async with signed_in(app, name) as http:
            assert (await http.get(paths[1])).status_code == 403
            assert (await http.get(f"{BASE}/switches")).status_code == 403
            assert (await http.put(f"{BASE}/switches", json={})).status_code == 403


@pytest.mark.parametrize("path", ["/outbox", "/outbox/outbox.js", "/outbox/outbox.css"])
async def test_the_page_takes_a_client_admin(box: Box, app: FastAPI, path: str) -> None:
    await partner(box.push.run, box.push.client_id, "sales", Role.SALES_REP)
    page = await box.push.http.get(path)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://coldshelf.test") as nobody:
        unknown = await nobody.get(path)
    async with signed_in(app, "sales") as sales_rep:
        refused = await sales_rep.get(path)

    assert page.status_code == 200
    assert "script-src 'self';" in page.headers["content-security-policy"]
    assert (unknown.status_code, unknown.headers["www-authenticate"].split()[0]) == (401, "Basic")
    assert refused.status_code == 403


async def _delivery(box: Box) -> Delivery:
    await box.push.subscribe(Name="Mails", Url="https://a.example/mail", Events="order.accepted")
    await box.push.happen(await box.push.outlet("M1"), "order.accepted")
    (row,) = await box.push.deliveries()
    return Delivery(
        client_id=box.push.client_id,
        id=row["DeliveryId"],
        subscription_id=row["SubscriptionId"],
        user_id=None,
        url=row["Url"],
        number=1,
        event_id=new_sorted_id(),
        type="order.accepted",
        version=1,
        occurred_on=box.push.clock.now(),
        dataset="Location",
        key=1,
    )
