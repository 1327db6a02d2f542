"""Every query of erasures, under the tenant's policy; only the look at what is due is not."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from asyncpg import Record

from coldshelf.kit.db import Connection


async def add_erasure(
    connection: Connection, dataset: str, row_id: int, *, reason: str, erased_on: datetime, due_on: datetime
) -> int:
    value: int = await connection.fetchval(
        """
        INSERT INTO erasure (client_id, dataset, row_id, reason, erased_on, due_on)
        VALUES (coldshelf_client(), $1, $2, $3, $4, $5) RETURNING id""",
        dataset,
        row_id,
        reason,
        erased_on,
        due_on,
    )
    return value


async def clients_to_clean(connection: Connection, now: datetime, each: timedelta) -> list[int]:
    """Give the clients with erasures that are due and were not asked for lately; the connection is the owner's."""
    rows = await connection.fetch(
        """
        SELECT client_id FROM erasure WHERE state = 'waiting' AND due_on <= $1
        GROUP BY client_id HAVING coalesce(max(asked_on) < $1::timestamptz - $2::interval, true) ORDER BY client_id""",
        now,
        each,
    )
    return [row["client_id"] for row in rows]


async def ask_to_clean(connection: Connection, now: datetime, each: timedelta) -> int | None:
    """Note that the erasures that are due are asked for; give the first, None where another was faster."""
    await connection.execute("SELECT pg_advisory_xact_lock(hashtextextended('coldshelf.erasure', coldshelf_client()))")
    rows = await connection.fetch(
        """
        UPDATE erasure SET asked_on = $1 WHERE state = 'waiting' AND due_on <= $1 AND NOT EXISTS (
            SELECT FROM erasure e WHERE e.state = 'waiting' AND e.asked_on >= $1::timestamptz - $2::interval)
        RETURNING id""",
        now,
        each,
    )
    return min((row["id"] for row in rows), default=None)


async def due_erasures(connection: Connection, now: datetime) -> list[Record]:
    return list(
        await connection.fetch("SELECT * FROM erasure WHERE state = 'waiting' AND due_on <= $1 ORDER BY id", now)
    )


async def note_erasure_error(connection: Connection, ids: Sequence[int], error: str) -> None:
    await connection.execute("UPDATE erasure SET error = $2 WHERE id = ANY($1)", list(ids), error)


async def end_erasure(connection: Connection, erasure_id: int, report: str) -> None:
    await connection.execute(
        """
        UPDATE erasure SET state = 'done', done_on = clock_timestamp(), error = '', report = $2
        WHERE id = $1 AND state = 'waiting'""",
        erasure_id,
        report,
    )


async def mark_removed(connection: Connection, runs: Sequence[str]) -> None:
    """Note that the files of runs are gone; `runs` are the run ids of files."""
    await connection.execute(
        "UPDATE publication_run SET expired_on = clock_timestamp() WHERE run_id = ANY($1) AND expired_on IS NULL",
        list(runs),
    )


async def latest_erasures(connection: Connection, most: int) -> list[Record]:
    return list(await connection.fetch("SELECT * FROM erasure ORDER BY id DESC LIMIT $1", most))


async def destinations_of(connection: Connection) -> list[str]:
    """Give every destination that a publication of this client names, deleted ones included."""
    rows = await connection.fetch("SELECT DISTINCT destination FROM publication ORDER BY 1")
    return [row["destination"] for row in rows]


async def exchanged_runs(connection: Connection) -> list[Record]:
    """Give the finished runs that handed files over, whether those are there still or not."""
    return list(
        await connection.fetch(
            """
            SELECT r.run_id, r.as_of, r.tables, p.name, p.destination FROM publication_run r
            JOIN publication p ON p.client_id = r.client_id AND p.id = r.publication_id
            WHERE r.state = 'done' AND r.manifest IS NULL AND r.as_of IS NOT NULL ORDER BY r.id"""
        )
    )
