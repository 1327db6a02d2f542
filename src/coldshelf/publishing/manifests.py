"""Manifests read back: what a finished run says of itself (contract 9.2)."""

import posixpath
from dataclasses import dataclass
from datetime import date, datetime
from typing import TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic.alias_generators import to_camel

from coldshelf.publishing.destination import SUCCESS, Destination
from coldshelf.publishing.errors import DestinationFailed, ManifestBroken
from coldshelf.publishing.models import Mode, run_folders


class _Said(BaseModel):
    model_config = ConfigDict(alias_generator=to_camel, frozen=True)


class FileSaid(_Said):
    path: str
    rows: int
    bytes: int
    sha256: str
    min_modified_on: datetime | None
    max_modified_on: datetime | None
    day: date | None = None


class TableSaid(_Said):
    """`_manifest.json`. `key` is empty where columns were left out that identify a row, and in old manifests.

    `view` is that of a table that is cut by day. `erased`: parts were written anew without records that were erased.
    """

    run_id: str
    mode: Mode
    client: str
    dataset: str
    as_of: datetime
    window_from: datetime | None
    rows: int
    files: tuple[FileSaid, ...]
    key: tuple[str, ...] = ()
    view: str = ""
    erased: bool = False


class TableEntry(_Said):
    """A table in the run's manifest; `path` leads from the folder of the run to the manifest of the table."""

    dataset: str
    path: str
    rows: int
    sha256: str


class DictionarySaid(_Said):
    """A file of the dictionary; `path` leads from the folder of the run."""

    path: str
    bytes: int
    sha256: str


class RunSaid(_Said):
    """`manifest.json` of a run. Old ones name no dictionary."""

    run_id: str
    mode: Mode
    client: str
    as_of: datetime
    window_from: datetime | None
    rows: int
    tables: tuple[TableEntry, ...]
    dictionary: tuple[DictionarySaid, ...] = ()


AnySaid = TypeVar("AnySaid", TableSaid, RunSaid)


@dataclass(frozen=True, slots=True)
class RunPlace:
    """Where a run lies."""

    destination: Destination
    client: str
    mode: Mode
    run_id: str

    @property
    def folder(self) -> str:
        return run_folders(self.mode, self.client, self.run_id, [])[0]

    @property
    def manifest(self) -> str:
        return f"{self.folder}/manifest.json"

    @property
    def is_finished(self) -> bool:
        return self.destination.size(f"{self.folder}/{SUCCESS}") is not None

    def read(self) -> RunSaid:
        """Read what the run says; raise ManifestBroken."""
        return parse(RunSaid, self.manifest, content_of(self.destination, self.manifest))

    def follow(self, path: str) -> str:
        """Give where a path of the run's manifest leads; raise ManifestBroken where that is not this client's."""
        return follow(self.folder, path)


def follow(run_folder: str, path: str) -> str:
    """Follow a path of a run's manifest; raise ManifestBroken where it leaves the folder of the client."""
    found = posixpath.normpath(posixpath.join(run_folder, path))
    if posixpath.commonpath([found, run_folder]) != posixpath.dirname(posixpath.dirname(run_folder)):
        raise ManifestBroken(f"{run_folder}/manifest.json leads to {path}, which is not among this client's files")
    return found


def content_of(place: Destination, path: str) -> bytes:
    """Read a small file; raise ManifestBroken."""
    try:
        if place.size(path) is not None:
            with place.open(path) as file:
                return file.read()
    except DestinationFailed as error:
        raise ManifestBroken(f"{path} cannot be read: {error.message}") from error
    raise ManifestBroken(f"{path} is not there")


def parse(kind: type[AnySaid], path: str, content: bytes) -> AnySaid:
    """Read a manifest; raise ManifestBroken."""
    try:
        return kind.model_validate_json(content)
    except ValidationError as error:
        wrong = "; ".join(f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors()[:3])
        raise ManifestBroken(f"{path}: {wrong}") from error
