"""The job of an import in the background: it may be begun again at any time, and its effect counts once."""

import tempfile
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

import orjson
from asyncpg import Record

from coldshelf.access.principal import Principal, house
from coldshelf.access.service import sign_in_again
from coldshelf.kit.db import Connection
from coldshelf.kit.errors import ColdshelfError
from coldshelf.kit.events import Handler, Step
from coldshelf.kit.ids import ClientId
from coldshelf.kit.pace import Pace
from coldshelf.kit.runtime import Runtime
from coldshelf.records.imports import run_store
from coldshelf.records.imports.checking import FileCheck
from coldshelf.records.imports.child import spool_file
from coldshelf.records.imports.compiled import Imports
from coldshelf.records.imports.events import RECEIVED
from coldshelf.records.imports.limiting import require_import
from coldshelf.records.imports.problems import Problem
from coldshelf.records.imports.runs import Options, Progress, Received, find_type
from coldshelf.records.imports.service import RunAtHand, finish, tell_end

LONGEST_IMPORT = timedelta(hours=6)


def import_handler(imports: Callable[[], Imports]) -> Handler:
    """Give the reaction to a received file."""

    async def handle(step: Step) -> None:
        await _import(step, imports())

    return Handler("records.import", RECEIVED.name, handle, _give_up, longest=LONGEST_IMPORT)


async def _import(step: Step, imports: Imports) -> None:
    run: Runtime = step.run
    async with step.bus.database.scope(step.event.client_id, readonly=True) as connection:
        row = await run_store.load_run_by_id(connection, step.event.key)
    if row is None or row["finished_on"]:
        return
    kind, options = find_type(imports, row["type"]), Options.from_text(row["options"])
    progress = _progress(run, step.event.client_id, row["id"])
    try:
        principal = await _sender(run, step.event.client_id, row, options.credential)
        require_import(principal, kind)
    except ColdshelfError as error:
        async with step.effect() as connection:
            await _refuse(step, connection, row, Problem(0, "", "", error.message, "", error.cure))
        return
    async with spool_file() as spool:
        with tempfile.NamedTemporaryFile(prefix="coldshelf-import-") as copy:
            await run.off_loop(_fetch, run, row["object_key"], Path(copy.name))
            file = Received(Path(copy.name), row["file_name"], row["sha256"], row["file_size"])
            checked = await FileCheck(run, imports, principal, kind).run(file, spool, options, progress)
        async with step.effect() as connection:
            await run_store.act_as(connection, row["created_by_user_id"], row["created_by_user"])
            at_hand = RunAtHand(row["id"], row["guid"], options, progress)
            await finish(connection, imports, principal, checked, at_hand, run=run)


async def _sender(run: Runtime, client_id: ClientId, row: Record, credential: str) -> Principal:
    """Give who sent a file, limited as it is by now; what lay in a folder is the client's own."""
    user_id = row["created_by_user_id"]
    if user_id is None:
        return house(client_id, row["created_by_user"])
    return await sign_in_again(run, client_id, user_id, credential)


def _fetch(run: Runtime, key: str, path: Path) -> None:
    with path.open("wb") as file:
        for chunk in run.objects.chunks(key):
            file.write(chunk)


def _progress(run: Runtime, client_id: ClientId, run_id: int) -> Progress:
    pace = Pace()

    async def tell(phase: str, rows: int) -> None:
        if pace.is_due(phase):
            async with run.database.scope(client_id) as connection:
                await run_store.note_progress(connection, run_id, phase, phase, rows)

    return tell


async def _give_up(step: Step, connection: Connection) -> None:
    """End a run that no worker could finish."""
    message = "The import was given up; see the worker's log"
    problem = Problem(0, "", "", message, "", "Send the file again; if it stays, tell the operator the importId.")
    with suppress(LookupError):
        row = await run_store.load_run_by_id(connection, step.event.key)
        if row:
            await _refuse(step, connection, row, problem)


async def _refuse(step: Step, connection: Connection, row: Record, problem: Problem) -> None:
    errors = orjson.dumps([problem.as_check()]).decode()
    ended = run_store.Ended(state="failed", total_rows=row["total_rows"], error_count=1, errors=errors)
    await run_store.end_run(connection, row["id"], ended)
    await tell_end(step.run, connection, step.event.client_id, row["id"], is_done=False)
