"""Every query of the engine."""

from collections.abc import AsyncIterator, Mapping
from datetime import datetime
from typing import Any

from asyncpg import Record

from coldshelf.kit.db import Connection, Database
from coldshelf.kit.ids import ClientId
from coldshelf.records.entity import Entity, Reference
from coldshelf.records.query import Statement

POSITION_KEPT = "10 minutes"

RECALL = f"""
    SELECT last_id FROM list_position
    WHERE client_id = $1 AND pull = $2 AND next_start = $3 AND noted_on > now() - interval '{POSITION_KEPT}'"""
REMEMBER = f"""
    INSERT INTO list_position (client_id, pull, next_start, last_id) VALUES ($1, $2, $3, $4)
    ON CONFLICT (client_id, pull, next_start) DO UPDATE SET
        last_id = CASE WHEN list_position.noted_on > now() - interval '{POSITION_KEPT}'
            THEN least(list_position.last_id, excluded.last_id) ELSE excluded.last_id END,
        noted_on = clock_timestamp()"""
"""Two pulls of the same filter may run at once: the smaller key repeats rows, the larger one could skip some."""


async def horizon(database: Database) -> datetime:
    value = await database.horizon()
    assert isinstance(value, datetime)  # noqa: S101  # the function's declared type
    return value


async def fetch_count(connection: Connection, statement: Statement, values: Mapping[str, Any]) -> int:
    return int(await connection.fetchval(statement.text, *statement.arguments(values)))


async def fetch_pages(
    connection: Connection, statement: Statement, values: Mapping[str, Any], *, size: int
) -> AsyncIterator[list[Record]]:
    """Read the rows in batches of `size` from a server-side cursor; no batch is empty."""
    cursor = await connection.cursor(statement.text, *statement.arguments(values))
    while batch := await cursor.fetch(size):
        yield batch
        if len(batch) < size:
            return


async def recall_position(connection: Connection, client_id: ClientId, pull: bytes, start: int) -> int | None:
    value = await connection.fetchval(RECALL, client_id, pull, start)
    return None if value is None else int(value)


async def remember_position(
    connection: Connection, client_id: ClientId, pull: bytes, start: int, last_id: int
) -> None:
    await connection.execute(REMEMBER, client_id, pull, start, last_id)


async def row_by(
    connection: Connection, client_id: ClientId, entity: Entity, column: str, value: int | str, *, locking: bool = False
) -> dict[str, Any] | None:
    """Find an active row by its id or by a lower-case key column; values have the types of their columns."""
    row = await connection.fetchrow(
        f'SELECT * FROM {entity.table} WHERE client_id = $1 AND "{column}" = $2 AND NOT is_deleted'
        + (" FOR UPDATE" if locking else ""),
        client_id,
        value,
    )
    return None if row is None else dict(row)


async def write_row(
    connection: Connection, client_id: ClientId, entity: Entity, values: Mapping[str, Any], row_id: int | None
) -> int:
    """Insert a row (`row_id` None) or change the given columns; return the id."""
    names = list(values)
    if row_id is None:
        columns = ", ".join(f'"{name}"' for name in names)
        places = ", ".join(f"${n}" for n in range(2, len(names) + 2))
        text = f"INSERT INTO {entity.table} (client_id, {columns}) VALUES ($1, {places}) RETURNING id"
        return int(await connection.fetchval(text, client_id, *values.values()))
    changes = ", ".join(f'"{name}" = ${n}' for n, name in enumerate(names, 3)) or "is_deleted = is_deleted"
    text = f"UPDATE {entity.table} SET {changes} WHERE client_id = $1 AND id = $2"
    await connection.execute(text, client_id, row_id, *values.values())
    return row_id


async def is_referred_to(connection: Connection, entity: Entity, reference: Reference, row_id: int) -> bool:
    return bool(
        await connection.fetchval(
            f'SELECT EXISTS (SELECT FROM {entity.table} WHERE "{reference.name}" = $1 AND NOT is_deleted)', row_id
        )
    )


async def touch_by(connection: Connection, table: str, column: str, value: int) -> None:
    """Give rows a new modification time without changing them."""
    await connection.execute(f'UPDATE {table} SET is_deleted = is_deleted WHERE "{column}" = $1', value)
