"""A subscription by SMS, and a server that answers as Twilio does."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta

import httpx
import pytest

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
