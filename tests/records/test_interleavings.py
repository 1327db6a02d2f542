"""Readers beside eight writers that commit late, roll back and overtake each other: the mirror equals the source.

`COLDSHELF_INTERLEAVINGS` is the number of transactions, `COLDSHELF_SEED` repeats the dice of a run. `make soak` has
rounds of their own seeds; `ARGS="tests/records/test_interleavings.py -k round-7"` is one of them.
"""

import asyncio
import os
import random
import secrets
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

import asyncpg
import httpx
import pytest
from fastapi import FastAPI

from coldshelf.access.principal import Principal, Role
from coldshelf.entrypoints.bootstrap import registry
from coldshelf.kit.db import Connection
from coldshelf.kit.ids import ClientId, UserId
from coldshelf.kit.runtime import Runtime
from coldshelf.kit.web.params import Params
from coldshelf.records.saving import save_record
from tests.conftest import signed_in_client
from tests.records.rows import add_outlets
from tests.records.support import Handler, Json

REGISTRY = registry()
WRITERS = 8
DEFAULT = 400
SOAK_ROUNDS, SOAK_TRANSACTIONS = 12, 1_000
AT_FIRST = 60
MARKETS = 4
BEGINNING = "2024-01-01T00:00:00.000000"
OWN_CLOCK = {"own clock, begin": False, "own clock, end": True}
"""Readers that do what the documentation warns of; whether they look at the clock when a pull has ended."""
MAY_MISS = {"no horizon", *OWN_CLOCK}
Mirror = dict[int, tuple[str, str, str | None, int]]
"""What a reader has: the time of change, the name, the market's name and the deletion of each row by its id."""


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
    renames: int = 0

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
            await self._save(connection, "Location", Code=f"W{number}-{secrets.token_hex(6)}", Name="new")
            return 1
        if kind < 0.35:
            await self._save(connection, "Market", Name=f"Market {secrets.token_hex(4)}")
            self.renames += 1
            return 1
        change = "is_deleted = NOT is_deleted" if kind < 0.45 else "name = name || '.'"
        # Rows are locked in order, so that the writers wait for each other and never deadlock.
        done = await connection.execute(
            f"""
            UPDATE location SET {change} WHERE id IN (
                SELECT id FROM location WHERE id % $1 = $2 ORDER BY id LIMIT 3 FOR NO KEY UPDATE SKIP LOCKED)""",
            self.dice.randint(3, 40),
            self.dice.randint(0, 2),
        )
        return int(done.split()[-1])

    async def _save(self, connection: Connection, entity: str, **values: str) -> None:
        """Save as a caller does; an outlet in a market, and a market's new name touches all outlets that show it."""
        principal = Principal(self.client_id, UserId(1), "writer", Role.CLIENT_ADMIN)
        market = f"M{self.dice.randrange(MARKETS)}"
        values = {"Code": market, "MarketCode": market, **values}
        await save_record(connection, REGISTRY, principal, REGISTRY.entities[entity], Params(values.items()))


@dataclass
class Reader:
    """Pulls again and again; `pull` brings the mirror up to date and returns how many rows came."""

    pull: Callable[["Reader"], Awaitable[int]]
    handler: Handler
    mark: str = BEGINNING
    mirror: Mirror = field(default_factory=dict)
    pulls: int = 0
    received: int = 0
    seen: set[tuple[int, str]] = field(default_factory=set)
    doubled: int = 0

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
            row, at = record["LocationId"], record["ModifiedOn"]
            self.doubled += (row, at) in self.seen
            self.seen.add((row, at))
            self.mirror[row] = (at, record["Name"], record["MarketName"], record["IsDeleted"])


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


def by_own_clock(*, at_end: bool) -> Callable[[Reader], Awaitable[int]]:
    """Take the reader's clock for the mark, which here is exactly the server's; others differ besides."""

    async def pull(reader: Reader) -> int:
        begun = datetime.now(UTC)
        came, _ = await _published_loop(reader)
        reader.take(came)
        reader.mark = f"{datetime.now(UTC) if at_end else begun:%Y-%m-%dT%H:%M:%S.%f}"
        return len(came)

    return pull


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


ROWS = """
    SELECT t.id, to_char(t.modified_on AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US') AS at, t.name,
        m.name AS market, t.is_deleted::int
    FROM location t LEFT JOIN market m ON m.client_id = t.client_id AND m.id = t.market_id"""


def without_horizon(run: Runtime, client_id: ClientId) -> Callable[[Reader], Awaitable[int]]:
    """Read as a server without the horizon would let it: all that is committed, the greatest time is the mark."""

    async def pull(reader: Reader) -> int:
        async with run.database.scope(client_id, readonly=True) as connection:
            rows = await connection.fetch(
                f"{ROWS} WHERE t.modified_on > $1::text::timestamptz ORDER BY t.id", reader.mark + "Z"
            )
        reader.mirror |= _mirror(rows)
        reader.mark = max([reader.mark, *(row["at"] for row in rows)])
        return len(rows)

    return pull


async def source_of(run: Runtime, client_id: ClientId) -> Mirror:
    async with run.database.scope(client_id, readonly=True) as connection:
        return _mirror(await connection.fetch(ROWS))


def _mirror(rows: Sequence[asyncpg.Record]) -> Mirror:
    return {row["id"]: (row["at"], row["name"], row["market"], row["is_deleted"]) for row in rows}


def untimed(mirror: Mirror) -> Mirror:
    return {row: ("", *told) for row, (_, *told) in mirror.items()}


def missed(source: Mirror, mirror: Mirror) -> int:
    return sum(mirror.get(row) != at for row, at in source.items()) + len(mirror.keys() - source.keys())


@dataclass(frozen=True)
class Outcome:
    """For each reader, how many rows its mirror has wrong, and how many changes came to it more than once."""

    wrong: dict[str, int]
    doubled: dict[str, int]

    @property
    def wrong_of_the_careful(self) -> dict[str, int]:
        return {name: count for name, count in self.wrong.items() if name not in MAY_MISS}


def _readers(run: Runtime, client_id: ClientId, accounts: Sequence[httpx.AsyncClient]) -> dict[str, Reader]:
    first, second, third, fourth = (Handler(account, "Location") for account in accounts)
    clocks = zip(OWN_CLOCK, (second, fourth), strict=True)  # each pull by the seed's loop needs a user of its own
    return {
        "greatest": Reader(by_greatest, first),
        "header": Reader(by_header, second),
        "twin, greatest": Reader(by_greatest, third),
        "twin, header": Reader(by_header, third),
        "cursor": Reader(by_cursor, first),
        "no horizon": Reader(without_horizon(run, client_id), first),
        **{name: Reader(by_own_clock(at_end=OWN_CLOCK[name]), handler) for name, handler in clocks},
    }


async def interleave(
    run: Runtime, client_id: ClientId, accounts: Sequence[httpx.AsyncClient], transactions: int, *, seed: int = 0
) -> Outcome:
    """Let readers follow writers to their end."""
    seed = int(os.environ.get("COLDSHELF_SEED", "0")) or seed or secrets.randbelow(10**9)
    print(f"COLDSHELF_SEED={seed}")  # repeats the run
    async with run.database.scope(client_id) as connection:
        await connection.execute(
            """
            INSERT INTO market (client_id, code, name)
            SELECT coldshelf_client(), 'M' || n, 'Market ' || n FROM generate_series(0, $1 - 1) AS n""",
            MARKETS,
        )
        await add_outlets(connection, AT_FIRST)
    readers = _readers(run, client_id, accounts)
    writers = Writers(run, client_id, random.Random(seed), transactions)
    stop = asyncio.Event()
    following = [asyncio.create_task(reader.follow(stop)) for reader in readers.values()]
    began = time.monotonic()
    await writers.work()
    took = time.monotonic() - began
    stop.set()
    await asyncio.gather(*following)

    wrong = {name: await _last_pull(run, client_id, name, reader) for name, reader in readers.items()}
    print(  # the figures of the run
        f"{writers.commits} commits with {writers.rows} rows, {writers.renames} renames, {writers.rollbacks} rollbacks"
        f" in {took:.1f} s"
    )
    return Outcome(wrong, {name: reader.doubled for name, reader in readers.items()})


async def _last_pull(run: Runtime, client_id: ClientId, name: str, reader: Reader) -> int:
    """Pull once more, now that nobody writes; give how many rows are wrong."""
    source = await source_of(run, client_id)
    if name.startswith("twin"):  # they share notes: a row may be told with an earlier time, never with old content
        source = untimed(source)
    await reader.once()
    deadline = time.monotonic() + 30  # the fence of cursors waits for the writers of other tests too
    while name == "cursor" and missed(source, reader.mirror) and time.monotonic() < deadline:
        await asyncio.sleep(0.1)
        await reader.once()
    wrong = missed(source, untimed(reader.mirror) if name.startswith("twin") else reader.mirror)
    print(
        f"{name}: {reader.pulls} pulls, {reader.received} rows received, {reader.doubled} doubled,"
        f" {wrong} of {len(source)} missed"
    )
    return wrong


@pytest.fixture
async def accounts(
    run: Runtime,
    app: FastAPI,
    client_id: ClientId,
    admin: httpx.AsyncClient,
    installer: httpx.AsyncClient,
    sales_rep: httpx.AsyncClient,
) -> AsyncIterator[list[httpx.AsyncClient]]:
    async with await signed_in_client(run, app, client_id, "clock", Role.INSTALLER) as other:
        yield [admin, installer, sales_rep, other]


async def test_no_reader_misses_a_row_beside_eight_writers(
    run: Runtime, client_id: ClientId, accounts: list[httpx.AsyncClient]
) -> None:
    transactions = int(os.environ.get("COLDSHELF_INTERLEAVINGS", DEFAULT))

    outcome = await interleave(run, client_id, accounts, transactions)

    assert outcome.wrong_of_the_careful == dict.fromkeys(outcome.wrong_of_the_careful, 0)
    assert outcome.doubled["cursor"] == 0


@pytest.mark.soak
@pytest.mark.timeout(0)
@pytest.mark.parametrize("seed", [pytest.param(n, id=f"round-{n}") for n in range(1, SOAK_ROUNDS + 1)])
async def test_no_reader_misses_a_row_in_a_long_run(
    run: Runtime, client_id: ClientId, accounts: list[httpx.AsyncClient], seed: int
) -> None:
    outcome = await interleave(run, client_id, accounts, SOAK_TRANSACTIONS, seed=seed)

    assert outcome.wrong["no horizon"] > 0
    assert outcome.wrong_of_the_careful == dict.fromkeys(outcome.wrong_of_the_careful, 0)
    assert outcome.doubled["cursor"] == 0


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
