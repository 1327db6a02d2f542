"""Rows for every table of a database, made from what its catalogue says; for tests that walk all tables."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

import asyncpg

TENANT_TABLES = """
    SELECT c.relname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'client_id'
    WHERE c.relkind = 'r' AND c.relnamespace = 'public'::regnamespace ORDER BY c.relname"""
COLUMNS = """
    SELECT a.attname AS name, format_type(a.atttypid, NULL) AS type FROM pg_attribute a
    WHERE a.attrelid = $1::text::regclass AND a.attnum > 0 AND NOT a.attisdropped AND a.attnotnull
        AND NOT a.atthasdef AND a.attidentity = '' AND a.attname <> 'client_id' ORDER BY a.attnum"""
REFERENCES = """
    SELECT c.conrelid::regclass::text AS table, a.attname AS column, c.confrelid::regclass::text AS target
    FROM pg_constraint c JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = c.conkey[2]
    WHERE c.contype = 'f' AND cardinality(c.conkey) = 2"""
STAMPS = {
    "created_on": "clock_timestamp()", "modified_on": "clock_timestamp()",
    "created_by_user": "''", "modified_by_user": "''", "revision": "n",
}  # fmt: skip
"""What the trigger of every tenant table sets, where triggers do not run."""
MEANINGFUL = {
    "status_id": "13",
    "is_served": "true",
    "shelves": "'[]'",
    "differences": "'[]'",
    "position": "n + (random() * 1000000000)::bigint",  # a place has one row
}
"""Values of columns that not every value suits, by name."""
OPTIONAL = {"sms_message": {"sid": "'SM' || n || md5(random()::text)"}}
"""Values of columns that may be empty, but not in two rows."""
VALUES = {
    "bigint": "n",
    "integer": "n",
    "text": "'v' || n || left(md5(random()::text), 8)",
    "boolean": "false",
    "uuid": "gen_random_uuid()",
    "bytea": "uuid_send(gen_random_uuid())",
    "double precision": "1.0",
    "numeric": "1.0",
    "timestamp with time zone": "clock_timestamp()",
    "timestamp without time zone": "localtimestamp",
    "date": "current_date",
    "text[]": "'{}'",
}


@dataclass(frozen=True)
class Reference:
    table: str
    column: str
    target: str


async def tenant_tables(owner: asyncpg.Connection) -> list[str]:
    """Name every table with tenants, those referred to before those that refer to them."""
    waiting = [row["relname"] for row in await owner.fetch(TENANT_TABLES)]
    references = await _references(owner)
    ordered: list[str] = []
    while waiting:
        ready = [
            table
            for table in waiting
            if all(
                item.target in ordered or item.target == table or item.target not in waiting
                for item in references
                if item.table == table
            )
        ]
        assert ready, f"references in a circle: {waiting}"
        ordered += ready
        waiting = [table for table in waiting if table not in ready]
    return ordered


async def fill(owner: asyncpg.Connection, client_id: int, tables: Iterable[str], count: int = 1) -> None:
    """Add so many rows of one client to tables, which come in the order of `tenant_tables`.

    Many rows are added without triggers and checks of foreign keys, which take ten times as long as the rows.
    """
    async with owner.transaction():
        if count > 1:
            await owner.execute("SET LOCAL session_replication_role = replica")
        await _fill(owner, client_id, tables, count)


async def _fill(owner: asyncpg.Connection, client_id: int, tables: Iterable[str], count: int) -> None:
    targets = {(item.table, item.column): item.target for item in await _references(owner)}
    for table in tables:
        columns = [row for row in await owner.fetch(COLUMNS, table) if count > 1 or row["name"] not in STAMPS]
        values = {row["name"]: STAMPS.get(row["name"]) or VALUES[row["type"]] for row in columns}
        values |= {name: value for name, value in MEANINGFUL.items() if name in values}
        values |= OPTIONAL.get(table, {})
        for name in values:
            target = targets.get((table, name), "")
            if target:
                key = await _key(owner, target)
                values[name] = (
                    f"(SELECT min({key}::text) FROM {target} WHERE client_id = {client_id})::{_type(columns, name)}"
                )
        names = "".join(f', "{name}"' for name in values)
        chosen = "".join(f", {value}" for value in values.values())
        await owner.execute(
            f'INSERT INTO "{table}" (client_id{names}) SELECT {client_id}{chosen} FROM generate_series(1, {count}) AS n'
        )


def _type(columns: list[asyncpg.Record], name: str) -> str:
    return str(next(row["type"] for row in columns if row["name"] == name))


async def _references(owner: asyncpg.Connection) -> list[Reference]:
    return [Reference(**row) for row in await owner.fetch(REFERENCES)]


async def _key(owner: asyncpg.Connection, table: str) -> str:
    """Name the column that identifies a row within a client."""
    definition = await owner.fetchval(
        "SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conrelid = $1::text::regclass AND contype = 'p'",
        table,
    )
    found = re.search(r"\(client_id, (\w+)", definition)
    assert found, f"{table}: {definition}"
    return found[1]
