"""The commands about callbacks, run as a person runs them."""

import json
import time

from coldshelf.deliveries.models import RETRIES
from tests.deliveries.conftest import Hook, Pushing
from tests.support.command import coldshelf
from tests.support.receiver import answer


async def test_an_event_is_triggered(push: Pushing, url: str) -> None:
    subscription = await push.subscribe(Name="Ours", Url="https://a.example", IsActive="false")
    settings = {"COLDSHELF_DATABASE_URL": url, "COLDSHELF_CLIENT": "demo"}

    newest = coldshelf("trigger", "subscription.disabled", "--json", **settings)
    named = coldshelf("trigger", "subscription.disabled", "--record", str(subscription), **settings)
    missing = coldshelf("trigger", "subscription.disabled", "--record", "99", **settings)
    nothing = coldshelf("trigger", "image.processed", **settings)
    unknown = coldshelf("trigger", "image.eaten", **settings)

    told = json.loads(newest.stdout)
    assert (told["type"], told["dataset"], told["record"]) == ("subscription.disabled", "Subscription", subscription)
    assert named.stdout.startswith(f"subscription.disabled about Subscription {subscription} is on its way: ")
    assert (missing.returncode, nothing.returncode, unknown.returncode) == (1, 1, 1)
    assert "There is no Subscription 99 that subscription.disabled could be about" in missing.stderr
    assert "There is no AssetPurity yet that image.processed could be about" in nothing.stderr
    assert "There is no event 'image.eaten'" in unknown.stderr
    async with push.run.database.scope(push.client_id, readonly=True) as connection:
        events = await connection.fetch("SELECT id FROM event WHERE triggered ORDER BY revision")
    assert str(events[0]["id"]) == told["eventId"]
    assert len(events) == 2


async def test_one_failed_callback_is_found_and_begins_anew_by_one_command(push: Pushing, hook: Hook, url: str) -> None:
    settings = {"COLDSHELF_DATABASE_URL": url, "COLDSHELF_CLIENT": "demo"}
    here, there = await push.outlet("S-100"), await push.outlet("S-200")
    await push.subscribe(Name="Ours", Url=hook.seen.url)
    hook.answers += [answer(b"", status="500 Internal Server Error")] * 30
    for outlet, kind in ((here, "alert.opened"), (here, "alert.closed"), (there, "alert.opened")):
        await push.happen(outlet, kind)
    for wait in RETRIES:
        await push.deliver(later=wait * 1.1)
    hook.answers.clear()

    began = time.monotonic()
    resent = coldshelf("resend", "--failed", "--event", "alert.opened", "--store", "S-100", **settings)
    took = time.monotonic() - began
    await push.deliver()

    listed = coldshelf("deliveries", "--store", "S-100", "--json", **settings)
    unknown = coldshelf("resend", "--failed", "--store", "S-9", **settings)
    nothing = coldshelf("resend", "--failed", "--event", "alert.opened", "--store", "S-100", **settings)
    print(f"found and begun anew in {took:.1f} s")
    assert resent.stdout.splitlines()[0] == "1 deliveries begin anew"
    assert f"alert.opened  {hook.seen.url}" in resent.stdout
    assert took < 30
    states = [(one["Type"], one["LocationId"], one["State"]) for one in await push.deliveries()]
    assert states == [
        ("alert.opened", here, "delivered"),
        ("alert.closed", here, "failed"),
        ("alert.opened", there, "failed"),
    ]
    assert {row["event_type"] for row in json.loads(listed.stdout)} == {"alert.opened", "alert.closed"}
    assert "--store S-9: there is no such outlet" in unknown.stderr
    assert "No ended delivery of an active subscription is meant" in nothing.stderr


async def test_deliveries_of_an_event_and_outlet_begin_anew_over_the_api(push: Pushing, hook: Hook) -> None:
    here, there = await push.outlet("S-100"), await push.outlet("S-200")
    await push.subscribe(Name="Ours", Url=hook.seen.url)
    for outlet, kind in ((here, "alert.opened"), (here, "alert.closed"), (there, "alert.opened")):
        await push.happen(outlet, kind)
    await push.deliver()

    answered = await push.http.post(
        "/api/v1/deliveries/replay", json={"Type": "alert.opened", "LocationId": here, "States": ["delivered"]}
    )
    found = await push.http.get("/api/v1/deliveries", params={"LocationId": there})

    assert (answered.status_code, answered.json()["Count"]) == (202, 1)
    assert [one["Type"] for one in found.json()["data"]] == ["alert.opened"]


async def test_listening_takes_an_address_on_this_machine_or_https(push: Pushing) -> None:
    for options, said in (
        (("--forward-to", "http://10.0.0.1/hook"), "it takes http:// on this machine, or https://"),
        (("--forward-to", "ftp://localhost/"), "it takes http:// on this machine, or https://"),
        (("--forward-to", "http://localhost:1/", "--secret", "abc"), "--secret takes whsec_ and base64"),
        ((), "Say where to forward them by --forward-to, or --print."),
    ):
        refused = coldshelf("listen", *options)

        assert refused.returncode == 1
        assert said in " ".join(refused.stderr.split())
