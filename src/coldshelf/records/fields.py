"""The closed set of field types; each maps once to PostgreSQL, JSON Schema, JSON text, Parquet and input text."""

import json
import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any
from uuid import UUID

import sqlalchemy as sa

TRUE_WORDS = frozenset({"1", "true", "yes", "y", "on"})
FALSE_WORDS = frozenset({"0", "false", "no", "n", "off"})

LONGEST_INT = 100
# Python's own readers also take underscores between digits and the digits of other scripts.
_WHOLE = re.compile(r"[+-]?[0-9]{1,19}")
_NUMBER = re.compile(r"[+-]?(?:[0-9]{1,100}(?:\.[0-9]{0,100})?|\.[0-9]{1,100})(?:[eE][+-]?[0-9]{1,3})?")


class FieldType(StrEnum):
    """What a value is. A FLAG is a boolean that the wire and Parquet write as 1 or 0."""

    INTEGER = "integer"
    TEXT = "text"
    DECIMAL = "decimal"
    FLOAT = "float"
    BOOLEAN = "boolean"
    FLAG = "flag"
    TIMESTAMP = "timestamp"
    LOCAL_TIME = "local_time"
    DATE = "date"
    GUID = "guid"
    JSON = "json"


@dataclass(frozen=True, slots=True)
class TypeMap:
    """One row of the map. `json_sql` and `parquet_sql` are templates around a column expression.

    `parse` turns input text into the value that the driver takes and raises ValueError; `takes` says what it wants.
    """

    postgres: str
    sql: sa.types.TypeEngine[Any]
    arrow: str
    json_schema: dict[str, Any]
    json_sql: str
    parquet_sql: str
    parse: Callable[[str], Any]
    takes: str


def _integer(text: str) -> int:
    value = int(text) if _WHOLE.fullmatch(text.strip()) else None
    if value is None or not -(2**63) <= value < 2**63:
        raise ValueError("not a whole number of 64 bits")
    return value


def _decimal(text: str) -> Decimal:
    if not _NUMBER.fullmatch(text.strip()):
        raise ValueError("not a number")
    return Decimal(text.strip())


def _float(text: str) -> float:
    value = float(_decimal(text))
    if math.isinf(value):
        raise ValueError("out of range")
    return value


def parse_boolean(text: str) -> bool:
    """Read a yes-or-no word in any letter case."""
    word = text.strip().lower()
    if word in TRUE_WORDS:
        return True
    if word in FALSE_WORDS:
        return False
    raise ValueError("not a boolean")


def parse_timestamp(text: str) -> datetime:
    """Read an ISO 8601 time; one without a zone is UTC (contract 1.6)."""
    value = datetime.fromisoformat(text.strip())
    try:
        return value.astimezone(UTC) if value.tzinfo else value.replace(tzinfo=UTC)
    except OverflowError as error:
        raise ValueError("out of range") from error


def _local_time(text: str) -> datetime:
    value = datetime.fromisoformat(text.strip())
    if value.tzinfo:
        raise ValueError("a local time has no zone")
    return value


def _date(text: str) -> date:
    return date.fromisoformat(text.strip())


def _text(text: str) -> str:
    if "\x00" in text:
        raise ValueError("holds a zero character")
    text.encode()  # half a surrogate pair is a ValueError
    return text


def _json(text: str) -> str:
    read_json(text)
    return _text(text)


def read_json(text: str) -> Any:  # any JSON
    """Read JSON text; raise ValueError for whatever it is that cannot be read."""
    try:
        return json.loads(text, object_pairs_hook=_without_doubles, parse_int=_short_int)
    except RecursionError as error:
        raise ValueError("it is nested too deeply") from error


def _short_int(text: str) -> int:
    if len(text) > LONGEST_INT:
        raise ValueError("a number in it has too many digits")
    return int(text)


def _without_doubles(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        raise ValueError(f"it names {next(name for name in names if names.count(name) > 1)!r} twice")
    return found


TIME_FORMAT = """'YYYY-MM-DD"T"HH24:MI:SS.US'"""
"""The contract's times as a literal for the database's `to_char`."""
_TIME_TEXT = f"to_char({{}}, {TIME_FORMAT})"
_UTC_TEXT = f"to_char({{}} AT TIME ZONE 'UTC', {TIME_FORMAT})"

TYPE_MAPS: dict[FieldType, TypeMap] = {
    FieldType.INTEGER: TypeMap(
        "bigint", sa.BigInteger(), "int64", {"type": "integer"}, "{}", "{}::int8", _integer, "a whole number"
    ),
    FieldType.TEXT: TypeMap("text", sa.Text(), "string", {"type": "string"}, "{}", "{}::text", _text, "text"),
    FieldType.DECIMAL: TypeMap(
        "numeric", sa.Numeric(), "decimal", {"type": "number"}, "{}", "{}::numeric", _decimal, "a decimal number"
    ),
    FieldType.FLOAT: TypeMap(
        "double precision", sa.Double(), "float64", {"type": "number"}, "{}", "{}::float8", _float, "a number"
    ),
    FieldType.BOOLEAN: TypeMap(
        "boolean", sa.Boolean(), "bool", {"type": "boolean"}, "{}", "{}::bool", parse_boolean, "true or false"
    ),
    FieldType.FLAG: TypeMap(
        "boolean",
        sa.Boolean(),
        "int32",
        {"type": "integer", "enum": [0, 1]},
        "{}::int",
        "{}::int4",
        parse_boolean,
        "1 or 0",
    ),
    FieldType.TIMESTAMP: TypeMap(
        "timestamp with time zone",
        sa.DateTime(timezone=True),
        "timestamp[us, tz=UTC]",
        {"type": "string", "format": "date-time"},
        _UTC_TEXT,
        "{}::timestamptz",
        parse_timestamp,
        "a time such as 2024-08-01T00:00:00",
    ),
    FieldType.LOCAL_TIME: TypeMap(
        "timestamp without time zone",
        sa.DateTime(),
        "timestamp[us]",
        {"type": "string"},
        _TIME_TEXT,
        "{}::timestamp",
        _local_time,
        "a time without a zone such as 2024-08-01T00:00:00",
    ),
    FieldType.DATE: TypeMap(
        "date",
        sa.Date(),
        "date32",
        {"type": "string", "format": "date"},
        "{}",
        "{}::date",
        _date,
        "a date such as 2024-08-01",
    ),
    FieldType.GUID: TypeMap(
        "uuid", sa.Uuid(), "string", {"type": "string", "format": "uuid"}, "{}", "{}::text", UUID, "a GUID"
    ),
    FieldType.JSON: TypeMap("text", sa.Text(), "string", {"type": "string"}, "{}", "{}::text", _json, "JSON text"),
}
