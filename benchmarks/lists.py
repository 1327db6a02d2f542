"""Lists and exported files against what PostgreSQL and plain XlsxWriter need for the same rows, in the same run.

    python benchmarks/lists.py [--url URL] [--rows 1000000] [--rounds 5] [--only list,csv,xml,excel,loop] [--directus]

Without --url it starts the embedded PostgreSQL in a folder of its own. Every measurement of a file is a process of its
own, so that its memory is its own; start of Python and connecting are not counted. `loop` reads all rows, page by page.
`--directus` alone asks Directus and the product over HTTP for the same list and CSV file (`directus.py`).
"""

import argparse
import asyncio
import contextlib
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import xlsxwriter
from opened import open_runtime
from over_http import beside_directus
from scratch import client_code, fill, peak_kib, registry, scratch_database

from coldshelf.access.principal import Principal, Role
from coldshelf.access.service import client_by_code
from coldshelf.kit.ids import UserId
from coldshelf.kit.runtime import Runtime
from coldshelf.kit.web.params import Params
from coldshelf.records.dataset import Column, Dataset
from coldshelf.records.exporting import export_records, read_export_request
from coldshelf.records.fields import TYPE_MAPS
from coldshelf.records.listing import list_records, read_list_request

OUTLETS = "Location"
LIST, FILE = 1_000, 50_000
PAIRS = (("csv", "copy", "csv"), ("xml", "copy", "xml"), ("excel", "xlsxwriter", "xlsx"))
"""What `--only` names, the peer and the file."""


def main() -> None:
    options = _options()
    if options.child:
        print(json.dumps(asyncio.run(_child(json.loads(options.child)))))
        return
    if options.directus:
        beside_directus(OUTLETS, rows=FILE, page=LIST, rounds=options.rounds)
        return
    only = options.only.split(",")
    with scratch_database(options.url) as url:
        asyncio.run(fill(url, OUTLETS, FILE))
        if "list" in only:
            asyncio.run(_lists(url, options.rounds))
        for part, *pair in PAIRS:
            if part in only:
                _files(url, options.rounds, *pair)
        if "loop" in only:
            asyncio.run(fill(url, OUTLETS, options.rows))
            asyncio.run(_loops(url, options.rows))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--url", help="scratch database; it is migrated and filled")
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--only", default="list,csv,xml,excel,loop")
    parser.add_argument("--directus", action="store_true", help="only the lists and the CSV file, over HTTP")
    parser.add_argument("--child", help=argparse.SUPPRESS)
    return parser.parse_args()


@asynccontextmanager
async def _reader(url: str, rows: int) -> AsyncIterator[tuple[Runtime, Principal]]:
    """Open what the product works with, and an administrator of the client who has so many outlets."""
    async with open_runtime(url, connections=4) as run:
        client = await client_by_code(run, client_code(OUTLETS, rows))
        yield run, Principal(client.id, UserId(1), "bench", Role.CLIENT_ADMIN)


async def _lists(url: str, rounds: int) -> None:
    """The list of 1,000 records with all columns; the peer writes the same rows, but counts nothing."""
    taken: dict[str, list[float]] = {"peer": [], "json": [], "array": [], "csv": [], "xml": []}
    async with _reader(url, FILE) as (run, principal):
        for _ in range(rounds * 4):
            for name, times in taken.items():
                begun = time.perf_counter()
                size = await (_json_text(run, principal) if name == "peer" else _list(run, principal, name))
                times.append(time.perf_counter() - begun)
    peer = statistics.median(taken.pop("peer"))
    print(f"PostgreSQL's JSON text of {LIST:,} records: {peer * 1e3:.1f} ms; the last list: {size / 1e6:.2f} MB")
    for name, times in taken.items():
        print(f"list as {name}: {statistics.median(times) * 1e3:.1f} ms, {statistics.median(times) / peer:.2f} x")


async def _json_text(run: Runtime, principal: Principal) -> int:
    dataset = registry().datasets[OUTLETS]
    rows = f'SELECT {_all(dataset)}, row_number() OVER (ORDER BY t.id) AS "RowNumber"'
    page = f"{rows} FROM {_source(dataset)} LIMIT {LIST}"
    async with run.database.scope(principal.client, readonly=True) as connection:
        return len((await connection.fetchval(f"SELECT json_agg(row_to_json(r))::text FROM ({page}) r")).encode())


async def _list(run: Runtime, principal: Principal, name: str) -> int:
    params = Params([("limit", str(LIST)), ("format", name)])
    answer = await list_records(run, principal, read_list_request(registry().datasets[OUTLETS], params, most=FILE))
    assert isinstance(answer.body, bytes)
    return len(answer.body)


def _all(dataset: Dataset, template: Callable[[Column], str] = lambda column: TYPE_MAPS[column.type].json_sql) -> str:
    """Give every column of the list, as the list writes it."""
    return ", ".join(
        template(column).format(f'"{column.of or "t"}"."{column.name}"') + f' AS "{column.wire}"'
        for column in dataset.columns
    )


def _source(dataset: Dataset) -> str:
    joins = (
        f' LEFT JOIN {join.relation} AS "{join.name}" ON "{join.name}".client_id = t.client_id'
        f' AND "{join.name}"."{join.key}" = "{join.of or "t"}"."{join.on}"'
        for join in dataset.joins
    )
    return f"{dataset.relation} AS t{''.join(joins)} WHERE NOT t.is_deleted ORDER BY t.id"


def _files(url: str, rounds: int, peer: str, ours: str) -> None:
    taken: dict[str, list[dict[str, float]]] = {peer: [], ours: []}
    for _ in range(rounds):
        for kind, found in taken.items():
            command = [sys.executable, __file__, "--child", json.dumps({"url": url, "kind": kind})]
            found.append(json.loads(subprocess.run(command, check=True, capture_output=True).stdout))
    middle = {
        kind: {name: statistics.median(item[name] for item in found) for name in found[0]}
        for kind, found in taken.items()
    }
    base, mine = middle[peer], middle[ours]
    print(
        f"{ours} of {FILE:,}: {mine['seconds']:.2f} s ({mine['bytes'] / 1e6:.1f} MB), {peer} {base['seconds']:.2f} s:"
        f" {mine['seconds'] / base['seconds']:.2f} x; CPU of the process {mine['cpu']:.2f} and {base['cpu']:.2f} s;"
        f" first bytes after {mine['first'] * 1e3:.0f} ms;"
        f" memory grew by {mine['grown']:.0f} and {base['grown']:.0f} MiB",
        flush=True,
    )


async def _child(task: dict[str, str]) -> dict[str, float]:
    async with _reader(task["url"], FILE) as (run, principal):
        kind, dataset = task["kind"], registry().datasets[OUTLETS]
        async with run.database.scope(principal.client) as connection:
            await connection.fetchval("SELECT count(*) FROM location")
        before, used, begun = peak_kib(), time.process_time(), time.perf_counter()
        size, first = 0, 0.0
        if kind in {"copy", "xlsxwriter"}:
            size = await (_copy if kind == "copy" else _plain_workbook)(run, principal, dataset)
        else:
            request = read_export_request(dataset, Params([("exportFormat", kind)]), most=FILE)
            answer = await export_records(run, principal, request)
            async for part in answer.body:
                first = first or (time.perf_counter() - begun if part else 0)
                size += len(part)
        seconds = time.perf_counter() - begun
        used = time.process_time() - used
        return {"seconds": seconds, "cpu": used, "first": first, "bytes": size, "grown": (peak_kib() - before) / 1024}


async def _copy(run: Runtime, principal: Principal, dataset: Dataset) -> int:
    size = 0

    async def take(data: bytes) -> None:
        nonlocal size
        size += len(data)

    async with run.database.scope(principal.client, readonly=True) as connection:
        query = f"SELECT {_all(dataset)} FROM {_source(dataset)} LIMIT {FILE}"
        await connection.copy_from_query(query, output=take, format="csv", header=True)
    return size


async def _plain_workbook(run: Runtime, principal: Principal, dataset: Dataset) -> int:
    """Write the rows of a cursor as anyone would with XlsxWriter, in the mode that keeps its memory flat."""
    columns = _all(dataset, lambda _: "{}")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "plain.xlsx"
        options = {"constant_memory": True, "remove_timezone": True, "strings_to_formulas": False}
        with xlsxwriter.Workbook(str(path), {**options, "default_date_format": "yyyy-mm-dd hh:mm:ss"}) as book:
            sheet, number = book.add_worksheet(), 1
            sheet.write_row(0, 0, [column.wire for column in dataset.columns])
            async with run.database.scope(principal.client, readonly=True) as connection:
                query = f"SELECT {columns} FROM {_source(dataset)} LIMIT {FILE}"
                async for row in connection.cursor(query, prefetch=1000):
                    sheet.write_row(number, 0, row.values())
                    number += 1
        return path.stat().st_size


async def _loops(url: str, rows: int) -> None:
    """The published loop: every page in turn, `start` advancing by `limit`."""
    for words, sent in (
        ("no filter", []),
        ("ModifiedOn filter", [("filters", '{"modifiedOn": {"operator": ">", "value": "2000-01-01"}}')]),
        ("filter without an index", [("filters", '{"Channel": "Channel 1"}')]),
        ("newest first", [("dir", "DESC"), ("sort", "LocationId")]),
    ):
        async with _reader(url, rows) as (run, principal):
            dataset, start, taken, received, total = registry().datasets[OUTLETS], 0, [], 0, 1
            while start < total:
                params = Params([("start", str(start)), ("limit", str(LIST)), *sent])
                request = read_list_request(dataset, params, most=FILE)
                begun = time.perf_counter()
                answer = await list_records(run, principal, request)
                taken.append(time.perf_counter() - begun)
                assert isinstance(answer.body, bytes)
                received += answer.body.count(b'{"LocationId"')
                total, start = answer.total, start + LIST
        last = statistics.median(taken[-5:])
        second = statistics.median(taken[1:6])
        print(
            f"loop, {words}: {received:,} of {total:,} rows in {len(taken):,} pages, {sum(taken):.0f} s; first page"
            f" {taken[0] * 1e3:.0f} ms, last five {last * 1e3:.0f} ms: {last / taken[0]:.2f} x;"
            f" second to sixth {second * 1e3:.0f} ms: {last / second:.2f} x",
            flush=True,
        )


if __name__ == "__main__":
    with contextlib.suppress(BrokenPipeError):
        print(f"load {os.getloadavg()[0]:.1f}, {os.cpu_count()} cores", file=sys.stderr)
        main()
