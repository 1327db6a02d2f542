"""What goes away: folders of torn runs, and finished runs whose time is over."""

from collections.abc import Iterator, Mapping
from contextlib import suppress
from datetime import timedelta
from pathlib import PurePosixPath
from typing import Any

import orjson

from coldshelf.access.models import Client
from coldshelf.kit.logs import get_logger
from coldshelf.kit.runtime import Runtime
from coldshelf.publishing import store
from coldshelf.publishing.destination import Destination
from coldshelf.publishing.errors import DestinationFailed
from coldshelf.publishing.models import Mode, run_folders

log = get_logger("publishing")

LEAST_KEPT = timedelta(days=35)
"""A delta heals what was missed for 30 days; five more are for those who read it late."""
Row = Mapping[str, Any]  # a row of this room, columns of any type


def remove_folders(place: Destination, folders: list[str]) -> None:
    """Remove folders of a run, where there are any; what cannot be removed now, a repair removes later."""
    for folder in folders:
        with suppress(DestinationFailed):
            _remove(place, folder)


def _remove(place: Destination, path: str) -> None:
    if next(iter(place.entries(path)), None) is not None:
        place.remove(path)


async def expire(run: Runtime, client: Client, publication: Row, place: Destination) -> int:
    """Remove the files of finished runs that are older than the publication keeps them; give how many runs.

    The latest run of each mode is kept. A run that the destination does not let go stays, and is tried again.
    """
    if publication["keep_days"] is None:
        return 0
    before = run.clock.now() - max(timedelta(days=publication["keep_days"]), LEAST_KEPT)
    async with run.database.scope(client.id, readonly=True) as connection:
        rows = await store.expired_runs(connection, publication["id"], before)
    removed = 0
    for row in rows:
        try:
            await run.off_loop(_remove_run, place, client.code, dict(row))
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
            _remove(place, folder)
        return
    for table in tables:
        for path in _exchanged(place, table["path"]):
            place.remove(path)


def _exchanged(place: Destination, first: str) -> Iterator[str]:
    """Give the files of an exchanged dataset that are there: it may have been cut into several."""
    path = PurePosixPath(first)
    stem, suffix = path.name.partition(".")[0], path.name.partition(".")[2]
    number, name = 1, first
    while place.size(name) is not None:
        yield name
        number += 1
        name = str(path.with_name(f"{stem}_{number}.{suffix}"))
