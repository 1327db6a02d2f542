"""API and workers are killed without warning: every acknowledged picture ends with one record and one served result.

`COLDSHELF_KILL_UPLOADS` says how many uploads (20 unless set, 200 in `make soak`); the seed is printed.
"""

import asyncio
import io
import os
import random
import shutil
import signal
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import asyncpg
import httpx
import numpy as np
import pytest
from PIL import Image

from coldshelf.access.principal import Role
from coldshelf.access.service import add_client, add_user
from coldshelf.entrypoints.bootstrap import runtime
from coldshelf.entrypoints.cli.demo import free_port
from coldshelf.entrypoints.processes import Processes
from coldshelf.kit import embedded
from coldshelf.kit.settings import load_settings
from coldshelf.masterdata.service import prepare_client
from tests.conftest import PASSWORD

UPLOADS = int(os.environ.get("COLDSHELF_KILL_UPLOADS", "200" if os.environ.get("SOAK") else "20"))
ENDED = {-1, 0, 13}


@dataclass(slots=True)
class Installation:
    """A cluster of its own with fsync on, and the processes of an installation."""

    url: str
    address: str
    objects: Path
    processes: Processes
    acknowledged: dict[int, tuple[str, int]] = field(default_factory=dict)
    kills: dict[str, int] = field(default_factory=lambda: {"api": 0, "worker": 0})


@pytest.fixture
async def installation() -> AsyncIterator[Installation]:
    folder = Path(tempfile.mkdtemp(prefix="coldshelf-crash-"))
    folder.chmod(0o711)
    handle = embedded.start(folder)
    port = free_port(0)
    environment = {
        "COLDSHELF_DATABASE_URL": handle.url,
        "COLDSHELF_DATA_DIR": str(folder),
        "COLDSHELF_PORT": str(port),
        "COLDSHELF_LEASE": "PT3S",
        "COLDSHELF_SWEEP_EVERY": "PT1S",
    }
    async with runtime(load_settings(data_dir=folder), handle.url) as run:
        client_id = await add_client(run, "demo", "Demo")
        await prepare_client(run, client_id)
        await add_user(run, client_id, "admin", password=PASSWORD, role=Role.CLIENT_ADMIN)
    processes = Processes(environment, os.open(folder / "processes.log", os.O_CREAT | os.O_WRONLY | os.O_APPEND))
    processes.start("api", ["api"])
    processes.start("worker", ["worker"])
    try:
        yield Installation(handle.url, f"http://127.0.0.1:{port}", folder / "objects", processes)
    finally:
        await asyncio.to_thread(processes.stop)
        os.close(processes.log or 0)
        embedded.stop(folder)
        embedded.remove(folder)
        shutil.rmtree(folder, ignore_errors=True)


def picture(number: int) -> bytes:
    """Some picture with structure, different for each number."""
    noise = np.random.default_rng(number).integers(0, 255, (12, 12, 3), np.uint8)
    out = io.BytesIO()
    Image.fromarray(noise).resize((160, 160), Image.Resampling.NEAREST).save(out, "JPEG", quality=90)
    return out.getvalue()


async def post(http: httpx.AsyncClient, path: str, **content: object) -> httpx.Response | None:
    """Send once; None when the server was not there, or went away before it answered."""
    with suppress(httpx.HTTPError):
        return await http.post(path, **content)  # type: ignore[arg-type]  # httpx's own parameters
    return None


async def until_answered(http: httpx.AsyncClient, path: str, **content: object) -> httpx.Response:
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        answer = await post(http, path, **content)
        if answer is not None and answer.status_code == httpx.codes.OK:
            return answer
        await asyncio.sleep(0.2)
    raise TimeoutError(path)


async def upload_all(installation: Installation, http: httpx.AsyncClient, choose: random.Random) -> None:
    waiting = list(range(UPLOADS))

    async def send() -> None:
        while waiting:
            number = waiting.pop()
            await asyncio.sleep(choose.uniform(0.2, 1.6))  # so that kills fall among the uploads
            answer = await until_answered(
                http,
                "/Controllers/CoolRAPI.ashx?action=uploadImage&SerialNumber=X1",
                files=[("file", (f"{number}.jpg", picture(number)))],
            )
            (result,) = answer.json()
            assert result["Success"], result
            installation.acknowledged[number] = (result["UniqueGuid"], result["AssetPurityId"])

    await asyncio.gather(*(send() for _ in range(4)))


async def kill_now_and_then(installation: Installation, choose: random.Random) -> None:
    while True:
        await asyncio.sleep(choose.uniform(0.5, 6))
        name = choose.choice(["api", "worker"])
        child = installation.processes.running[name]
        os.killpg(child.process.pid, signal.SIGKILL)
        await asyncio.to_thread(child.process.wait)
        installation.kills[name] += 1
        installation.processes.start(name, child.command)


async def test_kill_9_of_api_and_worker_loses_and_doubles_nothing(installation: Installation) -> None:
    seed = random.randrange(10**6)
    print(f"seed {seed}, {UPLOADS} uploads")
    async with httpx.AsyncClient(base_url=installation.address, auth=("admin", PASSWORD), timeout=30) as http:
        await until_answered(http, "/controllers/AssetType.ashx?action=save", data={"Name": "T"})
        await until_answered(http, "/controllers/Asset.ashx?action=save", data={"SerialNumber": "X1", "AssetType": "T"})
        killer = asyncio.create_task(kill_now_and_then(installation, random.Random(seed)))
        began = time.monotonic()
        await upload_all(installation, http, random.Random(seed + 1))
        uploaded = time.monotonic() - began
        if sum(installation.kills.values()) < 3:
            await asyncio.sleep(15)
        killer.cancel()
        with suppress(asyncio.CancelledError):
            await killer

    await await_ends(installation)

    print(f"kills {installation.kills}, uploads {uploaded:.0f} s, all ended after {time.monotonic() - began:.0f} s")
    assert sum(installation.kills.values()) >= 2
    assert len({guid for guid, _ in installation.acknowledged.values()}) == UPLOADS
    await check_records(installation)


async def await_ends(installation: Installation) -> None:
    connection = await asyncpg.connect(installation.url)
    deadline = time.monotonic() + 180
    while time.monotonic() < deadline:
        for name, child in installation.processes.running.items():
            if child.process.poll() is not None:
                installation.processes.start(name, child.command)
        rows = await connection.fetch("SELECT status_id FROM picture")
        if all(row["status_id"] in ENDED for row in rows):
            break
        await asyncio.sleep(0.3)
    else:
        open_steps = await connection.fetch("SELECT handler, attempts, error FROM event_step WHERE done_on IS NULL")
        raise AssertionError([dict(row) for row in open_steps])
    await connection.close()


async def check_records(installation: Installation) -> None:
    connection = await asyncpg.connect(installation.url)
    pictures = {row["id"]: row for row in await connection.fetch("SELECT * FROM picture")}
    for guid, picture_id in installation.acknowledged.values():
        assert str(pictures[picture_id]["guid"]) == guid
        assert pictures[picture_id]["status_id"] == 13, dict(pictures[picture_id])
    served = await connection.fetch(
        "SELECT picture_id, count(*) FILTER (WHERE is_served) AS served, count(*) AS all FROM recognition_result"
        " GROUP BY picture_id"
    )
    assert {row["picture_id"]: (row["served"], row["all"]) for row in served} == dict.fromkeys(pictures, (1, 1))
    assert await connection.fetchval("SELECT count(*) FROM picture_kpi") == len(pictures)
    for row in await connection.fetch("SELECT object_key, bytes FROM picture_file"):
        assert (installation.objects / row["object_key"]).stat().st_size == row["bytes"]
    assert len(pictures) == UPLOADS, "a retry of an acknowledged upload made a second record"
    await connection.close()
