"""Every query of comparisons."""

from collections.abc import Iterable, Mapping

from coldshelf.compliance.comparing import Comparison
from coldshelf.compliance.matching import Match, MatchStatus, Planned
from coldshelf.kit.db import Connection
from coldshelf.recognition.models import Row

ADD_MATCH = """
    INSERT INTO position_match (client_id, result_id, picture_id, planogram_id, status, facing_id, shelf, position,
        planned_product_id)
    VALUES (coldshelf_client(), $1, $2, $3, $4, $5, $6, $7, $8)"""
ADD_COMPLIANCE = """
    INSERT INTO facing_compliance (client_id, facing_id, is_compliant, status)
    VALUES (coldshelf_client(), $1, $2, $3)"""


async def is_compared(connection: Connection, result_id: int) -> bool:
    return bool(await connection.fetchval("SELECT EXISTS (SELECT FROM position_match WHERE result_id = $1)", result_id))


async def add_comparisons(
    connection: Connection, comparisons: Iterable[Comparison], *, result_id: int, picture_id: int, planogram_id: int
) -> None:
    """Write the matches of a stored result, and the compliance of each facing."""
    done = list(comparisons)
    await connection.executemany(
        ADD_MATCH,
        [
            (
                result_id,
                picture_id,
                planogram_id,
                item.match.status.value,
                item.row.id if item.row else None,
                *item.place,
                item.match.planned.product_id if item.match.planned else None,
            )
            for item in done
        ],
    )
    await connection.executemany(
        ADD_COMPLIANCE,
        [(item.row.id, item.match.is_compliant, item.match.status.value) for item in done if item.row],
    )


async def comparisons(connection: Connection, result_id: int, rows: Mapping[int, Row]) -> list[Comparison]:
    """Give the matches of a result as they were written, in their order; `rows` are those of the result by id."""
    found = await connection.fetch(
        """
        SELECT status, facing_id, shelf, position, planned_product_id FROM position_match
        WHERE result_id = $1 ORDER BY id""",
        result_id,
    )
    return [
        Comparison(
            Match(
                MatchStatus(record["status"]),
                record["facing_id"],
                Planned(record["shelf"], record["position"], record["planned_product_id"])
                if record["planned_product_id"]
                else None,
                is_doubtful=record["facing_id"] is not None and rows[record["facing_id"]].is_unknown,
            ),
            None if record["facing_id"] is None else rows[record["facing_id"]],
        )
        for record in found
    ]


async def compliance(connection: Connection, result_id: int) -> dict[int, bool]:
    """Give for each facing of a result whether it is compliant."""
    rows = await connection.fetch(
        """
        SELECT facing_id, status = 'matched' AS is_compliant FROM position_match
        WHERE result_id = $1 AND facing_id IS NOT NULL""",
        result_id,
    )
    return {row["facing_id"]: row["is_compliant"] for row in rows}
