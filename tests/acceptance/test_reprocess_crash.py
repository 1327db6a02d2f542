"""A worker that is killed in the middle of a reprocessing run loses no picture and doubles none."""

import asyncio
import os
import signal
import time
from pathlib import Path

import pytest

from coldshelf.entrypoints.bootstrap import runtime
from coldshelf.kit.ids import ClientId
from coldshelf.kit.settings import load_settings
from tests.acceptance.installation import Installation, installed
from tests.compliance.cooler import Cooler
from tests.recognition.scripted import install, process
from tests.records.support import Handler

REPOSITORY = Path(__file__).parent.parent.parent
PICTURES = 8


async def coolers(place: Installation) -> None:
    """Let pictures be processed before the run begins, by this process: the workers stand still."""
    async with runtime(load_settings(data_dir=place.folder), place.database_url) as run:
        (row,) = await place.fetch("SELECT id FROM client WHERE code = 'demo'")
        cooler = await Cooler.make(run, ClientId(row["id"]), ["ab"])
        await process(cooler, "ab")
        for _ in range(PICTURES - 1):
            await cooler.add_picture()
            await process(cooler, "ab")


async def kill_worker(place: Installation) -> None:
    """Kill the worker with all its children, at once, and start another one."""
    child = place.processes.running.pop("worker")
    os.killpg(child.process.pid, signal.SIGKILL)
    await asyncio.to_thread(child.process.wait)
    place.processes.start("worker", ["worker"])


async def until(place: Installation, statement: str, wanted: int, within: float = 90) -> None:
    deadline = time.monotonic() + within
    while (found := (await place.fetch(statement))[0][0]) < wanted:
        assert time.monotonic() < deadline, (statement, found, place.log[-3000:])
        await asyncio.sleep(0.1)


@pytest.mark.timeout(300)
async def test_a_run_survives_workers_that_are_killed(tmp_path: Path) -> None:
    install(tmp_path)
    paths = [str(tmp_path), str(REPOSITORY), os.environ.get("PYTHONPATH", "")]
    environment = {"PYTHONPATH": os.pathsep.join(paths), "SCRIPTED_SECONDS": "0.3"}
    ready = "SELECT count(*) FROM reprocessing_picture WHERE state = 'ready'"
    applied = "SELECT count(*) FROM reprocessing_picture WHERE state = 'applied'"
    async with installed(workers=0, environment=environment) as place, place.http() as http:
        await coolers(place)
        runs = Handler(http, "Reprocessing")
        run_id = (await runs.post("start", all="true", recogniser="scripted")).json()["id"]
        place.processes.start("worker", ["worker"])

        for count in (1, 4):
            await until(place, ready, count)
            await kill_worker(place)
        await until(place, ready, PICTURES)
        await runs.post("apply", id=run_id)
        await until(place, applied, 2)
        await kill_worker(place)
        await until(place, applied, PICTURES)
        await place.settle()

        results = await place.fetch("SELECT count(*), count(*) FILTER (WHERE is_served) FROM recognition_result")
        made = await place.fetch("SELECT count(*), count(DISTINCT key) FROM event WHERE type = 'candidate.made'")
        told = await place.fetch("SELECT count(*) FROM event WHERE type = 'image.processed'")
        assert tuple(results[0]) == (2 * PICTURES, PICTURES)
        assert tuple(made[0]) == (PICTURES, PICTURES)
        assert told[0][0] == 2 * PICTURES
