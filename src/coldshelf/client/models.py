"""What the client takes and gives."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, TypedDict
from uuid import UUID

Record = dict[str, Any]  # a record as JSON gives it
Filters = Mapping[str, object]
"""A value for each field, or `{"operator": …, "value": …}`, or a list of such (docs/paging.md)."""

Moment = datetime | str
"""A time: aware, or UTC; or a mark as the client gave it."""


class ListOptions(TypedDict, total=False):
    """How a list is narrowed and ordered, beside its filters."""

    modified_since: Moment | None
    sort: str
    descending: bool
    fields: Sequence[str]
    with_deleted: bool
    page_size: int


class UploadOptions(TypedDict, total=False):
    """Which cooler, and what is to be done with the pictures (docs/upload.md)."""

    urls: Sequence[str]
    serial_number: str
    store_number: str
    imei: str
    scene: str
    source: int | None
    stitch: bool | None
    grid_order: Sequence[int]
    before_after: int
    verify_size: bool
    callback_url: str


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a list. `as_of`: until when it is complete, where time is filtered; `cursor`: where it ended."""

    records: list[Record]
    total: int
    as_of: str | None
    cursor: str | None
    warnings: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Saved:
    """A record after a save, load or delete."""

    id: int
    record: Record
    warnings: tuple[str, ...]
    replayed: bool


@dataclass(frozen=True, slots=True)
class Uploaded:
    """What became of one file, or of one combined picture. `repeated`: these bytes were answered before."""

    success: bool
    info: str
    guid: UUID | None
    asset_purity_id: int | None
    repeated: bool


Uploads = list[Uploaded]


@dataclass(frozen=True, slots=True)
class Exported:
    """A file that was written. `truncated`: there were more records than one file takes."""

    path: Path
    total: int | None
    truncated: bool


@dataclass(frozen=True, slots=True)
class BadCell:
    """What is wrong in a file: the row of the spreadsheet (1 is the heading, 0 the file), the column, the value."""

    row: int
    column: str
    value: str
    message: str
    rule: str
    cure: str


@dataclass(frozen=True, slots=True)
class ImportReport:
    """What an import did, or would do when it is only checked."""

    success: bool
    import_id: str
    state: str
    total_rows: int
    inserted: int
    updated: int
    error_count: int
    errors: tuple[BadCell, ...]
    warnings: tuple[str, ...]
