"""Runs that are killed at random points: who waits for `_SUCCESS` never sees a torn or a mixed set."""

import asyncio
import os
import random
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import asyncpg
import pyarrow.parquet as pq
import pytest

from coldshelf.access.models import Client
from coldshelf.kit.ids import ClientId
from coldshelf.kit.runtime import Runtime
from coldshelf.kit.testing import FakeClock
from coldshelf.publishing.destinations import open_destination
from coldshelf.publishing.inspecting import validate
from coldshelf.publishing.models import Mode
from coldshelf.publishing.repairing import repair
from coldshelf.publishing.scheduling import start_run
from tests.publishing.dying import Child
from tests.publishing.support import Cast, files_below, many_outlets, runs_of

SOAK = bool(os.environ.get("SOAK"))
KILLS = int(os.environ.get("COLDSHELF_EXPORT_KILLS", "200" if SOAK else "8")) // 2
SEED = int(time.time())
OUTLETS = 3_000
GAP = 300_000
"""Ids that are left out between outlets: more than a chunk covers, so that a run in chunks has several."""


@dataclass(slots=True)
class Reader:
    """A consumer: reads each run once, when its marker is there, and as fast as it can."""

    exports: Path
    is_snapshot: bool
    read: set[str] = field(default_factory=set)

    async def watch(self) -> None:
        while True:
            await asyncio.to_thread(self.look)
            await asyncio.sleep(0.005)

    def look(self) -> None:
        for marker in self.exports.glob("Full/demo/_runs/*/_SUCCESS"):
            run_id = marker.parent.name
            if run_id not in self.read:
                self.read.add(run_id)
                self._read(run_id)

    def _read(self, run_id: str) -> None:
        flaws = validate(open_destination(self.exports), "demo", Mode.FULL, run_id)
        assert [flaw for flaw in flaws if not flaw.is_note] == []
        seen = {table: self._rows(run_id, table) for table in ("Location", "Product")}
        assert len(seen["Location"]) == OUTLETS
        parts = list(self.exports.glob(f"Full/demo/Location/*/{run_id}/*.parquet"))
        assert (len(parts) == 1) is self.is_snapshot
        if self.is_snapshot:
            names = [next(row["Name"] for row in rows if row["Name"].startswith("turn ")) for rows in seen.values()]
            assert names[0] == names[1]

    def _rows(self, run_id: str, table: str) -> list[dict[str, Any]]:
        paths = sorted(self.exports.glob(f"Full/demo/{table}/*/{run_id}/*.parquet"))
        column = "Name" if table == "Location" else "Product"
        return [{"Name": name} for path in paths for name in pq.read_table(path)[column].to_pylist()]


@asynccontextmanager
async def changing(url: str) -> AsyncIterator[None]:
    """Let an outlet and a product get the same new name all the time, in one transaction."""

    connection = await asyncpg.connect(url)

    async def change() -> None:
        turn = 0
        while True:
            turn += 1
            async with connection.transaction():
                await connection.execute("UPDATE location SET name = $1 WHERE code = 'C7'", f"turn {turn}")
                await connection.execute("UPDATE product SET name = $1 WHERE sku = 'TURN'", f"turn {turn}")
            await asyncio.sleep(0.02)

    task = asyncio.create_task(change())
    await asyncio.sleep(0.3)
    try:
        yield
        assert not task.done()
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await connection.close()


async def open_shop(url: str, client_id: ClientId) -> None:
    third = OUTLETS // 3
    connection = await asyncpg.connect(url)
    for first in (1, 1 + third, 1 + 2 * third):
        await many_outlets(url, client_id, third, first=first)
        await connection.execute(
            "SELECT setval(pg_get_serial_sequence('location', 'id'), (SELECT max(id) FROM location) + $1)", GAP
        )
    await connection.close()


async def waiting_payload(run: Runtime) -> bytes:
    async with run.database.system() as connection:
        payload: bytes = await connection.fetchval(
            "DELETE FROM pgqueuer WHERE entrypoint = 'publishing.export' RETURNING payload"
        )
    return payload


async def start(run: Runtime, client_id: ClientId) -> bytes:
    async with run.database.scope(client_id) as connection:
        await start_run(run, connection, client_id, "Now")
    return await waiting_payload(run)


async def state_of(run: Runtime, client_id: ClientId) -> str:
    return str((await runs_of(run, client_id))[-1]["state"])


@pytest.mark.timeout(0 if SOAK else 300)
@pytest.mark.parametrize("consistency", ["snapshot", "chunked"])
async def test_a_reader_never_sees_what_a_kill_left_and_the_next_attempt_completes(
    run: Runtime, cast: Cast, client_id: ClientId, client: Client, url: str, consistency: str
) -> None:
    await open_shop(url, client_id)
    await cast.save("Product", Name="Cola", SKU="TURN", ShortName="T")
    await cast.save("Publication", Name="Now", Mode="full", Datasets="Location,Product,Asset", Consistency=consistency)
    data = run.settings.data_dir.absolute()
    reader = Reader(data / "exports", consistency == "snapshot")
    chance = random.Random(SEED)

    async with changing(url):
        watching = asyncio.create_task(reader.watch())
        payload = await start(run, client_id)
        longest, kills = await _whole_run(url, data, payload), 0
        while kills < KILLS:
            if await state_of(run, client_id) == "done":
                payload = await start(run, client_id)
            with Child.start(url, data, payload) as child:
                await child.ready()
                await asyncio.sleep(chance.uniform(0, longest))
                kills += child.process.is_alive()
            assert not watching.done(), (SEED, watching)
        with Child.start(url, data, payload) as child:
            await child.end()
        watching.cancel()
    reader.look()

    done = [row for row in await runs_of(run, client_id) if row["state"] == "done"]
    assert {row["state"] for row in await runs_of(run, client_id)} == {"done"}, SEED
    assert reader.read == {row["run_id"] for row in done}
    later = replace(run, clock=FakeClock(datetime.now(UTC) + timedelta(hours=2)))
    left = await repair(later, client, open_destination(data / "exports"), remove=True)
    of_done = {name for name in files_below(data / "exports") if Path(name).parent.name in reader.read}
    assert files_below(data / "exports") == of_done, SEED
    assert not [one for one in left if one.kept]


async def _whole_run(url: str, data: Path, payload: bytes) -> float:
    """Let a run come to its end; give the seconds that it took."""
    with Child.start(url, data, payload) as child:
        await child.ready()
        began = time.monotonic()
        assert await child.end() == 0
    return time.monotonic() - began
