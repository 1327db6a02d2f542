"""Rows in, files out."""

import hashlib
import json
from collections.abc import Iterable, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any, BinaryIO

import asyncpg
import pyarrow.parquet as pq

from coldshelf.access.principal import house
from coldshelf.kit.ids import ClientId
from coldshelf.kit.runtime import Runtime
from coldshelf.kit.web.params import Params
from coldshelf.publishing.destinations.file import FileDestination
from coldshelf.publishing.models import RunManifest
from coldshelf.publishing.scheduling import start_run
from coldshelf.records.registry import Registry
from coldshelf.records.saving import delete_record, save_record

Row = dict[str, Any]
"""Column name to value."""


class Cast:
    """Saves and deletes records of one client as its admin would."""

    def __init__(self, run: Runtime, registry: Registry, client_id: ClientId) -> None:
        self._run = run
        self._registry = registry
        self.client_id = client_id

    def of(self, client_id: ClientId) -> "Cast":
        """Do the same for another client."""
        return Cast(self._run, self._registry, client_id)

    async def save(self, entity: str, **params: object) -> int:
        async with self._run.database.scope(self.client_id, user_name="admin") as connection:
            saved = await save_record(
                connection, self._registry, house(self.client_id), self._registry.entities[entity], _params(params)
            )
        return saved.id

    async def delete(self, entity: str, row_id: int) -> None:
        async with self._run.database.scope(self.client_id, user_name="admin") as connection:
            await delete_record(
                connection,
                self._registry,
                house(self.client_id),
                self._registry.entities[entity],
                _params({"id": row_id}),
            )

    async def outlets(self, numbers: Iterable[int]) -> list[int]:
        return [await self.save("Location", Code=f"L{n}", Name=f"Outlet {n}", City=f"City {n}") for n in numbers]


def _params(values: dict[str, object]) -> Params:
    return Params([(name, str(value)) for name, value in values.items()])


async def many_outlets(url: str, client_id: ClientId, count: int, *, first: int = 1) -> None:
    """Insert many outlets at once, numbered from `first`."""
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(
            "INSERT INTO location (client_id, code, name, city, latitude)"
            " SELECT $1, 'C' || n, 'Outlet ' || n, 'City ' || n % 50, n % 90 FROM generate_series($2::int, $3::int) n",
            client_id,
            first,
            first + count - 1,
        )
    finally:
        await connection.close()


async def age(url: str, table: str, by: timedelta, which: str = "true") -> None:
    """Make rows look as if they had not been changed for so long."""
    connection = await asyncpg.connect(url)
    try:
        await connection.execute("SET session_replication_role = replica")
        await connection.execute(f"UPDATE {table} SET modified_on = modified_on - $1::interval WHERE {which}", by)
    finally:
        await connection.close()


def files_below(folder: Path) -> set[str]:
    """Name what is there, but for dictionaries, which runs share."""
    found = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
    return found - dictionaries(folder)


def dictionaries(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("_dictionary/*")}


def parts(folder: Path, manifest: RunManifest, dataset: str) -> list[Path]:
    """Find the parts of a dataset the way a consumer does: manifest of the run, of the table, files."""
    run_folder = folder / manifest.head.run_folder
    assert (run_folder / "_SUCCESS").read_bytes() == b""
    tables = json.loads((run_folder / "manifest.json").read_bytes())["tables"]
    table = next(table for table in tables if table["dataset"] == dataset)
    table_manifest = (run_folder / table["path"]).resolve()
    content = table_manifest.read_bytes()
    assert hashlib.sha256(content).hexdigest() == table["sha256"]
    assert (table_manifest.parent / "_SUCCESS").read_bytes() == b""
    found = [table_manifest.parent / file["path"] for file in json.loads(content)["files"]]
    for path, file in zip(found, json.loads(content)["files"], strict=True):
        assert (path.stat().st_size, hashlib.sha256(path.read_bytes()).hexdigest()) == (file["bytes"], file["sha256"])
    return found


def rows(folder: Path, manifest: RunManifest, dataset: str) -> list[Row]:
    return [row for path in parts(folder, manifest, dataset) for row in pq.read_table(path).to_pylist()]


def merged(key: Sequence[str], *pulls: list[Row]) -> list[Row]:
    """Apply exports one after another: the newest ModifiedOn per key wins."""
    newest: dict[tuple[Any, ...], Row] = {}
    for pull in pulls:
        for row in pull:
            found = tuple(row[name] for name in key)
            if found not in newest or newest[found]["ModifiedOn"] <= row["ModifiedOn"]:
                newest[found] = row
    return [newest[found] for found in sorted(newest)]


async def perform_waiting(run: Runtime, handler: str = "publishing.export") -> int:
    """Do what a worker would with the steps that wait in the queue; give how many there were."""
    done = 0
    while True:
        async with run.database.system() as connection:
            payloads = await connection.fetch("DELETE FROM pgqueuer WHERE entrypoint = $1 RETURNING payload", handler)
        if not payloads:
            return done
        for row in payloads:
            await run.events.perform(run, row["payload"])
            done += 1


async def publish_now(run: Runtime, client_id: ClientId, name: str) -> Row:
    """Run a publication to its end; give its row."""
    async with run.database.scope(client_id) as connection:
        await start_run(run, connection, client_id, name)
    await perform_waiting(run)
    return (await runs_of(run, client_id))[-1]


async def runs_of(run: Runtime, client_id: ClientId) -> list[Row]:
    """Give the runs of a client's publications, the oldest first."""
    async with run.database.scope(client_id, readonly=True) as connection:
        rows = await connection.fetch("SELECT * FROM publication_run ORDER BY coalesce(due_on, created_on), id")
    return [dict(row) for row in rows]


async def public_events(run: Runtime, client_id: ClientId) -> list[tuple[str, int]]:
    async with run.database.scope(client_id, readonly=True) as connection:
        rows = await connection.fetch("SELECT type, key FROM event WHERE public ORDER BY occurred_on, id")
    return [(row["type"], row["key"]) for row in rows]


def parquet_of(exports: Path, row: Row, dataset: str = "Location") -> list[Row]:
    """Read what a run of a publication wrote of a dataset, in order of its key."""
    mode, run_id = row["mode"].capitalize(), row["run_id"]
    found = [pq.read_table(path).to_pylist() for path in exports.glob(f"{mode}/*/{dataset}/*/{run_id}/*.parquet")]
    return sorted((one for part in found for one in part), key=lambda one: one[f"{dataset}Id"])


class Forgetful(FileDestination):
    """A disk that keeps one byte otherwise than it was given."""

    def __init__(self, root: Path, place: float) -> None:
        super().__init__(root)
        self.place = place

    def open(self, path: str) -> BinaryIO:
        file = self._path(path)
        content = bytearray(file.read_bytes())
        content[int(self.place * len(content))] ^= 1
        file.write_bytes(content)
        return super().open(path)
