"""Writes one run, in a thread: tables, then manifests, then markers. What is not finished is removed."""

import hashlib
import itertools
import threading
from collections.abc import Callable, Collection, Iterator
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Protocol

import pyarrow as pa

from coldshelf.kit.logs import get_logger
from coldshelf.publishing.destination import Destination
from coldshelf.publishing.dictionary import dictionary_files
from coldshelf.publishing.errors import (
    AlreadyPublished,
    DestinationFailed,
    ExportStopped,
    NameTaken,
    PartDiffers,
    TooManyRows,
)
from coldshelf.publishing.formats.columns import file_schema
from coldshelf.publishing.formats.known import FORMATS
from coldshelf.publishing.formats.parts import write_parts
from coldshelf.publishing.models import (
    BULK_DATASETS,
    Chunk,
    DictionaryFile,
    OnProgress,
    Progress,
    PublishedFile,
    RunHead,
    RunManifest,
    TableManifest,
    dictionary_folder,
    new_run_id,
)
from coldshelf.publishing.plan import Plan
from coldshelf.publishing.schemas import file_key, run_manifest_json, table_manifest_json
from coldshelf.publishing.settled import (
    Counts,
    begin_of,
    copy_day,
    day_window,
    is_cut_by_day,
    plan_days,
    settled_days,
    view_of,
)
from coldshelf.records.bulk import Window
from coldshelf.records.dataset import Dataset

log = get_logger("publishing")

Batches = Iterator[pa.RecordBatch]


class Source(Counts, Protocol):
    """Where rows are read. Every change before `as_of` is in it; revisions below `fence` are certain."""

    as_of: datetime
    fence: int

    def batches(self, dataset: Dataset, window: Window) -> AbstractContextManager[Batches]:
        """Read rows, checked and in the declared types, in order of the key."""
        ...

    def chunks(self, dataset: Dataset, window: Window, after_id: int) -> Iterator[tuple[Batches, int, datetime]]:
        """Read rows in short transactions: the rows of each, the greatest id that it covers, and its own `as_of`."""
        ...

    def cancel(self) -> None: ...


OnBegun = Callable[[RunHead, int], None]
"""Takes the head of a run and the greatest revision that it holds, before anything is written."""
OnChunk = Callable[[str, Chunk], None]
"""Takes the dataset and what was finished of it."""


def nothing(*_: object) -> None:
    """Note nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Writing:
    """One run. `begun` are the folders that a failure removes, `reading` is what a stop cancels."""

    plan: Plan
    destination: Destination
    open_source: Callable[[], AbstractContextManager[Source]]
    on_progress: OnProgress | None = None
    on_begun: OnBegun = nothing
    on_chunk: OnChunk = nothing
    stop: threading.Event = field(default_factory=threading.Event)
    begun: list[str] = field(default_factory=list)
    reading: list[Source] = field(default_factory=list)

    def run(self) -> RunManifest:
        """Write everything; blocking."""
        try:
            with self.open_source() as source:
                self.reading.append(source)
                head = self._head(source)
                window = self.plan.window(head.as_of, source.fence)
                self._require_free()
                self.on_begun(head, window.revisions[1] if window.revisions else source.fence - 1)
                tables = [self._write_table(head, source, window, number) for number in range(len(self.plan.datasets))]
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
        for source in self.reading:
            source.cancel()

    def _head(self, source: Source) -> RunHead:
        plan, journal = self.plan, self.plan.journal
        as_of = journal.as_of if journal else source.as_of
        return RunHead(
            run_id=journal.run_id if journal else new_run_id(plan.started_on),
            mode=plan.mode,
            client=plan.client.code,
            started_on=journal.started_on if journal else plan.started_on,
            as_of=as_of,
            window_from=plan.window_from(as_of),
            consistency=plan.consistency,
        )

    def _require_free(self) -> None:
        """Raise NameTaken for a file of another batch that a batch would take for its own when it is tried again."""
        if self.plan.names and not self.plan.names.is_again:
            for _, path in self.plan.exchanged():
                if self.destination.size(path) is not None:
                    raise NameTaken(f"{path} is there already, from another batch")

    def _write_table(self, head: RunHead, source: Source, window: Window, number: int) -> TableManifest:
        dataset = self.plan.datasets[number]
        folder = head.table_folder(dataset.name)
        table = TableManifest(
            dataset=dataset.name,
            key=file_key(dataset),
            schema_version=BULK_DATASETS[dataset.name],
            folder=folder,
            files=(),
        )
        if self.plan.names:
            files = self._one_file(source, window, number)
        elif head.is_chunked:
            chunks = tuple(self._chunks(head, source, window, number))
            files, table = tuple(chunk.file for chunk in chunks), replace(table, chunks=chunks)
        elif is_cut_by_day(self.plan, dataset):
            self._begin(folder)
            table = self._by_day(table, source, window, number)
            files = table.files
        else:
            self._begin(folder)
            with source.batches(dataset, window) as batches:
                files = tuple(self._parts(batches, number, _numbered(folder)))
        table = replace(table, files=files)
        self._report(number, table.rows, table.bytes, finished=True)
        return table

    def _parts(
        self, batches: Batches, number: int, name: Callable[[int], str], *, before: int = 0
    ) -> Iterator[PublishedFile]:
        """Write parts under paths without a suffix; `before` rows are there already."""
        layout, written = self.plan.layout, before
        form = FORMATS[layout.format]

        def count(rows: int) -> None:
            nonlocal written
            written += rows
            self._report(number, written)

        yield from write_parts(
            batches,
            file_schema(self.plan.datasets[number]),
            layout,
            form,
            name_part=lambda part: name(part) + form.suffix(layout),
            open_part=self.destination.part,
            read_back=self.destination.open,
            on_rows=count,
        )

    def _one_file(self, source: Source, window: Window, number: int) -> tuple[PublishedFile, ...]:
        """Write a dataset as one file, unless an earlier attempt at this batch has."""
        names, dataset, layout = self.plan.names, self.plan.datasets[number], self.plan.layout
        assert names  # noqa: S101  # asked by the caller
        suffix = FORMATS[layout.format].suffix(layout)
        path = names.path(self.plan.client.code, dataset.name, suffix)
        if names.is_again and (size := self.destination.size(path)) is not None:
            return (PublishedFile(path, 0, size, "", None, None),)
        try:
            with source.batches(dataset, window) as batches:
                return tuple(self._parts(batches, number, _alone(path.removesuffix(suffix), dataset.name)))
        except PartDiffers:  # else the next attempt would take it for whole
            self.destination.remove(path)
            raise

    def _by_day(self, table: TableManifest, source: Source, window: Window, number: int) -> TableManifest:
        """Write each day as files of its own; those that can change no more are copied from the run before."""
        dataset, place = self.plan.datasets[number], self.destination
        first = window.since.astimezone(UTC).date() if window.since else None
        view = view_of(self.plan, dataset, table.schema_version)
        settled = settled_days(place, self.plan, dataset, view=view, fence=source.fence, first=first)
        days = plan_days(source, dataset, first, settled)
        names = (f"{table.folder}/part-{part:05d}" for part in itertools.count())
        table = replace(table, view=view, window_from=begin_of(first) if first else None)
        for day in days:
            copied = copy_day(place, days.copied.get(day, ()), names)
            written = copied or self._read_days(source, day_window(day), number, names, before=table.rows)
            files = (*table.files, *(replace(file, day=day) for file in written))
            table = replace(table, files=files, rows_copied=table.rows_copied + sum(file.rows for file in copied))
            self._report(number, table.rows)
        return table if table.files else replace(table, files=self._read_days(source, window, number, names))

    def _read_days(
        self, source: Source, window: Window, number: int, names: Iterator[str], *, before: int = 0
    ) -> tuple[PublishedFile, ...]:
        with source.batches(self.plan.datasets[number], window) as batches:
            return tuple(self._parts(batches, number, lambda _: next(names), before=before))

    def _chunks(self, head: RunHead, source: Source, window: Window, number: int) -> Iterator[Chunk]:
        """Write a part of each chunk, behind those of a broken attempt."""
        dataset = self.plan.datasets[number]
        folder, journal = head.table_folder(dataset.name), self.plan.journal
        done = journal.chunks.get(dataset.name, ()) if journal else ()
        self._go_on()
        self._take(folder, {chunk.file.path for chunk in done})
        yield from done
        rows, part = sum(chunk.file.rows for chunk in done), len(done)
        for batches, up_to_id, as_of in source.chunks(dataset, window, done[-1].up_to_id if done else 0):
            for file in self._parts(batches, number, _numbered(folder, part), before=rows):
                chunk = Chunk(file, up_to_id, as_of)
                self.on_chunk(dataset.name, chunk)
                rows, part = rows + file.rows, part + 1
                yield chunk

    def _take(self, folder: str, done: Collection[str]) -> None:
        """Take a folder that a failure leaves where it is, with what is done in it: the next attempt goes on there."""
        if self.plan.journal:
            self._clear(folder, done)
        if not done:
            self.destination.begin(folder)

    def _clear(self, folder: str, done: Collection[str] = ()) -> None:
        """Remove what a broken attempt left in a folder of this run, but for what it had noted as done."""
        if not done:
            with suppress(DestinationFailed):  # it was not begun; if it cannot be removed, `begin` says so
                self.destination.remove(folder)
            return
        for entry in list(self.destination.entries(folder)):
            if entry.path not in done:
                self.destination.remove(entry.path)

    def _finish(self, head: RunHead, tables: list[TableManifest]) -> RunManifest:
        """Write the manifests, then the markers; that of the run comes last. Exchanged files have none."""
        if self.plan.names:
            return RunManifest(head, tuple(tables))
        if self.plan.journal:
            self._clear(head.run_folder)
        described = []
        for table in tables:
            content = table_manifest_json(head, table)
            self._put(f"{table.folder}/_manifest.json", content)
            described.append(replace(table, sha256=hashlib.sha256(content).hexdigest()))
        manifest = RunManifest(head, tuple(described), tuple(self._dictionary(head)))
        self._begin(head.run_folder)
        self._put(f"{head.run_folder}/manifest.json", run_manifest_json(manifest))
        for folder in (*(table.folder for table in tables), head.run_folder):
            self.destination.finish(folder)
            if folder in self.begun:
                self.begun.remove(folder)
        return manifest

    def _dictionary(self, head: RunHead) -> Iterator[DictionaryFile]:
        """Describe the tables, unless an earlier run of the same ones has: the files are named by what they hold."""
        for name, content in dictionary_files(self.plan.datasets).items():
            sha256 = hashlib.sha256(content).hexdigest()
            path = f"{dictionary_folder(head.mode, head.client)}/{name.replace('.', f'-{sha256[:16]}.')}"
            if self.destination.size(path) is None:
                with suppress(AlreadyPublished):  # by another run, a moment ago
                    self._put(path, content)
            yield DictionaryFile(path, len(content), sha256)

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

    def _report(self, number: int, rows: int, size: int = 0, *, finished: bool = False) -> None:
        self._go_on()
        if self.on_progress:
            names = self.plan.datasets
            self.on_progress(Progress(names[number].name, number + 1, len(names), rows, finished, size))

    def _remove(self) -> None:
        for folder in self.begun:
            try:
                self.destination.remove(folder)
            except DestinationFailed as error:
                log.warning("unfinished folder stays", folder=folder, error=str(error))


def _alone(stem: str, dataset: str) -> Callable[[int], str]:
    """Name the one file of an exchanged dataset; of several, a broken attempt could leave the later ones out."""

    def name(part: int) -> str:
        if part:
            raise TooManyRows(f"{dataset} has more rows than one file of this format holds")
        return stem

    return name


def _numbered(folder: str, first: int = 0) -> Callable[[int], str]:
    return lambda part: f"{folder}/part-{first + part:05d}"
