"""Readers beside eight writers that commit late, roll back and overtake each other: the mirror equals the source.

`COLDSHELF_INTERLEAVINGS` is the number of transactions, `COLDSHELF_SEED` repeats a run.
"""

import asyncio
import os
import random
import secrets
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field

import httpx
import pytest

from coldshelf.kit.db import Connection
from coldshelf.kit.ids import ClientId
from coldshelf.kit.runtime import Runtime
from tests.records.rows import add_outlets
from tests.records.support import Handler, Json

WRITERS = 8
DEFAULT = 400
SOAK = 20_000
AT_FIRST = 60
BEGINNING = "2024-01-01T00:00:00.000000"
Mirror = dict[int, tuple[str, str, int]]
"""What a reader has: the time of change, the name and the deletion of each row by its id."""


class RollBack(Exception):
    pass


@dataclass
class Writers:
    """Eight writers that share a number of transactions."""

    run: Runtime
    client_id: ClientId
    dice: random.Random
    left: int
    commits: int = 0
    rollbacks: int = 0
    rows: int = 0

    async def work(self) -> None:
        await asyncio.gather(*(self._write(number) for number in range(WRITERS)))

    async def _write(self, number: int) -> None:
        while self.left > 0:
            self.left -= 1
            try:
                async with self.run.database.scope(self.client_id) as connection:
                    rows = await self._change(connection, number)
                    await asyncio.sleep(self._held_for())
                    if self.dice.random() < 0.1:
                        raise RollBack  # noqa: TRY301  # how a transaction block is left without a commit
            except RollBack:
                self.rollbacks += 1
            else:
                self.commits += 1
                self.rows += rows

    def _held_for(self) -> float:
        """Most commit at once; a quarter holds its rows from 50 to 300 ms."""
        return self.dice.uniform(0.05, 0.3) if self.dice.random() < 0.25 else 0.0

    async def _change(self, connection: Connection, number: int) -> int:
        kind = self.dice.random()
        if kind < 0.3:
            await connection.execute(
                "INSERT INTO location (client_id, code, name) VALUES (coldshelf_client(), $1, 'new')",
                f"W{number}-{secrets.token_hex(6)}",
            )
            return 1
        change = "is_deleted = NOT is_deleted" if kind < 0.4 else "name = name || '.'"
        # Rows are locked in order, so that the writers wait for each other and never deadlock.
        done = await connection.execute(
            f"""
            UPDATE location SET {change} WHERE id IN (
                SELECT id FROM location WHERE id % $1 = $2 ORDER BY id LIMIT 3 FOR NO KEY UPDATE SKIP LOCKED)""",
            self.dice.randint(3, 40),
            self.dice.randint(0, 2),
        )
        return int(done.split()[-1])


@dataclass
class Reader:
    """Pulls again and again; `pull` brings the mirror up to date and returns how many rows came."""

    pull: Callable[["Reader"], Awaitable[int]]
    handler: Handler
    mark: str = BEGINNING
    mirror: Mirror = field(default_factory=dict)
    pulls: int = 0
    received: int = 0

    async def follow(self, stop: asyncio.Event) -> None:
        while not stop.is_set():
            await self.once()
            await asyncio.sleep(0.01)

    async def once(self) -> int:
        self.pulls += 1
        came = await self.pull(self)
        self.received += came
        return came

    def take(self, records: list[Json]) -> None:
        """Keep what came last of each row."""
        for record in records:
            self.mirror[record["LocationId"]] = (record["ModifiedOn"], record["Name"], record["IsDeleted"])


async def _published_loop(reader: Reader) -> tuple[list[Json], str]:
    """The seed's loop; gives what came and the `X-Data-As-Of` of its last page."""
    start, limit = 0, 20
    came: list[Json] = []
    while True:
        answer = await reader.handler.post(
            "list",
            start=start,
            limit=limit,
            filters=f'{{"modifiedOn": {{"operator": ">", "value": "{reader.mark}"}}}}',
        )
        page = answer.json()
        came += page["records"]
        start += limit
        if start >= page["totalRecords"]:
            return came, answer.headers["X-Data-As-Of"]


async def by_greatest(reader: Reader) -> int:
    came, _ = await _published_loop(reader)
    reader.take(came)
    reader.mark = max([reader.mark, *(record["ModifiedOn"] for record in came)])
    return len(came)


async def by_header(reader: Reader) -> int:
    came, reader.mark = await _published_loop(reader)
    reader.take(came)
    return len(came)


async def by_cursor(reader: Reader) -> int:
    cursor = "" if reader.mark == BEGINNING else reader.mark
    came = 0
    while True:
        page = await reader.handler.page(cursor=cursor, limit=20)
        reader.take(page["records"])
        came += len(page["records"])
        cursor = reader.mark = page["cursor"]
        if not page["records"]:
            return came


def without_horizon(run: Runtime, client_id: ClientId) -> Callable[[Reader], Awaitable[int]]:
    """Read as a server without the horizon would let it: all that is committed, the greatest time is the mark."""

    async def pull(reader: Reader) -> int:
        async with run.database.scope(client_id, readonly=True) as connection:
            rows = await connection.fetch(
                """
                SELECT id, to_char(modified_on AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US') AS at, name,
                    is_deleted::int
                FROM location WHERE modified_on > $1::text::timestamptz ORDER BY id""",
                reader.mark + "Z",
            )
        reader.mirror |= {row["id"]: (row["at"], row["name"], row["is_deleted"]) for row in rows}
        reader.mark = max([reader.mark, *(row["at"] for row in rows)])
        return len(rows)

    return pull


async def source_of(run: Runtime, client_id: ClientId) -> Mirror:
    async with run.database.scope(client_id, readonly=True) as connection:
        rows = await connection.fetch(
            """
            SELECT id, to_char(modified_on AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US') AS at, name,
                is_deleted::int
            FROM location"""
        )
    return {row["id"]: (row["at"], row["name"], row["is_deleted"]) for row in rows}


def untimed(mirror: Mirror) -> Mirror:
    return {row: ("", name, deleted) for row, (_, name, deleted) in mirror.items()}


def missed(source: Mirror, mirror: Mirror) -> int:
    return sum(mirror.get(row) != at for row, at in source.items()) + len(mirror.keys() - source.keys())


async def interleave(
    run: Runtime, client_id: ClientId, accounts: Sequence[httpx.AsyncClient], transactions: int
) -> dict[str, int]:
    """Let readers follow writers to their end; give for each reader how many rows its mirror has wrong."""
    seed = int(os.environ.get("COLDSHELF_SEED", "0")) or secrets.randbelow(10**9)
    print(f"COLDSHELF_SEED={seed}")  # repeats the run
    async with run.database.scope(client_id) as connection:
        await add_outlets(connection, AT_FIRST)
    first, second, third = (Handler(account, "Location") for account in accounts)
    readers = {
        "greatest": Reader(by_greatest, first),
        "header": Reader(by_header, second),
        "twin, greatest": Reader(by_greatest, third),
        "twin, header": Reader(by_header, third),
        "cursor": Reader(by_cursor, first),
        "no horizon": Reader(without_horizon(run, client_id), first),
    }
    writers = Writers(run, client_id, random.Random(seed), transactions)
    stop = asyncio.Event()
    following = [asyncio.create_task(reader.follow(stop)) for reader in readers.values()]
    began = time.monotonic()
    await writers.work()
    took = time.monotonic() - began
    stop.set()
    await asyncio.gather(*following)

    result = {}
    for name, reader in readers.items():
        source = await source_of(run, client_id)
        if name.startswith("twin"):  # they share notes: a row may be told with an earlier time, never with old content
            source = untimed(source)
        await reader.once()
        deadline = time.monotonic() + 30  # the fence of cursors waits for the writers of other tests too
        while name == "cursor" and missed(source, reader.mirror) and time.monotonic() < deadline:
            await asyncio.sleep(0.1)
            await reader.once()
        result[name] = missed(source, untimed(reader.mirror) if name.startswith("twin") else reader.mirror)
        print(  # the figures of the run
            f"{name}: {reader.pulls} pulls, {reader.received} rows received, {result[name]} of {len(source)} missed"
        )
    print(  # same
        f"{writers.commits} commits with {writers.rows} rows, {writers.rollbacks} rollbacks in {took:.1f} s"
    )
    return result


@pytest.fixture
def accounts(
    admin: httpx.AsyncClient, installer: httpx.AsyncClient, sales_rep: httpx.AsyncClient
) -> list[httpx.AsyncClient]:
    return [admin, installer, sales_rep]


async def test_no_reader_misses_a_row_beside_eight_writers(
    run: Runtime, client_id: ClientId, accounts: list[httpx.AsyncClient]
) -> None:
    transactions = int(os.environ.get("COLDSHELF_INTERLEAVINGS", DEFAULT))

    wrong = await interleave(run, client_id, accounts, transactions)

    wrong.pop("no horizon")
    assert wrong == dict.fromkeys(wrong, 0)


@pytest.mark.soak
@pytest.mark.timeout(0)
async def test_no_reader_misses_a_row_in_a_long_run(
    run: Runtime, client_id: ClientId, accounts: list[httpx.AsyncClient]
) -> None:
    wrong = await interleave(run, client_id, accounts, SOAK)

    assert wrong.pop("no horizon") > 0
    assert wrong == dict.fromkeys(wrong, 0)


async def test_the_same_readers_do_miss_a_row_without_the_horizon(
    run: Runtime, client_id: ClientId, admin: httpx.AsyncClient
) -> None:
    """So the test above can fail: one late commit is enough, and the published loop finds the row all the same."""
    handler = Handler(admin, "Location")
    naive, published = Reader(without_horizon(run, client_id), handler), Reader(by_greatest, handler)
    async with run.database.scope(client_id) as slow:
        await add_outlets(slow, 1)
        async with run.database.scope(client_id) as quick:
            await add_outlets(quick, 1, first=2)
        await naive.once()
        await published.once()

    await naive.once()
    await published.once()

    source = await source_of(run, client_id)
    assert (len(source), missed(source, naive.mirror), missed(source, published.mirror)) == (2, 1, 0)
