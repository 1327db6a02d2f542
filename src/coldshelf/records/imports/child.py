"""Reads a file in a child process: its parser holds the whole sheet, so it gets bounds of its own and can be killed."""

import asyncio
import contextlib
import pickle
import resource
import sys
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

import orjson

from coldshelf.kit.errors import ColdshelfError, InputInvalid
from coldshelf.records.imports.examining import Examined, FileRules, examine, unreadable
from coldshelf.records.imports.marking import mark
from coldshelf.records.imports.problems import Problem, Problems
from coldshelf.records.imports.sheets import FileUnreadable

SMALL = 256 * 1024
"""Text files up to this size are read in a thread: a child takes half a second to start."""
TEXT = (".csv", ".json")
OUT_OF_MEMORY = 77
"""Exit code of a child that met its bound; one whose parser gives up by itself is ended by a signal."""


class ReadingFailed(ColdshelfError):
    """The process that reads a file failed"""

    code = "import_reading_failed"


@dataclass(frozen=True, slots=True)
class Bounds:
    """What a child may use."""

    seconds: float
    bytes: int


@dataclass(frozen=True, slots=True)
class Errand:
    """What a child is to do: examine a file, or with `problems` write a marked-up copy of it."""

    path: Path
    name: str
    rules: FileRules
    out: Path
    bounds: Bounds
    problems: tuple[Problem, ...] | None = None


TellRows = Callable[[int], Awaitable[None]]


@asynccontextmanager
async def spool_file() -> AsyncIterator[Path]:
    """Give a temporary file that is gone afterwards."""
    with tempfile.NamedTemporaryFile(prefix="coldshelf-import-") as file:
        yield Path(file.name)


async def examine_file(errand: Errand, tell: TellRows) -> Examined:
    """Do phase 1; what makes the whole file unreadable comes as a problem of row 0."""
    if errand.path.stat().st_size <= SMALL and errand.name.lower().endswith(TEXT):
        return await asyncio.to_thread(_examine, errand, lambda _: None)
    return await _in_child(errand, tell)


async def mark_file(errand: Errand) -> None:
    """Write a copy of the file as a workbook, its bad cells coloured and commented; raise FileUnreadable."""
    found = await _in_child(errand, _silent)
    if found.problems.count:
        raise FileUnreadable(found.problems.kept[0].message)


async def _silent(_rows: int) -> None:
    return


async def _in_child(errand: Errand, tell: TellRows) -> Examined:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        __name__,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        limit=64 * 1024 * 1024,
    )
    try:
        async with asyncio.timeout(errand.bounds.seconds):
            answer = await _converse(process, pickle.dumps(errand), tell)
            await process.wait()  # its output has ended and so does it; whoever kills it now may lose its code
    except TimeoutError:
        answer = None
        error = FileUnreadable(f"The file took longer than {errand.bounds.seconds:.0f} s to read")
    else:
        error = FileUnreadable(f"The file takes more than {errand.bounds.bytes:,} bytes of memory to read")
    finally:
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()
    if answer is None and process.returncode is not None and 0 < process.returncode != OUT_OF_MEMORY:
        raise ReadingFailed(f"The process that reads {errand.name} ended with code {process.returncode}")
    if answer is None:
        return _failed(errand, error)
    return _read_answer(answer)


async def _converse(process: asyncio.subprocess.Process, errand: bytes, tell: TellRows) -> bytes | None:
    """Send the errand, pass progress on; give the answer, None when the child ended without one."""
    if process.stdin is None or process.stdout is None:
        raise ValueError("the child has no pipes")
    with contextlib.suppress(BrokenPipeError, ConnectionResetError):
        process.stdin.write(errand)
        await process.stdin.drain()
    process.stdin.close()
    while line := await process.stdout.readline():
        if line.startswith(b"rows "):
            await tell(int(line[5:]))
        elif line == b"answer\n":
            return await process.stdout.read()
    return None


def _answer(found: Examined) -> bytes:
    problems = [asdict(problem) for problem in found.problems.kept]
    return orjson.dumps([found.total_rows, found.problems.most, found.problems.count, problems, found.warnings])


def _read_answer(answer: bytes) -> Examined:
    # JSON, not pickle: what read a stranger's file is not trusted with code.
    total_rows, most, count, problems, warnings = orjson.loads(answer)
    kept = [Problem(**problem) for problem in problems]
    return Examined(total_rows, Problems(most, count, kept), warnings)


def _failed(errand: Errand, error: InputInvalid) -> Examined:
    problems = Problems(errand.rules.most_problems)
    problems.add(unreadable(error))
    return Examined(problems=problems)


def _examine(errand: Errand, tell: Callable[[int], None]) -> Examined:
    try:
        if errand.problems is not None:
            mark(errand.path, errand.name, errand.rules, errand.problems, errand.out)
            return Examined()
        return examine(errand.path, errand.name, errand.rules, errand.out, tell)
    except InputInvalid as error:
        return _failed(errand, error)


def main() -> None:
    """Read an errand from standard input, do it within its bounds, write the answer to standard output."""
    errand: Errand = pickle.loads(sys.stdin.buffer.read())  # noqa: S301  # the parent is this program
    resource.setrlimit(resource.RLIMIT_AS, (errand.bounds.bytes, errand.bounds.bytes))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    out = sys.stdout.buffer

    def tell(rows: int) -> None:
        out.write(b"rows %d\n" % rows)
        out.flush()

    try:
        answer = _answer(_examine(errand, tell))
    except MemoryError:
        sys.exit(OUT_OF_MEMORY)
    out.write(b"answer\n" + answer)
    out.flush()


if __name__ == "__main__":
    main()
