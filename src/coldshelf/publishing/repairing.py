"""Finds what broken runs left at a destination, and removes it. Nothing finished is ever removed."""

import re
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from pathlib import PurePosixPath

from coldshelf.access.models import Client
from coldshelf.kit.runtime import Runtime
from coldshelf.publishing import store
from coldshelf.publishing.destination import SUCCESS, Destination, Entry
from coldshelf.publishing.errors import DestinationFailed
from coldshelf.publishing.models import RUN_ID, Mode, dictionary_folder

ABANDONED_AFTER = timedelta(hours=1)
"""A run by hand has no row that says whether it is under way; one that wrote nothing for so long is given up."""
_PLACE = re.compile(r"\\\{\w+\\\}")
"""A place of a template once it is escaped."""
UNDER_WAY = frozenset({"waiting", "running"})


@dataclass(frozen=True, slots=True)
class Leftover:
    """Something that a broken run left. `kept` says why it stays; empty: it goes, or has gone.

    `is_stuck`: it was to go, and the destination did not let it.
    """

    path: str
    what: str
    kept: str = ""
    is_stuck: bool = False

    def as_json(self) -> dict[str, object]:
        return asdict(self)


async def repair(
    run: Runtime, client: Client, place: Destination, *, remove: bool, older_than: timedelta = ABANDONED_AFTER
) -> list[Leftover]:
    """List what broken runs of a client left at a destination; with `remove` it is removed as well.

    Folders without a marker whose run is not under way go, and hidden temporary files of what no run works on.
    """
    before = run.clock.now() - older_than
    runs = await run.off_loop(_runs, place, client.code)
    # Read behind the files: a run that begins or ends meanwhile is then known, or was not seen.
    async with run.database.scope(client.id, readonly=True) as connection:
        states = await store.known_runs(connection)
        templates = await store.file_names(connection)
    found = [
        one
        for (folder, run_id), entries in sorted(runs.items())
        for one in _of_run(folder, entries, states.get(run_id), before)
    ]
    found += await run.off_loop(_of_dictionaries, place, client.code, before)
    for template in templates:
        found += await run.off_loop(_of_exchange, place, client.code, template, before)
    return await run.off_loop(_remove, place, found) if remove else found


def _runs(place: Destination, client: str) -> dict[tuple[str, str], list[Entry]]:
    """Give all files of a client's runs, by the folder of the run and its id."""
    runs: dict[tuple[str, str], list[Entry]] = {}
    for mode in Mode:
        for entry in place.entries(f"{mode.folder}/{client}"):
            run_id = PurePosixPath(entry.path).parent.name
            if RUN_ID.fullmatch(run_id):
                runs.setdefault((f"{mode.folder}/{client}/_runs/{run_id}", run_id), []).append(entry)
    return runs


def _of_run(folder: str, entries: list[Entry], state: str | None, before: datetime) -> Iterable[Leftover]:
    """Judge all files of a run, by its marker and by what is known of it."""
    if any(entry.path == f"{folder}/{SUCCESS}" for entry in entries):
        return [Leftover(entry.path, "temporary file of a finished run") for entry in entries if _is_temporary(entry)]
    kept = _kept(state, max(entry.modified_on for entry in entries), before)
    said = "run by hand" if state is None else f"run that is {state}"
    folders = sorted({entry.path.rpartition("/")[0] for entry in entries}, key=lambda path: (path != folder, path))
    return [Leftover(path, f"folder of a {said}, without a marker", kept) for path in folders]


def _of_dictionaries(place: Destination, client: str, before: datetime) -> list[Leftover]:
    return [
        Leftover(entry.path, "temporary file of a dictionary", _kept(None, entry.modified_on, before))
        for mode in Mode
        for entry in place.entries(dictionary_folder(mode, client))
        if _is_temporary(entry)
    ]


def _of_exchange(place: Destination, client: str, template: str, before: datetime) -> list[Leftover]:
    """Find temporary files where exchanged files go; of those at the top of a destination nothing is known."""
    filled = template.replace("{client}", client)
    folder = filled.partition("{")[0].rpartition("/")[0]
    if not folder:
        return []
    wanted = re.compile(_PLACE.sub(".+", re.escape(filled)) + ".*", re.DOTALL)
    return [
        Leftover(entry.path, "temporary file of an exchange", _kept(None, entry.modified_on, before))
        for entry in place.entries(folder)
        if _is_temporary(entry) and wanted.fullmatch(_shown(entry.path))
    ]


def _shown(path: str) -> str:
    """Give the path that a temporary file would have got."""
    return str(PurePosixPath(path).with_name(PurePosixPath(path).name.removeprefix(".")))


def _kept(state: str | None, last_written: datetime, before: datetime) -> str:
    if state in UNDER_WAY:
        return "its run is under way"
    if state == "done":
        return "its run is done: `coldshelf validate` says what is wrong with it"
    return "it was written a moment ago" if state is None and last_written >= before else ""


def _is_temporary(entry: Entry) -> bool:
    name = PurePosixPath(entry.path).name
    return name.startswith(".") and name.endswith(".tmp")


def _remove(place: Destination, found: list[Leftover]) -> list[Leftover]:
    return [_removed(place, one) for one in found]


def _removed(place: Destination, one: Leftover) -> Leftover:
    if one.kept:
        return one
    try:
        place.remove(one.path)
    except DestinationFailed as error:
        return Leftover(one.path, one.what, error.message, is_stuck=True)
    return one
