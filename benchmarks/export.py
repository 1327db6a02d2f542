"""Bulk export against what the database can give at all: plain COPY of the same rows to null, in the same run.

    python benchmarks/export.py [--url URL] [--dataset Location] [--rows 1000000] [--mode full] [--compression snappy]

Without --url it starts the embedded PostgreSQL in a folder of its own. A scratch database is filled once and kept for
the next call; rows are told apart by client, `bench-<dataset>-<rows>`. Every measurement is a process of its own.
"""

import argparse
import asyncio
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import asyncpg

from coldshelf.access.service import client_by_code
from coldshelf.compliance import datasets as compliance_datasets
from coldshelf.kit import embedded
from coldshelf.kit.clock import SystemClock
from coldshelf.kit.db import Database
from coldshelf.kit.events import EventBus
from coldshelf.kit.http import open_outgoing
from coldshelf.kit.ids import ClientId
from coldshelf.kit.objects import open_store
from coldshelf.kit.runtime import Runtime
from coldshelf.kit.settings import load_settings
from coldshelf.kpis import datasets as kpi_datasets
from coldshelf.masterdata.entities import ENTITIES
from coldshelf.migrations.upgrade import upgrade
from coldshelf.pictures import datasets as picture_datasets
from coldshelf.publishing.formats.columns import select_text
from coldshelf.publishing.formats.snapshot import reader_url
from coldshelf.publishing.models import BULK_DATASETS, Compression, Layout, Mode
from coldshelf.publishing.service import export
from coldshelf.recognition import datasets as recognition_datasets
from coldshelf.records.registry import Registry, build_registry

RESULTS = Path(__file__).parent / "results"

NAMES = {"country": 12, "market": 9, "channel": 4, "classification": 3, "customer": 300, "distributor": 60}
"""How many rows there are of what outlets show."""
NAMED = """
    INSERT INTO {0} (client_id, name, created_on, created_by_user, modified_on, modified_by_user, revision)
    SELECT $1, initcap('{0}') || ' ' || n, now(), 'import', now(), 'import', 1 FROM generate_series(1, $2::bigint) n"""
LOCATIONS = """
    INSERT INTO location (client_id, code, name, external_code, street, city, postal_code, country_id, market_id,
        channel_id, classification_id, customer_id, distributor_id, latitude, longitude,
        is_key_location, created_on, created_by_user, modified_on, modified_by_user, revision)
    SELECT $1, 'C' || lpad(n::text, 8, '0'), 'Outlet ' || n, md5(n::text), n % 900 || ' Main Street',
        'City ' || n % 500, lpad((n % 90000)::text, 5, '0'),
        (SELECT min(id) FROM country WHERE client_id = $1) + n % 12,
        (SELECT min(id) FROM market WHERE client_id = $1) + n % 9,
        (SELECT min(id) FROM channel WHERE client_id = $1) + n % 4,
        (SELECT min(id) FROM classification WHERE client_id = $1) + n % 3,
        (SELECT min(id) FROM customer WHERE client_id = $1) + n % 300,
        CASE WHEN n % 7 > 0 THEN (SELECT min(id) FROM distributor WHERE client_id = $1) + n % 60 END,
        n * 0.000173 % 90, n * 0.000311 % 180, n % 10 = 0,
        now() - interval '400 days', 'import', now() - n * 7919 % 400 * interval '1 day' - n * interval '1 us',
        'import', 1
    FROM generate_series(1, $2::bigint) n"""
PICTURES = """
    INSERT INTO picture (client_id, guid, serial_number, location_code, location_name, city, country, scene_type,
        image_received_from, before_after, is_stitched, file_count, image_name, total_bytes, received_on, captured_on,
        captured_local, capture_time_source, status_id, submission_outcome, temperature,
        created_on, created_by_user, modified_on, modified_by_user, revision)
    SELECT $1, gen_random_uuid(), 'S' || n % 50000, 'C' || n % 50000, 'Outlet ' || n % 50000, 'City ' || n % 500,
        'Country ' || n % 12, 'Cooler', 1, 0, true, 2, 'picture-' || n || '.jpg', 480000 + n % 9999,
        now(), now() - n * interval '1 minute', now() - n * interval '1 minute', 'exif_offset', 13, 'AutoProvisioned',
        n % 300 / 10.0, now(), 'device', now() - n * 7919 % 400 * interval '1 day' - n * interval '1 us', 'worker', 1
    FROM generate_series(1, $2::bigint) n"""
RESULTS_OF_PICTURES = """
    INSERT INTO recognition_result (client_id, picture_id, number, event_id, recogniser, recogniser_version, is_served,
        shelves, purity_status, created_on, created_by_user, modified_on, modified_by_user, revision)
    SELECT client_id, id, 1, gen_random_uuid(), 'colour', '1', true, '[]', repeat('12,', 20), now(), '', now(), '', 1
    FROM picture WHERE client_id = $1"""
KPIS_OF_PICTURES = """
    INSERT INTO picture_kpi (client_id, picture_id, result_id, total_facings, own_facings, foreign_facings,
        own_share_of_shelf, foreign_share_of_shelf, purity_percentage, planogram_compliance)
    SELECT client_id, picture_id, id, 40, 30, 10, id % 100 / 1.3, 100 - id % 100 / 1.3, 75, id % 1000 / 10.0
    FROM recognition_result WHERE client_id = $1"""
FILLING = {
    "Location": ("location", (LOCATIONS,)),
    "AssetPurity": ("picture", (PICTURES, RESULTS_OF_PICTURES, KPIS_OF_PICTURES)),
}


@dataclass(frozen=True, slots=True)
class Taken:
    """What one process took."""

    seconds: float
    cpu_seconds: float

    def __str__(self) -> str:
        return f"{self.seconds:6.2f} s wall {self.cpu_seconds:6.2f} s CPU"


@dataclass(frozen=True, slots=True)
class Pair:
    """The limit and the product, measured one after the other; `inside` is the product without its start."""

    limit: Taken
    product: Taken
    inside: float
    peak_mib: float
    megabytes: float

    @property
    def ratio(self) -> float:
        return self.product.seconds / self.limit.seconds

    def __str__(self) -> str:
        return (
            f"COPY {self.limit}   export {self.product} {self.peak_mib:5.0f} MiB {self.megabytes:7.1f} MB"
            f"   {self.ratio:.2f} x, without its start {self.inside / self.limit.seconds:.2f} x"
        )


def main() -> None:
    options = _options()
    if options.child:
        asyncio.run(_export(json.loads(options.child)))
        return
    with _database(options.url) as url:
        client_id = asyncio.run(_fill(url, options.dataset, options.rows))
        pairs = [_pair(url, client_id, options) for _ in range(options.rounds)]
    median = sorted(pairs, key=lambda pair: pair.ratio)[len(pairs) // 2]
    print(f"median: {median.ratio:.2f} x COPY")
    _keep(options, median)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--url", help="scratch database; it is migrated and filled")
    parser.add_argument("--dataset", choices=FILLING, default="Location")
    parser.add_argument("--rows", type=int, default=200_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--mode", choices=[mode.value for mode in Mode], default=Mode.FULL.value)
    parser.add_argument("--compression", choices=[codec.value for codec in Compression], default="snappy")
    parser.add_argument("--child", help=argparse.SUPPRESS)
    return parser.parse_args()


@contextmanager
def _database(url: str | None) -> Iterator[str]:
    if url:
        yield url
        return
    folder = Path(tempfile.mkdtemp(prefix="coldshelf-bench-"))
    try:
        yield embedded.start(folder).url
    finally:
        embedded.stop(folder)
        embedded.remove(folder)
        shutil.rmtree(folder, ignore_errors=True)


async def _fill(url: str, dataset: str, rows: int) -> ClientId:
    await upgrade(url)
    code = f"bench-{dataset}-{rows}"
    table, statements = FILLING[dataset]
    connection = await asyncpg.connect(url)
    try:
        known = await connection.fetchval("SELECT id FROM client WHERE code = $1", code)
        if known is not None:
            return ClientId(known)
        print(f"filling {table} with {rows:,} rows")
        async with connection.transaction():
            await connection.execute("SET LOCAL session_replication_role = replica")  # the stamps cost minutes
            client_id = await connection.fetchval("INSERT INTO client (code, name) VALUES ($1, $1) RETURNING id", code)
            for named, count in NAMES.items() if dataset == "Location" else ():
                await connection.execute(NAMED.format(named), client_id, count)
            for statement in statements:
                values = [client_id, rows][: 2 if "$2" in statement else 1]
                await connection.execute(statement, *values)
        await connection.execute("VACUUM (ANALYZE)")
        return ClientId(client_id)
    finally:
        await connection.close()


def _pair(url: str, client_id: ClientId, options: argparse.Namespace) -> Pair:
    folder = Path(tempfile.mkdtemp(prefix="coldshelf-export-"))
    try:
        limit = _copy_to_null(url, client_id, options)
        task = {
            "url": url,
            "folder": str(folder),
            "client": f"bench-{options.dataset}-{options.rows}",
            **{name: getattr(options, name) for name in ("dataset", "mode", "compression")},
        }
        product = _take([sys.executable, __file__, "--child", json.dumps(task)])
        peak, inside = (folder / "taken").read_text().split()
        megabytes = sum(path.stat().st_size for path in folder.rglob("*.parquet")) / 1e6
    finally:
        shutil.rmtree(folder)
    pair = Pair(limit, product, float(inside), int(peak) / 1024, megabytes)
    print(pair)
    return pair


def _copy_to_null(url: str, client_id: ClientId, options: argparse.Namespace) -> Taken:
    """Read what the export reads, as the same role, and throw it away."""
    dataset = registry().datasets[options.dataset]
    since = None if options.mode == Mode.FULL.value else _window_start()
    copy = f"COPY ({select_text(dataset, since)}) TO STDOUT (FORMAT binary)"
    return _take([_psql(), reader_url(url, client_id), "-q", "-c", copy])


def _window_start() -> datetime:
    return datetime.now(UTC) - timedelta(days=30)


def _psql() -> str:
    found = shutil.which("psql")
    if found is None:
        sys.exit("psql is needed for the limit: apt-get install postgresql-client")
    return found


def _take(command: list[str]) -> Taken:
    begun = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    _, status, used = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - begun
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        sys.exit(f"{command[0]} ended with {process.returncode}")
    return Taken(seconds, used.ru_utime + used.ru_stime)


def registry() -> Registry:
    """Build the datasets alone: `entrypoints.bootstrap` brings routes and pictures, which take seconds to import."""
    return build_registry(
        ENTITIES,
        (*picture_datasets.DATASETS, *recognition_datasets.DATASETS),
        (*recognition_datasets.GROUPS, *compliance_datasets.GROUPS, *kpi_datasets.GROUPS),
    )


async def _export(task: dict[str, str]) -> None:
    database = await Database.connect(task["url"], size=2)
    settings = load_settings(data_dir=task["folder"])
    clock = SystemClock()
    with ThreadPoolExecutor(1) as threads:
        events, outgoing = EventBus(database, clock, ()), open_outgoing(settings)
        run = Runtime(settings, database, open_store(settings.objects_url), events, clock, threads, b"", outgoing)
        client = await client_by_code(run, task["client"])
        begun = time.perf_counter()
        await export(
            run,
            registry(),
            url=task["url"],
            client=client,
            mode=Mode(task["mode"]),
            datasets=[task["dataset"]],
            destination=Path(task["folder"]) / "exports",
            layout=Layout(Compression(task["compression"])),
        )
        seconds = time.perf_counter() - begun
    await database.close()
    (Path(task["folder"]) / "taken").write_text(f"{_high_water_mark()} {seconds}")


def _high_water_mark() -> str:
    """Read this program's own peak: what `getrusage` says counts the memory of the process that started it."""
    status = Path("/proc/self/status").read_text()
    return next(line.split()[1] for line in status.splitlines() if line.startswith("VmHWM"))


def _keep(options: argparse.Namespace, median: Pair) -> None:
    RESULTS.mkdir(exist_ok=True)
    line = {
        "on": time.strftime("%Y-%m-%d"),
        "python": sys.version.split()[0],
        "cores": os.cpu_count(),
        "load": round(os.getloadavg()[0], 1),
        "dataset": options.dataset,
        "schema": BULK_DATASETS[options.dataset],
        "mode": options.mode,
        "rows": options.rows,
        "compression": options.compression,
        "copy_seconds": round(median.limit.seconds, 2),
        "seconds": round(median.product.seconds, 2),
        "seconds_without_start": round(median.inside, 2),
        "ratio": round(median.ratio, 2),
        "cpu_seconds": round(median.product.cpu_seconds, 2),
        "peak_mib": round(median.peak_mib),
        "megabytes": round(median.megabytes, 1),
    }
    with (RESULTS / "export.jsonl").open("a") as file:
        file.write(json.dumps(line) + "\n")


if __name__ == "__main__":
    main()
