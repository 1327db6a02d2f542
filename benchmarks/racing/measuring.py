"""What a program took: time, processor, memory of all its processes, its longest transaction in the database."""

import asyncio
import os
import subprocess
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import asyncpg

EVERY = 0.05
"""Seconds between two looks; a transaction may be that much longer than it is said to be."""
PATIENCE = 1800
PAGE = os.sysconf("SC_PAGE_SIZE")
OLDEST = """
    SELECT coalesce(max(extract(epoch FROM clock_timestamp() - xact_start)), 0)::float8 FROM pg_stat_activity
    WHERE datname = current_database() AND backend_type = 'client backend' AND pid <> pg_backend_pid()"""


class ProgramFailed(Exception):
    """A program of the race ended badly; its last words"""


@dataclass(frozen=True, slots=True)
class Taken:
    """What one program took; `load` is that of the machine when it began."""

    seconds: float
    cpu_seconds: float
    peak_mib: float
    transaction_seconds: float
    load: float


def take(command: Sequence[str], url: str, *, folder: Path, environment: Mapping[str, str] | None = None) -> Taken:
    """Run a program to its end in a folder and watch it; raise ProgramFailed."""
    load, said = os.getloadavg()[0], folder / "said.txt"
    with said.open("wb") as out, _watching(url) as oldest:
        begun = time.perf_counter()
        process = subprocess.Popen(
            command, cwd=folder, stdout=out, stderr=subprocess.STDOUT, env={**os.environ, **(environment or {})}
        )
        memory = _Memory(process.pid)
        memory.start()
        status, cpu_seconds = _await(process)
        seconds = time.perf_counter() - begun
        memory.ended.set()
        memory.join()
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise ProgramFailed(f"ended with {process.returncode}: {said.read_text(errors='replace').strip()[-400:]}")
    return Taken(seconds, cpu_seconds, memory.peak / 2**20, oldest[0], load)


def _await(process: "subprocess.Popen[bytes]") -> tuple[int, float]:
    timer = threading.Timer(PATIENCE, process.kill)
    timer.start()
    try:
        _, status, used = os.wait4(process.pid, 0)  # it counts what its own children took
    finally:
        timer.cancel()
    return status, used.ru_utime + used.ru_stime


class _Memory(threading.Thread):
    """Looks how much memory a process and all below it have; what one had between two looks counts for the first."""

    def __init__(self, pid: int) -> None:
        super().__init__(daemon=True)
        self.pid = pid
        self.peak = 0
        self.ended = threading.Event()

    def run(self) -> None:
        while not self.ended.wait(EVERY):
            resident = sum(_resident(pid) for pid in _family(self.pid))
            self.peak = max(self.peak, resident, _peak_of(self.pid))


def _family(pid: int) -> Iterator[int]:
    yield pid
    with suppress(OSError):
        for thread in Path(f"/proc/{pid}/task").iterdir():
            for child in (thread / "children").read_text().split():
                yield from _family(int(child))


def _resident(pid: int) -> int:
    with suppress(OSError, IndexError):
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * PAGE
    return 0


def _peak_of(pid: int) -> int:
    with suppress(OSError, StopIteration):
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
        return int(next(line.split()[1] for line in lines if line.startswith("VmHWM"))) * 1024
    return 0


@contextmanager
def _watching(url: str) -> Iterator[list[float]]:
    """Look at the transactions of others meanwhile; the list holds the longest one's age."""
    oldest, ended = [0.0], threading.Event()

    async def watch() -> None:
        connection = await asyncpg.connect(url)
        try:
            while not ended.wait(EVERY):
                oldest[0] = max(oldest[0], await connection.fetchval(OLDEST))
        finally:
            await connection.close()

    watcher = threading.Thread(target=lambda: asyncio.run(watch()), daemon=True)
    watcher.start()
    try:
        yield oldest
    finally:
        ended.set()
        watcher.join()
