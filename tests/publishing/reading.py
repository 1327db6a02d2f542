"""What readers make of bulk files, beside what the database says."""

import re
import sys
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from coldshelf.kit.ids import ClientId
from coldshelf.kit.runtime import Runtime
from coldshelf.publishing.formats.columns import select_text
from coldshelf.publishing.schemas import bulk_columns
from coldshelf.records.bulk import Window
from coldshelf.records.dataset import Dataset
from coldshelf.records.fields import FieldType
from tests.conftest import REPOSITORY

Row = dict[str, Any]
WITHOUT_SPARK = "pyspark is not installed: make test-spark"
PAGES = REPOSITORY / "docs" / "consumers"


async def database_rows(run: Runtime, client_id: ClientId, dataset: Dataset) -> list[Row]:
    """Give every row of a dataset, deleted ones as well, by another driver than the one that exports."""
    decimals = {name for name, column in bulk_columns(dataset) if column.type is FieldType.DECIMAL}
    async with run.database.scope(client_id, readonly=True) as connection:
        rows = await connection.fetch(select_text(dataset, Window()))
    return [
        {name: Decimal(value) if name in decimals and value is not None else value for name, value in row.items()}
        for row in rows
    ]


def of_open_table(dataset: Dataset, rows: Sequence[Row]) -> list[Row]:
    """Give the rows of a database as an open table has them: without deleted ones, local times as text."""
    local = [name for name, column in bulk_columns(dataset) if column.type is FieldType.LOCAL_TIME]
    shown = [dict(row) for row in rows if not row["IsDeleted"]]
    for row in shown:
        row.update({name: row[name].isoformat(timespec="microseconds") for name in local if row[name]})
    return shown


def plain(table: pa.Table, key: str) -> list[Row]:
    """Give the rows of an Arrow table in order of the key, times in UTC."""
    rows = [{name: _plain(value) for name, value in row.items()} for row in table.to_pylist()]
    return sorted(rows, key=lambda row: row[key])


def _plain(value: object) -> object:
    return value.astimezone(UTC) if isinstance(value, datetime) and value.tzinfo else value


def by_pyarrow(files: Sequence[str]) -> pa.Table:
    return pa.concat_tables(pq.read_table(file) for file in files)


def by_duckdb(files: Sequence[str]) -> pa.Table:
    with duckdb.connect() as db:
        db.execute("SET TimeZone = 'UTC'")
        return db.sql(f"SELECT * FROM read_parquet({list(files)})").to_arrow_table()


def by_polars(files: Sequence[str]) -> pa.Table:
    return pl.read_parquet(list(files)).to_arrow()


def by_pandas(files: Sequence[str]) -> pa.Table:
    frames = [pd.read_parquet(file, dtype_backend="pyarrow") for file in files]
    return pa.Table.from_pandas(pd.concat(frames), preserve_index=False)


def by_spark(files: Sequence[str]) -> pa.Table:
    sql = pytest.importorskip("pyspark.sql", reason=WITHOUT_SPARK)
    spark = sql.SparkSession.builder.config("spark.sql.session.timeZone", "UTC").getOrCreate()
    return spark.read.parquet(*files).toArrow()


READERS: dict[str, Callable[[Sequence[str]], pa.Table]] = {
    "pyarrow": by_pyarrow, "duckdb": by_duckdb, "polars": by_polars, "pandas": by_pandas, "spark": by_spark,
}  # fmt: skip


def snippets(page: str, language: str = "python") -> list[str]:
    """Give the code blocks of a page for consumers, of the client `demo`."""
    text = (PAGES / f"{page}.md").read_text(encoding="utf-8")
    found: list[str] = re.findall(rf"```{language}\n(.*?)```", text, re.DOTALL)
    assert found, f"{page}.md has no {language}"
    return [code.replace("bottler", "demo") for code in found]


def run_page(page: str) -> Row:
    """Run the Python of a page in the folder one is in; give its names."""
    names: Row = {}
    for code in snippets(page):
        exec(compile(code, f"docs/consumers/{page}.md", "exec"), names)
    return names


def install_runs(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Put coldshelf_runs.py where the pages import it from, and go there."""
    (code,) = snippets("README")
    (folder / "coldshelf_runs.py").write_text(code, encoding="utf-8")
    monkeypatch.syspath_prepend(folder)
    monkeypatch.delitem(sys.modules, "coldshelf_runs", raising=False)
    monkeypatch.chdir(folder)
