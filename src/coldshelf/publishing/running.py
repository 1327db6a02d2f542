"""One run of a publication by a worker: it may be begun again at any time, and its files count once."""

import asyncio
import posixpath
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

import orjson
from pydantic import TypeAdapter

from coldshelf.access.errors import SignInEnded
from coldshelf.access.models import Client
from coldshelf.access.principal import Principal, house
from coldshelf.access.service import client_time_zone, load_client, sign_in_again
from coldshelf.kit.db import Connection
from coldshelf.kit.errors import ColdshelfError
from coldshelf.kit.events import Step
from coldshelf.kit.ids import ClientId, UserId
from coldshelf.kit.logs import get_logger
from coldshelf.kit.pace import Pace
from coldshelf.kit.runtime import Runtime
from coldshelf.publishing import store
from coldshelf.publishing.destination import SUCCESS, Destination
from coldshelf.publishing.errors import ExportStopped, ReaderShutOut
from coldshelf.publishing.events import COMPLETED, FAILED
from coldshelf.publishing.manifests import follow
from coldshelf.publishing.models import (
    PART_ROWS,
    Chunk,
    Compression,
    Consistency,
    FileFormat,
    Layout,
    Mode,
    Progress,
    RunHead,
    RunManifest,
    read_choice,
    run_folders,
)
from coldshelf.publishing.named import open_named
from coldshelf.publishing.plan import FileNames, Journal, Plan, RunBefore, chosen, generation_of, sight_of
from coldshelf.publishing.removing import remove_folders
from coldshelf.publishing.scheduling import start_next, tell
from coldshelf.publishing.service import published, source_of, write
from coldshelf.publishing.slots import find_zone
from coldshelf.publishing.writing import Writing
from coldshelf.records.limits import PERSONAL, dataset_for, require_read
from coldshelf.records.registry import Registry

log = get_logger("publishing")

ONE_FILE = 2**62
"""Rows of a file that is never cut."""
_JOURNAL = TypeAdapter(Journal)
Row = Mapping[str, Any]  # a row of this room, columns of any type


@dataclass(slots=True)
class Attempt:
    """One attempt at a run: the run, its publication, and where its files go."""

    run: Runtime
    client: Client
    row: Row
    publication: Row
    reader: Principal
    place: Destination
    loop: asyncio.AbstractEventLoop = field(default_factory=asyncio.get_running_loop)
    is_cancelled: bool = False
    scope: str = ""
    _pace: Pace = field(default_factory=Pace)
    _rows: dict[str, int] = field(default_factory=dict)
    _bytes: int = 0
    _journal: Journal | None = None
    _writing: Writing | None = None

    async def files(self, registry: Registry) -> "Files":
        """Write the files, or take over those that an earlier attempt had finished when it was killed."""
        plan = await self._plan(registry)
        datasets = [dataset.name for dataset in plan.datasets]
        if self.row["run_id"] and not plan.names:
            found = await self.run.off_loop(self._left_over, plan, datasets)
            if found is not None:
                return found
        self._journal = plan.journal
        self._writing = Writing(
            plan=plan,
            destination=self.place,
            open_source=source_of(self.run.database.url, plan),
            on_progress=self._progress,
            on_begun=self._begun,
            on_chunk=self._chunk,
        )
        manifest = await write(self.run, self._writing)
        up_to = await self._up_to()
        return Files.of(manifest, up_to, is_exchange=plan.names is not None)

    async def _plan(self, registry: Registry) -> Plan:
        held = self.publication
        choice = read_choice(held["datasets"], held["columns"])
        mode = Mode(self.row["mode"])
        async with self._scope() as connection:
            revision, scope = await store.mark_of(connection, held["id"])
            last = await store.run_before(connection, held["id"], mode)
            zone = find_zone(held["time_zone"] or await client_time_zone(connection))
        named_on: datetime = self.row["due_on"] or self.row["created_on"]
        names = FileNames(held["file_name"], named_on.astimezone(zone), is_again=bool(self.row["run_id"]))
        return Plan(
            client=self.client,
            mode=mode,
            datasets=tuple(
                chosen(dataset_for(self.reader, dataset), choice) for dataset in published(registry, choice.datasets)
            ),
            started_on=self.run.clock.now(),
            layout=Layout(
                Compression(held["compression"]) if held["compression"] else None,
                part_rows=ONE_FILE if held["file_name"] else PART_ROWS,
                format=FileFormat(held["format"]),
            ),
            consistency=Consistency(held["consistency"]),
            limit_id=self.reader.limit.outlets,
            # A reader of other fields begins again. Outlets that come into sight or leave it count as changes.
            after_revision=revision if scope == self.scope else 0,
            up_to_revision=self.row["up_to_revision"],
            names=names if held["file_name"] else None,
            journal=_JOURNAL.validate_json(self.row["journal"]) if self.row["journal"] != "{}" else None,
            before=RunBefore(last["run_id"], generation_of(last["up_to_revision"])) if last else None,
        )

    def _left_over(self, plan: Plan, datasets: list[str]) -> "Files | None":
        """Look at what the attempt before left: a whole run is taken over, a torn one removed or gone on with."""
        run_id = self.row["run_id"]
        folders = run_folders(plan.mode, self.client.code, run_id, datasets)
        if self.place.size(f"{folders[0]}/{SUCCESS}") is not None:
            with self.place.open(f"{folders[0]}/manifest.json") as file:
                return Files.found(run_id, folders[0], orjson.loads(file.read()), self.row["up_to_revision"])
        if plan.journal is None:
            remove_folders(self.place, folders)
        return None

    async def tables(self, registry: Registry, files: "Files") -> None:
        """Bring the open tables up to the finished files of the run, where the publication has them."""
        if not self.publication["open_tables"]:
            return
        async with self._scope() as connection:
            await store.note_files(connection, self.row["id"], files.manifest, files.said())
        choice = read_choice(self.publication["datasets"], self.publication["columns"])
        for number, dataset in enumerate(published(registry, choice.datasets)):
            await self._note_table(dataset.name, number, files)
            await self.run.off_loop(self._keep_table, files.run_id, dataset.name, choice.columns.get(dataset.name))

    async def _note_table(self, name: str, number: int, files: "Files") -> None:
        async with self._scope() as connection:
            goes_on = await store.note_progress(
                connection, self.row["id"], f"merging {name}", tables=number, rows=files.rows, size=files.bytes
            )
        if not goes_on:
            self.is_cancelled = True
            raise ExportStopped

    def _keep_table(self, run_id: str, dataset: str, columns: Mapping[str, str] | None) -> None:
        # Its library costs 20 MB and is needed only here.
        from coldshelf.publishing.open_tables import keep_table, view_of  # noqa: PLC0415

        folder = run_folders(Mode(self.row["mode"]), self.client.code, run_id, [dataset])[1]
        keep_table(self.place, folder, view_of(self.scope, columns))

    def _scope(self) -> Any:  # the context manager of Database.scope
        return self.run.database.scope(self.client.id, user_name="publishing")

    def _wait(self, work: Any) -> Any:  # a coroutine and what it gives; called from the thread that writes
        return asyncio.run_coroutine_threadsafe(work, self.loop).result()

    def _begun(self, head: RunHead, up_to: int) -> None:
        journal = self._journal or Journal(head.run_id, head.started_on, head.as_of)
        self._journal = journal if head.is_chunked else None
        self._wait(self._note_begun(head, up_to))

    async def _note_begun(self, head: RunHead, up_to: int) -> None:
        assert self._writing  # noqa: S101  # it has begun
        exchanged = [{"dataset": name, "rows": None, "path": path} for name, path in self._writing.plan.exchanged()]
        async with self._scope() as connection:
            begun = store.RunBegun(
                files=head.run_id,
                as_of=head.as_of,
                up_to=up_to,
                tables=len(self._writing.plan.datasets),
                journal=self._journal_text(),
                exchanged=orjson.dumps(exchanged).decode(),
            )
            await store.note_begun(connection, self.row["id"], begun)

    def _journal_text(self) -> str:
        return _JOURNAL.dump_json(self._journal).decode() if self._journal else "{}"

    def _chunk(self, dataset: str, chunk: Chunk) -> None:
        if self._journal is None:
            return
        known = self._journal.chunks
        self._journal = replace(self._journal, chunks={**known, dataset: (*known.get(dataset, ()), chunk)})
        self._wait(self._note_journal())

    async def _note_journal(self) -> None:
        async with self._scope() as connection:
            await store.note_journal(connection, self.row["id"], self._journal_text())

    def _progress(self, progress: Progress) -> None:
        self._rows[progress.dataset] = progress.rows
        self._bytes += progress.bytes
        if self._pace.is_due() and not self._wait(self._note_progress(progress)):
            self.is_cancelled = True
            assert self._writing  # noqa: S101  # it tells its progress
            self._writing.stop.set()

    async def _note_progress(self, progress: Progress) -> bool:
        async with self._scope() as connection:
            return await store.note_progress(
                connection,
                self.row["id"],
                f"writing {progress.dataset}",
                tables=progress.number - (not progress.finished),
                rows=sum(self._rows.values()),
                size=self._bytes,
            )

    async def _up_to(self) -> int:
        async with self._scope() as connection:
            row = await store.load_run(connection, self.row["id"])
        return int(row["up_to_revision"] or 0) if row else 0


@dataclass(frozen=True, slots=True)
class Files:
    """What a run has written."""

    run_id: str
    manifest: str | None
    tables: list[dict[str, Any]]  # JSON
    up_to: int

    @classmethod
    def of(cls, manifest: RunManifest, up_to: int, *, is_exchange: bool) -> "Files":
        tables = [
            {
                "dataset": table.dataset,
                "rows": table.rows,
                "bytes": table.bytes,
                "path": table.files[0].path if is_exchange else table.folder,
                "maxModifiedOn": table.max_modified_on,
                **({"rowsCopied": table.rows_copied} if table.view else {}),
            }
            for table in manifest.tables
        ]
        path = None if is_exchange else f"{manifest.head.run_folder}/manifest.json"
        return cls(manifest.head.run_id, path, tables, up_to)

    @classmethod
    def found(cls, run_id: str, folder: str, said: dict[str, Any], up_to: int | None) -> "Files":
        """Read them off the manifest of a finished run."""
        tables = [
            {
                "dataset": one["dataset"],
                "rows": one["rows"],
                "path": posixpath.dirname(follow(folder, one["path"])),
            }
            for one in said["tables"]
        ]
        return cls(run_id, f"{folder}/manifest.json", tables, up_to or 0)

    @property
    def rows(self) -> int:
        return sum(table["rows"] for table in self.tables)

    @property
    def bytes(self) -> int:
        return sum(table.get("bytes", 0) for table in self.tables)

    def said(self) -> str:
        return orjson.dumps(self.tables).decode()

    def end(self) -> store.RunEnd:
        return store.RunEnd(
            state="done",
            manifest=self.manifest,
            tables=self.said(),
            rows=self.rows,
            bytes=self.bytes,
        )


async def perform(step: Step, registry: Registry) -> None:
    """Make an attempt at the run that a step names."""
    run: Runtime = step.run
    attempt = await _begin(step)
    if attempt is None:
        return
    try:
        await _finish(attempt, step, registry)
    finally:
        await run.off_loop(attempt.place.close)


async def _finish(attempt: Attempt, step: Step, registry: Registry) -> None:
    """Write the files and say so."""
    run: Runtime = step.run
    try:
        require_all(attempt, registry)
        files = await attempt.files(registry)
        await attempt.tables(registry, files)
    except ExportStopped:
        if not attempt.is_cancelled:
            raise
        async with step.effect() as connection:
            await store.end_run(connection, attempt.row["id"], store.RunEnd(state="cancelled"))
            await start_next(run, connection, attempt.client.id, attempt.publication["id"])
        return
    except Exception as error:
        await _note_error(run, attempt.client.id, attempt.row["id"], error)
        raise
    async with step.effect() as connection:
        if await store.end_run(connection, attempt.row["id"], files.end()):
            if attempt.row["mode"] == Mode.SINCE:
                await store.move_mark(connection, attempt.publication["id"], files.up_to, attempt.scope)
            await tell(run, connection, attempt.client.id, COMPLETED, attempt.row["id"])
        await start_next(run, connection, attempt.client.id, attempt.publication["id"])


def require_all(attempt: Attempt, registry: Registry) -> None:
    """Raise NotAllowed unless the reader may read every dataset of the publication."""
    choice = read_choice(attempt.publication["datasets"], None)
    for dataset in published(registry, choice.datasets):
        require_read(attempt.reader, dataset)


async def _begin(step: Step) -> Attempt | None:
    run: Runtime = step.run
    client_id = step.event.client_id
    async with run.database.scope(client_id, user_name="publishing") as connection:
        row = await store.begin_attempt(connection, step.event.key)
        if row is None:
            return None
        publication = await store.load_publication(connection, row["publication_id"])
        if publication is None:
            return None
    client = await load_client(run, client_id)
    try:
        reader = await reader_of(run, client_id, publication["user_id"])
        place = await run.off_loop(open_named, run.settings, publication["destination"], client.code)
    except ColdshelfError as error:
        await _note_error(run, client_id, row["id"], error)
        raise
    scope = f"{reader.limit.outlets} {' '.join(sorted(reader.limit.hidden))}"
    return Attempt(run, client, dict(row), dict(publication), reader, place, scope=scope)


async def reader_of(run: Runtime, client_id: ClientId, user_id: int | None) -> Principal:
    """Give the one within whose sight the files are written; without a user it is the house."""
    if user_id is None:
        return house(client_id, "publishing")
    try:
        found = await sign_in_again(run, client_id, UserId(user_id), f"user:{user_id}")
    except SignInEnded as error:
        raise ReaderShutOut(error.message) from error
    return replace(found, limit=sight_of(found.limit, PERSONAL))


async def _note_error(run: Runtime, client_id: ClientId, run_id: int, error: Exception) -> None:
    said, cure = f"{type(error).__name__}: {error}", ""
    if isinstance(error, ColdshelfError):
        said, cure = str(error), error.cure
    async with run.database.scope(client_id, user_name="publishing") as connection:
        await store.note_error(connection, run_id, said.replace("\0", "")[:2000], cure)


async def give_up(step: Step, connection: Connection) -> None:
    """End a run that no attempt could finish: it is told, and the next one begins."""
    run: Runtime = step.run
    row = await store.load_run(connection, step.event.key)
    if row is None:
        return
    end = store.RunEnd(state="failed", error=row["error"] or "Every worker that took it died", cure=row["cure"])
    if await store.end_run(connection, row["id"], end):
        await tell(run, connection, step.event.client_id, FAILED, row["id"])
    await start_next(run, connection, step.event.client_id, row["publication_id"])
