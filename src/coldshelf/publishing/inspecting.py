"""Looks whether the files of a finished run are as its manifests say; changes nothing."""

import hashlib
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime

import pyarrow as pa

from coldshelf.publishing.destination import SUCCESS, Destination, Entry
from coldshelf.publishing.errors import DestinationFailed, ManifestBroken
from coldshelf.publishing.formats.parquet import facts_of
from coldshelf.publishing.formats.parts import file_sha256
from coldshelf.publishing.manifests import (
    DictionarySaid,
    FileSaid,
    RunPlace,
    RunSaid,
    TableEntry,
    TableSaid,
    content_of,
    parse,
)
from coldshelf.publishing.models import Mode

AGAIN = "Do not read this run: take the one before or after it, and publish again."
A_COPY = "Times are those of the destination: of a copy they mean nothing, and there is nothing to cure."


@dataclass(frozen=True, slots=True)
class Flaw:
    """Something wrong with published files: where, what, and the cure. A note is worth a look, but breaks nothing."""

    where: str
    what: str
    cure: str = AGAIN
    is_note: bool = False

    def as_json(self) -> dict[str, object]:
        return asdict(self)


def validate(place: Destination, client: str, mode: Mode, run_id: str) -> list[Flaw]:
    """Compare every file of a run with its manifests; give all that is wrong. Blocking."""
    return _Inspection(RunPlace(place, client, mode, run_id)).found()


@dataclass(slots=True)
class _Inspection:
    run: RunPlace
    flaws: list[Flaw] = field(default_factory=list)

    def found(self) -> list[Flaw]:
        marker = self._marker(self.run.folder)
        if marker is None:
            cure = "Wait for its end, or let `coldshelf repair` remove it when nobody writes it any more."
            self._flaw(f"{self.run.folder}/{SUCCESS}", "is not there: the run is not finished", cure)
        try:
            said = self.run.read()
        except ManifestBroken as error:
            self._broken(self.run.manifest, error)
            return self.flaws
        self._head(self.run.manifest, said)
        rows = [self._table(entry, marker) for entry in said.tables]
        for file in said.dictionary:
            self._dictionary(file)
        self._compare(self.run.manifest, "rows of all tables", said.rows, sum(rows))
        return self.flaws

    def _table(self, entry: TableEntry, run_marker: Entry | None) -> int:
        """Look at a table; give the rows that its parts are said to have."""
        path = entry.path
        try:
            path = self.run.follow(entry.path)
            content = content_of(self.run.destination, path)
            self._compare(path, "sha256", entry.sha256, hashlib.sha256(content).hexdigest())
            said = parse(TableSaid, path, content)
        except ManifestBroken as error:
            self._broken(path, error)
            return 0
        folder = path.rpartition("/")[0]
        self._head(path, said)
        self._compare(path, "dataset", entry.dataset, said.dataset)
        self._compare(path, "rows", entry.rows, said.rows)
        self._compare(path, "rows of its parts", said.rows, sum(file.rows for file in said.files))
        marker = self._marker(folder)
        if marker is None:
            self._flaw(f"{folder}/{SUCCESS}", "is not there, though that of the run is")
        elif run_marker and run_marker.modified_on < marker.modified_on:
            self._note(f"{self.run.folder}/{SUCCESS}", f"is older than {marker.path}")
        self._parts(folder, said, marker)
        return sum(file.rows for file in said.files)

    def _dictionary(self, said: DictionarySaid) -> None:
        path = said.path
        try:
            path = self.run.follow(path)
            content = content_of(self.run.destination, path)
        except ManifestBroken as error:
            self._broken(path, error)
            return
        self._compare(path, "bytes", said.bytes, len(content))
        self._compare(path, "sha256", said.sha256, hashlib.sha256(content).hexdigest())

    def _parts(self, folder: str, said: TableSaid, marker: Entry | None) -> None:
        there = {entry.path.removeprefix(f"{folder}/"): entry for entry in self.run.destination.entries(folder)}
        for file in said.files:
            entry = there.pop(file.path, None)
            if entry is None:
                self._flaw(f"{folder}/{file.path}", "is not there")
                continue
            if marker and not said.erased and marker.modified_on < entry.modified_on:
                self._note(entry.path, f"is younger than {marker.path}")
            self._compare(entry.path, "bytes", file.bytes, entry.bytes)
            self._content(entry.path, file)
        for name in sorted(there.keys() - {SUCCESS, "_manifest.json"}):
            self._note(f"{folder}/{name}", "stands in no manifest", "`coldshelf repair` removes what is left over.")

    def _content(self, path: str, said: FileSaid) -> None:
        try:
            with self.run.destination.open(path) as file:
                self._compare(path, "sha256", said.sha256, file_sha256(file))
                if not path.endswith(".parquet"):
                    return
                rows, first, last = facts_of(file)
        except (DestinationFailed, OSError, pa.ArrowException) as error:
            self._flaw(path, f"cannot be read: {error}")
            return
        self._compare(path, "rows", said.rows, rows)
        self._compare(path, "least ModifiedOn", said.min_modified_on, first)
        self._compare(path, "greatest ModifiedOn", said.max_modified_on, last)
        if said.day and {moment.astimezone(UTC).date() for moment in (first, last) if moment} - {said.day}:
            self._flaw(path, f"holds other days than {said.day}")

    def _head(self, path: str, said: RunSaid | TableSaid) -> None:
        self._compare(path, "runId", self.run.run_id, said.run_id)
        self._compare(path, "mode", self.run.mode.value, said.mode.value)
        self._compare(path, "client", self.run.client, said.client)

    def _marker(self, folder: str) -> Entry | None:
        path = f"{folder}/{SUCCESS}"
        return next((entry for entry in self.run.destination.entries(folder) if entry.path == path), None)

    def _compare(
        self, path: str, what: str, said: int | str | datetime | None, seen: int | str | datetime | None
    ) -> None:
        if said != seen:
            self._flaw(path, f"{what}: the manifest says {said}, it is {seen}")

    def _broken(self, path: str, error: ManifestBroken) -> None:
        self._flaw(path, error.message.removeprefix(path).lstrip(": "), error.cure)

    def _flaw(self, where: str, what: str, cure: str = AGAIN) -> None:
        self.flaws.append(Flaw(where, what, cure))

    def _note(self, where: str, what: str, cure: str = A_COPY) -> None:
        self.flaws.append(Flaw(where, what, cure, is_note=True))
