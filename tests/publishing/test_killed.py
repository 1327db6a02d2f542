"""Runs that are killed at random points: who waits for `_SUCCESS` never sees a torn or a mixed set."""

import asyncio
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

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
from tests.publishing.killing import KILLS, OUTLETS, SEED, SOAK, changing, open_shop, publish_and_kill
from tests.publishing.support import Cast, files_below, runs_of


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


@pytest.mark.timeout(0 if SOAK else 300)
@pytest.mark.parametrize("consistency", ["snapshot", "chunked"])
async def test_a_reader_never_sees_what_a_kill_left_and_the_next_attempt_completes(
    run: Runtime, cast: Cast, client_id: ClientId, client: Client, url: str, consistency: str
) -> None:
    await open_shop(url, cast)
    await cast.save("Publication", Name="Now", Mode="full", Datasets="Location,Product,Asset", Consistency=consistency)
    exports = run.settings.data_dir.absolute() / "exports"
    reader = Reader(exports, consistency == "snapshot")

    def check() -> None:
        assert not watching.done(), (SEED, watching)

    async with changing(url):
        watching = asyncio.create_task(reader.watch())
        await publish_and_kill(run, client_id, url, kills=KILLS // 2, check=check)
        watching.cancel()
    reader.look()

    done = [row for row in await runs_of(run, client_id) if row["state"] == "done"]
    assert {row["state"] for row in await runs_of(run, client_id)} == {"done"}, SEED
    assert reader.read == {row["run_id"] for row in done}
    later = replace(run, clock=FakeClock(datetime.now(UTC) + timedelta(hours=2)))
    left = await repair(later, client, open_destination(exports), remove=True)
    of_done = {name for name in files_below(exports) if Path(name).parent.name in reader.read}
    assert files_below(exports) == of_done, SEED
    assert not [one for one in left if one.kept]
