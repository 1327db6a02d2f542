"""Every query of figures."""

from collections.abc import Collection, Mapping
from typing import Any

from coldshelf.kit.db import Connection

ADD_DIFFERENCES = """
    INSERT INTO reprocessing_figures (client_id, reprocessing_picture_id, reprocessing_id, differences)
    VALUES (coldshelf_client(), $1, $2, $3)"""
# Figures that are yes or no, or that are missing on one side, count as changed and have no mean.
TOTALS = """
    SELECT item ->> 'name' AS "Name", count(*) AS "Pictures",
        round((avg((item ->> 'after')::float - (item ->> 'before')::float) FILTER (
            WHERE jsonb_typeof(item -> 'before') = 'number' AND jsonb_typeof(item -> 'after') = 'number'))::numeric, 2
        )::float AS "MeanChange"
    FROM reprocessing_figures, jsonb_array_elements(differences::jsonb) AS item
    WHERE reprocessing_id = $1 GROUP BY 1 ORDER BY 2 DESC, 1"""


async def write_figures(
    connection: Connection, picture_id: int, *, result_id: int, columns: Mapping[str, object]
) -> bool:
    """Write the figures (column to value) of a result; False when those of this or of a newer one stand already."""
    names = ", ".join(columns)
    places = ", ".join(f"${n}" for n in range(3, len(columns) + 3))
    changes = ", ".join(f"{name} = excluded.{name}" for name in columns)
    written = await connection.fetchval(
        f"""
        INSERT INTO picture_kpi (client_id, picture_id, result_id, {names})
        VALUES (coldshelf_client(), $1, $2, {places})
        ON CONFLICT (client_id, picture_id) DO UPDATE SET result_id = excluded.result_id, {changes}
        WHERE picture_kpi.result_id < excluded.result_id
        RETURNING 1""",
        picture_id,
        result_id,
        *columns.values(),
    )
    return written is not None


async def read_figures(connection: Connection, picture_id: int, columns: Collection[str]) -> dict[str, Any]:
    """Give the stored figures of a picture by column; none when it has none."""
    row = await connection.fetchrow(f"SELECT {', '.join(columns)} FROM picture_kpi WHERE picture_id = $1", picture_id)
    return dict(row) if row else {}


async def add_differences(connection: Connection, candidate_id: int, *, reprocessing_id: int, differences: str) -> None:
    await connection.execute(ADD_DIFFERENCES, candidate_id, reprocessing_id, differences)


async def difference_totals(connection: Connection, reprocessing_id: int) -> list[dict[str, Any]]:
    """Give for each figure that changes in how many pictures of a run it does, and by how much in the mean."""
    return [dict(row) for row in await connection.fetch(TOTALS, reprocessing_id)]
