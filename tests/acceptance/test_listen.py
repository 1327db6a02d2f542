"""`coldshelf listen` beside a real installation: events come signed, also after a lost connection."""

import asyncio
import json
import os
import signal
import sys
import time
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import orjson
import pytest

from coldshelf.entrypoints.processes import await_ready
from tests.acceptance.installation import Installation, installed
from tests.conftest import PASSWORD
from tests.records.support import Handler
from tests.support.receiver import OK, Receiver, answer, receiver

SECRET = "whsec_" + "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


@asynccontextmanager
async def listening(house: Installation, *options: str) -> AsyncIterator[Process]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "coldshelf.entrypoints", "listen", "--secret", SECRET, *options,
        env={**os.environ, "COLDSHELF_URL": house.address, "COLDSHELF_USER": "admin", "COLDSHELF_PASSWORD": PASSWORD},
        stdout=PIPE, stderr=PIPE,
    )  # fmt: skip
    try:
        await asyncio.sleep(3)  # a stream begins with what comes from then on
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def test_events_are_forwarded_signed_also_after_a_restart_of_the_server() -> None:
    verifying = pytest.importorskip("standardwebhooks.webhooks", reason="the judge of signatures is not installed")
    answers = [OK, answer(b"no", status="500 Internal Server Error")]
    async with receiver(lambda _: answers.pop(0) if answers else OK) as hook, installed() as house:
        outlet = await _outlet(house)
        async with listening(
            house, "--forward-to", f"{hook.url}/in", "--events", "subscription.*", "--json"
        ) as process:
            first = await _happen(house)
            await _until(hook, 1)
            second = await _happen(house)
            await _until(hook, 2)
            began = time.monotonic()
            await _restart(house)
            third = await _happen(house)
            await _until(hook, 3)
            process.send_signal(signal.SIGINT)
            stdout, stderr = await asyncio.wait_for(process.communicate(), 20)
            print(f"the API was restarted and the listener had the event after {time.monotonic() - began:.1f} s")

    lines = [json.loads(line) for line in stdout.decode().splitlines()]
    assert outlet
    assert process.returncode == 0
    assert [(line["id"], line["status"]) for line in lines] == [(first, 200), (second, 500), (third, 200)]
    assert stderr.decode().rstrip().endswith("3 events: 2 arrived, 1 failed")
    assert "Connected again" in stderr.decode()
    for number, body in enumerate(hook.bodies):
        head = dict(line.split(": ", 1) for line in hook.requests[number].split("\r\n")[1:] if line)
        names = {name.lower(): value for name, value in head.items()}
        assert verifying.Webhook(SECRET).verify(body, names)["id"] == names["webhook-id"]
        assert names["coldshelf-trigger"] == "1"
    assert hook.requests[0].startswith("POST /in ")


async def test_a_wrong_password_is_said_and_ends_it() -> None:
    async with installed(workers=0) as house:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "coldshelf.entrypoints", "listen", "--print", "--url", house.address,
            "--user", "admin", "--password", "wrong", stdout=PIPE, stderr=PIPE,
        )  # fmt: skip
        _, stderr = await asyncio.wait_for(process.communicate(), 30)

    assert process.returncode == 1
    assert "401" in stderr.decode()


async def _outlet(house: Installation) -> int:
    async with house.http() as http:
        return int(
            (await Handler(http, "Subscription").save(Name="Mine", Url="https://a.example", IsActive="false"))["id"]
        )


async def _happen(house: Installation) -> str:
    async with house.http() as http:
        answered = await http.post("/api/v1/events/subscription.disabled/trigger")
    assert answered.status_code == 202, answered.text
    return str(answered.json()["EventId"])


async def _restart(house: Installation) -> None:
    api = house.processes.running["api"].process
    began = time.monotonic()
    api.terminate()
    await asyncio.to_thread(api.wait, 60)
    print(f"the API ended {time.monotonic() - began:.1f} s after it was told to, with a stream open")
    house.processes.start("api", ["api"])
    await asyncio.to_thread(await_ready, house.processes, house.address)


async def _until(hook: Receiver, count: int, within: float = 60) -> None:
    deadline = time.monotonic() + within
    while len(hook.bodies) < count:
        assert time.monotonic() < deadline, [orjson.loads(body) for body in hook.bodies]
        await asyncio.sleep(0.1)
