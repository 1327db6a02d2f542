"""Every query of comparisons."""

from collections.abc import Iterable

from coldshelf.compliance.matching import Match
from coldshelf.kit.db import Connection

ADD_MATCH = """
    INSERT INTO position_match (client_id, result_id, picture_id, planogram_id, status, facing_id, shelf, position,
        planned_product_id)
    VALUES (coldshelf_client(), $1, $2, $3, $4, $5, $6, $7, $8)"""
ADD_COMPLIANCE = """
    INSERT INTO facing_compliance (client_id, facing_id, is_compliant, status)
    VALUES (coldshelf_client(), $1, $2, $3)"""


async def is_compared(connection: Connection, result_id: int) -> bool:
    return bool(await connection.fetchval("SELECT EXISTS (SELECT FROM position_match WHERE result_id = $1)", result_id))


async def add_matches(
    connection: Connection,
    *,
    result_id: int,
    picture_id: int,
    planogram_id: int,
    placed: Iterable[tuple[Match, tuple[int, int]]],
) -> None:
    """Write the matches with their (shelf, position), and the compliance of each facing."""
    rows = list(placed)
    await connection.executemany(
        ADD_MATCH,
        [
            (
                result_id,
                picture_id,
                planogram_id,
                match.status.value,
                match.found_key,
                *place,
                match.planned.product_id if match.planned else None,
            )
            for match, place in rows
        ],
    )
    await connection.executemany(
        ADD_COMPLIANCE,
        [(match.found_key, match.is_compliant, match.status.value) for match, _ in rows if match.found_key is not None],
    )


async def compliance(connection: Connection, result_id: int) -> dict[int, bool]:
    """Give for each facing of a result whether it is compliant."""
    rows = await connection.fetch(
        """
        SELECT facing_id, status = 'matched' AS is_compliant FROM position_match
        WHERE result_id = $1 AND facing_id IS NOT NULL""",
        result_id,
    )
    return {row["facing_id"]: row["is_compliant"] for row in rows}
