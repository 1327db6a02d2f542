"""A shop whose rows change all the time, and workers that are killed at random points while they publish it."""

import asyncio
import os
import random
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import asyncpg

from coldshelf.kit.ids import ClientId
from coldshelf.kit.runtime import Runtime
from coldshelf.publishing.scheduling import start_run
from tests.publishing.dying import Child
from tests.publishing.support import Cast, many_outlets, runs_of

SOAK = bool(os.environ.get("SOAK"))
KILLS = int(os.environ.get("COLDSHELF_EXPORT_KILLS", "200" if SOAK else "8"))
"""Of each file of tests, shared out over its cases."""
SEED = int(time.time())
OUTLETS = 3_000
GAP = 300_000
"""Ids that are left out between outlets: more than a chunk covers, so that a run in chunks has several."""


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


async def open_shop(url: str, cast: Cast) -> None:
    """Make many outlets, and the product that changes with one of them."""
    third = OUTLETS // 3
    connection = await asyncpg.connect(url)
    for first in (1, 1 + third, 1 + 2 * third):
        await many_outlets(url, cast.client_id, third, first=first)
        await connection.execute(
            "SELECT setval(pg_get_serial_sequence('location', 'id'), (SELECT max(id) FROM location) + $1)", GAP
        )
    await connection.close()
    await cast.save("Product", Name="Cola", SKU="TURN", ShortName="T")


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


async def publish_and_kill(
    run: Runtime, client_id: ClientId, url: str, *, kills: int, check: Callable[[], None]
) -> None:
    """Begin runs of `Now` until so many workers were killed over them, then let the last one end."""
    data, chance = run.settings.data_dir.absolute(), random.Random(SEED)
    payload = await start(run, client_id)
    longest, killed = await whole_run(url, data, payload), 0
    while killed < kills:
        if await state_of(run, client_id) == "done":
            await asyncio.sleep(1)  # names of files have seconds
            payload = await start(run, client_id)
        with Child.start(url, data, payload) as child:
            await child.ready()
            await asyncio.sleep(chance.uniform(0, longest))
            killed += child.process.is_alive()
        check()
    await whole_run(url, data, payload)


async def whole_run(url: str, data: Path, payload: bytes) -> float:
    """Let a run come to its end; give the seconds that it took."""
    with Child.start(url, data, payload) as child:
        await child.ready()
        began = time.monotonic()
        assert await child.end() == 0
    return time.monotonic() - began
