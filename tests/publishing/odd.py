"""Rows that are hard to hand on: nulls, extremes and odd text in every column that lets them in."""

from collections.abc import Sequence
from contextlib import suppress

import asyncpg

from coldshelf.publishing.models import BULK_DATASETS
from coldshelf.records.registry import Registry
from tests.house.filling import fill, tenant_tables

ODD = "Ünïcödé 🧊 漢字 \"quoted\", it''s; \\N\t\u202eabc\u202c =1+1"
EXTREMES = {
    "text": (f"'{ODD}'", "''", "'NULL'"),
    "bigint": ("9223372036854775807", "-9223372036854775808", "0"),
    "integer": ("2147483647", "-2147483648", "0"),
    "double precision": ("1.7976931348623157e308", "5e-324", "-0.1"),
    "timestamp with time zone": ("'9999-12-31 23:59:59.999999Z'", "'0001-01-01Z'", "'1969-12-31 23:59:59.999999Z'"),
    "timestamp without time zone": ("'9999-12-31 23:59:59.999999'", "'0001-01-01'", "'2026-03-29 02:30'"),
    "date": ("'9999-12-31'", "'0001-01-01'", "'1969-12-31'"),
    "boolean": ("true", "false", "true"),
}
COLUMNS = """
    SELECT a.attname AS name, format_type(a.atttypid, a.atttypmod) AS type FROM pg_attribute a
    JOIN pg_class c ON c.oid = a.attrelid AND c.relkind = 'r'
    WHERE a.attrelid = $1::text::regclass AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''
        AND a.attname NOT IN ('id', 'client_id', 'is_deleted', 'modified_on', 'revision', 'is_served')
        AND NOT EXISTS (SELECT FROM pg_constraint f WHERE f.conrelid = a.attrelid AND f.contype = 'f'
            AND a.attnum = ANY(f.conkey))"""


async def add_odd_rows(owner: asyncpg.Connection, client_id: int, registry: Registry) -> int:
    """Fill every table, and give what is published whatever extremes its constraints let in; count those values."""
    tables = await tenant_tables(owner)
    await fill(owner, client_id, tables)
    relations = published_relations(registry, tables)
    for relation in relations:
        with suppress(asyncpg.UniqueViolationError):  # what it belongs to has one such row
            await fill(owner, client_id, [relation], 3)
    return sum([await _make_extreme(owner, relation, 0) for relation in relations])


async def change_odd_rows(owner: asyncpg.Connection, registry: Registry) -> int:
    """Let the extremes of every published table go round, and delete a row of each; count the new values."""
    relations = published_relations(registry, await tenant_tables(owner))
    done = sum([await _make_extreme(owner, relation, 1) for relation in relations])
    for relation in relations:  # by their triggers, which say when
        await owner.execute(f"UPDATE {relation} SET is_deleted = is_deleted")
        await owner.execute(f"UPDATE {relation} SET is_deleted = true WHERE id = (SELECT max(id) FROM {relation})")
    return done


def published_relations(registry: Registry, tables: Sequence[str]) -> list[str]:
    published = {registry.datasets[name].relation for name in BULK_DATASETS}
    return [table for table in tables if table in published]


async def _make_extreme(owner: asyncpg.Connection, relation: str, turn: int) -> int:
    done = 0
    ids = [row["id"] for row in await owner.fetch(f"SELECT id FROM {relation} ORDER BY id DESC LIMIT 3")]
    for column in await owner.fetch(COLUMNS, relation):
        extremes = _extremes(column["type"])
        for row_id, value in zip(ids, (*extremes[turn:], *extremes[:turn]), strict=False):
            try:
                async with owner.transaction():
                    await owner.execute("SET LOCAL session_replication_role = replica")
                    await owner.execute(f'UPDATE {relation} SET "{column["name"]}" = {value} WHERE id = {row_id}')
                done += 1
            except asyncpg.IntegrityConstraintViolationError:
                pass
    return done


def _extremes(kind: str) -> tuple[str, ...]:
    if kind.startswith("numeric("):
        precision, scale = map(int, kind[8:-1].split(","))
        most = f"{'9' * (precision - scale)}.{'9' * scale}"
        return (most, f"-{most}", f"0.{'0' * (scale - 1)}1")
    return EXTREMES.get(kind, ())
