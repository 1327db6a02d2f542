"""What row limits cost at size: lists, counts, cursors and the expansion of grants, with and without, in the same run.

    python benchmarks/limits.py [--url URL] [--outlets 100000] [--rounds 7] [--partners 50]

Without --url it starts the embedded PostgreSQL in a folder of its own. Outlets stand in 1,000 markets below 10 regions,
scattered over all of them: a region holds 10 % of the outlets, a market 0.1 %. The third partner has three dimensions.
Reading is measured through the list service, writing in transactions that are taken back.
"""

import argparse
import asyncio
import os
import secrets
import statistics
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from lists import LIST
from scratch import scratch_database

from coldshelf.access.principal import Limit, Principal, Role
from coldshelf.access.service import LimitDraft, add_client, add_user, set_limit
from coldshelf.entrypoints.bootstrap import known, registry, runtime
from coldshelf.kit.db import Connection
from coldshelf.kit.ids import ClientId, UserId
from coldshelf.kit.runtime import Runtime
from coldshelf.kit.settings import load_settings
from coldshelf.kit.web.params import Params
from coldshelf.records.listing import list_records, read_list_request

REGISTRY = registry()
REGIONS, MARKETS, CHANNELS, DISTRIBUTORS = 10, 1_000, 4, 60
MOVED = 1_000
Change = Callable[[Connection], Awaitable[object]]
NAMED = "INSERT INTO {} (client_id, name) SELECT coldshelf_client(), 'N' || n FROM generate_series(0, $1 - 1) n"
SUB_MARKETS = """
    INSERT INTO market (client_id, name, parent_market_id)
    SELECT coldshelf_client(), 'M' || n, (SELECT min(id) FROM market) + n / ($1 / $2)
    FROM generate_series(0, $1 - 1) n"""
OUTLETS = """
    INSERT INTO location (client_id, code, name, market_id, channel_id, distributor_id)
    SELECT coldshelf_client(), $2 || n, 'Outlet ' || md5(n::text), (SELECT max(id) FROM market) - n % 1000,
        (SELECT min(id) FROM channel) + n / 1000 % 4, (SELECT min(id) FROM distributor) + n / 4000 % 60
    FROM generate_series(0, $1 - 1) n"""
MOVE = """
    UPDATE location SET market_id = (SELECT max(id) FROM market) - (id + 7) % 1000 WHERE id IN (
        SELECT id FROM location ORDER BY id LIMIT $1)"""
EDIT = "UPDATE location SET name = name || '.' WHERE id IN (SELECT id FROM location ORDER BY id LIMIT $1)"
CHANGES: Mapping[str, Change] = {
    "1,000 outlets renamed": lambda connection: connection.execute(EDIT, MOVED),
    "1,000 outlets to another market": lambda connection: connection.execute(MOVE, MOVED),
    "1 outlet to another market": lambda connection: connection.execute(MOVE, 1),
    "1,000 outlets added": lambda connection: connection.execute(OUTLETS, MOVED, secrets.token_hex(4)),
}


class TakenBack(Exception):
    pass


@dataclass(frozen=True)
class Bench:
    run: Runtime
    client_id: ClientId
    rounds: int

    async def partner(self, name: str, grants: Mapping[str, list[int]]) -> Principal:
        user, _ = await add_user(
            self.run, self.client_id, name, password=secrets.token_hex(8), role=Role.CLIENT_ADMIN, email=""
        )
        async with self.run.database.scope(self.client_id) as connection:
            limit = await self.grant(connection, user, grants)
        return self.reader(Limit(outlets=limit))

    async def grant(self, connection: Connection, user: UserId, grants: Mapping[str, list[int]]) -> int:
        draft = LimitDraft(grants, None, ())
        return await set_limit(connection, self.client_id, user, None, draft=draft, known=known(REGISTRY))

    def grant_again(self, user: UserId, grants: Mapping[str, list[int]]) -> Change:
        async def change(connection: Connection) -> None:
            await self.grant(connection, user, {})
            await self.grant(connection, user, grants)

        return change

    def reader(self, limit: Limit) -> Principal:
        return Principal(self.client_id, UserId(1), "bench", Role.CLIENT_ADMIN, limit=limit)

    async def ids(self, table: str, condition: str = "true") -> list[int]:
        async with self.run.database.scope(self.client_id, readonly=True) as connection:
            return [
                row["id"] for row in await connection.fetch(f"SELECT id FROM {table} WHERE {condition} ORDER BY id")
            ]

    async def taken_back(self, change: Change) -> float:
        """Time a change, which is then undone."""
        times = []
        for _ in range(min(self.rounds, 5)):
            try:
                async with self.run.database.scope(self.client_id) as connection:
                    begun = time.perf_counter()
                    await change(connection)
                    times.append(time.perf_counter() - begun)
                    raise TakenBack  # noqa: TRY301  # how a transaction block is left without a commit
            except TakenBack:
                pass
        return statistics.median(times)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--url", help="scratch database; it is migrated and filled")
    parser.add_argument("--outlets", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--partners", type=int, default=50, help="further partners, each with 10 markets")
    options = parser.parse_args()
    with scratch_database(options.url) as url, tempfile.TemporaryDirectory() as folder:
        asyncio.run(_measure(url, folder, options))


async def _measure(url: str, folder: str, options: argparse.Namespace) -> None:
    async with runtime(load_settings(data_dir=folder), url) as run:
        bench = Bench(run, await add_client(run, f"limits-{secrets.token_hex(4)}", "Limits"), options.rounds)
        begun = time.perf_counter()
        await _fill(bench, options.outlets)
        print(f"{options.outlets:,} outlets added in {time.perf_counter() - begun:.1f} s")
        bare = {name: await bench.taken_back(change) for name, change in CHANGES.items()}
        partners = await _partners(bench)
        async with run.database.system() as owner:
            await owner.execute("ANALYZE")
        await _reading(bench, partners)
        await _writing(bench, bare, "3 partners")
        markets = await bench.ids("market", "parent_market_id IS NOT NULL")
        for number in range(options.partners):
            await bench.partner(f"partner {number}", {"market": markets[number * 7 : number * 7 + 10]})
        await _writing(bench, bare, f"{3 + options.partners} partners")


async def _fill(bench: Bench, outlets: int) -> None:
    async with bench.run.database.scope(bench.client_id) as connection:
        for table, count in {"market": REGIONS, "channel": CHANNELS, "distributor": DISTRIBUTORS}.items():
            await connection.execute(NAMED.format(table), count)
        await connection.execute(SUB_MARKETS, MARKETS, REGIONS)
        await connection.execute(OUTLETS, outlets, "C")
    async with bench.run.database.system() as owner:
        await owner.execute("ANALYZE")


async def _partners(bench: Bench) -> dict[str, Principal]:
    regions = await bench.ids("market", "parent_market_id IS NULL")
    markets = await bench.ids("market", "parent_market_id IS NOT NULL")
    channels, distributors = await bench.ids("channel"), await bench.ids("distributor")
    grants = {
        "10 %": {"market": regions[:1]},
        "0.1 %": {"market": markets[:1]},
        "3 dimensions": {"market": regions[:5], "channel": channels[:2], "distributor": distributors[::2]},
    }
    partners = {}
    for name, wanted in grants.items():
        partners[name] = await bench.partner(name, wanted)
        seen = await _list(bench, partners[name], limit="1")
        took = await bench.taken_back(bench.grant_again(UserId((await bench.ids("app_user"))[-1]), wanted))
        print(
            f"grants {name}: {seen:,} outlets in sight; taken away and given again in {took * 1e3:.0f} ms", flush=True
        )
    return partners


async def _reading(bench: Bench, partners: Mapping[str, Principal]) -> None:
    latest = {"filters": '{"modifiedOn": {"operator": ">", "value": "2020-01-01"}}'}
    nothing_new = {"filters": '{"modifiedOn": {"operator": ">", "value": "2100-01-01"}}'}
    asked = {
        "list of 1,000": {"limit": str(LIST)},
        "count": {"limit": "1"},
        "sorted by name": {"limit": str(LIST), "sort": "Name"},
        "one outlet by code": {"limit": "1", "Code": "C500", "Code_operator": "="},
        "delta of everything, first page": {"limit": str(LIST), **latest},
        "delta of nothing": {"limit": str(LIST), **nothing_new},
        "cursor, first page": {"limit": str(LIST), "cursor": ""},
    }
    readers = {"no limit": bench.reader(Limit()), **partners}
    for what, params in asked.items():
        times: dict[str, list[float]] = {name: [] for name in readers}
        for _ in range(bench.rounds):
            for name, reader in readers.items():
                begun = time.perf_counter()
                await _list(bench, reader, **params)
                times[name].append(time.perf_counter() - begun)
        free = statistics.median(times["no limit"])
        limited = (f"{name} {statistics.median(times[name]) / free:.2f} x" for name in partners)
        print(f"{what}: no limit {free * 1e3:.1f} ms; {', '.join(limited)}", flush=True)


async def _list(bench: Bench, reader: Principal, **params: str) -> int:
    request = read_list_request(REGISTRY.datasets["Location"], Params([*params.items()]), most=LIST)
    return (await list_records(bench.run, reader, request)).total


async def _writing(bench: Bench, bare: Mapping[str, float], who: str) -> None:
    for name, change in CHANGES.items():
        took = await bench.taken_back(change)
        print(
            f"{name}, {who}: {took * 1e3:.1f} ms, {took / bare[name]:.2f} x without any ({bare[name] * 1e3:.1f} ms)",
            flush=True,
        )


if __name__ == "__main__":
    print(f"load {os.getloadavg()[0]:.1f}, {os.cpu_count()} cores", file=sys.stderr)
    main()
