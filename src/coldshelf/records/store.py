"""Every query of the engine."""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from asyncpg import Record

from coldshelf.kit.db import Connection, Database
from coldshelf.kit.ids import ClientId
from coldshelf.records.dataset import Dataset
from coldshelf.records.entity import Entity, Reference
from coldshelf.records.limits import SIGHT, limit_sql
from coldshelf.records.query import Statement


class Lock(StrEnum):
    """How long a row that was read stays as it is: a reader's none, or until the end of the transaction.

    A save holds its own row by CHANGE and the rows that it refers to by REFER, so that renaming those waits, and then
    finds and touches the row that refers to them. Foreign keys alone are content with CHANGE: uploads never wait.
    """

    NONE = ""
    REFER = "FOR SHARE"
    CHANGE = "FOR NO KEY UPDATE"
    DELETE = "FOR UPDATE"


@dataclass(frozen=True, slots=True)
class Seen:
    """What of a table is in sight: everything, or of a narrowed dataset the rows that the limit lets through."""

    dataset: Dataset
    limit_id: int | None

    @property
    def arguments(self) -> tuple[int, ...]:
        return (self.limit_id or 0,) if self.dataset.limited else ()

    def condition(self, place: str) -> str:
        return f" AND {limit_sql(self.dataset, place)}" if self.dataset.limited else ""


@dataclass(frozen=True, slots=True)
class Batch:
    """Rows of a page as text, at least one, and where they end."""

    records: list[str]
    last_id: int
    revision: int


@dataclass(frozen=True, slots=True)
class PageEnd:
    """Where a page of a pull ended, how many records its first page counted, and the horizon of that page.

    `as_of` is None where the modification time is not filtered: nothing is held back then.
    """

    last_id: int
    total: int | None = None
    as_of: datetime | None = None


# `noted_on` is the horizon of the pull's first page; without one it is the time of the note. Two pulls by one reader
# with one filter at the same time share their notes: the end that lies further ahead in the list repeats rows where the
# other one could skip some, and so does the earlier horizon.
RECALL = """
    SELECT noted_on, last_id, total FROM list_position
    WHERE client_id = $1 AND pull = $2 AND next_start = $3 AND noted_on > now() - $4::interval"""
NOTE = """
    INSERT INTO list_position (client_id, pull, next_start, noted_on, last_id, total)
    VALUES ($1, $2, $3, coalesce($4, clock_timestamp()), $5, $6)
    ON CONFLICT (client_id, pull, next_start) DO UPDATE SET
        (last_id, noted_on, total) = (
            SELECT CASE WHEN NOT at_once THEN excluded.last_id
                    WHEN $7 THEN greatest(list_position.last_id, excluded.last_id)
                    ELSE least(list_position.last_id, excluded.last_id) END,
                CASE WHEN at_once AND $4 IS NOT NULL THEN least(list_position.noted_on, excluded.noted_on)
                    ELSE excluded.noted_on END,
                excluded.total
            FROM (SELECT list_position.noted_on > excluded.noted_on - interval '10 seconds' AS at_once) AS pulls)"""
BY_TIME_LIFE = timedelta(days=1)
PLAIN_LIFE = timedelta(minutes=10)
"""A list without a horizon is soon another one: who comes back later gets the rows that stand at `start` by then."""
FORGET = """
    WITH old AS (DELETE FROM list_position WHERE noted_on < now() - interval '1 day' RETURNING 1)
    SELECT count(*) FROM old"""


async def horizon(database: Database) -> datetime:
    value = await database.horizon()
    assert isinstance(value, datetime)  # noqa: S101  # the function's declared type
    return value


async def fetch_count(connection: Connection, statement: Statement, values: Mapping[str, Any]) -> int:
    return int(await connection.fetchval(statement.text, *statement.arguments(values)))


async def fetch_ids(connection: Connection, statement: Statement, values: Mapping[str, Any]) -> list[int]:
    return [row["id"] for row in await connection.fetch(statement.text, *statement.arguments(values))]


async def is_granted(connection: Connection, client_id: ClientId, limit_id: int, location_id: int) -> bool:
    text = f"SELECT EXISTS (SELECT FROM {SIGHT} WHERE client_id = $1 AND limit_id = $2 AND location_id = $3)"
    return bool(await connection.fetchval(text, client_id, limit_id, location_id))


async def fetch_pages(
    connection: Connection, statement: Statement, values: Mapping[str, Any], *, size: int
) -> AsyncIterator[list[Record]]:
    """Read the rows in batches of `size` from a server-side cursor; no batch is empty, and the reader may empty it."""
    cursor = await connection.cursor(statement.text, *statement.arguments(values))
    while batch := await cursor.fetch(size):
        is_last = len(batch) < size
        yield batch
        if is_last:
            return


async def fetch_batches(
    connection: Connection, statement: Statement, values: Mapping[str, Any], *, size: int
) -> AsyncIterator[Batch]:
    """Read the texts of a page like `fetch_pages`."""
    async for rows in fetch_pages(connection, statement, values, size=size):
        batch = Batch([row["record"] for row in rows], rows[-1]["id"], rows[-1]["revision"])
        rows.clear()
        yield batch
        batch.records.clear()  # else they would be held until the next ones are there


async def fetch_whole(connection: Connection, statement: Statement, values: Mapping[str, Any]) -> AsyncIterator[Batch]:
    """Read the texts of a page at once, from a statement that gives them as one row."""
    row = await connection.fetchrow(statement.text, *statement.arguments(values))
    if row is not None and row["records"]:
        yield Batch(row["records"], row["id"], row["revision"])


async def recall_page_end(
    database: Database, client_id: ClientId, pull: bytes, *, next_start: int, by_time: bool
) -> PageEnd | None:
    life = BY_TIME_LIFE if by_time else PLAIN_LIFE
    async with database.scope(client_id, readonly=True) as connection:
        row = await connection.fetchrow(RECALL, client_id, pull, next_start, life)
    return None if row is None else PageEnd(row["last_id"], row["total"], row["noted_on"] if by_time else None)


async def note_page_end(
    database: Database, client_id: ClientId, pull: bytes, *, next_start: int, note: PageEnd, descending: bool
) -> None:
    async with database.scope(client_id) as connection:
        await connection.execute(NOTE, client_id, pull, next_start, note.as_of, note.last_id, note.total, descending)


async def forget_page_ends(connection: Connection) -> int:
    """Delete notes that are older than a day, of all tenants; the connection is the owner's. Return how many."""
    return int(await connection.fetchval(FORGET))


async def row_by(
    connection: Connection,
    client_id: ClientId,
    entity: Entity,
    column: str,
    value: int | str,
    *,
    seen: Seen,
    lock: Lock = Lock.NONE,
) -> dict[str, Any] | None:
    """Find an active row in sight by its id or by a lower-case key column; values have the types of their columns."""
    rows = await rows_by(connection, client_id, entity, column, value, seen=seen, lock=lock)
    return rows[0] if rows else None


async def rows_by(
    connection: Connection,
    client_id: ClientId,
    entity: Entity,
    column: str,
    value: int | str,
    *,
    seen: Seen,
    lock: Lock = Lock.NONE,
    within: tuple[str, int] | None = None,
) -> list[dict[str, Any]]:
    """Find at most two active rows like `row_by`, `within` those whose column refers to that id."""
    # The database folds the value as it folded the column: letter case differs outside ASCII.
    place = "$2" if column == "id" else "lower($2::text)"
    narrowed = f' AND t."{within[0]}" = $3' if within else ""
    narrowed += seen.condition("$4" if within else "$3")
    rows = await connection.fetch(
        f'SELECT t.* FROM {entity.table} AS t WHERE t.client_id = $1 AND t."{column}" = {place} AND NOT t.is_deleted'
        f"{narrowed} LIMIT 2 {lock}",
        client_id,
        value,
        *(within[1:] if within else ()),
        *seen.arguments,
    )
    return [dict(row) for row in rows]


async def add_row(connection: Connection, client_id: ClientId, entity: Entity, values: Mapping[str, Any]) -> int:
    """Insert a row, values by column; None gives a column its default. Return the id."""
    places, given = _places(values, first=2)
    names = "".join(f', "{name}"' for name in places)
    new = "".join(f", {place}" for place in places.values())
    text = f"INSERT INTO {entity.table} (client_id{names}) VALUES ($1{new}) RETURNING id"
    return int(await connection.fetchval(text, client_id, *given))


async def change_row(
    connection: Connection, client_id: ClientId, entity: Entity, row_id: int, values: Mapping[str, Any]
) -> None:
    """Change the given columns; None gives a column its default."""
    places, given = _places(values, first=3)
    changes = ", ".join(f'"{name}" = {place}' for name, place in places.items()) or "is_deleted = is_deleted"
    text = f"UPDATE {entity.table} SET {changes} WHERE client_id = $1 AND id = $2"
    await connection.execute(text, client_id, row_id, *given)


def _places(values: Mapping[str, Any], *, first: int) -> tuple[dict[str, str], list[Any]]:
    """Name the place of each value in a statement, from `$first` on, and list the values that get one."""
    given = [(name, value) for name, value in values.items() if value is not None]
    places = {name: f"${number}" for number, (name, _) in enumerate(given, first)}
    return {name: places.get(name, "DEFAULT") for name in values}, [value for _, value in given]


async def row_whatever(connection: Connection, entity: Entity, row_id: int) -> dict[str, Any] | None:
    """Give a row, deleted or not, and hold it."""
    rows = await connection.fetch(f"SELECT * FROM {entity.table} WHERE id = $1 FOR UPDATE", row_id)
    return dict(rows[0]) if rows else None


async def scrub(connection: Connection, table: str, row_id: int) -> datetime | None:
    """Make a tombstone of a row: key, references and times; give its modification time, None where there is no row."""
    value: datetime | None = await connection.fetchval("SELECT coldshelf_scrub($1, $2)", table, row_id)
    return value


async def forget_user(connection: Connection, user_id: int) -> int:
    """Take the name of a user from every row that it made or changed; give how many those are."""
    return int(await connection.fetchval("SELECT coldshelf_forget_user($1)", user_id))


async def forget_images(connection: Connection, entity: str, row_id: int) -> None:
    """Empty what imports noted of a record before they changed it."""
    await connection.execute(
        "UPDATE import_change SET before_image = NULL WHERE entity = $1 AND entity_id = $2", entity, row_id
    )


async def imported_files(connection: Connection, entity: str, row_id: int) -> list[tuple[str, str, datetime]]:
    """Give the object, the name and the time of each imported file that wrote a record."""
    rows = await connection.fetch(
        """
        SELECT object_key, file_name, created_on FROM import_run r WHERE EXISTS (
            SELECT FROM import_change c WHERE c.client_id = r.client_id AND c.import_run_id = r.id
                AND c.entity = $1 AND c.entity_id = $2)
        ORDER BY id""",
        entity,
        row_id,
    )
    return [(row["object_key"], row["file_name"], row["created_on"]) for row in rows]


async def is_referred_to(connection: Connection, entity: Entity, reference: Reference, row_id: int) -> bool:
    return bool(
        await connection.fetchval(
            f'SELECT EXISTS (SELECT FROM {entity.table} WHERE "{reference.name}" = $1 AND NOT is_deleted)', row_id
        )
    )


async def leads_to(connection: Connection, entity: Entity, reference: Reference, row_id: int, wanted: int) -> bool:
    """Tell whether a row refers to the wanted one of the same table, over however many steps."""
    return bool(
        await connection.fetchval(
            f"""
            WITH RECURSIVE above AS (
                SELECT "{reference.name}" AS id FROM {entity.table} WHERE id = $1
                UNION SELECT t."{reference.name}" FROM {entity.table} t JOIN above ON above.id = t.id)
            SELECT EXISTS (SELECT FROM above WHERE id = $2)""",
            row_id,
            wanted,
        )
    )


async def touch_by(
    connection: Connection, table: str, column: str, value: int, via: tuple[str, str] | None = None
) -> None:
    """Give rows a new modification time without changing them; in order, so that two touches never deadlock.

    With `via` (table, column) the rows are those whose column leads to rows there that hold the value.
    """
    holds = f'"{column}" = $1'
    if via:
        holds = f'"{column}" IN (SELECT id FROM {via[0]} WHERE "{via[1]}" = $1)'
    await connection.execute(
        f"""
        UPDATE {table} SET is_deleted = is_deleted WHERE id IN (
            SELECT id FROM {table} WHERE {holds} ORDER BY id FOR NO KEY UPDATE)""",
        value,
    )
