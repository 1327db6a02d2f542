"""A receiver on this machine, a clock that is moved by hand, and events about outlets."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import orjson
import pytest

from coldshelf.deliveries.dispatching import deliver_due
from coldshelf.entrypoints.bootstrap import runtime, surroundings
from coldshelf.entrypoints.worker import works_of
from coldshelf.kit.events import Event
from coldshelf.kit.ids import ClientId
from coldshelf.kit.runtime import Runtime
from coldshelf.kit.settings import load_settings
from coldshelf.kit.testing import FakeClock
from tests.records.support import Handler
from tests.support.mailbox import PASSWORD, USER, Mailbox, mailbox
from tests.support.receiver import OK, Receiver, receiver

Row = dict[str, Any]
"""Column or field to value."""


@dataclass
class Hook:
    """A receiver whose next answers are set; after them everything is taken."""

    seen: Receiver
    answers: list[bytes] = field(default_factory=list)

    @property
    def messages(self) -> list[Row]:
        return [orjson.loads(body) for body in self.seen.bodies]

    def headers(self, number: int) -> dict[str, str]:
        lines = self.seen.requests[number].split("\r\n")[1:]
        return {name.lower(): value for name, _, value in (line.partition(": ") for line in lines) if name}


@pytest.fixture
async def hook() -> AsyncIterator[Hook]:
    answers: list[bytes] = []
    async with receiver(lambda _: answers.pop(0) if answers else OK) as seen:
        yield Hook(seen, answers)


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock(datetime.now(UTC) + timedelta(seconds=1))


@pytest.fixture
async def box(tmp_path: Path) -> AsyncIterator[Mailbox]:
    """A mail server that takes everything, unless it is told otherwise."""
    async with mailbox(tmp_path) as opened:
        yield opened


def mail_settings(box: Mailbox, **others: object) -> Row:
    """Give the settings by which mails go to a box."""
    return {
        "smtp_host": "127.0.0.1",
        "smtp_port": box.port,
        "smtp_user": USER,
        "smtp_password": PASSWORD,
        "outgoing_ca_file": box.ca,
        "mail_from": "coldshelf@bottler.example",
        "public_url": "https://coldshelf.example",
        **others,
    }


@pytest.fixture
def chosen() -> Row:
    """Further settings of the process; modules that want others have a fixture of this name."""
    return {}


@pytest.fixture
async def run(url: str, tmp_path: Path, hook: Hook, clock: FakeClock, chosen: Row) -> AsyncIterator[Runtime]:
    base: Row = {
        "data_dir": tmp_path / "data",
        "requests_per_minute": 1_000_000,
        "outgoing_http": True,
        "outgoing_ports": (hook.seen.port,),
        "outgoing_allow": ("127.0.0.1",),
    }
    async with runtime(load_settings(**{**base, **chosen}), url, clock=clock, migrate=False) as opened:
        yield opened


@dataclass
class Pushing:
    """Publishes events about outlets, runs their steps, and delivers."""

    run: Runtime
    http: httpx.AsyncClient
    client_id: ClientId
    clock: FakeClock

    async def subscribe(self, **values: object) -> int:
        saved = await Handler(self.http, "Subscription").save(**values)
        return int(saved["id"])

    async def ann(self, **values: object) -> int:
        """Subscribe Ann by mail to alerts."""
        said = {"Name": "Ann", "DeliverBy": "email", "Url": "ann@example.org", "Events": "alert.*"}
        return await self.subscribe(**said | values)

    async def states(self) -> list[tuple[str, str]]:
        return [(one["State"], one["Error"]) for one in await self.deliveries()]

    async def outlet(self, code: str, **values: object) -> int:
        return int(
            (await Handler(self.http, "Location").save(LocationCode=code, Name=f"Outlet {code}", **values))["id"]
        )

    async def happen(self, outlet: int, kind: str = "alert.opened", **values: Any) -> Event:
        event = Event(
            kind, 1, self.client_id, "Location", outlet, self.clock.now(), location_id=outlet, public=True, **values
        )
        return await self.publish(event)

    async def publish(self, event: Event) -> Event:
        """Let it happen, and run the steps."""
        async with self.run.database.scope(self.client_id) as connection:
            await self.run.events.publish(connection, event)
        await self.settle()
        return event

    async def settle(self) -> None:
        """Run the steps of all that has happened, and of what they let happen."""
        works = works_of(self.run)
        while steps := await self._open_steps():
            for step in steps:
                payload = {"client": self.client_id, "event": str(step["event_id"]), "handler": step["handler"]}
                await works[step["handler"]](orjson.dumps(payload), 1)

    async def _open_steps(self) -> list[asyncpg.Record]:
        async with self.run.database.scope(self.client_id, readonly=True) as connection:
            return list(
                await connection.fetch(
                    "SELECT event_id, handler FROM event_step WHERE done_on IS NULL AND given_up_on IS NULL"
                )
            )

    async def deliver(self, later: timedelta = timedelta(0)) -> int:
        self.clock.advance(later)
        return await deliver_due(self.run, surroundings())

    async def deliveries(self) -> list[Row]:
        page = await Handler(self.http, "Delivery").page(sort="DeliveryId", dir="ASC", limit=1000)
        return list(page["records"])

    async def attempts(self) -> list[Row]:
        page = await Handler(self.http, "DeliveryAttempt").page(sort="DeliveryAttemptId", dir="ASC", limit=1000)
        return list(page["records"])


@pytest.fixture
def push(run: Runtime, admin: httpx.AsyncClient, client_id: ClientId, clock: FakeClock) -> Pushing:
    return Pushing(run, admin, client_id, clock)
