"""The database goes away and comes back; what was acknowledged before is on the disk, file and folder."""

import asyncio
import os
import shutil
import sys
import time

import httpx
import pytest

from coldshelf.entrypoints.processes import await_ready
from coldshelf.kit import embedded
from tests.acceptance.installation import Installation, installed
from tests.pictures.uploading import accepted, picture

PATH = "/Controllers/CoolRAPI.ashx?action=uploadImage&SerialNumber=C-1"
STRACE = shutil.which("strace")


async def send(http: httpx.AsyncClient, seed: int) -> httpx.Response:
    return await http.post(PATH, files={"file": ("shelf.jpg", picture(seed, size=(160, 120)))})


async def test_api_and_worker_outlive_a_restart_of_the_database() -> None:
    async with installed() as house, house.http() as http:
        before = [accepted(await send(http, seed))[0]["AssetPurityId"] for seed in range(3)]
        await asyncio.to_thread(embedded.stop, house.folder)
        during = await send(http, 7)
        await asyncio.sleep(3)
        await asyncio.to_thread(embedded.start, house.folder)
        after = await until_accepted(http, 8)

        await house.settle()

        assert house.is_alive()
        assert (during.status_code, during.json()) == (500, [{"Success": False, "Info": "Something went wrong"}])
        assert "queue.lost_database" in house.log
        ended = {row["id"]: row["status_id"] for row in await house.fetch("SELECT id, status_id FROM picture")}
        assert ended == dict.fromkeys([*before, after], 13)
        served = await house.fetch("SELECT picture_id FROM recognition_result WHERE is_served")
        assert sorted(row["picture_id"] for row in served) == sorted(ended)


async def until_accepted(http: httpx.AsyncClient, seed: int) -> int:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        answer = await send(http, seed)
        if answer.status_code == httpx.codes.OK:
            return int(accepted(answer)[0]["AssetPurityId"])
        await asyncio.sleep(0.3)
    raise TimeoutError(answer.text)


async def test_worker_outlives_the_loss_of_every_connection() -> None:
    """The server stays up; every connection, the listener's too, is cut."""
    async with installed() as house, house.http() as http:
        accepted(await send(http, 1))
        await house.settle()
        await house.fetch(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        await until_accepted(http, 2)

        await house.settle()

        assert house.is_alive()
        assert [row["status_id"] for row in await house.fetch("SELECT status_id FROM picture ORDER BY id")] == [13, 13]


async def test_lost_jobs_come_back_by_the_sweep() -> None:
    async with installed() as house, house.http() as http:
        house.processes.running["worker 1"].process.kill()
        await asyncio.to_thread(house.processes.running["worker 1"].process.wait)
        for seed in range(3):
            accepted(await send(http, seed))
        await house.fetch("DELETE FROM pgqueuer RETURNING 1")

        house.processes.start("worker 1", ["worker"])
        await house.settle()

        assert [row["status_id"] for row in await house.fetch("SELECT status_id FROM picture")] == [13] * 3
        assert "worker.swept" in house.log


@pytest.mark.skipif(STRACE is None, reason="strace is not installed")
async def test_acknowledged_upload_is_synced_file_and_folder_before_the_answer() -> None:
    async with installed(workers=0) as house, house.http() as http:
        await asyncio.to_thread(house.processes.stop)
        trace = house.folder / "trace"
        process = await asyncio.create_subprocess_exec(
            str(STRACE),
            "-f",
            "-y",
            "-s",
            "24",
            "-e",
            "trace=fsync,rename,renameat,renameat2,write,writev,sendto,sendmsg",
            "-o",
            str(trace),
            sys.executable,
            "-m",
            "coldshelf.entrypoints",
            "api",
            env={**os.environ, **house.processes.environment},
            stderr=asyncio.subprocess.DEVNULL,
            start_new_session=True,
        )
        try:
            await asyncio.to_thread(await_ready, house.processes, house.address)
            accepted(await send(http, 1))  # makes the folder of the day
            mark = len(trace.read_text().splitlines())
            accepted(await send(http, 2))
            lines = steps_of(house, trace.read_text().splitlines()[mark:])
        finally:
            os.killpg(process.pid, 9)
            await process.wait()

    kinds = [kind for kind, _ in lines]
    assert kinds == ["fsync file", "rename", "fsync folder", "answer"]


def steps_of(house: Installation, lines: list[str]) -> list[tuple[str, str]]:
    """Pick out what concerns the picture, and the answer, in order."""
    objects = str(house.folder / "objects")
    steps = []
    for line in lines:
        if "fsync(" in line and f"{objects}/.staging/" in line:
            steps.append(("fsync file", line))
        elif "rename" in line and f"{objects}/originals/" in line:
            steps.append(("rename", line))
        elif "fsync(" in line and f"{objects}/originals/" in line:
            steps.append(("fsync folder", line))
        elif "HTTP/1.1 200 OK" in line:
            steps.append(("answer", line))
    return steps
