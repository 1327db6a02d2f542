"""Every query of results."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import orjson

from coldshelf.kit.db import Connection
from coldshelf.pictures.models import Picture
from coldshelf.recognition.models import Candidate, CandidateState, Grids, Result, Row

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

CANDIDATE = """
    SELECT p.id, p.reprocessing_id, p.picture_id, p.lane, p.state, p.base_result_id, p.shelves, p.candidate,
        r.recogniser, coalesce(p.new_model, '') AS new_model
    FROM reprocessing_picture p JOIN reprocessing r ON r.client_id = p.client_id AND r.id = p.reprocessing_id
    WHERE p.id = $1"""
ADD_PICTURES = """
    INSERT INTO reprocessing_picture (client_id, reprocessing_id, picture_id, lane, state)
    SELECT coldshelf_client(), $1, picture_id, (number - 1) % $3, 'waiting'
    FROM unnest($2::bigint[]) WITH ORDINALITY AS chosen (picture_id, number)"""
KEEP_CANDIDATE = """
    UPDATE reprocessing_picture SET state = 'recognised', base_result_id = $2, base_number = $3, base_model = $4,
        new_model = $5, added = $6, gone = $7, renamed = $8, moved = $9, same = $10, differences = $11, shelves = $12,
        candidate = $13
    WHERE id = $1 AND state = 'waiting' RETURNING 1"""
CHANGE_STATE = """
    UPDATE reprocessing_picture SET state = $3, reason = $4,
        candidate = CASE WHEN $3 IN ('ready', 'accepted') THEN candidate ELSE '[]' END
    WHERE id = $1 AND state = ANY($2::text[]) RETURNING reprocessing_id"""
# Rows are locked in order, so that two such changes never deadlock.
DECIDE = """
    UPDATE reprocessing_picture SET state = $3, candidate = CASE WHEN $3 = 'accepted' THEN candidate ELSE '[]' END
    WHERE id IN (
        SELECT id FROM reprocessing_picture
        WHERE reprocessing_id = $1 AND state = ANY($2::text[]) AND ($4::bigint[] IS NULL OR picture_id = ANY($4))
            AND NOT ($5 AND added + gone + renamed + moved = 0)
        ORDER BY id FOR NO KEY UPDATE)
    RETURNING picture_id"""
NEXT_IN_LANE = """
    SELECT id FROM reprocessing_picture WHERE reprocessing_id = $1 AND lane = $2 AND state = $3 ORDER BY id LIMIT 1"""
TOTALS = """
    SELECT count(*) FILTER (WHERE added + gone + renamed + moved > 0) AS "Pictures", coalesce(sum(added), 0) AS "Added",
        coalesce(sum(gone), 0) AS "Gone", coalesce(sum(renamed), 0) AS "Renamed", coalesce(sum(moved), 0) AS "Moved",
        coalesce(sum(same), 0) AS "Same"
    FROM reprocessing_picture WHERE reprocessing_id = $1"""
RENAMES = """
    SELECT item -> 'before' ->> 'Product' AS "Before", item -> 'after' ->> 'Product' AS "After", count(*) AS "Facings"
    FROM reprocessing_picture, jsonb_array_elements(differences::jsonb) AS item
    WHERE reprocessing_id = $1 AND item ->> 'change' = 'renamed'
    GROUP BY 1, 2 ORDER BY 3 DESC, 1, 2 LIMIT 20"""


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


@dataclass(frozen=True, slots=True)
class Compared:
    """A candidate beside the served result: counts in the order added, gone, renamed, moved, same."""

    base: Result
    new_model: str
    counts: tuple[int, int, int, int, int]
    differences: str
    shelves: str
    rows: Sequence[Row]


async def add_reprocessing(
    connection: Connection, recogniser: str, selection: str, *, lanes: int, picture_ids: Sequence[int]
) -> int:
    """Add a run and its pictures, which are dealt to the lanes in turn."""
    run_id: int = await connection.fetchval(
        "INSERT INTO reprocessing (client_id, recogniser, selection, lanes)"
        " VALUES (coldshelf_client(), $1, $2, $3) RETURNING id",
        recogniser,
        selection,
        lanes,
    )
    await connection.execute(ADD_PICTURES, run_id, list(picture_ids), lanes)
    return run_id


async def lanes_of(connection: Connection, reprocessing_id: int) -> int | None:
    """Give the number of lanes of a run; None when there is no such run."""
    value: int | None = await connection.fetchval("SELECT lanes FROM reprocessing WHERE id = $1", reprocessing_id)
    return value


async def touch_reprocessing(connection: Connection, reprocessing_id: int) -> None:
    await connection.execute("UPDATE reprocessing SET is_deleted = is_deleted WHERE id = $1", reprocessing_id)


async def load_candidate(connection: Connection, candidate_id: int) -> Candidate | None:
    found = await connection.fetchrow(CANDIDATE, candidate_id)
    if found is None:
        return None
    values = dict(found)
    name, model = values.pop("recogniser"), values.pop("new_model")
    rows = tuple(_row(row) for row in orjson.loads(values.pop("candidate")))
    state = CandidateState(values.pop("state"))
    return Candidate(**values, state=state, recogniser=(name, model.removeprefix(f"{name} ")), rows=rows)


def _row(values: dict[str, Any]) -> Row:  # any JSON value
    return Row(**{**values, "corners": tuple((x, y) for x, y in values["corners"])})


async def keep_candidate(connection: Connection, candidate_id: int, compared: Compared) -> bool:
    """Keep what was recognised, unserved; False when nobody waits for it any more."""
    kept = await connection.fetchval(
        KEEP_CANDIDATE,
        candidate_id,
        compared.base.id,
        compared.base.number,
        compared.base.model_version,
        compared.new_model,
        *compared.counts,
        compared.differences,
        compared.shelves,
        orjson.dumps(compared.rows).decode(),
    )
    return kept is not None


async def change_state(
    connection: Connection,
    candidate_id: int,
    before: Collection[CandidateState],
    after: CandidateState,
    *,
    reason: str = "",
) -> bool:
    """Bring a candidate from one of the states to another; False when it is in none of them."""
    states = [state.value for state in before]
    return await connection.fetchval(CHANGE_STATE, candidate_id, states, after.value, reason) is not None


async def decide(
    connection: Connection,
    reprocessing_id: int,
    before: Collection[CandidateState],
    after: CandidateState,
    *,
    picture_ids: Sequence[int] | None,
    only_differing: bool,
) -> list[int]:
    """Bring the candidates of a run, or of some of its pictures, to a state; give the pictures."""
    states, chosen = [state.value for state in before], None if picture_ids is None else list(picture_ids)
    rows = await connection.fetch(DECIDE, reprocessing_id, states, after.value, chosen, only_differing)
    return [row["picture_id"] for row in rows]


async def next_in_lane(connection: Connection, reprocessing_id: int, lane: int, state: CandidateState) -> int | None:
    value: int | None = await connection.fetchval(NEXT_IN_LANE, reprocessing_id, lane, state.value)
    return value


async def totals(connection: Connection, reprocessing_id: int) -> dict[str, int]:
    """Sum the differences of all pictures of a run, by name on the wire."""
    (row,) = await connection.fetch(TOTALS, reprocessing_id)
    return {name: int(value) for name, value in row.items()}


async def renames(connection: Connection, reprocessing_id: int) -> list[dict[str, Any]]:
    """Give the twenty most frequent changes of name: product before, product after, facings."""
    return [dict(row) for row in await connection.fetch(RENAMES, reprocessing_id)]
