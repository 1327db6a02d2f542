"""Runs of changes that are killed at random points while they write to a server: each change comes once, and whole."""

import asyncio
import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import PurePosixPath
from typing import Any

import pyarrow.parquet as pq
import pytest

from coldshelf.access.models import Client
from coldshelf.kit.runtime import Runtime
from coldshelf.kit.testing import FakeClock
from coldshelf.publishing.destination import Destination
from coldshelf.publishing.destinations import open_destination
from coldshelf.publishing.inspecting import validate
from coldshelf.publishing.manifests import RunPlace, TableSaid, content_of, parse
from coldshelf.publishing.models import Mode
from coldshelf.publishing.repairing import repair
from coldshelf.records.registry import Registry
from tests.publishing.dying import DESTINATIONS
from tests.publishing.killing import KILLS, SEED, SOAK, changing, open_shop, publish_and_kill
from tests.publishing.reading import Row, database_rows
from tests.publishing.servers import Places
from tests.publishing.support import Cast, merged, publish_now, runs_of

DATASETS = ("Location", "Product")
Rows = dict[str, list[Row]]
"""Rows by dataset."""


@dataclass(slots=True)
class Watcher:
    """A consumer of a server: notes each file of a finished run, or of an exchange, as soon as it sees it."""

    place: Destination
    seen: dict[str, int] = field(default_factory=dict)

    async def watch(self) -> None:
        while True:
            await asyncio.to_thread(self.look)
            await asyncio.sleep(0.05)

    def look(self) -> None:
        """See what is new; of folders it is what stands in the manifests, which have to be right."""
        for entry in list(self.place.entries("Since/demo/_runs")):
            path = PurePosixPath(entry.path)
            if path.name == "_SUCCESS" and entry.path not in self.seen:
                flaws = validate(self.place, "demo", Mode.SINCE, path.parent.name)
                assert [flaw for flaw in flaws if not flaw.is_note] == []
                self.seen[entry.path] = 0
        for entry in list(self.place.entries("in")):
            if not PurePosixPath(entry.path).name.startswith("."):
                assert self.seen.setdefault(entry.path, entry.bytes) == entry.bytes, "a half file had the final name"


def of_folders(place: Destination, row: Row) -> Rows:
    """Read a run by its manifests."""
    run = RunPlace(place, "demo", Mode.SINCE, row["run_id"])
    found: Rows = {}
    for entry in run.read().tables:
        path = run.follow(entry.path)
        folder = path.rpartition("/")[0]
        for file in parse(TableSaid, path, content_of(place, path)).files:
            with place.open(f"{folder}/{file.path}") as opened:
                found.setdefault(entry.dataset, []).extend(pq.read_table(opened).to_pylist())
    return found


def of_exchange(place: Destination, row: Row) -> Rows:
    """Read a batch of JSON lines."""
    return {
        table["dataset"]: [_of_json(line) for line in content_of(place, table["path"]).splitlines()]
        for table in json.loads(row["tables"])
    }


def _of_json(line: bytes) -> Row:
    row: Row = json.loads(line)
    return {**row, "ModifiedOn": datetime.fromisoformat(row["ModifiedOn"])}


FORMS: dict[str, tuple[dict[str, str], Callable[[Destination, Row], Rows]]] = {
    "folders": ({}, of_folders),
    "exchange": ({"Format": "json", "FileName": "in/{client}_{table}_{yyyyMMddHHmmss}"}, of_exchange),
}


def changes(rows: Iterable[Row], key: str) -> list[tuple[Any, datetime]]:
    return [(row[key], row["ModifiedOn"]) for row in rows]


@pytest.mark.timeout(0 if SOAK else 300)
@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("places", ["azure_places", "sftp_places"])
async def test_each_change_comes_once_however_often_workers_are_killed(
    run: Runtime,
    cast: Cast,
    client: Client,
    registry: Registry,
    url: str,
    request: pytest.FixtureRequest,
    places: str,
    form: str,
) -> None:
    make: Places = request.getfixturevalue(places)
    given, (params, read) = make(), FORMS[form]
    known = run.settings.data_dir / DESTINATIONS
    known.write_text(json.dumps({"lake": {"address": given.address, "secret": given.secret}}))
    run = replace(run, settings=run.settings.model_copy(update={"destinations_file": known}))
    place, watcher = (
        open_destination(given.address, given.secret),
        Watcher(open_destination(given.address, given.secret)),
    )
    await open_shop(url, cast)
    await cast.save("Publication", Name="Now", Mode="since", Destination="lake", Datasets=",".join(DATASETS), **params)

    def check() -> None:
        assert not watching.done(), (SEED, watching)

    async with changing(url):
        watching = asyncio.create_task(watcher.watch())
        await publish_and_kill(run, client.id, url, kills=max(1, KILLS // 4), check=check)
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)
    await asyncio.sleep(1)  # the name has seconds
    await publish_now(run, client.id, "Now")
    watcher.look()

    runs = await runs_of(run, client.id)
    assert {row["state"] for row in runs} == {"done"}, SEED
    batches = [read(place, row) for row in runs]
    for name in DATASETS:
        key = f"{name}Id"
        pulls = [batch.get(name, []) for batch in batches]
        received = [change for pull in pulls for change in changes(pull, key)]
        assert len(received) == len(set(received)), (SEED, "a change came twice")
        held = await database_rows(run, client.id, registry.datasets[name])
        assert changes(merged([key], *pulls), key) == sorted(changes(held, key)), (SEED, "a change was left out")
    later = replace(run, clock=FakeClock(datetime.now(UTC) + timedelta(hours=2)))
    left = await repair(later, client, place, remove=True)
    assert not [one for one in left if one.kept or one.is_stuck]
    assert orphans(place, runs) == set(), SEED
    place.close()
    watcher.place.close()


def orphans(place: Destination, runs: list[Row]) -> set[str]:
    """Name the files that belong to no run."""
    exchanged = {table["path"] for row in runs for table in json.loads(row["tables"])}
    folders = {"_dictionary", *(row["run_id"] for row in runs)}
    found = {entry.path for top in ("Since", "in") for entry in place.entries(top)}
    return {path for path in found - exchanged if PurePosixPath(path).parent.name not in folders}
