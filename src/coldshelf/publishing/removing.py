"""What goes away: folders of torn runs, and finished runs whose time is over."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import timedelta
from typing import Any

import orjson

from coldshelf.access.models import Client
from coldshelf.access.service import load_client
from coldshelf.kit.errors import ColdshelfError
from coldshelf.kit.ids import ClientId
from coldshelf.kit.logs import get_logger
from coldshelf.kit.runtime import Runtime
from coldshelf.publishing import store
from coldshelf.publishing.destination import Destination
from coldshelf.publishing.errors import DestinationFailed
from coldshelf.publishing.models import Mode, run_folders
from coldshelf.publishing.named import open_named

log = get_logger("publishing")

LEAST_KEPT = timedelta(days=35)
"""A delta heals what was missed for 30 days; five more are for those who read it late."""
Row = Mapping[str, Any]  # a row of this room, columns of any type


def remove_folders(place: Destination, folders: list[str]) -> None:
    """Remove folders of a run, where there are any; what cannot be removed now, a repair removes later."""
    for folder in folders:
        with suppress(DestinationFailed):
            remove_there(place, folder)


def remove_there(place: Destination, path: str) -> None:
    """Remove a folder, if there is one; raise DestinationFailed."""
    if next(iter(place.entries(path)), None) is not None:
        place.remove(path)


async def expire(run: Runtime) -> int:
    """Remove the files of runs that are older than their publications keep them; give how many runs.

    The latest run of each mode is kept. What a destination does not let go stays, and is tried again. Any number of
    workers may do this at the same time.
    """
    async with run.database.system() as connection:
        found = await store.keepers(connection)
    removed = 0
    for row in found:
        try:
            removed += await _expire_of(run, ClientId(row["client_id"]), row["id"])
        except ColdshelfError as error:  # one destination that is away must not hold up the others
            log.warning("expired runs stay", client=row["client_id"], publication=row["id"], error=str(error))
    return removed


async def _expire_of(run: Runtime, client_id: ClientId, publication_id: int) -> int:
    async with run.database.scope(client_id, readonly=True) as connection:
        publication = await store.load_publication(connection, publication_id)
        if publication is None or publication["keep_days"] is None:
            return 0
        before = run.clock.now() - max(timedelta(days=publication["keep_days"]), LEAST_KEPT)
        rows = await store.expired_runs(connection, publication_id, before)
    if not rows:
        return 0
    client = await load_client(run, client_id)
    place = await run.off_loop(open_named, run.settings, publication["destination"], client.code)
    try:
        return await _expire_runs(run, client, place, [dict(row) for row in rows])
    finally:
        await run.off_loop(place.close)


async def _expire_runs(run: Runtime, client: Client, place: Destination, rows: Sequence[Row]) -> int:
    removed = 0
    for row in rows:
        try:
            await run.off_loop(_remove_run, place, client.code, row)
        except DestinationFailed as error:
            log.warning("expired run stays", run=row["run_id"], error=str(error))
            continue
        async with run.database.scope(client.id, user_name="publishing") as connection:
            await store.mark_expired(connection, row["id"])
        removed += 1
    return removed


def _remove_run(place: Destination, client: str, row: Row) -> None:
    """Remove the folder of the run first: from then on nobody begins to read it."""
    tables = orjson.loads(row["tables"])
    if row["manifest"]:
        for folder in run_folders(Mode(row["mode"]), client, row["run_id"], [one["dataset"] for one in tables]):
            remove_there(place, folder)
        return
    for table in tables:
        if place.size(table["path"]) is not None:
            place.remove(table["path"])
