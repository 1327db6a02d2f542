"""The commands about callbacks, run as a person runs them."""

import json

from tests.deliveries.conftest import Pushing
from tests.support.command import coldshelf


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
