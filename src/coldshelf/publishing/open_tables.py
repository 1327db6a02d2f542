"""Keeps a Delta Lake table of each dataset at the destination of its runs: current state, without deleted rows.

Every table remembers in its log (a `txn` action) until when it is complete. So a run is applied once however often it
is tried, a run that is older than the table changes nothing, and a delta that does not reach back to it is refused.

Local times are text here (ISO 8601): the type for them would shut out readers of the widest version of the protocol.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from deltalake import CommitProperties, DeltaTable, Transaction, WriterProperties
from deltalake import write_deltalake as write_table
from deltalake.exceptions import DeltaError

from coldshelf.kit.logs import get_logger
from coldshelf.publishing.destination import Destination, HoldsTables, TablePlace
from coldshelf.publishing.errors import TableBehind, TableFailed, TablesRefused, TableTaken
from coldshelf.publishing.formats.columns import EPOCH, MICROSECOND, MODIFIED_ON
from coldshelf.publishing.models import MOST_ROW_GROUP_ROWS, ROW_GROUP_ROWS, Mode

log = get_logger("publishing")

DELETED = "IsDeleted"
PRESENT = pa.scalar(0, pa.int32())
LOCAL_TIME = pa.timestamp("us")
KEPT = timedelta(days=35)
"""How long a reader may go on with an earlier version, as with published files (KeepDays)."""
MOST_FILES = 24
"""From so many files on a table is put together anew, which readers feel."""
TIDY_EACH = 20
"""After so many commits, files that no version needs any longer are removed."""
SETTINGS: Mapping[str, str | None] = {
    "delta.logRetentionDuration": f"interval {KEPT.days} days",
    "delta.deletedFileRetentionDuration": f"interval {KEPT.days} days",
}
WRITER = WriterProperties(compression="SNAPPY", max_row_group_size=MOST_ROW_GROUP_ROWS)


@dataclass(frozen=True, slots=True, kw_only=True)
class TableRun:
    """A dataset of a finished run, as its manifest tells. `view` names rows and columns: a table has one for life."""

    dataset: str
    client: str
    run_id: str
    mode: Mode
    as_of: datetime
    window_from: datetime | None
    key: tuple[str, ...]
    parts: tuple[str, ...]
    view: str = ""

    @property
    def path(self) -> str:
        return f"Tables/{self.client}/{self.dataset}"

    @property
    def author(self) -> str:
        return f"coldshelf/{self.view}"

    @property
    def version(self) -> int:
        return (self.as_of - EPOCH) // MICROSECOND

    def commit(self) -> CommitProperties:
        return CommitProperties(
            custom_metadata={"runId": self.run_id, "asOf": f"{self.as_of:%Y-%m-%dT%H:%M:%S.%fZ}"},
            app_transactions=[Transaction(self.author, self.version)],
        )


def view_of(*what: object) -> str:
    """Name what decides which rows and columns a table has."""
    return hashlib.sha256(repr(what).encode()).hexdigest()[:16]


def keep_table(place: Destination, folder: str, view: str) -> bool:
    """Bring the table of a finished table folder up to its run; False when nothing was to be done.

    Blocking. The rows of a run stream, but a merge joins them in memory, which grows with the table. Raises
    TablesRefused, TableBehind, TableTaken or TableFailed; the table is then as it was, because a commit is seen whole
    or not at all.
    """
    if not isinstance(place, HoldsTables):
        raise TablesRefused(
            "Open tables cannot be kept at this destination",
            cure="Choose a folder, Azure Blob or S3 as Destination, or send OpenTables=false.",
        )
    run = read_run(place, folder, view)
    where = place.table(run.path)
    try:
        return _bring_up(place, run, where)
    except (DeltaError, OSError) as error:
        raise TableFailed(f"{run.path}: {_reason(error, where)}") from None


def read_run(place: Destination, folder: str, view: str) -> TableRun:
    """Read the manifest of a table folder."""
    with place.open(f"{folder}/_manifest.json") as file:
        said: dict[str, Any] = json.loads(file.read())  # JSON
    return TableRun(
        dataset=said["dataset"],
        client=said["client"],
        run_id=said["runId"],
        mode=Mode(said["mode"]),
        as_of=_time(said["asOf"]),
        window_from=_time(said["windowFrom"]) if said["windowFrom"] else None,
        key=tuple(said["key"]),
        parts=tuple(f"{folder}/{file['path']}" for file in said["files"]),
        view=view,
    )


def _bring_up(place: Destination, run: TableRun, where: TablePlace) -> bool:
    options = dict(where.options)
    known = DeltaTable(where.uri, storage_options=options) if DeltaTable.is_deltatable(where.uri, options) else None
    done = _complete_until(known, run) if known else None
    if done is not None and run.as_of <= done:
        return False
    rows = _rows(place, run)
    if run.mode is Mode.FULL:
        write_table(
            where.uri if known is None else known,
            _present(rows),
            mode="overwrite",
            schema_mode=None if known is None else "overwrite",
            name=run.dataset,
            configuration=dict(SETTINGS) if known is None else None,
            storage_options=options,
            writer_properties=WRITER,
            commit_properties=run.commit(),
        )
    else:
        if known is None or done is None or run.window_from is None or run.window_from > done:
            raise TableBehind(
                f"{run.path} is {'not there' if done is None else f'as of {done:%Y-%m-%d %H:%M}'}; run {run.run_id}"
                f" holds what changed since {run.window_from or run.as_of:%Y-%m-%d %H:%M}"
            )
        _merge(known, rows, run)
    log.info("open table is up to date", table=run.path, run=run.run_id)
    _tidy(DeltaTable(where.uri, storage_options=options), run)
    return True


def _complete_until(table: DeltaTable, run: TableRun) -> datetime:
    version = table.transaction_version(run.author)
    if version is None:
        raise TableTaken(f"{run.path} is kept by a publication with other rows or columns")
    return EPOCH + version * MICROSECOND


def _merge(table: DeltaTable, rows: pa.RecordBatchReader, run: TableRun) -> None:
    """Apply changes. Rows that are there already stay untouched, unless columns are new: those get their values."""
    has_new = bool(set(rows.schema.names) - {field.name for field in table.schema().fields})
    newer = f's."{MODIFIED_ON}" {">=" if has_new else ">"} t."{MODIFIED_ON}"'
    merging = table.merge(
        rows,
        " AND ".join(f't."{name}" = s."{name}"' for name in run.key),
        source_alias="s",
        target_alias="t",
        merge_schema=has_new,
        writer_properties=WRITER,
        commit_properties=run.commit(),
    )
    (
        merging.when_matched_delete(f's."{DELETED}" = 1 AND s."{MODIFIED_ON}" >= t."{MODIFIED_ON}"')
        .when_matched_update_all(f's."{DELETED}" = 0 AND {newer}')
        .when_not_matched_insert_all(f's."{DELETED}" = 0')
        .execute()
    )


def _tidy(table: DeltaTable, run: TableRun) -> None:
    """Put small files together, and remove old ones, now and then; the table is right without."""
    said = CommitProperties(custom_metadata={"runId": run.run_id})
    try:
        if len(table.file_uris()) > MOST_FILES:
            table.optimize.compact(writer_properties=WRITER, commit_properties=said)
        if table.version() % TIDY_EACH == 0:
            hours = int(KEPT / timedelta(hours=1))
            table.vacuum(hours, dry_run=False, full=True, commit_properties=said)
            table.create_checkpoint()
    except (DeltaError, OSError) as error:
        log.warning("open table was not tidied", table=run.path, error=type(error).__name__)


@dataclass(frozen=True, slots=True)
class Going:
    """What an erasure takes out of a table: rows, and the names of users in columns, both as conditions in SQL."""

    rows: str = ""
    names: Mapping[str, str] = field(default_factory=dict)


def clean_table(place: Destination, client: str, dataset: str, going: Going, *, change: bool) -> str | None:
    """Take erased records out of an open table and end its earlier versions; give its path, None where there is none.

    Blocking. Raises TableFailed; the next attempt does what was not done. Without `change` it is only looked for.
    """
    path = f"Tables/{client}/{dataset}"
    where = place.table(path) if isinstance(place, HoldsTables) else None
    options = dict(where.options) if where else {}
    try:
        if where is None or not DeltaTable.is_deltatable(where.uri, options):
            return None
        if change:
            _clean(DeltaTable(where.uri, storage_options=options), going)
    except (DeltaError, OSError) as error:
        raise TableFailed(f"{path}: {_reason(error, where) if where else error}") from None
    return path


def _clean(table: DeltaTable, going: Going) -> None:
    names = {item.name for item in table.schema().fields}
    if going.rows:
        table.delete(going.rows, writer_properties=WRITER)
    for name, condition in going.names.items():
        if name in names:
            table.update({name: "NULL"}, predicate=condition, writer_properties=WRITER)
    # Files of earlier versions go whatever their age; what no version names only when nobody can be writing it.
    table.vacuum(0, dry_run=False, enforce_retention_duration=False)
    table.vacuum(int(KEPT / timedelta(hours=1)), dry_run=False, full=True)
    # The log tells the least and greatest values of files that are gone, so it is cut as well.
    table.alter.set_table_properties(dict.fromkeys(SETTINGS, "interval 0 days"))
    table.create_checkpoint()
    table.cleanup_metadata()
    table.alter.set_table_properties({name: str(value) for name, value in SETTINGS.items()})


def _rows(place: Destination, run: TableRun) -> pa.RecordBatchReader:
    """Read the parts of a run one batch at a time."""
    with place.open(run.parts[0]) as file:
        given = pq.read_schema(file)
    needed = {*run.key, MODIFIED_ON, DELETED}
    if missing := ", ".join(sorted(needed - set(given.names))):
        raise TablesRefused(
            f"{run.path}: columns {missing} are left out or have other names",
            cure=f"Choose {missing} in Columns under those names, or send OpenTables=false.",
        )
    schema = pa.schema([pa.field(field.name, _type(field.type)) for field in given])

    def batches() -> Iterator[pa.RecordBatch]:
        for path in run.parts:
            with place.open(path) as file, pq.ParquetFile(file) as part:
                for batch in part.iter_batches(ROW_GROUP_ROWS, use_threads=False):
                    arrays = [_shown(array) for array in batch.columns]
                    yield pa.RecordBatch.from_arrays(arrays, schema=schema)

    return pa.RecordBatchReader.from_batches(schema, batches())


def _present(rows: pa.RecordBatchReader) -> pa.RecordBatchReader:
    kept = (batch.filter(pc.equal(batch.column(DELETED), PRESENT)) for batch in rows)
    return pa.RecordBatchReader.from_batches(rows.schema, kept)


def _type(kind: pa.DataType) -> pa.DataType:
    return pa.string() if kind == LOCAL_TIME else kind


def _shown(array: Any) -> Any:  # Arrow arrays of any type
    return pc.strftime(array, "%Y-%m-%dT%H:%M:%S") if array.type == LOCAL_TIME else array


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


def _reason(error: Exception, where: TablePlace) -> str:
    """Give what the library said, without the values that sign in."""
    text = str(error).splitlines()[0][:300]
    for value in where.options.values():
        if len(value) >= 4:
            text = text.replace(value, "…")
    return text
