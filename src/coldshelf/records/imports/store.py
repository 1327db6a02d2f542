"""Every query of imports. What names an entity's table is composed from its declaration."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from asyncpg import Record

from coldshelf.kit.db import Connection
from coldshelf.kit.ids import ClientId
from coldshelf.records.entity import Entity, Field
from coldshelf.records.imports.compiled import KeyPiece
from coldshelf.records.registry import Showing
from coldshelf.records.store import Lock, Seen

ADD, INSERT, UPDATE = "add", "insert", "update"
"""Kinds of change: added along the way, added by its row, changed."""


@dataclass(frozen=True, slots=True)
class TableColumn:
    """Type and default of a column, as SQL."""

    type: str
    default: str | None


@dataclass(frozen=True, slots=True)
class Change:
    """A row of the audit: which row of the file changed which record, and how."""

    number: int
    row: int
    kind: str
    id: int


async def in_turn(connection: Connection, client_id: ClientId) -> None:
    """Let one import of a client write at a time; held until the end of the transaction."""
    await connection.execute("SELECT pg_advisory_xact_lock(hashtextextended('coldshelf.import', $1))", client_id)


async def plan_alike(connection: Connection) -> None:
    """Let this transaction plan each statement, those of triggers and foreign keys too, once for all values.

    Planned for its values instead, each foreign key of each row is planned anew; and of a client that is new to the
    statistics the planner expects no row, so that any index that begins with the client looks as good as the key.
    """
    await connection.execute("SELECT set_config('plan_cache_mode', 'force_generic_plan', true)")


async def plan_anew(connection: Connection) -> None:
    """Forget the plans of this connection: one made while a table was empty is a bad one after 10,000 rows."""
    await connection.execute("DISCARD PLANS")


async def table_columns(connection: Connection, table: str) -> dict[str, TableColumn]:
    """Read the types and defaults of a table's columns from the catalogue."""
    rows = await connection.fetch(
        """
        SELECT a.attname, format_type(a.atttypid, NULL) AS type, pg_get_expr(d.adbin, d.adrelid) AS default
        FROM pg_attribute a
        LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum AND a.attgenerated = ''
        WHERE a.attrelid = $1::text::regclass AND a.attnum > 0 AND NOT a.attisdropped""",
        table,
    )
    return {row["attname"]: TableColumn(row["type"], row["default"]) for row in rows}


async def named_ids(
    connection: Connection,
    client_id: ClientId,
    entity: Entity,
    item: Field,
    texts: Sequence[tuple[str, int | None]],
    *,
    lock: Lock,
) -> list[tuple[int, int]]:
    """Find active records by a unique field: pairs of place in `texts` (from 0) and id.

    Each text comes with the id of the record within which the field is unique, where it is.
    """
    # Folded before the join: under the policy `lower` of another relation's column would keep it from the index.
    within = f'AND (w.outer_id IS NULL OR t."{item.unique_in}" = w.outer_id)' if item.unique_in else ""
    rows = await connection.fetch(
        f"""
        WITH w AS MATERIALIZED (
            SELECT lower(value) AS value, outer_id, place
            FROM unnest($2::text[], $3::bigint[]) WITH ORDINALITY AS sought (value, outer_id, place))
        SELECT w.place, t.id FROM w
        JOIN {entity.table} t ON t.client_id = $1 AND t."{item.name}_key" = w.value AND NOT t.is_deleted {within}
        ORDER BY t.id {_locking(lock)}""",
        client_id,
        [text for text, _ in texts],
        [outer for _, outer in texts],
    )
    return [(row["place"] - 1, row["id"]) for row in rows]


async def keyed_ids(
    connection: Connection,
    client_id: ClientId,
    entity: Entity,
    key: Sequence[KeyPiece],
    values: Sequence[Sequence[Any]],  # the columns' types
) -> list[tuple[int, int]]:
    """Find active records by a key of one or several columns: pairs of place in `values` (from 0) and id."""
    arrays = ", ".join(f"${number}::{'text' if piece.folded else 'bigint'}[]" for number, piece in enumerate(key, 2))
    names = ", ".join(f"c{number}" for number in range(len(key)))
    folded = ", ".join(f"lower(c{n}) AS c{n}" if piece.folded else f"c{n}" for n, piece in enumerate(key))
    rows = await connection.fetch(
        f"""
        WITH w AS MATERIALIZED (
            SELECT {folded}, place FROM unnest({arrays}) WITH ORDINALITY AS sought ({names}, place))
        {_joined_by_one(entity, key[0]) if len(key) == 1 else _joined_by_several(entity, key)}""",
        client_id,
        *([value[number] for value in values] for number in range(len(key))),
    )
    return [(row["place"] - 1, row["id"]) for row in rows]


def _joined_by_one(entity: Entity, piece: KeyPiece) -> str:
    return f"""
        SELECT w.place, t.id FROM w
        JOIN {entity.table} t ON t.client_id = $1 AND {_held(piece)} = w.c0 AND NOT t.is_deleted ORDER BY t.id"""


def _joined_by_several(entity: Entity, key: Sequence[KeyPiece]) -> str:
    """Look among the rows of the last reference, which are few: other columns may hold one value in all rows.

    A full join is always hashed or merged, whatever the planner expects of rows that this transaction has written.
    """
    number, piece = max((number, piece) for number, piece in enumerate(key, 2) if not piece.folded)
    held = ", ".join(f"{_held(piece)} AS c{n}" for n, piece in enumerate(key))
    names = ", ".join(f"c{n}" for n in range(len(key)))
    return f"""
        SELECT place, id FROM (
            SELECT w.place, h.id FROM w FULL JOIN (
                SELECT t.id, {held} FROM {entity.table} t
                WHERE t.client_id = $1 AND NOT t.is_deleted
                    AND t."{piece.column}" IN (SELECT unnest(${number}::bigint[]))
            ) h USING ({names}) OFFSET 0) f
        WHERE place IS NOT NULL AND id IS NOT NULL ORDER BY id"""


def _locking(lock: Lock) -> str:
    return f"{lock} OF t" if lock else ""


def _held(piece: KeyPiece) -> str:
    if not piece.folded:
        return f't."{piece.column}"'
    return f't."{piece.column}_key"' if piece.has_key_column else f'lower(t."{piece.column}")'


async def rows_by_id(
    connection: Connection, client_id: ClientId, entity: Entity, ids: Collection[int], *, lock: Lock
) -> dict[int, dict[str, Any]]:  # the columns' types
    """Give active rows by id, in order of ids."""
    rows = await connection.fetch(
        f"SELECT * FROM {entity.table} WHERE client_id = $1 AND id = ANY($2) AND NOT is_deleted ORDER BY id {lock}",
        client_id,
        list(ids),
    )
    return {row["id"]: dict(row) for row in rows}


async def seen_ids(
    connection: Connection, client_id: ClientId, entity: Entity, seen: Seen, ids: Collection[int]
) -> set[int]:
    """Give those of the ids whose rows are in sight."""
    rows = await connection.fetch(
        f"SELECT t.id FROM {entity.table} AS t WHERE t.client_id = $1 AND t.id = ANY($2){seen.condition('$3')}",
        client_id,
        list(ids),
        *seen.arguments,
    )
    return {row["id"] for row in rows}


async def insert_rows(
    connection: Connection,
    client_id: ClientId,
    entity: Entity,
    columns: Mapping[str, TableColumn],
    values: Sequence[Mapping[str, Any]],  # the columns' types
) -> list[int]:
    """Insert rows; give their ids in the order of `values`. A value that is None or absent becomes the default."""
    names = sorted({name for item in values for name in item})
    arrays = "".join(f", ${number}::{columns[name].type}[]" for number, name in enumerate(names, 3))
    chosen = "".join(f", {_or_default(name, columns[name])}" for name in names)
    listed = "".join(f', "{name}"' for name in names)
    rows = await connection.fetch(
        f"""
        INSERT INTO {entity.table} (client_id{listed})
        SELECT $1{chosen} FROM unnest($2::bigint[]{arrays}) AS r (_place{listed}) ORDER BY _place RETURNING id""",
        client_id,
        list(range(len(values))),
        *([item.get(name) for item in values] for name in names),
    )
    # Ids are given out in the order in which the rows are made, which is that of the places.
    return sorted(row["id"] for row in rows)


async def update_rows(
    connection: Connection,
    client_id: ClientId,
    entity: Entity,
    columns: Mapping[str, TableColumn],
    values: Mapping[int, Mapping[str, Any]],  # the columns' types
) -> None:
    """Change rows by id; every row says the same columns. None becomes the default."""
    names = sorted(next(iter(values.values())))
    arrays = "".join(f", ${number}::{columns[name].type}[]" for number, name in enumerate(names, 3))
    listed = "".join(f', "{name}"' for name in names)
    changes = ", ".join(f'"{name}" = {_or_default(name, columns[name])}' for name in names)
    await connection.execute(
        f"""
        UPDATE {entity.table} t SET {changes} FROM unnest($2::bigint[]{arrays}) AS r (_id{listed})
        WHERE t.client_id = $1 AND t.id = r._id""",
        client_id,
        list(values),
        *([item[name] for item in values.values()] for name in names),
    )


def _or_default(name: str, column: TableColumn) -> str:
    return f'r."{name}"' if column.default is None else f'coalesce(r."{name}", {column.default})'


async def keep_changes(
    connection: Connection, client_id: ClientId, run_id: int, entity: Entity, changes: Sequence[Change]
) -> None:
    """Note what an import has added, or with the rows as they are what it is about to change: all of one kind."""
    kind = changes[0].kind
    image, joined = "NULL", ""
    if kind == UPDATE:
        image, joined = "to_jsonb(t)", f"JOIN {entity.table} t ON t.client_id = $1 AND t.id = c.id"
    await connection.execute(
        f"""
        INSERT INTO import_change (
            client_id, import_run_id, number, row_number, entity, kind, entity_id, before_image)
        SELECT $1, $2, c.number, c.row_number, $3, $4, c.id, {image}
        FROM unnest($5::bigint[], $6::bigint[], $7::bigint[]) AS c (number, row_number, id) {joined}""",
        client_id,
        run_id,
        entity.name,
        kind,
        [item.number for item in changes],
        [item.row for item in changes],
        [item.id for item in changes],
    )


async def touch_showing(connection: Connection, showing: Showing, ids: Collection[int]) -> None:
    """Give rows that show columns of these records a new modification time; in order, so two touches never deadlock."""
    holds = f'"{showing.on}" = ANY($1)'
    if showing.via:
        holds = f'"{showing.on}" IN (SELECT id FROM {showing.via[0]} WHERE "{showing.via[1]}" = ANY($1))'
    await connection.execute(
        f"""
        UPDATE {showing.relation} SET is_deleted = is_deleted WHERE id IN (
            SELECT id FROM {showing.relation} WHERE {holds} ORDER BY id FOR NO KEY UPDATE)""",
        list(ids),
    )


# --- Undo


async def changed_entities(connection: Connection, run_id: int) -> set[str]:
    rows = await connection.fetch("SELECT DISTINCT entity FROM import_change WHERE import_run_id = $1", run_id)
    return {row["entity"] for row in rows}


async def changed_since(
    connection: Connection, client_id: ClientId, run_id: int, entity: Entity, *, most: int
) -> list[Record]:
    """Give the changes whose records have changed again since, or are gone; and hold all records of the run."""
    await connection.execute(
        f"""
        SELECT FROM {entity.table} WHERE client_id = $1 AND id IN (
            SELECT entity_id FROM import_change WHERE client_id = $1 AND import_run_id = $2 AND entity = $3)
        ORDER BY id FOR UPDATE""",
        client_id,
        run_id,
        entity.name,
    )
    return list(
        await connection.fetch(
            f"""
            SELECT c.row_number, c.entity_id, t.modified_on, t.modified_by_user
            FROM import_change c
            JOIN {entity.table} t ON t.client_id = c.client_id AND t.id = c.entity_id
            JOIN import_run r ON r.client_id = c.client_id AND r.id = c.import_run_id
            WHERE c.client_id = $1 AND c.import_run_id = $2 AND c.entity = $3 AND c.kind <> 'add'
                AND t.revision <> r.written_revision
            ORDER BY c.number LIMIT $4""",
            client_id,
            run_id,
            entity.name,
            most,
        )
    )


async def hold_referred_before(
    connection: Connection, client_id: ClientId, run_id: int, entity: Entity, *, column: str, target: Entity
) -> None:
    """Hold what the records of an import referred to before it: a rename waits, and then finds them there again."""
    await connection.execute(
        f"""
        SELECT FROM {target.table} t WHERE t.client_id = $1 AND t.id IN (
            SELECT (c.before_image ->> $4)::bigint FROM import_change c
            WHERE c.client_id = $1 AND c.import_run_id = $2 AND c.entity = $3 AND c.kind = 'update')
        ORDER BY t.id {_locking(Lock.REFER)}""",
        client_id,
        run_id,
        entity.name,
        column,
    )


async def restore_rows(
    connection: Connection, client_id: ClientId, run_id: int, entity: Entity, columns: Collection[str]
) -> list[int]:
    """Give the records of an import back what they said before it; give their ids."""
    changes = ", ".join(f'"{name}" = b."{name}"' for name in columns)
    rows = await connection.fetch(
        f"""
        UPDATE {entity.table} t SET {changes}
        FROM import_change c, jsonb_populate_record(NULL::{entity.table}, c.before_image) b
        WHERE c.client_id = $1 AND c.import_run_id = $2 AND c.entity = $3 AND c.kind = 'update'
            AND t.client_id = $1 AND t.id = c.entity_id
        RETURNING t.id""",
        client_id,
        run_id,
        entity.name,
    )
    return [row["id"] for row in rows]


async def added_ids(connection: Connection, run_id: int, entity: Entity, kinds: Collection[str]) -> dict[int, int]:
    """Give the records that an import added, with the rows that did."""
    rows = await connection.fetch(
        """
        SELECT entity_id, row_number FROM import_change
        WHERE import_run_id = $1 AND entity = $2 AND kind = ANY($3) ORDER BY number""",
        run_id,
        entity.name,
        list(kinds),
    )
    return {row["entity_id"]: row["row_number"] for row in rows}


async def referred_ids(
    connection: Connection, client_id: ClientId, entity: Entity, column: str, ids: Collection[int]
) -> set[int]:
    """Give those of the ids to which active rows refer."""
    rows = await connection.fetch(
        f"""
        SELECT DISTINCT "{column}" AS id FROM {entity.table}
        WHERE client_id = $1 AND "{column}" = ANY($2) AND NOT is_deleted""",
        client_id,
        list(ids),
    )
    return {row["id"] for row in rows}


async def delete_rows(connection: Connection, client_id: ClientId, entity: Entity, ids: Collection[int]) -> None:
    await connection.execute(
        f"UPDATE {entity.table} SET is_deleted = true WHERE client_id = $1 AND id = ANY($2)", client_id, list(ids)
    )
