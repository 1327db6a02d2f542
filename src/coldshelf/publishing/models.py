"""What the room hands out: modes, runs and the files they wrote."""

import re
import secrets
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from types import MappingProxyType

from pydantic import TypeAdapter, ValidationError

from coldshelf.kit.errors import InputInvalid
from coldshelf.publishing.versions import ADDED, version_of
from coldshelf.records.errors import FieldInvalid

BULK_DATASETS: Mapping[str, int] = MappingProxyType({name: version_of(name) for name in ADDED})
"""Datasets that are published in bulk, each with its schema version: see `publishing/versions.py`."""

WINDOW = timedelta(days=30)
"""What a delta holds (contract 9.1): a consumer that misses runs for less than this loses nothing."""


RUNS = "PublicationRun"
"""Dataset of the runs of publications."""
ERASURES = "Erasure"
"""Dataset of the legal erasures."""


class Mode(StrEnum):
    """SINCE: what changed since the run before, by the cursor of revisions."""

    FULL = "full"
    DELTA = "delta"
    SINCE = "since"

    @property
    def folder(self) -> str:
        """Name the folder that holds runs of this mode."""
        return self.value.capitalize()


class FileFormat(StrEnum):
    """What the files are."""

    PARQUET = "parquet"
    CSV = "csv"
    JSON = "json"
    EXCEL = "excel"


class Consistency(StrEnum):
    """SNAPSHOT: all tables as of one moment. CHUNKED: many short transactions, for large sources."""

    SNAPSHOT = "snapshot"
    CHUNKED = "chunked"


class CatchUp(StrEnum):
    """What becomes of slots that were missed."""

    LATEST = "latest"
    ALL = "all"
    NONE = "none"


class Compression(StrEnum):
    """Snappy is the only codec that all of the named readers document; zstd is a third smaller. Text takes gzip."""

    SNAPPY = "snappy"
    ZSTD = "zstd"
    GZIP = "gzip"
    NONE = "none"


ROW_GROUP_ROWS = 65_536
"""Readers skip and share out whole groups; larger ones cost memory, and bytes hardly change."""
MOST_ROW_GROUP_ROWS = 250_000
PART_ROWS = 2_000_000


@dataclass(frozen=True, slots=True)
class Choice:
    """Which datasets and columns: names in the file by dataset and wire name; a dataset without an entry has all."""

    datasets: tuple[str, ...]
    columns: Mapping[str, Mapping[str, str]] = field(default_factory=dict)


def read_choice(datasets: str | None, columns: str | None) -> Choice:
    """Read the comma list and the JSON of a publication; raise FieldInvalid."""
    names = tuple(dict.fromkeys(name.strip() for name in (datasets or "").split(",") if name.strip()))
    try:
        said = _COLUMNS.validate_json(columns or "{}")
    except ValidationError as error:
        raise FieldInvalid('Columns takes JSON such as {"Location": ["LocationId", "Name"]}') from error
    chosen = {
        name: wanted if isinstance(wanted, dict) else dict(zip(wanted, wanted, strict=True))
        for name, wanted in said.items()
    }
    return Choice(names or tuple(BULK_DATASETS), chosen)


_COLUMNS = TypeAdapter(dict[str, list[str] | dict[str, str]])


def check_choice(choice: Choice) -> None:
    """Raise FieldInvalid for a dataset that is not published or a name that no reader takes."""
    for name in (*choice.datasets, *choice.columns):
        if name not in BULK_DATASETS:
            raise FieldInvalid(f"{name} is not published in bulk; choose from {', '.join(BULK_DATASETS)}")
    for name, columns in choice.columns.items():
        for wanted in columns.values():
            if not COLUMN_NAME.fullmatch(wanted):
                raise FieldInvalid(f"Columns.{name}: {wanted!r} is no name for a column; it takes A-Z, a-z, 0-9 and _")
        if len(set(columns.values())) < len(columns):
            raise FieldInvalid(f"Columns.{name} gives two columns the same name")


COLUMN_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*")


MOST_EXCEL_ROWS = 1_048_575


@dataclass(frozen=True, slots=True)
class Layout:
    """How files are packed and cut. Without a compression it is what readers of the format take best."""

    compression: Compression | None = None
    part_rows: int = PART_ROWS
    row_group_rows: int = ROW_GROUP_ROWS
    format: FileFormat = FileFormat.PARQUET

    def __post_init__(self) -> None:
        if self.part_rows < 1 or not 1 <= self.row_group_rows <= MOST_ROW_GROUP_ROWS:
            raise InputInvalid(
                f"Parts of {self.part_rows} rows in groups of {self.row_group_rows}",
                cure=f"Ask for parts of at least one row, in groups of 1 to {MOST_ROW_GROUP_ROWS:,} rows.",
            )
        if self.compression not in _COMPRESSIONS[self.format]:
            known = ", ".join(sorted(item for item in _COMPRESSIONS[self.format] if item))
            raise InputInvalid(f"{self.format} files are not packed with {self.compression}", cure=f"Choose {known}.")

    @property
    def most_rows(self) -> int:
        """Give how many rows one file has at most."""
        return min(self.part_rows, MOST_EXCEL_ROWS) if self.format is FileFormat.EXCEL else self.part_rows


_COMPRESSIONS: Mapping[FileFormat, frozenset[Compression | None]] = {
    FileFormat.PARQUET: frozenset({None, Compression.SNAPPY, Compression.ZSTD, Compression.GZIP, Compression.NONE}),
    FileFormat.CSV: frozenset({None, Compression.GZIP, Compression.NONE}),
    FileFormat.JSON: frozenset({None, Compression.GZIP, Compression.NONE}),
    FileFormat.EXCEL: frozenset({None, Compression.NONE}),
}


PLAIN = Layout()


RUN_ID = re.compile(r"\d{8}T\d{12}Z-[0-9a-f]{8}")


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
    bytes: int = 0


OnProgress = Callable[[Progress], None]


@dataclass(frozen=True, slots=True)
class PublishedFile:
    """One part. The times are None when it has no rows. `day`: all its rows have their ModifiedOn on that day (UTC)."""

    path: str
    rows: int
    bytes: int
    sha256: str
    min_modified_on: datetime | None
    max_modified_on: datetime | None
    day: date | None = None


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
    consistency: Consistency = Consistency.SNAPSHOT

    @property
    def is_chunked(self) -> bool:
        return self.consistency is Consistency.CHUNKED

    def table_folder(self, dataset: str) -> str:
        return run_folders(self.mode, self.client, self.run_id, [dataset])[1]

    @property
    def run_folder(self) -> str:
        return run_folders(self.mode, self.client, self.run_id, [])[0]


def dictionary_folder(mode: Mode, client: str) -> str:
    """Give the folder of the dictionaries that the runs of a mode share."""
    return f"{mode.folder}/{client}/_dictionary"


def run_folders(mode: Mode, client: str, run_id: str, datasets: Iterable[str]) -> list[str]:
    """Give the folders of a run: its own first, then those of its tables; the date is that of its id."""
    day = f"{run_id[:4]}-{run_id[4:6]}-{run_id[6:8]}"
    tables = [f"{mode.folder}/{client}/{dataset}/{day}/{run_id}" for dataset in datasets]
    return [f"{mode.folder}/{client}/_runs/{run_id}", *tables]


@dataclass(frozen=True, slots=True, kw_only=True)
class TableManifest:
    """One dataset of a run: its folder below the destination and its parts. `sha256` is that of `_manifest.json`.

    `key` names the columns that identify a row. Of a table that is cut by day, `view` names what decides the bytes of a
    day besides its rows, `window_from` is the first moment of its first day, and `rows_copied` were not read again.
    """

    dataset: str
    key: tuple[str, ...]
    schema_version: int
    folder: str
    files: tuple[PublishedFile, ...]
    chunks: tuple["Chunk", ...] = ()
    sha256: str = ""
    view: str = ""
    window_from: datetime | None = None
    rows_copied: int = 0

    @property
    def rows(self) -> int:
        return sum(file.rows for file in self.files)

    @property
    def bytes(self) -> int:
        return sum(file.bytes for file in self.files)

    @property
    def max_modified_on(self) -> datetime | None:
        return max((file.max_modified_on for file in self.files if file.max_modified_on), default=None)


@dataclass(frozen=True, slots=True)
class Chunk:
    """A part that a run in chunks has finished: the greatest id that it covers, and its own `as_of`."""

    file: PublishedFile
    up_to_id: int
    as_of: datetime


@dataclass(frozen=True, slots=True)
class DictionaryFile:
    """A file of the dictionary that describes a run's tables. Runs of the same tables share it."""

    path: str
    bytes: int
    sha256: str


@dataclass(frozen=True, slots=True)
class RunManifest:
    """A finished run."""

    head: RunHead
    tables: tuple[TableManifest, ...]
    dictionary: tuple[DictionaryFile, ...] = ()

    @property
    def rows(self) -> int:
        return sum(table.rows for table in self.tables)
