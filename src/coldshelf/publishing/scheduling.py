"""When runs begin: each due slot becomes one run, whoever looks; others are asked for, or cancelled."""

from collections.abc import Mapping
from datetime import UTC, timedelta
from typing import Any

from coldshelf.access.service import client_time_zone, load_client
from coldshelf.kit.db import Connection
from coldshelf.kit.events import Event, EventType
from coldshelf.kit.ids import ClientId
from coldshelf.kit.logs import get_logger
from coldshelf.kit.runtime import Runtime
from coldshelf.publishing import store
from coldshelf.publishing.errors import PublicationNotFound, RunEnded, RunNotFound
from coldshelf.publishing.events import DUE, LATE
from coldshelf.publishing.models import RUNS, CatchUp, Mode
from coldshelf.publishing.slots import due_slots, find_zone, wanted

log = get_logger("publishing")

NOT_MISSED = timedelta(minutes=10)
"""A slot that is looked at within this time is not missed, only a little late."""
NOBODY = "schedule"


async def look(run: Runtime) -> int:
    """Look at every publication once; give how many runs were begun. Any number of schedulers may look."""
    async with run.database.system() as connection:
        found = await store.scheduled(connection)
    begun = 0
    for row in found:
        try:
            begun += await _look_at(run, ClientId(row["client_id"]), row["id"])
        except Exception:  # one broken publication must not hold up the others
            log.exception("schedule failed", client=row["client_id"], publication=row["id"])
    return begun


async def _look_at(run: Runtime, client_id: ClientId, publication_id: int) -> bool:
    if not (await load_client(run, client_id)).is_active:
        return False
    async with run.database.scope(client_id, user_name=NOBODY) as connection:
        publication = await store.lock_publication(connection, publication_id)
        if publication is None:
            return False
        if publication["is_active"] and publication["schedule"]:
            await _add_slots(run, connection, dict(publication))
        late = timedelta(minutes=publication["late_after"])
        for run_id in await store.late_runs(connection, publication_id, run.clock.now(), late):
            await tell(run, connection, client_id, LATE, run_id)
        return await start_next(run, connection, client_id, publication_id)


async def _add_slots(run: Runtime, connection: Connection, publication: Mapping[str, Any]) -> None:
    zone = find_zone(publication["time_zone"] or await client_time_zone(connection))
    last = await store.last_slot(connection, publication["id"])
    after = max(filter(None, (last, publication["scheduled_from"])))
    now = run.clock.now().astimezone(UTC)
    due = due_slots(publication["schedule"], zone, after=after, until=now)
    chosen = wanted(due, CatchUp(publication["catch_up"]), now_from=now - NOT_MISSED)
    await store.add_slots(connection, publication["id"], publication["mode"], due, chosen)


async def start_next(run: Runtime, connection: Connection, client_id: ClientId, publication_id: int) -> bool:
    """Begin the run that waits longest, in the caller's transaction; one at a time for each publication."""
    run_id = await store.start_next(connection, publication_id)
    if run_id is not None:
        await tell(run, connection, client_id, DUE, run_id)
    return run_id is not None


async def tell(run: Runtime, connection: Connection, client_id: ClientId, kind: EventType, run_id: int) -> None:
    """Publish a fact about a run."""
    await run.events.publish(connection, Event.of(kind, client_id, RUNS, run_id, run.clock.now()))


async def start_run(
    run: Runtime, connection: Connection, client_id: ClientId, name: str, mode: Mode | None = None
) -> Mapping[str, Any]:
    """Ask for a run of a publication now, behind those that wait; give its row. Raise PublicationNotFound."""
    publication = await store.find_publication(connection, name)
    if publication is None:
        raise PublicationNotFound(f"There is no publication {name[:60]!r}", cure="Look at /api/v1/publications.")
    run_id = await store.add_run(connection, publication["id"], mode or publication["mode"])
    await start_next(run, connection, client_id, publication["id"])
    return await load_run(connection, run_id)


async def cancel_run(run: Runtime, connection: Connection, client_id: ClientId, run_id: int) -> Mapping[str, Any]:
    """Cancel a run that has not ended: at once while it waits, else within a second or two. Raise RunNotFound."""
    row = await load_run(connection, run_id)
    asked = await store.ask_to_cancel(connection, run_id)
    if asked is None:
        raise RunEnded(f"Run {run_id} is {row['state']}; there is nothing to cancel")
    if asked["state"] == "waiting":
        await store.end_run(connection, run_id, store.RunEnd(state="cancelled"))
        await start_next(run, connection, client_id, row["publication_id"])
    return await load_run(connection, run_id)


async def list_runs(connection: Connection, most: int) -> list[Mapping[str, Any]]:
    """Give the latest runs with the names of their publications."""
    return [dict(row) for row in await store.latest_runs(connection, most)]


async def load_run(connection: Connection, run_id: int) -> Mapping[str, Any]:
    """Give a run; raise RunNotFound."""
    row = await store.load_run(connection, run_id)
    if row is None:
        raise RunNotFound(f"There is no export {run_id}")
    return dict(row)
