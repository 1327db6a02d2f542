"""Use cases: import a checked file at once or leave it to a worker, undo an import."""

from dataclasses import dataclass
from uuid import UUID

from coldshelf.access.principal import Principal, house
from coldshelf.kit.db import Connection
from coldshelf.kit.events import Event
from coldshelf.kit.ids import ClientId
from coldshelf.kit.runtime import Runtime
from coldshelf.records.imports import run_store, store
from coldshelf.records.imports.applying import Pass
from coldshelf.records.imports.checking import FileCheck, undone_unless
from coldshelf.records.imports.child import spool_file
from coldshelf.records.imports.compiled import CompiledType, Imports
from coldshelf.records.imports.events import COMPLETED, DATASET, FAILED, RECEIVED
from coldshelf.records.imports.limiting import Guard
from coldshelf.records.imports.problems import Problems
from coldshelf.records.imports.runs import (
    Checked,
    ImportNotUndone,
    ImportTaken,
    Json,
    Options,
    Outcome,
    Progress,
    Received,
    Sender,
    ended_as,
    find_run,
    keep_file,
    new_run,
    no_progress,
)
from coldshelf.records.imports.undoing import Undone, undo_run
from coldshelf.records.imports.writing import Counts, Writer
from coldshelf.records.store import Lock


@dataclass(frozen=True, slots=True)
class Importing:
    """What an import works with, and for whom."""

    run: Runtime
    imports: Imports
    sender: Sender


@dataclass(frozen=True, slots=True)
class RunAtHand:
    """A run that is being worked on."""

    id: int
    guid: UUID
    options: Options
    progress: Progress = no_progress


async def write_checked(
    connection: Connection, imports: Imports, principal: Principal, checked: Checked, at_hand: RunAtHand
) -> tuple[Counts, Problems]:
    """Write a checked file in the caller's transaction, whole or not at all.

    What changed since the check may refuse it after all: then nothing is written, and the problems say why.
    """

    async def tell(rows: int) -> None:
        await at_hand.progress("writing", rows)

    problems = Problems(checked.problems.most)
    guard = Guard(connection, principal, imports.registry, problems)
    writer = Writer(connection, principal.client, imports.registry, problems, guard, at_hand.id)
    await store.in_turn(connection, principal.client)
    async with undone_unless(connection, lambda: not problems.count):
        await Pass(checked.kind, writer, clears=at_hand.options.clears, tell=tell).run(checked.spool)
    return (Counts() if problems.count else writer.counts), problems


async def finish(
    connection: Connection,
    imports: Imports,
    principal: Principal,
    checked: Checked,
    at_hand: RunAtHand,
    *,
    run: Runtime,
) -> Outcome:
    """Write a checked file, or note why not, end its run and tell it, all in the caller's transaction."""
    counts, problems = Counts(), checked.problems
    if not problems.count:
        counts, problems = await write_checked(connection, imports, principal, checked, at_hand)
    outcome = Outcome(at_hand.guid, checked.kind.type.name, checked.total_rows, counts, problems, checked.warnings)
    await run_store.end_run(connection, at_hand.id, ended_as(outcome))
    await tell_end(run, connection, principal.client, at_hand.id, is_done=outcome.is_done)
    return outcome


async def tell_end(run: Runtime, connection: Connection, client_id: ClientId, run_id: int, *, is_done: bool) -> None:
    """Publish that a run has ended."""
    kind = COMPLETED if is_done else FAILED
    await run.events.publish(connection, Event.of(kind, client_id, DATASET, run_id, run.clock.now()))


async def import_now(
    connection: Connection,
    imports: Imports,
    principal: Principal,
    checked: Checked,
    new: run_store.NewRun,
    *,
    run: Runtime,
    progress: Progress = no_progress,
) -> Outcome:
    """Write a checked file whose bytes are kept, with a run of its own, in the caller's transaction."""
    run_id = await run_store.add_run(connection, new)
    if run_id is None:
        raise ImportTaken
    at_hand = RunAtHand(run_id, new.guid, Options.from_text(new.options), progress)
    return await finish(connection, imports, principal, checked, at_hand, run=run)


async def import_file(
    at_work: Importing, kind: CompiledType, file: Received, options: Options, *, progress: Progress = no_progress
) -> Outcome:
    """Check, keep and write a file at once, as the house: by the command line."""
    run, imports, sender = at_work.run, at_work.imports, at_work.sender
    new, principal = new_run(kind, file, options, source="command"), house(sender.client_id, sender.user_name)
    async with spool_file() as spool:
        checked = await FileCheck(run, imports, principal, kind).run(file, spool, options, progress)
        await run.off_loop(keep_file, run, file, new.object_key)
        scope = run.database.scope(sender.client_id, user_id=sender.user_id, user_name=sender.user_name)
        async with scope as connection:
            return await import_now(connection, imports, principal, checked, new, run=run, progress=progress)


async def queue_import(run: Runtime, connection: Connection, client_id: ClientId, new: run_store.NewRun) -> int:
    """Let a worker import a file whose bytes are kept; raise ImportTaken when its claim is another's."""
    run_id = await run_store.add_run(connection, new)
    if run_id is None:
        raise ImportTaken
    await run.events.publish(connection, Event.of(RECEIVED, client_id, DATASET, run_id, run.clock.now()))
    return run_id


async def undo(connection: Connection, imports: Imports, principal: Principal, text: str) -> Json:
    """Take an import back as one action; refused, naming the rows, where a later change touched one."""
    found = await find_run(connection, text, lock=Lock.DELETE)
    if found["state"] != "done":
        raise ImportNotUndone(f"Import {text} is {found['state']}; only one that is done can be undone")
    undone = Undone()
    async with undone_unless(connection, lambda: not undone.problems):
        await undo_run(connection, imports.registry, principal, found["id"], undone)
    if not undone.problems:
        await run_store.mark_undone(connection, found["id"], principal.user_name)
    return undone.as_json(found["guid"])
