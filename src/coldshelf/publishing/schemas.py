"""Wire shapes: manifests (contract 9.2), and the description of a dataset's columns that its snapshot freezes."""

from datetime import UTC, datetime
from typing import Any, TypedDict

import orjson

from coldshelf.publishing.models import Chunk, PublishedFile, RunHead, RunManifest, TableManifest
from coldshelf.publishing.versions import since_version
from coldshelf.records.dataset import Column, Dataset
from coldshelf.records.fields import TYPE_MAPS, FieldType

NEVER_NULL = frozenset({"ClientId", "IsDeleted", "CreatedOn", "ModifiedOn"})


class ColumnSchema(TypedDict):
    """`since` is the first version of the schema that has it."""

    name: str
    type: str
    nullable: bool
    unit: str
    meaning: str
    personal: bool
    since: int


class DatasetSchema(TypedDict):
    """`key` names the columns that identify a row."""

    dataset: str
    schemaVersion: int
    meaning: str
    key: list[str]
    columns: list[ColumnSchema]


def bulk_columns(dataset: Dataset) -> tuple[tuple[str, Column], ...]:
    """Give the columns that bulk files carry, with the names they have there."""
    return tuple((column.parquet_name, column) for column in dataset.columns if column.parquet_name)


def file_key(dataset: Dataset) -> tuple[str, ...]:
    """Name the columns that identify a row, as files call them; those that were not chosen are left out."""
    found = (dataset.column(wire) for wire in dataset.whole_key)
    return tuple(column.parquet_name for column in found if column and column.parquet_name)


def type_name(column: Column) -> str:
    """Name the type of a column in a bulk file."""
    name = TYPE_MAPS[column.type].arrow
    return f"{name}({column.precision}, {column.scale})" if column.type is FieldType.DECIMAL else name


def is_nullable(dataset: Dataset, name: str) -> bool:
    if name == "CreatedOn" and dataset.limited:
        return True  # of a row that has left a partner's sight nothing is told but that it is gone
    return name not in NEVER_NULL and name not in {dataset.key, *dataset.whole_key}


def dataset_schema(dataset: Dataset, version: int) -> DatasetSchema:
    """Describe the bulk columns of a dataset."""
    return {
        "dataset": dataset.name,
        "schemaVersion": version,
        "meaning": dataset.meaning,
        "key": list(file_key(dataset)),
        "columns": [
            {
                "name": name,
                "type": type_name(column),
                "nullable": is_nullable(dataset, name),
                "unit": column.unit,
                "meaning": column.meaning,
                "personal": column.personal,
                "since": since_version(dataset.name, column.wire),
            }
            for name, column in bulk_columns(dataset)
        ],
    }


def table_manifest_json(head: RunHead, table: TableManifest) -> bytes:
    """Write `_manifest.json` of a table folder."""
    return json_of(
        {
            "runId": head.run_id,
            "mode": head.mode.value,
            "consistency": head.consistency.value,
            "client": head.client,
            "dataset": table.dataset,
            "key": list(table.key),
            "schemaVersion": table.schema_version,
            "startedOn": _time(head.started_on),
            "asOf": _time(head.as_of),
            "windowFrom": _time(table.window_from or head.window_from),
            **({"view": table.view} if table.view else {}),
            "rows": table.rows,
            "files": [file_said(file) for file in table.files],
            **({"chunks": [_chunk(chunk) for chunk in table.chunks]} if head.is_chunked else {}),
        }
    )


def file_said(file: PublishedFile) -> dict[str, Any]:
    """Describe a part, as JSON."""
    return {
        "path": file.path.rpartition("/")[2],
        "rows": file.rows,
        "bytes": file.bytes,
        "sha256": file.sha256,
        "minModifiedOn": _time(file.min_modified_on),
        "maxModifiedOn": _time(file.max_modified_on),
        **({"day": file.day.isoformat()} if file.day else {}),
    }


def _chunk(chunk: Chunk) -> dict[str, Any]:
    """Describe a chunk: every change before its `asOf` to the rows up to its id is in it."""
    return {"path": chunk.file.path.rpartition("/")[2], "upToId": chunk.up_to_id, "asOf": _time(chunk.as_of)}


def run_manifest_json(manifest: RunManifest) -> bytes:
    """Write `manifest.json` of a run; the paths lead from its folder to those of the tables."""
    head = manifest.head
    return json_of(
        {
            "runId": head.run_id,
            "mode": head.mode.value,
            "consistency": head.consistency.value,
            "client": head.client,
            "startedOn": _time(head.started_on),
            "asOf": _time(head.as_of),
            "windowFrom": _time(head.window_from),
            "rows": manifest.rows,
            "tables": [
                {
                    "dataset": table.dataset,
                    "schemaVersion": table.schema_version,
                    "path": f"../../{_below_client(table.folder)}/_manifest.json",
                    "rows": table.rows,
                    "sha256": table.sha256,
                }
                for table in manifest.tables
            ],
            "dictionary": [
                {"path": f"../../{_below_client(file.path)}", "bytes": file.bytes, "sha256": file.sha256}
                for file in manifest.dictionary
            ],
        }
    )


def _below_client(path: str) -> str:
    return path.split("/", 2)[2]


def _time(moment: datetime | None) -> str | None:
    return None if moment is None else f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%S.%f}Z"


def json_of(value: dict[str, Any]) -> bytes:  # any JSON
    """Write a manifest."""
    return orjson.dumps(value, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)
