"""Race of bulk exports: one table of 20 mixed columns to Parquet, by Coldshelf and by others, beside plain COPY.

    make bench-export ARGS="--rows 5000,50000,500000"
    python benchmarks/export_race.py [--rows 5000] [--only coldshelf,duckdb] [--delta] [--readers] [--rounds 3]

COPY of the same rows to nowhere runs before and after each contestant; the mean of the two is its limit. Every export
is a process of its own. Tables are made once, in an embedded PostgreSQL below `.cache/export-race` or at `--url`.
"""

import argparse
import asyncio
import json
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow as pa
from racing.contestants import LIMIT, Contestant, Task, contestants, copy_to_nowhere, missing_psql
from racing.filling import fill
from racing.measuring import ProgramFailed, Taken, take
from racing.readers import read_by_all
from racing.values import differing, files_in, truth_of
from scratch import RESULTS

from coldshelf.kit import embedded

CACHE = Path(__file__).parents[1] / ".cache"
HEADING = (
    "| contestant | codec | x COPY | wall s | CPU s | MiB | longest transaction s | MB (of CSV) | values | load |\n"
    "| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |"
)


@dataclass(frozen=True, slots=True)
class Line:
    """What one export came to: `limit` are the seconds of COPY around it, `wrong` the columns that differ."""

    contestant: str
    codec: str
    rows: int
    delta: bool
    limit: float
    taken: Taken
    bytes: int
    csv_bytes: int
    wrong: tuple[str, ...]

    @property
    def ratio(self) -> float:
        return self.taken.seconds / self.limit

    def __str__(self) -> str:
        took = self.taken
        return (
            f"| {self.contestant} | {self.codec} | {self.ratio:.2f} | {took.seconds:.2f} | {took.cpu_seconds:.2f}"
            f" | {took.peak_mib:.0f} | {took.transaction_seconds:.2f}"
            f" | {self.bytes / 1e6:.1f} ({self.bytes / self.csv_bytes:.0%})"
            f" | {'differ: ' + ', '.join(self.wrong) if self.wrong else 'equal'} | {took.load:.1f} |"
        )


def main() -> None:
    options = _options()
    if missing := missing_psql():
        sys.exit(missing)
    with _server(options.url) as url:
        for rows in options.rows:
            asyncio.run(fill(url, rows))
            _race(url, rows, options)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--url", help="scratch database; it is migrated and filled")
    parser.add_argument("--rows", type=_numbers, default=[5_000, 50_000], help="sizes, a comma between them")
    parser.add_argument("--rounds", type=int, default=1, help="the median by the ratio is shown")
    parser.add_argument(
        "--only", type=lambda text: text.lower().split(","), default=[""], help="beginnings of name and codec"
    )
    parser.add_argument("--delta", action="store_true", help="what changed in the last 30 days")
    parser.add_argument("--readers", action="store_true", help="read Coldshelf's files with everything that reads them")
    parser.add_argument("--peers", type=Path, default=CACHE / "export-peers", help="virtual environment of the others")
    return parser.parse_args()


def _numbers(text: str) -> list[int]:
    return [int(number.replace("_", "")) for number in text.split(",")]


def _names(text: str) -> list[str]:
    return text.lower().split(",")


@contextmanager
def _server(url: str | None) -> Iterator[str]:
    if url:
        yield url
        return
    folder = CACHE / "export-race"
    folder.mkdir(parents=True, exist_ok=True)
    try:
        yield embedded.start(folder).url
    finally:
        embedded.stop(folder)


@dataclass(slots=True)
class Race:
    """One size of the table. `before` is the last COPY."""

    task: Task
    options: argparse.Namespace
    truth: pa.Table
    csv_bytes: int
    before: Taken

    def let(self, one: Contestant) -> None:
        """Let one export as often as there are rounds, COPY after each; show the median by the ratio."""
        try:
            lines = [self._line(one, number) for number in range(self.options.rounds)]
        except ProgramFailed as error:
            print(f"| {one.name} | {one.codec} | failed: {error} |", flush=True)
            return
        _keep(lines)
        median = sorted(lines, key=lambda line: line.ratio)[len(lines) // 2]
        print(replace(median, wrong=lines[0].wrong), flush=True)

    def _line(self, one: Contestant, number: int) -> Line:
        with _folder() as folder:
            begun = one.start(replace(self.task, folder=folder))
            taken = take(begun.command, self.task.url, folder=folder, environment=begun.environment)
            before, self.before = self.before, _limit(self.task)
            if self.options.readers and one.name.startswith("Coldshelf") and not number:
                read_by_all(folder, self.truth, self.options.peers)
            return Line(
                contestant=one.name,
                codec=one.codec,
                rows=self.task.rows,
                delta=bool(self.task.since),
                limit=(before.seconds + self.before.seconds) / 2,
                taken=taken,
                bytes=sum(file.stat().st_size for file in files_in(folder)),
                csv_bytes=self.csv_bytes,
                wrong=() if number else tuple(differing(folder, self.truth)),
            )


def _race(url: str, rows: int, options: argparse.Namespace) -> None:
    since = (datetime.now(UTC) - timedelta(days=30)).isoformat() if options.delta else ""
    task = Task(url, rows, CACHE, since)
    truth, csv_bytes = truth_of(task, CACHE)
    print(f"\n{rows:,} rows{f', {truth.num_rows:,} of them changed in 30 days' if since else ''}\n\n{HEADING}")
    _limit(task)  # once more, now from memory
    race = Race(task, options, truth, csv_bytes, _limit(task))
    print(_limit_line(race.before, csv_bytes), flush=True)
    for one in contestants(options.peers.resolve()):
        if not f"{one.name} {one.codec}".lower().startswith(tuple(options.only)) or (since and not one.has_delta):
            continue
        if one.missing:
            print(f"| {one.name} | {one.codec} | skipped: {one.missing} |")
        else:
            race.let(one)


def _limit(task: Task) -> Taken:
    with _folder() as folder:
        return take(copy_to_nowhere(task).command, task.url, folder=folder)


def _limit_line(took: Taken, csv_bytes: int) -> str:
    return (
        f"| {LIMIT} | | 1 | {took.seconds:.2f} | {took.cpu_seconds:.2f} | {took.peak_mib:.0f}"
        f" | {took.transaction_seconds:.2f} | {csv_bytes / 1e6:.1f} as CSV | | {took.load:.1f} |"
    )


@contextmanager
def _folder() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="export-race-", dir=CACHE))
    try:
        yield folder
    finally:
        shutil.rmtree(folder)


def _keep(lines: Sequence[Line]) -> None:
    RESULTS.mkdir(exist_ok=True)
    with (RESULTS / "export_race.jsonl").open("a") as file:
        for line in lines:
            said = {"on": time.strftime("%Y-%m-%d"), "cores": os.cpu_count(), "ratio": line.ratio, **asdict(line)}
            file.write(json.dumps(said) + "\n")


if __name__ == "__main__":
    main()
