"""Addresses that lead inside are refused before a connection, once and for all, and the record says so."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import timedelta

import httpx
import pytest

from coldshelf.kit.http import open_outgoing
from coldshelf.kit.testing import ScriptedNames
from tests.deliveries.conftest import Pushing, Row
from tests.records.support import Handler
from tests.support.hostile_urls import LEADING_INSIDE, LIKE_SLACK, REFUSED_UNASKED
from tests.support.receiver import Receiver, answer, receiver

DOWN = answer(b"broken", "Connection: close", status="500 Internal Server Error")
OPEN = "127.0.0.3"
"""The address that stands for the public here; all others on this machine are the inside."""


@dataclass
class Inside:
    """Listens where hostile addresses lead; `public` listens where calls may go."""

    listeners: list[Receiver]
    public: Receiver
    names: ScriptedNames

    @property
    def port(self) -> int:
        return self.public.port

    def connections(self) -> int:
        return sum(one.connections for one in self.listeners)

    def at_port(self, urls: list[str]) -> list[str]:
        return [url.replace("{port}", str(self.port)) for url in urls]


@pytest.fixture
async def inside(push: Pushing) -> AsyncIterator[Inside]:
    """Let deliveries call the public address alone, by the scripted names."""
    names = ScriptedNames(
        {name: [addresses] for name, addresses in LEADING_INSIDE.items()}
        | {"rebinding.example": [[OPEN], ["127.0.0.1"]]}
    )
    async with (
        receiver(DOWN, address=OPEN) as public,
        receiver(port=public.port) as four,
        receiver(address="127.0.0.2", port=public.port) as other,
        receiver(address="::1", port=public.port) as six,
    ):
        settings = push.run.settings.model_copy(
            update={"outgoing_allow": (OPEN,), "outgoing_ports": (public.port,), "outgoing_http": True}
        )
        outgoing, before = open_outgoing(settings, names), push.run
        push.run = replace(push.run, settings=settings, outgoing=outgoing)
        yield Inside([four, other, six], public, names)
        push.run = before
        await outgoing.close()


@pytest.mark.parametrize("channel", ["callback", "slack"])
async def test_hostile_addresses_of_subscriptions_are_refused(push: Pushing, inside: Inside, channel: str) -> None:
    urls = inside.at_port([*REFUSED_UNASKED, *LIKE_SLACK])
    taken = [url for number, url in enumerate(urls) if await _is_taken(push.http, number, url, channel)]

    await push.happen(await push.outlet("L1"))

    assert taken == [url for url in urls if url.strip().startswith(("http://", "https://"))]
    await _refused_once(push, inside, len(taken))
    assert inside.names.asked == []


async def test_hostile_callback_urls_are_refused(push: Pushing, inside: Inside) -> None:
    urls = tuple(dict.fromkeys(inside.at_port([*REFUSED_UNASKED, *LIKE_SLACK])))

    await push.happen(await push.outlet("L1"), callback_urls=urls)

    await _refused_once(push, inside, len(urls))
    assert inside.names.asked == []


async def test_names_that_lead_inside_are_refused(push: Pushing, inside: Inside) -> None:
    urls = tuple(f"http://{name}:{inside.port}/" for name in LEADING_INSIDE)
    slack = f"https://loopback.example:{inside.port}/services/T0/B0/x"
    await push.subscribe(Name="Ours", Url=slack, DeliverBy="slack")

    await push.happen(await push.outlet("L1"), callback_urls=urls)

    await _refused_once(push, inside, len(urls) + 1)
    assert set(inside.names.asked) == set(LEADING_INSIDE)


async def test_a_name_that_turns_inside_between_two_attempts_is_refused_then(push: Pushing, inside: Inside) -> None:
    await push.subscribe(Name="Ours", Url=f"http://rebinding.example:{inside.port}/")
    await push.happen(await push.outlet("L1"))

    first = await push.deliver()
    (waiting,) = await push.deliveries()
    second = await push.deliver(later=timedelta(seconds=6))
    (refused,) = await push.deliveries()

    assert (first, second, await push.deliver(later=timedelta(days=2))) == (1, 1, 0)
    assert (waiting["State"], waiting["Status"], inside.public.connections) == ("waiting", 500, 1)
    assert (refused["State"], refused["Attempts"], refused["DueOn"]) == ("refused", 2, None)
    assert inside.names.asked == ["rebinding.example"] * 2
    assert inside.connections() == 0


async def _is_taken(http: httpx.AsyncClient, number: int, url: str, channel: str) -> bool:
    answered = await Handler(http, "Subscription").post("save", Name=f"S{number}", Url=url, DeliverBy=channel)
    assert answered.status_code == 200
    return bool(answered.json()["success"])


async def _refused_once(push: Pushing, inside: Inside, count: int) -> None:
    """Expect one attempt for each, no connection and no second attempt, and the reason on every record."""
    made = await push.deliver()
    again = await push.deliver(later=timedelta(days=2))
    deliveries: list[Row] = (await Handler(push.http, "Delivery").page(limit=1000))["records"]
    attempts: list[Row] = (await Handler(push.http, "DeliveryAttempt").page(limit=1000))["records"]

    assert (made, again) == (count, 0)
    assert [one["Url"] for one in deliveries if one["State"] != "refused"] == []
    assert {(one["Attempts"], one["DueOn"], one["Status"]) for one in deliveries} == {(1, None, None)}
    assert all(one["Error"] for one in [*deliveries, *attempts])
    assert (len(deliveries), len(attempts)) == (count, count)
    assert (inside.connections(), inside.public.connections) == (0, 0)
