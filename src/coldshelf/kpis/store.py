"""Every query of figures."""

from collections.abc import Mapping

from coldshelf.kit.db import Connection


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
