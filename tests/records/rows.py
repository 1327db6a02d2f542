"""Many rows at once, written by the database itself."""

from coldshelf.kit.db import Connection


async def add_outlets(connection: Connection, count: int, *, first: int = 1) -> None:
    """Add outlets with the codes `L<first>` …, each in one of ten cities; the last third has no street."""
    await connection.execute(
        """
        INSERT INTO location (client_id, code, name, external_code, city, street, latitude)
        SELECT coldshelf_client(), 'L' || n, 'Outlet ' || n, 'X' || n, 'City ' || n % 10,
            CASE WHEN n - $1 < $2 * 2 / 3 THEN n || ' Main Street' END, n % 90
        FROM generate_series($1::bigint, $1 + $2 - 1) AS n""",
        first,
        count,
    )


async def add_pictures(connection: Connection, count: int) -> None:
    """Add image records, received one second after another."""
    await connection.execute(
        """
        INSERT INTO picture (client_id, guid, scene_type, image_received_from, before_after, is_stitched, file_count,
            image_name, total_bytes, received_on, captured_on, captured_local, capture_time_source, status_id,
            submission_outcome, temperature)
        SELECT coldshelf_client(), gen_random_uuid(), 'ProductAnalysis', 1, 0, false, 1, n || '.jpg', 1000,
            received, received, received AT TIME ZONE 'Asia/Bangkok', 'received', 13, 'AutoProvisioned', 4.5
        FROM generate_series(1, $1::bigint) AS n,
            LATERAL (SELECT timestamptz '2026-01-01 00:00:00Z' + n * interval '1 second' AS received) AS r""",
        count,
    )


async def touch_outlets(connection: Connection, *codes: str) -> None:
    """Modify outlets without changing what they say."""
    await connection.execute("UPDATE location SET name = name WHERE code = ANY($1)", list(codes))
