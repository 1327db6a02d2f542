"""Watched folders: a new file is imported once, then moved to `done` or, with its report, to `failed`.

A file is claimed by its name, size and time in the row of its run: of two workers that see it, one adds the row. What a
killed worker left is gone on with by the next look.
"""

import hashlib
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from coldshelf.access.errors import ClientNotFound
from coldshelf.access.principal import house
from coldshelf.access.service import client_by_code
from coldshelf.kit.errors import ColdshelfError, SettingsInvalid
from coldshelf.kit.ids import ClientId
from coldshelf.kit.logs import get_logger
from coldshelf.kit.objects import LocalStore
from coldshelf.kit.runtime import Runtime
from coldshelf.records.imports import run_store
from coldshelf.records.imports.checking import FileCheck
from coldshelf.records.imports.child import spool_file
from coldshelf.records.imports.compiled import CompiledType, Imports
from coldshelf.records.imports.problems import Problem, Problems
from coldshelf.records.imports.runs import ImportTaken, Options, keep_file, measure, new_run
from coldshelf.records.imports.service import queue_import
from coldshelf.records.imports.sheets import FileKind

log = get_logger("records")

DONE, FAILED = "done", "failed"
SETTLED = 5.0
"""Seconds for which a file must not have changed: a younger one may still be on its way."""
IN_OBJECTS = "objects:"


@dataclass(frozen=True, slots=True)
class Watched:
    """A folder of one client."""

    client: str
    path: Path


@dataclass(frozen=True, slots=True)
class Waiting:
    """A file in a watched folder, and its claim."""

    path: Path
    claim: str


def watched_folders(run: Runtime) -> list[Watched]:
    """Read the setting; raise SettingsInvalid for what is no CLIENT=FOLDER."""
    return [_watched(run, said) for said in run.settings.import_folders]


def _watched(run: Runtime, said: str) -> Watched:
    client, equals, folder = said.partition("=")
    if not (client and equals and folder):
        raise SettingsInvalid(f"COLDSHELF_IMPORT_FOLDERS: {said!r} is not CLIENT=FOLDER")
    if not folder.startswith(IN_OBJECTS):
        return Watched(client, Path(folder))
    if not isinstance(run.objects, LocalStore):
        raise SettingsInvalid(f"COLDSHELF_IMPORT_FOLDERS: {said!r}: this object store cannot be watched")
    return Watched(client, run.objects.path(folder.removeprefix(IN_OBJECTS)))


async def watch(run: Runtime, imports: Imports) -> int:
    """Look once into every watched folder; give how many new files were taken."""
    taken = 0
    for folder in watched_folders(run):
        try:
            client_id = (await client_by_code(run, folder.client)).id
        except ClientNotFound:
            log.warning("imports.folder_without_client", client=folder.client)
            continue
        taken += await _look(run, imports, client_id, folder)
    return taken


async def _look(run: Runtime, imports: Imports, client_id: ClientId, folder: Watched) -> int:
    files = await run.off_loop(lambda: list(_files(folder.path)))
    if not files:
        return 0
    async with run.database.scope(client_id, readonly=True) as connection:
        runs = await run_store.claimed_runs(connection, [file.claim for file in files])
    taken = 0
    for file in files:
        found = runs.get(file.claim)
        if found is None:
            taken += await _take(run, imports, client_id, folder, file)
        elif found["finished_on"]:
            await _finish(run, imports, client_id, folder, (file, dict(found)))
    return taken


def _files(folder: Path) -> Iterator[Waiting]:
    """Give the settled files of a folder and of its folders, one step down."""
    endings = {f".{kind}" for kind in FileKind}
    for path in sorted([*folder.glob("*"), *folder.glob("*/*")]):
        place = path.relative_to(folder)
        hidden = any(part.startswith(".") for part in place.parts) or place.parts[0] in {DONE, FAILED}
        if hidden or path.suffix.lower() not in endings or path.is_symlink() or not path.is_file():
            continue
        with suppress(FileNotFoundError):  # moved by another worker just now
            state = path.stat()
            if time.time() - state.st_mtime >= SETTLED:
                said = f"{place}|{state.st_size}|{state.st_mtime_ns}"
                yield Waiting(path, hashlib.sha256(said.encode()).hexdigest())


def type_of(imports: Imports, path: Path) -> CompiledType | None:
    """Tell the type by the folder, or by the beginning of the file's name: the longest type's name that fits."""
    found = imports.find(path.parent.name)
    if found:
        return found
    fitting = [kind for kind in imports if path.name.lower().startswith(kind.type.name.lower())]
    return max(fitting, key=lambda kind: len(kind.type.name), default=None)


async def _take(run: Runtime, imports: Imports, client_id: ClientId, folder: Watched, file: Waiting) -> int:
    """Keep a new file and let a worker import it; give 1, or 0 when another worker was first."""
    kind = type_of(imports, file.path)
    if kind is None:
        known = ", ".join(kind.type.name for kind in imports)
        cure = f"Name the file or its folder after its type: {known}."
        problem = Problem(0, "", file.path.name, "The name of the file tells no type of import", "", cure)
        await run.off_loop(_report, folder.path / FAILED, file.path, [problem.as_check()])
        await run.off_loop(_move, file.path, folder.path / FAILED, "")
        return 0
    with suppress(ImportTaken, FileNotFoundError):
        came = await run.off_loop(measure, file.path, file.path.name)
        new = new_run(kind, came, Options(), state="waiting", source="folder", claim=file.claim)
        await run.off_loop(keep_file, run, came, new.object_key)
        try:
            async with run.database.scope(client_id, user_name="watched folder") as connection:
                await queue_import(run, connection, client_id, new)
        except BaseException:
            await run.off_loop(run.objects.delete, new.object_key)
            raise
        return 1
    return 0


async def _finish(
    run: Runtime, imports: Imports, client_id: ClientId, folder: Watched, ended: tuple[Waiting, dict[str, Any]]
) -> None:
    """Move a file whose run has ended; a refused one with its report and a marked-up copy."""
    file, row = ended
    with suppress(FileNotFoundError):  # another worker has moved it
        if row["state"] != "failed":
            await run.off_loop(_move, file.path, folder.path / DONE, str(row["guid"])[:8])
            return
        errors = orjson.loads(row["errors"])
        await run.off_loop(_report, folder.path / FAILED, file.path, errors)
        kind = imports.find(row["type"])
        if kind and any(item["row"] for item in errors):
            check = FileCheck(run, imports, house(client_id), kind)
            await _mark(run, check, folder.path / FAILED / f"{file.path.stem}.checked.xlsx", (file.path, errors))
        await run.off_loop(_move, file.path, folder.path / FAILED, str(row["guid"])[:8])


async def _mark(run: Runtime, check: FileCheck, out: Path, bad: tuple[Path, list[dict[str, Any]]]) -> None:
    path, errors = bad
    problems = Problems(len(errors))
    problems.extend(Problem(**item) for item in errors)
    with suppress(ColdshelfError):
        async with spool_file() as marked:
            await check.mark(await run.off_loop(measure, path, path.name), problems, marked)
            await run.off_loop(lambda: out.write_bytes(marked.read_bytes()))


def _report(folder: Path, file: Path, errors: list[dict[str, Any]]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    body = {"file": file.name, "errorCount": len(errors), "errors": errors}
    (folder / f"{file.name}.report.json").write_bytes(orjson.dumps(body, option=orjson.OPT_INDENT_2))


def _move(file: Path, folder: Path, mark: str) -> None:
    """Move a file, under another name where its own is taken there."""
    folder.mkdir(parents=True, exist_ok=True)
    target = folder / file.name
    if target.exists():
        target = folder / f"{file.stem}-{mark or time.time_ns()}{file.suffix}"
    file.rename(target)
