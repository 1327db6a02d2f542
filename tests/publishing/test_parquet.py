"""Every type, with its edge values, as three readers see it; values that no reader can show are refused."""

import datetime as dt
import importlib
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from decimal import Decimal
from pathlib import Path
from types import ModuleType
from typing import Any
from zoneinfo import ZoneInfo

import asyncpg
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from coldshelf.access.models import Client
from coldshelf.kit.runtime import Runtime
from coldshelf.publishing.errors import SchemaBroken, ValueNotExportable
from coldshelf.publishing.formats.columns import ARROW_TYPES, Checker, arrow_type
from coldshelf.publishing.models import Mode
from coldshelf.publishing.service import export
from coldshelf.records.dataset import Column, Dataset, common_columns
from coldshelf.records.fields import TYPE_MAPS, FieldType
from coldshelf.records.registry import Registry
from tests.publishing.support import Row, files_below, parts

UTC = dt.UTC
LOCAL = dt.datetime.fromisoformat
GUID = "6f9619ff-8b86-d011-b42d-00cf4fc964ff"
EVERY_TYPE = Dataset(
    name="Location",  # stands in for a published dataset
    relation="sample",
    key="SampleId",
    meaning="One column of every type",
    client_wide="A test has no outlets.",
    columns=(
        Column(wire="SampleId", column="id", type=FieldType.INTEGER, meaning="Key"),
        *(
            Column(wire=f"{kind.name.title().replace('_', '')}Value", column=kind.value, type=kind, meaning=kind.value)
            for kind in FieldType
        ),
        Column(wire="WideValue", column="wide", type=FieldType.DECIMAL, precision=38, scale=10, meaning="Decimal"),
        Column(wire="PriceValue", column="price", type=FieldType.DECIMAL, precision=12, scale=2, meaning="Decimal"),
        *common_columns(),
    ),
)
NAMES = [column.wire for column in EVERY_TYPE.columns[1:-8]]
COLUMNS = [column.name for column in EVERY_TYPE.columns[1:-8]]

EMPTY: tuple[Any, ...] = (None,) * len(NAMES)
ZEROES = (
    0,
    "",
    Decimal(0),
    0.0,
    False,
    False,
    dt.datetime(1970, 1, 1, tzinfo=UTC),
    LOCAL("1970-01-01T00:00:00"),
    dt.date(1970, 1, 1),
    "00000000-0000-0000-0000-000000000000",
    "{}",
    Decimal(0),
    Decimal(0),
)
LEAST = (
    -(2**63),
    " \t\n",
    Decimal("-999999999999.999999"),
    -1.7976931348623157e308,
    False,
    False,
    dt.datetime(1, 1, 1, tzinfo=UTC),
    LOCAL("0001-01-01T00:00:00"),
    dt.date(1, 1, 1),
    GUID,
    "[]",
    Decimal("-9999999999999999999999999999.9999999999"),
    Decimal("-9999999999.99"),
)
GREATEST = (
    2**63 - 1,
    "Ünïcödé 冷蔵庫 🧊" + "x" * 10_000,
    Decimal("999999999999.999999"),
    1.7976931348623157e308,
    True,
    True,
    dt.datetime(9999, 12, 31, 23, 59, 59, 999999, tzinfo=UTC),
    LOCAL("9999-12-31T23:59:59.999999"),
    dt.date(9999, 12, 31),
    "ffffffff-ffff-ffff-ffff-ffffffffffff",
    json.dumps({"a": [1, "ä", None]}),
    Decimal("9999999999999999999999999999.9999999999"),
    Decimal("9999999999.99"),
)
FINE = (
    1,
    "'\"\\,;",
    Decimal("0.000001"),
    5e-324,
    True,
    False,
    dt.datetime(2026, 3, 29, 2, 30, 0, 1, tzinfo=ZoneInfo("Asia/Kathmandu")),
    LOCAL("2026-03-29T02:30:00.000001"),
    dt.date(2024, 2, 29),
    GUID,
    "null",
    Decimal("0.0000000001"),
    Decimal("-0.01"),
)
SAMPLES = (EMPTY, ZEROES, LEAST, GREATEST, FINE)


@pytest.fixture
async def sample(url: str) -> AsyncIterator[asyncpg.Connection]:
    """The owner's connection to a database with the table of samples."""
    connection = await asyncpg.connect(url)
    declared = ", ".join(
        f'"{kind.value}" {"numeric" if kind is FieldType.DECIMAL else TYPE_MAPS[kind].postgres}' for kind in FieldType
    )
    await connection.execute(f"CREATE TABLE sample ({declared}, wide numeric(38, 10), price numeric(12, 2))")
    await connection.execute("SELECT coldshelf_tenant_table('sample')")
    yield connection
    await connection.close()


async def insert(connection: asyncpg.Connection, client: Client, **values: object) -> int:
    """Insert a row. Times go as text: the driver takes the greatest date of Python for infinity."""
    names = ", ".join(f'"{name}"' for name in values)
    places = ", ".join(
        f"${n}::text::{TYPE_MAPS[FieldType(name)].postgres}" if isinstance(value, dt.date) else f"${n}"
        for n, (name, value) in enumerate(values.items(), 2)
    )
    sent = [value.isoformat() if isinstance(value, dt.date) else value for value in values.values()]
    return int(
        await connection.fetchval(
            f"INSERT INTO sample (client_id, {names}) VALUES ($1, {places}) RETURNING id", client.id, *sent
        )
    )


@pytest.fixture
def publish_sample(run: Runtime, url: str, client: Client, folder: Path) -> Callable[[], Awaitable[Path]]:
    """Export the table of samples as one part."""

    async def publish() -> Path:
        manifest = await export(
            run,
            Registry({}, {"Location": EVERY_TYPE}),
            url=url,
            client=client,
            mode=Mode.FULL,
            datasets=["Location"],
            destination=folder,
        )
        (path,) = parts(folder, manifest, "Location")
        return path

    return publish


@pytest.fixture
async def published(client: Client, sample: asyncpg.Connection, publish_sample: Callable[[], Awaitable[Path]]) -> Path:
    """A part with all samples, in their order."""
    for values in SAMPLES:
        await insert(sample, client, **dict(zip(COLUMNS, values, strict=True)))
    return await publish_sample()


def expected(name: str, value: Any) -> Any:
    if name == "FlagValue" and value is not None:
        return int(value)
    return value


EXPECTED = [{name: expected(name, value) for name, value in zip(NAMES, values, strict=True)} for values in SAMPLES]


def reader(name: str) -> ModuleType:
    try:
        return importlib.import_module(name)
    except ImportError:
        pytest.skip(f"{name} is not installed: pip install {name}")


def read_pyarrow(path: Path) -> tuple[dict[str, str], list[Row]]:
    table = pq.read_table(path)
    return {field.name: str(field.type) for field in table.schema}, table.to_pylist()


def read_duckdb(path: Path) -> tuple[dict[str, str], list[Row]]:
    with reader("duckdb").connect() as connection:
        source = connection.from_parquet(str(path)).order("SampleId")
        types = dict(zip(source.columns, map(str, source.types), strict=True))
        # a time with a zone as a Python object wants its time zone extension; the number needs none
        fields = [
            f'epoch_us("{name}") AS "{name}"' if kind.startswith("TIMESTAMP") else f'"{name}"'
            for name, kind in types.items()
        ]
        found = [dict(zip(source.columns, row, strict=True)) for row in source.project(", ".join(fields)).fetchall()]
    for row in found:
        for name, kind in types.items():
            if kind.startswith("TIMESTAMP") and row[name] is not None:
                moment = LOCAL("1970-01-01T00:00:00") + dt.timedelta(microseconds=row[name])
                row[name] = moment.replace(tzinfo=UTC) if kind.endswith("TIME ZONE") else moment
    return types, found


def read_polars(path: Path) -> tuple[dict[str, str], list[Row]]:
    frame = reader("polars").read_parquet(path)
    return {name: str(kind) for name, kind in frame.schema.items()}, frame.to_dicts()


def read_pandas(path: Path) -> tuple[dict[str, str], list[Row]]:
    frame = reader("pandas").read_parquet(path, dtype_backend="pyarrow")
    found = [
        {name: None if value is missing else value for name, value in row.items()}
        for missing in [reader("pandas").NA]
        for row in frame.to_dict("records")
    ]
    return {name: str(kind) for name, kind in frame.dtypes.items()}, found


TYPES: dict[Callable[[Path], tuple[dict[str, str], list[Row]]], list[str]] = {
    read_pyarrow: [
        "int64",
        "string",
        "decimal128(18, 6)",
        "double",
        "bool",
        "int32",
        "timestamp[us, tz=UTC]",
        "timestamp[us]",
        "date32[day]",
        "string",
        "string",
        "decimal128(38, 10)",
        "decimal128(12, 2)",
    ],
    read_duckdb: [
        "BIGINT",
        "VARCHAR",
        "DECIMAL(18,6)",
        "DOUBLE",
        "BOOLEAN",
        "INTEGER",
        "TIMESTAMP WITH TIME ZONE",
        "TIMESTAMP",
        "DATE",
        "VARCHAR",
        "VARCHAR",
        "DECIMAL(38,10)",
        "DECIMAL(12,2)",
    ],
    read_polars: [
        "Int64",
        "String",
        "Decimal(precision=18, scale=6)",
        "Float64",
        "Boolean",
        "Int32",
        "Datetime(time_unit='us', time_zone='UTC')",
        "Datetime(time_unit='us', time_zone=None)",
        "Date",
        "String",
        "String",
        "Decimal(precision=38, scale=10)",
        "Decimal(precision=12, scale=2)",
    ],
    read_pandas: [
        "int64[pyarrow]",
        "string[pyarrow]",
        "decimal128(18, 6)[pyarrow]",
        "double[pyarrow]",
        "bool[pyarrow]",
        "int32[pyarrow]",
        "timestamp[us, tz=UTC][pyarrow]",
        "timestamp[us][pyarrow]",
        "date32[day][pyarrow]",
        "string[pyarrow]",
        "string[pyarrow]",
        "decimal128(38, 10)[pyarrow]",
        "decimal128(12, 2)[pyarrow]",
    ],
}


@pytest.mark.parametrize("read", TYPES)
async def test_readers_see_the_declared_types_and_equal_values(
    published: Path, read: Callable[[Path], tuple[dict[str, str], list[Row]]]
) -> None:
    types, found = read(published)

    assert [types[name] for name in NAMES] == TYPES[read]
    assert [{name: row[name] for name in NAMES} for row in found] == EXPECTED


async def test_text_and_zero_are_told_from_nothing(published: Path) -> None:
    nothing, zeroes, *_ = pq.read_table(published).to_pylist()

    assert {nothing[name] for name in NAMES} == {None}
    assert (zeroes["TextValue"], zeroes["IntegerValue"], zeroes["DecimalValue"]) == ("", 0, Decimal(0))


REFUSED = (
    ("timestamp", "TimestampValue", "'infinity'"),
    ("timestamp", "TimestampValue", "'-infinity'"),
    ("timestamp", "TimestampValue", "'10000-01-01T00:00:00Z'"),
    ("timestamp", "TimestampValue", "'0001-12-31T00:00:00Z BC'"),
    ("timestamp", "TimestampValue", "'294276-12-31T23:59:59Z'"),
    ("local_time", "LocalTimeValue", "'infinity'"),
    ("local_time", "LocalTimeValue", "'-infinity'"),
    ("date", "DateValue", "'infinity'"),
    ("date", "DateValue", "'-infinity'"),
    ("date", "DateValue", "'10000-01-01'"),
    ("decimal", "DecimalValue", "'NaN'"),
    ("decimal", "DecimalValue", "'Infinity'"),
    ("decimal", "DecimalValue", "0.0000001"),
    ("decimal", "DecimalValue", "1000000000000"),
    ("wide", "WideValue", "'NaN'"),
    ("price", "PriceValue", "'NaN'"),
    ("float", "FloatValue", "'NaN'"),
    ("float", "FloatValue", "'-Infinity'"),
)


@pytest.mark.parametrize("refused", REFUSED, ids=str)
async def test_a_value_that_not_every_reader_can_show_stops_the_export(
    client: Client,
    sample: asyncpg.Connection,
    publish_sample: Callable[[], Awaitable[Path]],
    folder: Path,
    refused: tuple[str, str, str],
) -> None:
    column, name, value = refused
    await insert(sample, client, text="before")
    await sample.execute(f"INSERT INTO sample (client_id, {column}) VALUES ({client.id}, {value})")
    key = await sample.fetchval("SELECT max(id) FROM sample")

    with pytest.raises(ValueNotExportable, match=rf"^Location\.{name} is .*\(SampleId {key}\)$"):
        await publish_sample()

    assert files_below(folder) == set()


async def test_an_empty_value_in_a_column_that_is_never_empty_stops_the_export(
    client: Client, sample: asyncpg.Connection, publish_sample: Callable[[], Awaitable[Path]]
) -> None:
    await sample.execute("ALTER TABLE sample ALTER is_deleted DROP NOT NULL")
    key = await insert(sample, client, is_deleted=None)

    with pytest.raises(ValueNotExportable, match=rf"^Location.IsDeleted is empty \(SampleId {key}\)$"):
        await publish_sample()


def test_a_driver_that_gives_other_types_is_refused() -> None:
    checker = Checker(EVERY_TYPE)
    given = pa.schema([pa.field(field.name, pa.string()) for field in checker.schema])

    with pytest.raises(SchemaBroken, match=r"Location\.SampleId: int64 was asked for"):
        checker.check_types(given)


def test_every_field_type_has_an_arrow_type() -> None:
    assert {kind.arrow for kind in TYPE_MAPS.values()} == {*ARROW_TYPES, "decimal"}
    with pytest.raises(SchemaBroken, match="39 digits"):
        arrow_type(Column(wire="Big", type=FieldType.DECIMAL, precision=39, meaning="Too big"))
