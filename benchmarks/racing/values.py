"""The rows of the race as the database says them, over a way of its own (`COPY` as CSV), beside what files hold."""

import os
import re
import subprocess
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from pyarrow import csv

from coldshelf.publishing.formats.columns import file_schema
from racing.contestants import Task
from racing.table import dataset_of

KEY = "SampleId"
Column = Any  # a pyarrow array of any type


def truth_of(task: Task, folder: Path) -> tuple[pa.Table, int]:
    """Give the rows in order of the key, and how many bytes they are as CSV; what was read once is kept."""
    said = folder / f"{task.rows}{'-delta' if task.since else ''}.csv"
    if task.since or not said.exists():
        query = task.query.replace("is_deleted AS", "is_deleted::int AS") + " ORDER BY id"
        with said.open("wb") as out:
            copy = f"COPY ({query}) TO STDOUT (FORMAT csv, HEADER)"
            subprocess.run(
                ["psql", task.url, "-q", "-c", copy],
                stdout=out,
                check=True,
                env={**os.environ, "PGTZ": "UTC", "PGDATESTYLE": "ISO"},
            )
    return _read(said, task.rows), said.stat().st_size


def _read(said: Path, rows: int) -> pa.Table:
    schema = read_schema(rows)
    options = csv.ConvertOptions(
        column_types=schema, strings_can_be_null=True, quoted_strings_can_be_null=False, null_values=[""],
        true_values=["t"], false_values=["f"],
    )  # fmt: skip
    return csv.read_csv(said, convert_options=options).select(schema.names).cast(schema)


def read_schema(rows: int) -> pa.Schema:
    """Give the declared columns as readers of Parquet see them."""
    fields = [field.with_nullable(True) for field in file_schema(dataset_of(rows))]
    return pa.schema([field.with_type(_wide(field.type)) for field in fields])


def _wide(kind: pa.DataType) -> pa.DataType:
    return pa.decimal128(kind.precision, kind.scale) if pa.types.is_decimal(kind) else kind


def files_in(folder: Path) -> list[Path]:
    return sorted(folder.rglob("*.parquet"))


def differing(folder: Path, truth: pa.Table) -> list[str]:
    """Name the columns whose values are not those of the database, or what else is wrong."""
    found = pa.concat_tables([pq.read_table(file) for file in files_in(folder)])
    places = {_plain(name): name for name in found.column_names}
    absent = [name for name in truth.column_names if _plain(name) not in places]
    if absent or found.num_rows != truth.num_rows:
        return [f"{found.num_rows} rows", *absent]
    found = found.select([places[_plain(name)] for name in truth.column_names]).rename_columns(truth.column_names)
    found = found.take(pc.sort_indices(found[KEY]))
    return [name for name in truth.column_names if not _equal(found[name], truth[name])]


def _plain(name: str) -> str:
    """Spell names alike: some write `SampleId` as `sample_id`, and the key may have its stored name."""
    plain = re.sub(r"[^a-z0-9]", "", name.lower())
    return "sampleid" if plain == "id" else plain


def _equal(found: Column, wanted: Column) -> bool:
    try:
        return bool(found.cast(wanted.type).equals(wanted))
    except pa.ArrowException:
        return False
