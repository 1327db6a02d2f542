"""Runs of imports: who sends what, what came of it, and how that is worded."""

import hashlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import orjson

from coldshelf.kit.db import Connection
from coldshelf.kit.errors import Conflict, InputInvalid, NotFound
from coldshelf.kit.ids import ClientId, UserId
from coldshelf.kit.runtime import Runtime
from coldshelf.records.imports import run_store
from coldshelf.records.imports.compiled import CompiledType, Imports
from coldshelf.records.imports.limiting import is_refused
from coldshelf.records.imports.marking import TemplateColumn, template_csv, template_workbook
from coldshelf.records.imports.problems import Problem, Problems
from coldshelf.records.imports.writing import Counts
from coldshelf.records.store import Lock

KEPT_PROBLEMS = 1_000
"""Problems that stay with a run."""
Json = dict[str, Any]  # a JSON document


class ImportNotFound(NotFound):
    """There is no such import"""

    code = "import_not_found"


class ImportTypeUnknown(InputInvalid):
    """There is no such type of import"""

    code = "import_type_unknown"


class ImportTaken(Conflict):
    """This file is imported already"""

    code = "import_taken"


class ImportNotUndone(InputInvalid):
    """The import cannot be undone"""

    code = "import_not_undone"


@dataclass(frozen=True, slots=True)
class Sender:
    """Who imports."""

    client_id: ClientId
    user_id: UserId | None
    user_name: str


@dataclass(frozen=True, slots=True)
class Received:
    """A file that is here, in a temporary place."""

    path: Path
    name: str
    sha256: bytes
    size: int


@dataclass(frozen=True, slots=True)
class Options:
    """How a file is imported. `clears`: an empty cell empties its field; `credential` is the one it was sent with."""

    clears: bool = False
    credential: str = ""

    def as_text(self) -> str:
        return orjson.dumps({"clears": self.clears, "credential": self.credential}).decode()

    @classmethod
    def from_text(cls, text: str) -> "Options":
        said = orjson.loads(text)
        return cls(clears=bool(said.get("clears")), credential=said.get("credential", ""))


@dataclass(slots=True)
class Checked:
    """A file after phases 1 and 2; its spool is still there."""

    kind: CompiledType
    spool: Path
    total_rows: int
    problems: Problems
    warnings: list[str]
    counts: Counts = field(default_factory=Counts)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of an import."""

    guid: UUID
    type: str
    total_rows: int
    counts: Counts
    problems: Problems
    warnings: list[str]

    @property
    def is_done(self) -> bool:
        return self.problems.count == 0

    def as_json(self) -> Json:
        """Word it as the contract does (5.2)."""
        body: Json = {"success": self.is_done, "importId": str(self.guid)}
        if self.is_done:
            body |= {"type": self.type, "totalRows": self.total_rows}
            body |= {"inserted": self.counts.inserted, "updated": self.counts.updated, "errors": []}
        else:
            body |= {"totalRows": self.total_rows, "errorCount": self.problems.count}
            body |= {"errors": [problem.as_json() for problem in self.problems.sorted()]}
        return body | ({"warnings": self.warnings} if self.warnings else {})


NewRun = run_store.NewRun
Progress = Callable[[str, int], Awaitable[None]]
"""Takes the phase and how many rows are done."""


async def no_progress(_phase: str, _rows: int) -> None:
    """Tell nobody."""


def find_type(imports: Imports, name: str) -> CompiledType:
    """Find a type by name; raise ImportTypeUnknown naming those that there are."""
    found = imports.find(name)
    if found is None:
        known = ", ".join(kind.type.name for kind in imports)
        raise ImportTypeUnknown(f"There is no import type {name[:60]!r}", cure=f"Send type= one of {known}.")
    return found


def measure(path: Path, name: str) -> Received:
    """Take a file from the disk. Blocking."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(1024 * 1024):
            digest.update(chunk)
    return Received(path, name, digest.digest(), path.stat().st_size)


def new_run(kind: CompiledType, file: Received, options: Options, **more: Any) -> run_store.NewRun:  # fields of NewRun
    """Describe the run of a file that is to be kept under its object key."""
    guid = uuid4()
    values = {"state": "writing", "source": "request", "claim": None, **more}
    return run_store.NewRun(
        guid=guid,
        type=kind.type.name,
        file_name=file.name[:250],
        object_key=f"imports/{guid.hex[:2]}/{guid.hex}",
        sha256=file.sha256,
        file_size=file.size,
        options=options.as_text(),
        **values,
    )


def keep_file(run: Runtime, file: Received, key: str) -> None:
    """Keep the file in the object store. Blocking."""
    writer = run.objects.writer()
    try:
        with file.path.open("rb") as source:
            while chunk := source.read(1024 * 1024):
                writer.write(chunk)
        writer.commit(key)
    except BaseException:
        writer.abort()
        raise


def ended_as(outcome: Outcome) -> run_store.Ended:
    kept = [problem.as_check() for problem in outcome.problems.sorted()[:KEPT_PROBLEMS]]
    return run_store.Ended(
        state="done" if outcome.is_done else "failed",
        total_rows=outcome.total_rows,
        inserted=outcome.counts.inserted,
        updated=outcome.counts.updated,
        unchanged=outcome.counts.unchanged,
        error_count=outcome.problems.count,
        errors=orjson.dumps(kept).decode(),
        warnings=orjson.dumps(outcome.warnings).decode(),
    )


def check_json(checked: Checked) -> Json:
    """Word a check: every bad cell with its rule and cure."""
    return {
        "success": checked.problems.count == 0,
        "type": checked.kind.type.name,
        "totalRows": checked.total_rows,
        "toInsert": checked.counts.inserted,
        "toUpdate": checked.counts.updated,
        "errorCount": checked.problems.count,
        "errors": [problem.as_check() for problem in checked.problems.sorted()],
        "warnings": checked.warnings,
    }


def template(kind: CompiledType, *, as_csv: bool) -> bytes:
    """Give a file to fill in."""
    columns = [
        TemplateColumn(rules, column.example, column.note)
        for rules, column in zip(kind.columns, kind.type.columns, strict=True)
        if not is_refused(rules)
    ]
    notes = [f"{kind.type.title}: {kind.type.main_part.operation}.", *([kind.type.note] if kind.type.note else [])]
    return template_csv(columns) if as_csv else template_workbook(columns, notes)


async def find_run(connection: Connection, text: str, *, lock: Lock = Lock.NONE) -> Json:
    """Find a run by its importId; raise ImportNotFound."""
    try:
        row = await run_store.load_run(connection, UUID(text), lock=lock)
    except ValueError:
        row = None
    if row is None:
        raise ImportNotFound(f"There is no import {text[:60]!r}")
    return dict(row)


def run_json(row: Json) -> Json:
    """Say how far a run is, or how it ended."""
    body: Json = {
        "success": row["state"] != "failed",
        "importId": str(row["guid"]),
        "type": row["type"],
        "state": row["state"],
        "phase": row["phase"],
        "rowsDone": row["rows_done"],
        "totalRows": row["total_rows"],
        "inserted": row["inserted"],
        "updated": row["updated"],
        "unchanged": row["unchanged"],
        "errorCount": row["error_count"],
        "errors": [Problem(**item).as_json() for item in orjson.loads(row["errors"])],
    }
    warnings = orjson.loads(row["warnings"])
    return body | ({"warnings": warnings} if warnings else {})
