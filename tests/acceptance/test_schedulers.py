"""Two schedulers and two workers, all real: ten slots have ten runs."""

import asyncio
import time
from datetime import UTC, datetime, timedelta

import asyncpg
import pytest

from tests.acceptance.installation import installed
from tests.records.support import Handler

SLOTS = 10


@pytest.mark.timeout(300)
async def test_ten_slots_have_ten_runs() -> None:
    async with installed(workers=0, environment={"COLDSHELF_SCHEDULE_EVERY": "PT0.1S"}) as place, place.http() as http:
        slot = datetime.now(UTC) - timedelta(hours=2)
        await Handler(http, "Publication").post(
            "save", Name="Daily", Datasets="Location", Schedule=f"{slot.minute} {slot.hour} * * *", TimeZone="UTC",
            CatchUp="all",
        )  # fmt: skip
        connection = await asyncpg.connect(place.database_url)
        await connection.execute(
            "UPDATE publication SET scheduled_from = $1", slot - timedelta(days=SLOTS - 1, minutes=30)
        )
        for name in ("worker 1", "worker 2"):
            place.processes.start(name, ["worker"])
        for name in ("scheduler 1", "scheduler 2"):
            place.processes.start(name, ["scheduler"])

        deadline = time.monotonic() + 150
        while await connection.fetchval("SELECT count(*) FROM publication_run WHERE state = 'done'") < SLOTS:
            assert time.monotonic() < deadline, place.log[-3000:]
            await asyncio.sleep(0.2)
        await asyncio.sleep(1)  # time for an eleventh
        rows = await connection.fetch("SELECT due_on, state, attempts FROM publication_run ORDER BY due_on")
        await connection.close()

        first = slot.replace(second=0, microsecond=0) - timedelta(days=SLOTS - 1)
        assert [row["due_on"] for row in rows] == [first + timedelta(days=day) for day in range(SLOTS)]
        assert {(row["state"], row["attempts"]) for row in rows} == {("done", 1)}
        exports = place.folder / "exports"
        assert len(list(exports.glob("Delta/demo/_runs/*/_SUCCESS"))) == SLOTS
        assert len(list(exports.glob("Delta/demo/Location/*/*/_SUCCESS"))) == SLOTS
        assert place.is_alive()
