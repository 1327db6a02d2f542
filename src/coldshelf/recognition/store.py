"""Every query of results."""

from collections.abc import Sequence
from uuid import UUID

from coldshelf.kit.db import Connection
from coldshelf.pictures.models import Picture
from coldshelf.recognition.models import Grids, Result, Row

NEXT_NUMBER = "SELECT coalesce(max(number), 0) + 1 FROM recognition_result WHERE picture_id = $1"
ADD_RESULT = """
    INSERT INTO recognition_result (client_id, picture_id, number, event_id, recogniser, recogniser_version,
        is_served, shelves, purity_status, depth_status)
    VALUES (coldshelf_client(), $1, $2, $3, $4, $5, true, $6, $7, $8) RETURNING id"""
ADD_FACING = """
    INSERT INTO facing (client_id, result_id, picture_id, product_id, product_name, sku, is_foreign, is_empty,
        is_unknown, shelf, position, confidence, seen_confidence, stack_index, stack_size, fill_level, capacity, door,
        x1, y1, x2, y2, x3, y3, x4, y4, alternatives,
        location_code, location_name, serial_number, city, state, country)
    VALUES (coldshelf_client(), $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19,
        $20, $21, $22, $23, $24, $25, $26, $27, $28, $29, $30, $31, $32)"""
SERVED = """
    SELECT id, number, model_version, shelves FROM served_result WHERE picture_id = $1"""
ROWS = """
    SELECT id, product_id, product_name, sku, is_foreign, is_empty, is_unknown, shelf, position, confidence,
        seen_confidence, stack_index, stack_size, fill_level, capacity, door, alternatives,
        x1, y1, x2, y2, x3, y3, x4, y4
    FROM facing WHERE result_id = $1 ORDER BY shelf, position, stack_index, id"""


async def retire(connection: Connection, picture_id: int) -> None:
    """End the served version: its product rows become deleted rows, with a new modification time."""
    await connection.execute(
        "UPDATE recognition_result SET is_served = false WHERE picture_id = $1 AND is_served", picture_id
    )
    await connection.execute("UPDATE facing SET is_deleted = true WHERE picture_id = $1 AND NOT is_deleted", picture_id)


async def add_result(
    connection: Connection,
    picture: Picture,
    *,
    event_id: UUID,
    recogniser: tuple[str, str],
    shelves: str,
    grids: Grids,
    rows: Sequence[Row],
) -> int:
    """Add the next version and serve it; `recogniser` is its name and version."""
    number = await connection.fetchval(NEXT_NUMBER, picture.id)
    result_id: int = await connection.fetchval(
        ADD_RESULT, picture.id, number, event_id, *recogniser, shelves, grids.purity, grids.depth
    )
    await connection.executemany(ADD_FACING, [_facing(result_id, picture, row) for row in rows])
    return result_id


def _facing(result_id: int, picture: Picture, row: Row) -> tuple[object, ...]:
    return (
        result_id,
        picture.id,
        row.product_id,
        row.product_name,
        row.sku,
        row.is_foreign,
        row.is_empty,
        row.is_unknown,
        row.shelf,
        row.position,
        row.confidence,
        row.seen_confidence,
        row.stack_index,
        row.stack_size,
        row.fill_level,
        row.capacity,
        row.door,
        *(float(value) for corner in row.corners for value in corner),
        row.alternatives,
        picture.location_code,
        picture.location_name,
        picture.serial_number,
        picture.city,
        picture.state,
        picture.country,
    )


async def served_result(connection: Connection, picture_id: int) -> Result | None:
    found = await connection.fetchrow(SERVED, picture_id)
    if found is None:
        return None
    rows = []
    for record in await connection.fetch(ROWS, found["id"]):
        values = dict(record)
        corners = tuple((values.pop(f"x{n}"), values.pop(f"y{n}")) for n in range(1, 5))
        rows.append(Row(**values, corners=corners))
    return Result(**found, rows=tuple(rows))


async def touch_rows(connection: Connection, result_id: int) -> None:
    await connection.execute("UPDATE facing SET is_deleted = is_deleted WHERE result_id = $1", result_id)
