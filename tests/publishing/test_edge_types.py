"""Values that drivers falsify: whatever a table holds comes out exactly, as text, or is refused with its place.

The table has native types; the declared ones decide what each value becomes (docs/bulk-files.md).
"""

import datetime as dt
from collections.abc import AsyncIterator, Awaitable, Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from coldshelf.access.models import Client
from coldshelf.kit.runtime import Runtime
from coldshelf.publishing.errors import ValueNotExportable
from coldshelf.publishing.models import Mode
from coldshelf.publishing.service import export
from coldshelf.records.columns import exact, text, utc, whole
from coldshelf.records.dataset import Column, Dataset, common_columns
from coldshelf.records.fields import FieldType
from coldshelf.records.registry import Registry
from tests.publishing.support import files_below, parts
from tests.publishing.test_parquet import read_duckdb, read_pandas, read_polars, read_pyarrow

READERS = (read_pyarrow, read_duckdb, read_polars, read_pandas)
LONG = "Kühlschrank 冷蔵庫 🧊\n" * 40_000
"""More than a megabyte."""


def _of(wire: str, kind: FieldType) -> Column:
    return Column(wire=wire, type=kind, meaning=wire)


CASES: tuple[tuple[str, Column, str, Any], ...] = (
    ("numeric", text("LooseText", "Text"), "12345678901234567890.123456789", "12345678901234567890.123456789"),
    (
        "numeric",
        exact("Loose", "x", precision=38, scale=10),
        "12345678901234567890.1234",
        Decimal("12345678901234567890.1234"),
    ),
    ("numeric(38, 10)", exact("Wide", "x", precision=38, scale=10), "-0.0000000001", Decimal("-0.0000000001")),
    ("numeric(45, 5)", text("HugeText", "Text"), f"{'9' * 40}.99999", f"{'9' * 40}.99999"),
    ("numeric(45, 5)", exact("Huge", "x", precision=38, scale=5), f"{'9' * 33}.99999", Decimal(f"{'9' * 33}.99999")),
    ("numeric", exact("Zeros", "x", precision=38, scale=10), f"1.{'0' * 60}", Decimal(1)),
    (
        "numeric",
        exact("Money64", "x", precision=18, scale=2),
        f"-9999999999999999.99{'0' * 30}",
        Decimal("-9999999999999999.99"),
    ),
    ("numeric", text("NotANumber", "Text"), "NaN", "NaN"),
    ("numeric", text("Endless", "Text"), "-Infinity", "-Infinity"),
    ("timestamptz", text("Forever", "Text"), "infinity", "infinity"),
    ("date", text("Ides", "Text"), "0044-03-15 BC", "0044-03-15 BC"),
    ("date", _of("LeapDay", FieldType.DATE), "0004-02-29", dt.date(4, 2, 29)),
    ("time", text("Midnight", "Text"), "24:00:00", "24:00:00"),
    ("time", text("Fine", "Text"), "23:59:59.999999", "23:59:59.999999"),
    (
        "timestamp",
        _of("Local", FieldType.LOCAL_TIME),
        "1969-12-31 23:59:59.999999",
        dt.datetime.fromisoformat("1969-12-31T23:59:59.999999"),
    ),
    (
        "timestamptz",
        utc("Moment", "x"),
        "2026-03-29 02:30:00.000001+05:45",
        dt.datetime(2026, 3, 28, 20, 45, 0, 1, tzinfo=dt.UTC),
    ),
    ("timestamptz", text("MomentText", "Text"), "2026-03-29 02:30:00.000001+05:45", "2026-03-28 20:45:00.000001+00"),
    ("int[]", text("Matrix", "Text"), "{{1,2},{3,NULL}}", "{{1,2},{3,NULL}}"),
    ("int[]", text("Vector", "Text"), "{1,2}", "{1,2}"),
    ("oid", whole("Oid", "x"), "4294967295", 4_294_967_295),
    ("smallint", whole("Small", "x"), "-32768", -32_768),
    ("money", exact("Money", "x", precision=18, scale=2), "12.34", Decimal("12.34")),
    ("inet", text("Address", "Text"), "2001:db8::1/64", "2001:db8::1/64"),
    ("bit(5)", text("Bits", "Text"), "10101", "10101"),
    ("point", text("Point", "Text"), "(1.5,-2)", "(1.5,-2)"),
    ("tstzrange", text("Range", "Text"), "[2026-01-01 00:00+01,)", '["2025-12-31 23:00:00+00",)'),
    ("char(5)", text("Padded", "Text"), "ab", "ab"),
    ("edge_mood", text("Mood", "Text"), "very good", "very good"),
    ("json", _of("Json", FieldType.JSON), r'{"b": 1, "a": "\u0000 ü"}', r'{"b": 1, "a": "\u0000 ü"}'),
    ("jsonb", _of("Jsonb", FieldType.JSON), '{"b":1.50,"a":[null]}', '{"a": [null], "b": 1.50}'),
    ("interval", text("Interval", "Text"), "1 mon 2 days -03:04:05.000006", "P1M2DT-3H-4M-5.000006S"),
    ("uuid", _of("Guid", FieldType.GUID), "6F9619FF8B86D011B42D00CF4FC964FF", "6f9619ff-8b86-d011-b42d-00cf4fc964ff"),
    ("bytea", text("Bytes", "Text"), r"\x00ff0a", r"\x00ff0a"),
    ("real", _of("Real", FieldType.FLOAT), "0.1", 0.10000000149011612),
    ("bool", _of("Flag", FieldType.FLAG), "true", 1),
    ("text", text("Empty", "Text"), "", ""),
    ("text", text("Odd", "Text"), "\t'\"\\,;\r\n\x7f\u2028ß", "\t'\"\\,;\r\n\x7f\u2028ß"),
    ("varchar", text("Long", "Text"), LONG, LONG),
)
"""Native type, declared column, value as PostgreSQL reads it, value as every reader sees it."""

REFUSED = (
    ("Loose", "NaN", r"is not a finite number of decimal128\(38, 10\)"),
    ("Loose", "Infinity", r"is not a finite number of decimal128\(38, 10\)"),
    ("Loose", "0.00000000001", r"is not a finite number of decimal128\(38, 10\)"),
    ("Huge", f"{'9' * 40}.99999", r"is not a finite number of decimal128\(38, 5\)"),
    ("Money64", "99999999999999999999999999999", r"is not a finite number of decimal64\(18, 2\)"),
    ("Wide", "NaN", r"is not a finite number of decimal128\(38, 10\)"),
    ("LeapDay", "0044-03-15 BC", "is infinite or not in the years 1 to 9999"),
    ("LeapDay", "-infinity", "is infinite or not in the years 1 to 9999"),
    ("Local", "4713-01-01 00:00:00 BC", "is infinite or not in the years 1 to 9999"),
    ("Local", "infinity", "is infinite or not in the years 1 to 9999"),
    ("Moment", "infinity", "is infinite or not in the years 1 to 9999"),
    ("Moment", "294276-12-31 23:59:59+00", "is infinite or not in the years 1 to 9999"),
    ("Real", "NaN", "is not a finite number"),
    ("Real", "Infinity", "is not a finite number"),
)
EDGE = Dataset(
    name="Location",  # stands in for a published dataset
    relation="edge",
    key="SampleId",
    meaning="One column of every native type",
    client_wide="A test has no outlets.",
    columns=(whole("SampleId", "Key", "id"), *(column for _, column, _, _ in CASES), *common_columns()),
)


@pytest.fixture
async def edge(url: str) -> AsyncIterator[asyncpg.Connection]:
    """The owner's connection to a database whose settings are not the usual ones, with the table."""
    connection = await asyncpg.connect(url)
    database = await connection.fetchval("SELECT current_database()")
    for name, value in (("datestyle", "German"), ("intervalstyle", "sql_standard"), ("bytea_output", "escape")):
        await connection.execute(f"ALTER DATABASE {database} SET {name} = '{value}'")
    declared = ", ".join(f"{column.name} {kind}" for kind, column, _, _ in CASES)
    await connection.execute(f"CREATE TYPE edge_mood AS ENUM ('bad', 'very good'); CREATE TABLE edge ({declared})")
    await connection.execute("SELECT coldshelf_tenant_table('edge')")
    yield connection
    await connection.close()


async def insert(connection: asyncpg.Connection, client: Client, values: dict[str, str]) -> int:
    """Insert a row of values as PostgreSQL reads them."""
    kinds = {column.name: kind for kind, column, _, _ in CASES}
    names = "".join(f", {name}" for name in values)
    places = "".join(f", ${place}::text::{kinds[name]}" for place, name in enumerate(values, 2))
    return int(
        await connection.fetchval(
            f"INSERT INTO edge (client_id{names}) VALUES ($1{places}) RETURNING id", client.id, *values.values()
        )
    )


@pytest.fixture
def publish_edge(run: Runtime, url: str, client: Client, folder: Path) -> Callable[[], Awaitable[Path]]:
    async def publish() -> Path:
        manifest = await export(
            run,
            Registry({}, {"Location": EDGE}),
            url=url,
            client=client,
            mode=Mode.FULL,
            datasets=["Location"],
            destination=folder,
        )
        (path,) = parts(folder, manifest, "Location")
        return path

    return publish


async def test_every_native_type_comes_out_as_declared_whatever_the_reader(
    edge: asyncpg.Connection, client: Client, publish_edge: Callable[[], Awaitable[Path]]
) -> None:
    await insert(edge, client, {column.name: value for _, column, value, _ in CASES})
    await insert(edge, client, {})

    path = await publish_edge()

    for read in READERS:
        _, (given, nothing) = read(path)
        found = {column.wire: given[column.wire] for _, column, _, _ in CASES}
        assert found == {column.wire: value for _, column, _, value in CASES}, read
        assert {nothing[column.wire] for _, column, _, _ in CASES} == {None}, read


async def test_what_has_no_exact_form_is_refused_with_table_column_and_key(
    edge: asyncpg.Connection, client: Client, publish_edge: Callable[[], Awaitable[Path]], folder: Path
) -> None:
    names = {column.wire: column.name for _, column, _, _ in CASES}
    for wire, value, reason in REFUSED:
        row_id = await insert(edge, client, {names[wire]: value})

        with pytest.raises(ValueNotExportable, match=rf"^Location\.{wire} {reason} \(SampleId {row_id}\)$"):
            await publish_edge()

        assert files_below(folder) == set()
        await edge.execute("DELETE FROM edge")


async def test_a_zero_character_cannot_be_in_a_text(edge: asyncpg.Connection, client: Client) -> None:
    with pytest.raises(asyncpg.PostgresError):
        await edge.execute("INSERT INTO edge (client_id, odd) VALUES ($1, chr(0))", client.id)
