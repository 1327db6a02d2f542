"""Every field type goes the whole way: input text, PostgreSQL, JSON, bulk SELECT."""

import json
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from coldshelf.entrypoints.bootstrap import registry
from coldshelf.kit.ids import ClientId
from coldshelf.kit.runtime import Runtime
from coldshelf.records.bulk import Window, bulk_select
from coldshelf.records.fields import TYPE_MAPS, FieldType
from tests.records.rows import add_outlets, add_pictures

GUID = "0189d2a4-7c3e-7b1a-8f2e-1c0a9b8d7e6f"
WAY: dict[FieldType, tuple[str, Any, Any, str]] = {
    FieldType.INTEGER: (" -42 ", -42, -42, "bigint"),
    FieldType.TEXT: (" Hà Nội ", " Hà Nội ", " Hà Nội ", "text"),
    FieldType.DECIMAL: ("12.50", Decimal("12.50"), 12.5, "numeric"),
    FieldType.FLOAT: ("1e-3", 0.001, 0.001, "double precision"),
    FieldType.BOOLEAN: ("Yes", True, True, "boolean"),
    FieldType.FLAG: ("yes", True, 1, "integer"),
    FieldType.TIMESTAMP: (
        "2024-08-01T07:00:00+07:00",
        datetime(2024, 8, 1, tzinfo=UTC),
        "2024-08-01T00:00:00.000000",
        "timestamp with time zone",
    ),
    FieldType.LOCAL_TIME: (
        "2024-08-01 07:00",
        datetime(2024, 8, 1, 7),  # noqa: DTZ001  # a local time has no zone
        "2024-08-01T07:00:00.000000",
        "timestamp without time zone",
    ),
    FieldType.DATE: ("2024-08-01", date(2024, 8, 1), "2024-08-01", "date"),
    FieldType.GUID: (GUID.upper(), UUID(GUID), GUID, "text"),
    FieldType.JSON: ('[{"a": 1}]', '[{"a": 1}]', '[{"a": 1}]', "text"),
}
"""For each type: text that comes in, what the driver takes, what JSON shows, and the type in a bulk SELECT."""
JSON_TYPES = {"integer": int, "string": str, "number": float, "boolean": bool}


@pytest.mark.parametrize("kind", FieldType)
async def test_a_value_goes_from_text_through_the_database_to_json_and_bulk_files(
    run: Runtime, kind: FieldType
) -> None:
    text, taken, shown, bulk_type = WAY[kind]
    types = TYPE_MAPS[kind]

    parsed = types.parse(text)
    async with run.database.door() as connection:
        row = await connection.fetchrow(
            f"""
            SELECT row_to_json(r)::text AS record, pg_typeof({types.parquet_sql.format("stored")})::text AS bulk_type
            FROM (SELECT $1::{types.postgres} AS stored) AS v,
                LATERAL (SELECT {types.json_sql.format("stored")} AS value) AS r""",
            parsed,
        )

    value = json.loads(row["record"])["value"]
    assert parsed == taken
    assert value == shown
    assert isinstance(value, JSON_TYPES[types.json_schema["type"]])
    assert row["bulk_type"] == bulk_type


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        (FieldType.INTEGER, "1.0"),
        (FieldType.INTEGER, "1_000"),
        (FieldType.INTEGER, "\u0661"),
        (FieldType.INTEGER, "9223372036854775808"),
        (FieldType.TEXT, "a\x00b"),
        (FieldType.TEXT, "\ud800"),
        (FieldType.DECIMAL, "1_000"),
        (FieldType.DECIMAL, "Infinity"),
        (FieldType.DECIMAL, "1e1000"),
        (FieldType.FLOAT, "1e999"),
        (FieldType.FLOAT, "nan"),
        (FieldType.BOOLEAN, "2"),
        (FieldType.TIMESTAMP, "now"),
        (FieldType.TIMESTAMP, "0001-01-01T00:00:00+01:00"),
        (FieldType.LOCAL_TIME, "2024-08-01T00:00:00Z"),
        (FieldType.DATE, "01/08/2024"),
        (FieldType.GUID, "7"),
        (FieldType.JSON, "{'a': 1}"),
        (FieldType.JSON, '{"a": 1, "a": 2}'),
        (FieldType.JSON, "[" * 100_000),
    ],
    ids=repr,
)
def test_what_is_none_of_the_type_is_refused(kind: FieldType, text: str) -> None:
    with pytest.raises(ValueError):
        TYPE_MAPS[kind].parse(text)


async def test_every_dataset_gives_its_bulk_columns_in_order_of_the_key(run: Runtime, client_id: ClientId) -> None:
    async with run.database.scope(client_id) as connection:
        await add_outlets(connection, 3)
        await add_pictures(connection, 3)
        middle = await connection.fetchval("SELECT modified_on FROM location WHERE code = 'L2'")
        for dataset in registry().datasets.values():
            found = await connection.fetch(bulk_select(dataset))
            names = [column.parquet_name for column in dataset.columns if column.parquet_name]

            assert [list(row.keys()) for row in found[:1]] in ([], [names])
            keys = [row[dataset.key] for row in found]
            assert keys == sorted(keys)
            assert len(names) == len(set(names))
        since = bulk_select(registry().datasets["Location"], Window(since=middle))
        late = await connection.fetch(since)

    assert [row["LocationCode"] for row in late] == ["L2", "L3"]
