"""What the room hands out: modes, runs and the files they wrote."""

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from types import MappingProxyType

from coldshelf.kit.errors import InputInvalid

BULK_DATASETS: Mapping[str, int] = MappingProxyType(
    {"AssetPurity": 3, "AssetPurityProduct": 2, "Location": 2, "Asset": 2, "Product": 2}
)
"""Datasets that are published in bulk, each with its schema version: raised by one whenever columns are added."""

WINDOW = timedelta(days=30)
"""What a delta holds (contract 9.1): a consumer that misses runs for less than this loses nothing."""


class Mode(StrEnum):
    FULL = "full"
    DELTA = "delta"

    @property
    def folder(self) -> str:
        """Name the folder that holds runs of this mode."""
        return self.value.capitalize()


class Compression(StrEnum):
    """Snappy is the only codec that all of the named readers document; zstd is a third smaller."""

    SNAPPY = "snappy"
    ZSTD = "zstd"


ROW_GROUP_ROWS = 65_536
"""Readers skip and share out whole groups; larger ones cost memory, and bytes hardly change."""
MOST_ROW_GROUP_ROWS = 250_000
PART_ROWS = 2_000_000


@dataclass(frozen=True, slots=True)
class Layout:
    """How files are packed and cut."""

    compression: Compression = Compression.SNAPPY
    part_rows: int = PART_ROWS
    row_group_rows: int = ROW_GROUP_ROWS

    def __post_init__(self) -> None:
        if self.part_rows < 1 or not 1 <= self.row_group_rows <= MOST_ROW_GROUP_ROWS:
            raise InputInvalid(
                f"Parts of {self.part_rows} rows in groups of {self.row_group_rows}",
                cure=f"Ask for parts of at least one row, in groups of 1 to {MOST_ROW_GROUP_ROWS:,} rows.",
            )


PLAIN = Layout()


def new_run_id(started_on: datetime) -> str:
    """Make an id that sorts by time and that no other run has."""
    return f"{started_on.astimezone(UTC):%Y%m%dT%H%M%S%f}Z-{secrets.token_hex(4)}"


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a run is: `rows` of `dataset` are written; `number` counts the datasets from 1."""

    dataset: str
    number: int
    datasets: int
    rows: int
    finished: bool


OnProgress = Callable[[Progress], None]


@dataclass(frozen=True, slots=True)
class PublishedFile:
    """One part. The times are None when it has no rows."""

    path: str
    rows: int
    bytes: int
    sha256: str
    min_modified_on: datetime | None
    max_modified_on: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RunHead:
    """What the manifests of a run have in common.

    Every change before `as_of` is in the files; later ones may be. So a delta continues a full export, or an earlier
    delta, when its `window_from` is not after that one's `as_of`: apply it with "newest ModifiedOn per key wins".
    """

    run_id: str
    mode: Mode
    client: str
    started_on: datetime
    as_of: datetime
    window_from: datetime | None

    def table_folder(self, dataset: str) -> str:
        return f"{self.mode.folder}/{self.client}/{dataset}/{self.started_on.astimezone(UTC):%Y-%m-%d}/{self.run_id}"

    @property
    def run_folder(self) -> str:
        return f"{self.mode.folder}/{self.client}/_runs/{self.run_id}"


@dataclass(frozen=True, slots=True, kw_only=True)
class TableManifest:
    """One dataset of a run: its folder below the destination and its parts. `sha256` is that of `_manifest.json`."""

    dataset: str
    schema_version: int
    folder: str
    files: tuple[PublishedFile, ...]
    sha256: str = ""

    @property
    def rows(self) -> int:
        return sum(file.rows for file in self.files)


@dataclass(frozen=True, slots=True)
class RunManifest:
    """A finished run."""

    head: RunHead
    tables: tuple[TableManifest, ...]

    @property
    def rows(self) -> int:
        return sum(table.rows for table in self.tables)
