"""Phases 1 and 2 of a file: nothing is written, every bad cell is found."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

from coldshelf.access.principal import Principal
from coldshelf.kit.db import Connection
from coldshelf.kit.runtime import Runtime
from coldshelf.records.imports.applying import Pass
from coldshelf.records.imports.child import Bounds, Errand, examine_file, mark_file
from coldshelf.records.imports.compiled import CompiledType, Imports
from coldshelf.records.imports.examining import FileRules
from coldshelf.records.imports.limiting import Guard, type_for
from coldshelf.records.imports.problems import Problems
from coldshelf.records.imports.runs import Checked, Options, Progress, Received, no_progress
from coldshelf.records.imports.writing import Writer

LONGEST_READ = timedelta(minutes=5)


class FileCheck:
    """Phases 1 and 2 of one file: writes nothing. Use it inside `async with spool_file()`."""

    def __init__(self, run: Runtime, imports: Imports, principal: Principal, kind: CompiledType) -> None:
        self._run = run
        self._imports = imports
        self._principal = principal
        self._kind = type_for(principal, kind)

    @property
    def rules(self) -> FileRules:
        settings = self._run.settings
        return self._kind.file_rules(most_rows=settings.import_max_rows, most_problems=settings.import_max_errors)

    async def run(self, file: Received, spool: Path, options: Options, progress: Progress = no_progress) -> Checked:
        """Check every cell, then look up what the cells name."""

        async def tell(rows: int) -> None:
            await progress("reading", rows)

        await progress("reading", 0)
        errand = self._errand(file, spool)
        found = await examine_file(errand, tell)
        checked = Checked(self._kind, spool, found.total_rows, found.problems, found.warnings)
        if found.total_rows:
            await progress("checking", found.total_rows)
            # Rules of entities may add what they name, such as a country: nothing of it stays.
            client_id, registry = self._principal.client, self._imports.registry
            async with self._run.database.scope(client_id) as connection, undone_unless(connection, _never):
                guard = Guard(connection, self._principal, registry, found.problems)
                writer = Writer(connection, client_id, registry, found.problems, guard)
                await Pass(self._kind, writer, clears=options.clears).run(spool)
                checked.counts = writer.counts
        return checked

    async def mark(self, file: Received, problems: Problems, out: Path) -> None:
        """Write the marked-up copy of the file to `out`."""
        errand = self._errand(file, out)
        await mark_file(Errand(errand.path, errand.name, errand.rules, out, errand.bounds, tuple(problems.kept)))

    def _errand(self, file: Received, out: Path) -> Errand:
        bounds = Bounds(LONGEST_READ.total_seconds(), self._run.settings.import_memory_bytes)
        return Errand(file.path, file.name, self.rules, out, bounds)


def _never() -> bool:
    return False


@asynccontextmanager
async def undone_unless(connection: Connection, is_well: Callable[[], bool]) -> AsyncIterator[None]:
    """Roll back what happens inside unless all is well at its end."""
    savepoint = connection.transaction()
    await savepoint.start()
    try:
        yield
    except BaseException:
        await savepoint.rollback()
        raise
    await (savepoint.commit() if is_well() else savepoint.rollback())
