"""The stream of events: what callbacks would carry, in the order of commits, within the reader's limits."""

import asyncio
import json
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from coldshelf.access.principal import Role
from coldshelf.access.service import add_device_token, set_user_active
from coldshelf.entrypoints.listening import read_frames
from coldshelf.kit.events import Event
from tests.deliveries.conftest import Hook, Pushing
from tests.records.support import Handler
from tests.support.limits import limit_user, partner, signed_in

PATH = "/api/v1/events/stream"


@dataclass
class Reader:
    """One who comes again and again and goes on where it was."""

    http: httpx.AsyncClient
    events: str = "*"
    after: str = ""

    async def read(self) -> list[dict[str, Any]]:
        answered = await self.http.get(PATH, params={"wait": 0, "after": self.after, "events": self.events})
        assert answered.status_code == 200, answered.text
        assert answered.headers["content-type"].startswith("text/event-stream")
        frames = list(read_frames(answered.text.splitlines()))
        self.after = frames[-1].id
        return [json.loads(frame.data) for frame in frames if frame.data]


async def beginning(http: httpx.AsyncClient, events: str = "*") -> Reader:
    reader = Reader(http, events)
    assert await reader.read() == []
    return reader


async def test_events_come_as_a_callback_would_carry_them(push: Pushing, hook: Hook) -> None:
    await push.subscribe(Name="Ours", Url=hook.seen.url)
    outlet = await push.outlet("L1", City="Wien")
    reader = await beginning(push.http)

    event = await push.happen(outlet)
    await push.deliver()
    came, again = await reader.read(), await reader.read()

    assert came == hook.messages
    assert (came[0]["id"], came[0]["data"]["City"]) == (str(event.id), "Wien")
    assert again == []


async def test_a_stream_begins_with_what_comes_from_now_on(push: Pushing) -> None:
    outlet = await push.outlet("L1")
    await push.happen(outlet)

    reader = await beginning(push.http)
    await push.happen(outlet, "alert.closed")

    assert [one["type"] for one in await reader.read()] == ["alert.closed"]


async def test_only_events_that_are_meant_come(push: Pushing) -> None:
    outlet = await push.outlet("L1")
    reader = await beginning(push.http, "order.*, alert.closed")

    for kind in ("alert.opened", "order.accepted", "alert.closed", "image.processed", "order.cancelled"):
        await push.happen(outlet, kind)

    assert [one["type"] for one in await reader.read()] == ["order.accepted", "alert.closed", "order.cancelled"]
    unknown = await push.http.get(PATH, params={"wait": 0, "events": "picture.*"})
    assert (unknown.status_code, unknown.json()["code"]) == (400, "events_unknown")


async def test_what_is_committed_late_is_not_left_out(push: Pushing) -> None:
    outlet = await push.outlet("L1")
    reader = await beginning(push.http)
    slow, quick = _event(push, outlet), _event(push, outlet)

    async with push.run.database.scope(push.client_id) as connection:
        await push.run.events.publish(connection, slow)
        async with push.run.database.scope(push.client_id) as other:
            await push.run.events.publish(other, quick)
        early = await reader.read()
    late = await reader.read()

    assert [one["id"] for one in [*early, *late]] == [str(slow.id), str(quick.id)]
    assert await reader.read() == []


async def test_many_events_come_once_each_in_their_order(push: Pushing) -> None:
    outlet = await push.outlet("L1")
    reader = await beginning(push.http)
    events = [_event(push, outlet) for _ in range(230)]

    for event in events:
        async with push.run.database.scope(push.client_id) as connection:
            await push.run.events.publish(connection, event)
    came = await reader.read()

    assert [one["id"] for one in came] == [str(event.id) for event in events]


async def test_an_open_stream_is_told_at_once(push: Pushing) -> None:
    outlet = await push.outlet("L1")
    reading = asyncio.create_task(push.http.get(PATH, params={"wait": 3}))
    await asyncio.sleep(0.5)

    event = await push.happen(outlet)

    assert str(event.id) in (await reading).text


async def test_events_of_others_never_come(push: Pushing, stranger: httpx.AsyncClient) -> None:
    outlet = await push.outlet("L1")
    ours, theirs = await beginning(push.http), await beginning(stranger)

    await push.happen(outlet)

    assert await theirs.read() == []
    assert len(await ours.read()) == 1
    foreign = await stranger.get(PATH, params={"wait": 0, "after": ours.after})
    assert (foreign.status_code, foreign.json()["code"]) == (410, "cursor_gone")
    made_up = await push.http.get(PATH, params={"wait": 0, "after": "abc"})
    assert made_up.status_code == 410


async def test_a_limited_reader_gets_its_rows_and_fields_only(push: Pushing, app: FastAPI) -> None:
    mine, other = await push.outlet("L1", City="Wien"), await push.outlet("L2", City="Graz")
    user_id = await partner(push.run, push.client_id, "partner", Role.SALES_REP)
    await limit_user(push.run, push.client_id, user_id, {"outlet": [mine]}, hidden=["City"])

    async with signed_in(app, "partner") as http:
        reader = await beginning(http)
        for outlet in (other, mine, other):
            await push.happen(outlet)
        came = await reader.read()
        nothing = await reader.read()

    (message,) = came
    assert nothing == []
    assert message["data"]["LocationCode"] == "L1"
    assert "City" not in message["data"]


async def test_a_limit_that_comes_later_holds_for_an_open_stream(push: Pushing, app: FastAPI) -> None:
    outlet = await push.outlet("L1")
    user_id = await partner(push.run, push.client_id, "partner", Role.SALES_REP)

    async with signed_in(app, "partner") as http:
        reading = asyncio.create_task(http.get(PATH, params={"wait": 3}))
        await asyncio.sleep(0.5)
        await limit_user(push.run, push.client_id, user_id, {"outlet": [outlet + 1]})
        event = await push.happen(outlet)
        answered = await reading

    assert str(event.id) not in answered.text


async def test_a_stream_ends_with_the_sign_in_of_its_reader(push: Pushing, app: FastAPI) -> None:
    outlet = await push.outlet("L1")
    user_id = await partner(push.run, push.client_id, "partner")

    async with signed_in(app, "partner") as http:
        reading = asyncio.create_task(http.get(PATH, params={"wait": 60}))
        await asyncio.sleep(0.5)
        await set_user_active(push.run, push.client_id, user_id, is_active=False)
        event = await push.happen(outlet)
        answered = await asyncio.wait_for(reading, 10)

    assert str(event.id) not in answered.text


async def test_a_triggered_event_is_marked(push: Pushing) -> None:
    outlet = await push.outlet("L1")
    reader = await beginning(push.http)
    await push.happen(outlet, triggered=True)
    await push.happen(outlet)

    answered = await push.http.get(PATH, params={"wait": 0, "after": reader.after})

    assert [frame.is_triggered for frame in read_frames(answered.text.splitlines()) if frame.data] == [True, False]


async def test_only_so_many_streams_of_a_client_are_open(push: Pushing, stranger: httpx.AsyncClient) -> None:
    many = [asyncio.create_task(push.http.get(PATH, params={"wait": 3})) for _ in range(10)]
    await asyncio.sleep(1)

    one_more = await push.http.get(PATH, params={"wait": 0})
    other = await stranger.get(PATH, params={"wait": 0})
    await asyncio.gather(*many)
    afterwards = await push.http.get(PATH, params={"wait": 0})

    assert (one_more.status_code, one_more.json()["code"]) == (429, "streams_exceeded")
    assert (other.status_code, afterwards.status_code) == (200, 200)


@pytest.mark.parametrize("values", [{"wait": 301}, {"wait": -1}, {"wait": "long"}])
async def test_nobody_stays_for_ever(push: Pushing, values: dict[str, int | str]) -> None:
    assert (await push.http.get(PATH, params=values)).status_code == 400


async def test_it_takes_a_person_of_the_client(push: Pushing, app: FastAPI) -> None:
    camera = await Handler(push.http, "SmartDevice").save(SerialNumber="CAM-9")
    token = await add_device_token(push.run, push.client_id, camera["id"])
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://coldshelf.test") as nobody:
        assert (await nobody.get(PATH)).status_code == 401
        device = await nobody.get(PATH, headers={"Authorization": f"Bearer {token}"})
    assert device.status_code == 403


def _event(push: Pushing, outlet: int) -> Event:
    return Event("alert.opened", 1, push.client_id, "Location", outlet, push.clock.now(), public=True)
