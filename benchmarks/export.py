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
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from opened import open_runtime
from scratch import FILLING, RESULTS, client_code, fill, peak_kib, registry, scratch_database

from coldshelf.access.service import client_by_code
from coldshelf.kit.ids import ClientId
from coldshelf.publishing.formats.columns import select_text
from coldshelf.publishing.formats.snapshot import reader_url
from coldshelf.publishing.models import BULK_DATASETS, Compression, Layout, Mode
from coldshelf.publishing.service import export
from coldshelf.records.bulk import Window


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
    with scratch_database(options.url) as url:
        client_id = asyncio.run(fill(url, options.dataset, options.rows))
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


def _pair(url: str, client_id: ClientId, options: argparse.Namespace) -> Pair:
    folder = Path(tempfile.mkdtemp(prefix="coldshelf-export-"))
    try:
        limit = _copy_to_null(url, client_id, options)
        task = {
            "url": url,
            "folder": str(folder),
            "client": client_code(options.dataset, options.rows),
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
    copy = f"COPY ({select_text(dataset, Window(since=since))}) TO STDOUT (FORMAT binary)"
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


async def _export(task: dict[str, str]) -> None:
    async with open_runtime(task["url"], connections=2) as run:
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
    (Path(task["folder"]) / "taken").write_text(f"{peak_kib()} {seconds}")


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
