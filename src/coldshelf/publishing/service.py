"""Publishes datasets of a client as column files: one run is one snapshot of the database, and appears whole."""

import asyncio
import hashlib
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path

from coldshelf.access.models import Client
from coldshelf.kit.logs import get_logger
from coldshelf.kit.runtime import Runtime
from coldshelf.publishing.destination import Destination
from coldshelf.publishing.destinations import open_destination
from coldshelf.publishing.errors import ClientNotPublished, DatasetNotPublished, DestinationFailed, ExportStopped
from coldshelf.publishing.formats.columns import file_schema
from coldshelf.publishing.formats.parquet import write_parts
from coldshelf.publishing.formats.snapshot import Snapshot, open_snapshot
from coldshelf.publishing.models import (
    BULK_DATASETS,
    PLAIN,
    WINDOW,
    Layout,
    Mode,
    OnProgress,
    Progress,
    RunHead,
    RunManifest,
    TableManifest,
    new_run_id,
)
from coldshelf.publishing.schemas import run_manifest_json, table_manifest_json
from coldshelf.records.dataset import Dataset
from coldshelf.records.registry import Registry

log = get_logger("publishing")


async def export(
    run: Runtime,
    registry: Registry,
    *,
    url: str,
    client: Client,
    mode: Mode,
    destination: str | Path | Destination,
    datasets: Sequence[str] = tuple(BULK_DATASETS),
    layout: Layout = PLAIN,
    on_progress: OnProgress | None = None,
) -> RunManifest:
    """Write datasets of a client to a folder or another destination; return the manifest of the run.

    `url` is that of the database; `on_progress` is called from the thread that writes. Nothing is marked as finished
    before everything is written and compared. A run that fails removes what it wrote; one that is killed leaves
    folders without `_SUCCESS`, which no later run touches.
    """
    if not client.code:
        raise ClientNotPublished(f"{client.name} has no code to publish under")
    export = _Export(
        url=url,
        client=client,
        mode=mode,
        datasets=_published(registry, datasets),
        destination=open_destination(destination) if isinstance(destination, (str, Path)) else destination,
        layout=layout,
        on_progress=on_progress,
        started_on=run.clock.now(),
    )
    working = asyncio.ensure_future(run.off_loop(export.run))
    try:
        return await asyncio.shield(working)
    except asyncio.CancelledError:
        export.cancel()
        await asyncio.gather(working, return_exceptions=True)
        raise


def _published(registry: Registry, names: Sequence[str]) -> tuple[Dataset, ...]:
    for name in names:
        if name not in BULK_DATASETS or name not in registry.datasets:
            raise DatasetNotPublished(
                f"{name} is not published in bulk", cure=f"Choose from {', '.join(BULK_DATASETS)}"
            )
    return tuple(registry.datasets[name] for name in dict.fromkeys(names))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Export:
    """One run, in a thread. `begun` are the folders that a failure removes, `reading` is what a stop cancels."""

    url: str
    client: Client
    mode: Mode
    datasets: tuple[Dataset, ...]
    destination: Destination
    layout: Layout
    on_progress: OnProgress | None
    started_on: datetime
    stop: threading.Event = field(default_factory=threading.Event)
    begun: list[str] = field(default_factory=list)
    reading: list[Snapshot] = field(default_factory=list)

    def run(self) -> RunManifest:
        try:
            with open_snapshot(self.url, self.client.id) as snapshot:
                self.reading.append(snapshot)
                head = self._head(snapshot.as_of)
                tables = [self._write_table(head, snapshot, number) for number in range(len(self.datasets))]
                self.reading.clear()
            manifest = self._finish(head, tables)
        except BaseException:
            self._remove()
            raise
        log.info("export finished", run=head.run_id, client=head.client, mode=head.mode.value, rows=manifest.rows)
        return manifest

    def cancel(self) -> None:
        """Stop as soon as possible; from any thread."""
        self.stop.set()
        for snapshot in self.reading:
            snapshot.cancel()

    def _head(self, as_of: datetime) -> RunHead:
        # The database's clock counts where it is behind: ModifiedOn is its time.
        window_from = min(self.started_on, as_of) - WINDOW if self.mode is Mode.DELTA else None
        return RunHead(
            run_id=new_run_id(self.started_on),
            mode=self.mode,
            client=self.client.code,
            started_on=self.started_on,
            as_of=as_of,
            window_from=window_from,
        )

    def _write_table(self, head: RunHead, snapshot: Snapshot, number: int) -> TableManifest:
        dataset = self.datasets[number]
        folder = head.table_folder(dataset.name)
        written = 0

        def count(rows: int) -> None:
            nonlocal written
            written += rows
            self._report(number, written)

        self._begin(folder)
        with snapshot.batches(dataset, head.window_from) as batches:
            files = write_parts(
                batches,
                file_schema(dataset),
                self.layout,
                open_part=lambda name: self.destination.part(f"{folder}/{name}"),
                read_back=lambda name: self.destination.open(f"{folder}/{name}"),
                on_rows=count,
            )
            table = TableManifest(
                dataset=dataset.name,
                schema_version=BULK_DATASETS[dataset.name],
                folder=folder,
                files=tuple(files),
            )
        self._report(number, table.rows, finished=True)
        return table

    def _finish(self, head: RunHead, tables: list[TableManifest]) -> RunManifest:
        """Write the manifests, then the markers; that of the run comes last."""
        described = []
        for table in tables:
            content = table_manifest_json(head, table)
            self._put(f"{table.folder}/_manifest.json", content)
            described.append(replace(table, sha256=hashlib.sha256(content).hexdigest()))
        manifest = RunManifest(head, tuple(described))
        self._begin(head.run_folder)
        self._put(f"{head.run_folder}/manifest.json", run_manifest_json(manifest))
        for folder in (*(table.folder for table in tables), head.run_folder):
            self.destination.finish(folder)
            self.begun.remove(folder)
        return manifest

    def _go_on(self) -> None:
        if self.stop.is_set():
            raise ExportStopped

    def _begin(self, folder: str) -> None:
        self._go_on()
        self.destination.begin(folder)
        self.begun.append(folder)

    def _put(self, path: str, content: bytes) -> None:
        part = self.destination.part(path)
        try:
            part.write(content)
        except BaseException:
            part.discard()
            raise
        part.commit()

    def _report(self, number: int, rows: int, *, finished: bool = False) -> None:
        self._go_on()
        if self.on_progress:
            self.on_progress(Progress(self.datasets[number].name, number + 1, len(self.datasets), rows, finished))

    def _remove(self) -> None:
        for folder in self.begun:
            try:
                self.destination.remove(folder)
            except DestinationFailed as error:
                log.warning("unfinished folder stays", folder=folder, error=str(error))
