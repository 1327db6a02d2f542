"""Workers are killed without warning while they deliver: every event arrives, doubles carry the same id.

`COLDSHELF_DELIVERIES` says how many events (60 unless set, 10,000 in `make soak`); the seed is printed.
"""

import asyncio
import os
import random
import signal
import time
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime

import httpx
import jsonschema_rs
import orjson
import pytest

from coldshelf.access.service import client_by_code
from coldshelf.deliveries.developing.described import describe_events
from coldshelf.entrypoints.bootstrap import EVENT_TYPES, runtime, surroundings
from coldshelf.kit.events import Event
from coldshelf.kit.settings import load_settings
from tests.acceptance.installation import Installation, installed
from tests.acceptance.test_crash import picture
from tests.records.support import Handler
from tests.support.receiver import Receiver, receiver

SOAK = bool(os.environ.get("SOAK"))
EVENTS = int(os.environ.get("COLDSHELF_DELIVERIES", "10000" if SOAK else "60"))
KILLS = 100 if SOAK else 4
SEED = int(os.environ.get("COLDSHELF_SEED", "7"))


def opened_for(hook: Receiver) -> dict[str, str]:
    return {
        "COLDSHELF_OUTGOING_HTTP": "true",
        "COLDSHELF_OUTGOING_ALLOW": "127.0.0.1",
        "COLDSHELF_OUTGOING_PORTS": str(hook.port),
    }


@pytest.mark.timeout(0 if SOAK else 300)
async def test_every_event_arrives_however_often_workers_are_killed() -> None:
    choose = random.Random(SEED)
    async with receiver() as hook, installed(workers=2, environment=opened_for(hook)) as house:
        async with house.http() as http:
            await Handler(http, "Subscription").save(Name="Ours", Url=hook.url)
            outlet = (await Handler(http, "Location").page(limit=1))["records"][0]["LocationId"]
        killing = asyncio.create_task(_kill(house, choose))
        published = await _publish(house, outlet, choose)
        await killing
        await _arrived(house, hook, published)

        counts = Counter(orjson.loads(body)["id"] for body in hook.bodies)
        heads = [line for head in hook.requests for line in head.split("\r\n") if line.startswith("webhook-id: ")]
        print(f"seed {SEED}: {EVENTS} events, {KILLS} kills, {sum(counts.values()) - EVENTS} came again")
        assert set(counts) == published
        assert Counter(line.partition(": ")[2] for line in heads) == counts


async def test_a_picture_that_is_uploaded_with_a_callback_url_is_told_there() -> None:
    async with receiver() as hook, installed(environment=opened_for(hook)) as house, house.http() as http:
        (answer,) = await _upload(http, f"{hook.url}/done")
        await house.settle()
        await _until(lambda: any(b'"image.processed"' in body for body in hook.bodies), house)

    told = next(one for one in map(orjson.loads, hook.bodies) if one["type"] == "image.processed")
    assert told["data"]["AssetPurityId"] == answer["AssetPurityId"]
    assert set(told["data"]["Recognition"]) == {"shelf"}
    schema = describe_events(EVENT_TYPES, surroundings())["image.processed"].schema
    jsonschema_rs.Draft202012Validator(schema, validate_formats=True).validate(told)
    assert hook.requests[0].startswith("POST /done ")


async def _upload(http: httpx.AsyncClient, callback_url: str) -> list[dict[str, object]]:
    said = {"SerialNumber": "C-1", "callbackUrl": callback_url}
    answer = await http.post(
        "/Controllers/CoolRAPI.ashx?action=uploadImage", data=said, files=[("file", ("a.jpg", picture(1)))]
    )
    found: list[dict[str, object]] = answer.json()
    return found


async def _publish(house: Installation, outlet: int, choose: random.Random) -> set[str]:
    """Let events happen, a few at a time."""
    ids: set[str] = set()
    async with runtime(load_settings(data_dir=house.folder), house.database_url, migrate=False) as run:
        client = await client_by_code(run, "demo")
        while len(ids) < EVENTS:
            async with run.database.scope(client.id) as connection:
                for _ in range(min(10, EVENTS - len(ids))):
                    event = Event(
                        "alert.opened",
                        1,
                        client.id,
                        "Location",
                        outlet,
                        datetime.now(UTC),
                        location_id=outlet,
                        public=True,
                    )
                    await run.events.publish(connection, event)
                    ids.add(str(event.id))
            await asyncio.sleep(choose.uniform(0, 0.2))
    return ids


async def _kill(house: Installation, choose: random.Random) -> None:
    for _ in range(KILLS):
        await asyncio.sleep(choose.uniform(2, 8))  # a new one takes seconds to begin
        name = f"worker {choose.randint(1, 2)}"
        os.kill(house.processes.running[name].process.pid, signal.SIGKILL)
        await asyncio.to_thread(house.processes.running[name].process.wait)
        house.processes.start(name, ["worker"])


async def _arrived(house: Installation, hook: Receiver, published: set[str]) -> None:
    await _until(lambda: {orjson.loads(body)["id"] for body in hook.bodies} >= published, house)


async def _until(is_so: Callable[[], bool], house: Installation, within: float = 3600 if SOAK else 240) -> None:
    deadline = time.monotonic() + within
    while not is_so():
        if time.monotonic() > deadline:
            raise TimeoutError(house.log[-3000:])
        await asyncio.sleep(0.2)
