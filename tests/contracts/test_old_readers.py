"""A reader that was built for the oldest version of a table reads files of the newest one, and both together."""

import datetime as dt
import re
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.parquet as pq
import pytest

from coldshelf.entrypoints.bootstrap import registry
from coldshelf.publishing.formats.columns import ARROW_TYPES, file_schema
from coldshelf.publishing.models import BULK_DATASETS
from coldshelf.publishing.schemas import DatasetSchema
from tests.contracts.freeze_schemas import frozen

duckdb = pytest.importorskip("duckdb")
pl = pytest.importorskip("polars")
FROZEN = frozen()
GROWN = [name for name, version in BULK_DATASETS.items() if version > 1]
VALUES: dict[str, Any] = {
    "int64": 7,
    "int32": 0,
    "string": "Kühlschrank",
    "float64": 0.5,
    "bool": True,
    "timestamp[us, tz=UTC]": dt.datetime(2026, 11, 26, 1, 2, 3, 4, tzinfo=dt.UTC),
    "timestamp[us]": dt.datetime(2026, 11, 26, 1, 2, 3, 4),  # noqa: DTZ001  # a local time has no zone
    "date32": dt.date(2026, 11, 26),
}


def arrow_type(name: str) -> pa.DataType:
    decimal = re.fullmatch(r"decimal\((\d+), (\d+)\)", name)
    return pa.decimal128(int(decimal[1]), int(decimal[2])) if decimal else ARROW_TYPES[name]


def arrow_schema(schema: DatasetSchema) -> pa.Schema:
    return pa.schema(
        [pa.field(column["name"], arrow_type(column["type"]), column["nullable"]) for column in schema["columns"]]
    )


def rows_of(schema: DatasetSchema) -> list[dict[str, Any]]:
    """Give a row with a value everywhere and one that is empty wherever it may be."""
    full = {column["name"]: VALUES.get(column["type"], Decimal("1.5")) for column in schema["columns"]}
    bare = {column["name"]: None if column["nullable"] else full[column["name"]] for column in schema["columns"]}
    return [full, bare]


def write(schema: DatasetSchema, path: Path) -> Path:
    table = pa.Table.from_pylist(rows_of(schema), arrow_schema(schema))
    pq.write_table(table, path, store_schema=False, data_page_version="1.0", store_decimal_as_integer=True)
    return path


@pytest.fixture(params=GROWN)
def versions(request: pytest.FixtureRequest) -> tuple[DatasetSchema, DatasetSchema]:
    """The oldest and the newest schema of a table."""
    found = FROZEN[request.param]
    return found[1], found[max(found)]


@pytest.fixture
def files(versions: tuple[DatasetSchema, DatasetSchema], tmp_path: Path) -> tuple[Path, Path]:
    old, new = versions
    return write(old, tmp_path / "old.parquet"), write(new, tmp_path / "new.parquet")


Versions = tuple[DatasetSchema, DatasetSchema]
Files = tuple[Path, Path]


@pytest.mark.parametrize("name", BULK_DATASETS)
def test_files_have_the_frozen_schema(name: str) -> None:
    declared = file_schema(registry().datasets[name])
    wide = [
        item.with_type(pa.decimal128(item.type.precision, item.type.scale)) if pa.types.is_decimal(item.type) else item
        for item in declared
    ]

    assert pa.schema(wide) == arrow_schema(FROZEN[name][BULK_DATASETS[name]])


def test_there_are_tables_that_grew() -> None:
    assert set(GROWN) == {"Location", "Asset", "Product", "AssetPurity", "AssetPurityProduct"}


def test_arrow_reads_the_newest_file_with_the_oldest_schema(versions: Versions, files: Files) -> None:
    schema = arrow_schema(versions[0])

    alone = pq.read_table(files[1], schema=schema)
    together = ds.dataset([str(path) for path in files], schema=schema).to_table()

    assert alone.schema.names == schema.names
    assert alone.schema.types == schema.types
    assert alone.to_pylist() == rows_of(versions[0])
    assert together.to_pylist() == rows_of(versions[0]) * 2


def test_arrow_reads_the_oldest_file_with_the_newest_schema(versions: Versions, files: Files) -> None:
    schema = arrow_schema(versions[1])
    missing = dict.fromkeys(set(schema.names) - {column["name"] for column in versions[0]["columns"]})

    together = ds.dataset([str(path) for path in files], schema=schema).to_table().to_pylist()

    assert missing
    assert together == [*({**missing, **row} for row in rows_of(versions[0])), *rows_of(versions[1])]


def test_duckdb_appends_the_newest_file_to_a_table_of_the_oldest(versions: Versions, files: Files) -> None:
    names = ", ".join(f'"{column["name"]}"' for column in versions[0]["columns"])
    described = "SELECT column_name, column_type FROM (DESCRIBE FROM {})"
    union = f"read_parquet(['{files[0]}', '{files[1]}'], union_by_name = true)"
    with duckdb.connect() as connection:
        connection.execute(f"CREATE TABLE mine AS FROM '{files[0]}'")
        mine, newest, both = (
            set(connection.execute(described.format(source)).fetchall()) for source in ("mine", f"'{files[1]}'", union)
        )

        connection.execute(f"INSERT INTO mine BY NAME SELECT {names} FROM '{files[1]}'")
        counted = "SELECT count(*), count(DISTINCT mine) FROM mine"
        appended = connection.execute(counted).fetchone()

    assert mine < newest == both
    assert appended == (4, 2)


def test_polars_reads_the_newest_file_as_the_oldest(versions: Versions, files: Files) -> None:
    schema = pl.read_parquet_schema(files[0])

    frame = pl.scan_parquet(list(files), schema=schema, extra_columns="ignore").collect()

    assert frame.schema == schema
    assert frame.to_dicts() == rows_of(versions[0]) * 2
