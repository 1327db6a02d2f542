"""Every query of this room. Rows of runs are written under the tenant's policy; only the look at schedules is not."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from asyncpg import Record

from coldshelf.kit.db import Connection

OPEN = ("waiting", "running")


@dataclass(frozen=True, slots=True, kw_only=True)
class RunEnd:
    """How a run ended. Without `tables` it keeps what was noted of its files."""

    state: str
    error: str = ""
    cure: str = ""
    manifest: str | None = None
    tables: str | None = None
    rows: int = 0
    bytes: int = 0


async def scheduled(connection: Connection) -> list[Record]:
    """Give the publications of all clients that a scheduler has to look at; the connection is the owner's."""
    return list(
        await connection.fetch(
            """
            SELECT p.client_id, p.id FROM publication p
            WHERE NOT p.is_deleted AND (
                (p.is_active AND p.schedule IS NOT NULL)
                OR EXISTS (SELECT FROM publication_run r WHERE r.client_id = p.client_id AND r.publication_id = p.id
                    AND r.state IN ('waiting', 'running')))
            ORDER BY p.client_id, p.id"""
        )
    )


async def lock_publication(connection: Connection, publication_id: int) -> Record | None:
    """Give a publication; nobody else looks at it until the end of the transaction."""
    rows = await connection.fetch(
        "SELECT * FROM publication WHERE id = $1 AND NOT is_deleted FOR UPDATE", publication_id
    )
    return rows[0] if rows else None


async def load_publication(connection: Connection, publication_id: int) -> Record | None:
    rows = await connection.fetch("SELECT * FROM publication WHERE id = $1", publication_id)
    return rows[0] if rows else None


async def find_publication(connection: Connection, name: str) -> Record | None:
    rows = await connection.fetch("SELECT * FROM publication WHERE name_key = lower($1) AND NOT is_deleted", name)
    return rows[0] if rows else None


async def last_slot(connection: Connection, publication_id: int) -> datetime | None:
    value: datetime | None = await connection.fetchval(
        "SELECT max(due_on) FROM publication_run WHERE publication_id = $1", publication_id
    )
    return value


async def add_slots(
    connection: Connection, publication_id: int, mode: str, slots: Sequence[datetime], wanted: Collection[datetime]
) -> None:
    """Add a run for each slot that has none; those that are not wanted are noted as skipped."""
    await connection.execute(
        """
        INSERT INTO publication_run (client_id, publication_id, due_on, state, mode, finished_on)
        SELECT coldshelf_client(), $1, due_on, state, $2, CASE WHEN state = 'skipped' THEN clock_timestamp() END
        FROM unnest($3::timestamptz[], $4::text[]) AS slot (due_on, state)
        ON CONFLICT DO NOTHING""",
        publication_id,
        mode,
        list(slots),
        ["waiting" if slot in wanted else "skipped" for slot in slots],
    )


async def add_run(connection: Connection, publication_id: int, mode: str) -> int:
    """Add a run that nobody scheduled."""
    value: int = await connection.fetchval(
        """
        INSERT INTO publication_run (client_id, publication_id, state, mode)
        VALUES (coldshelf_client(), $1, 'waiting', $2) RETURNING id""",
        publication_id,
        mode,
    )
    return value


async def start_next(connection: Connection, publication_id: int) -> int | None:
    """Take the run that waits longest, unless one of this publication is running; give its id."""
    value: int | None = await connection.fetchval(
        """
        UPDATE publication_run SET state = 'running' WHERE id = (
            SELECT id FROM publication_run w WHERE publication_id = $1 AND state = 'waiting' AND NOT EXISTS (
                SELECT FROM publication_run r WHERE r.publication_id = $1 AND r.state = 'running')
            ORDER BY coalesce(due_on, created_on), id LIMIT 1)
        RETURNING id""",
        publication_id,
    )
    return value


async def load_run(connection: Connection, run_id: int) -> Record | None:
    rows = await connection.fetch("SELECT * FROM publication_run WHERE id = $1", run_id)
    return rows[0] if rows else None


async def latest_runs(connection: Connection, most: int) -> list[Record]:
    return list(
        await connection.fetch(
            """
            SELECT r.*, p.name FROM publication_run r
            JOIN publication p ON p.client_id = r.client_id AND p.id = r.publication_id
            ORDER BY r.id DESC LIMIT $1""",
            most,
        )
    )


async def begin_attempt(connection: Connection, run_id: int) -> Record | None:
    """Count an attempt at an open run; give the run with what the attempts before left."""
    rows = await connection.fetch(
        """
        UPDATE publication_run SET attempts = attempts + 1, started_on = clock_timestamp(), beat_on = clock_timestamp(),
            error = '', cure = ''
        WHERE id = $1 AND state = 'running' RETURNING *""",
        run_id,
    )
    return rows[0] if rows else None


@dataclass(frozen=True, slots=True, kw_only=True)
class RunBegun:
    """What is known when the files of an attempt are begun; `files` is their run id.

    `exchanged` are the paths of exchanged files, as JSON: whatever becomes of the run, some may be there.
    """

    files: str
    as_of: datetime
    up_to: int
    tables: int
    journal: str
    exchanged: str


async def note_begun(connection: Connection, run_id: int, begun: RunBegun) -> None:
    """Note it before anything is written."""
    await connection.execute(
        """
        UPDATE publication_run SET run_id = $2, as_of = $3, up_to_revision = coalesce(up_to_revision, $4),
            tables_total = $5, tables_done = 0, rows_done = 0, bytes_done = 0, journal = $6, tables = $7
        WHERE id = $1 AND state = 'running'""",
        run_id,
        begun.files,
        begun.as_of,
        begun.up_to,
        begun.tables,
        begun.journal,
        begun.exchanged,
    )


async def note_files(connection: Connection, run_id: int, manifest: str | None, tables: str) -> None:
    """Note files that are there, whatever becomes of the run."""
    await connection.execute(
        "UPDATE publication_run SET manifest = $2, tables = $3 WHERE id = $1 AND state = 'running'",
        run_id,
        manifest,
        tables,
    )


async def note_journal(connection: Connection, run_id: int, journal: str) -> None:
    await connection.execute(
        "UPDATE publication_run SET journal = $2 WHERE id = $1 AND state = 'running'", run_id, journal
    )


async def note_progress(connection: Connection, run_id: int, phase: str, *, tables: int, rows: int, size: int) -> bool:
    """Say how far a run is; give whether it shall go on."""
    value: bool | None = await connection.fetchval(
        """
        UPDATE publication_run SET phase = $2, tables_done = $3, rows_done = $4, bytes_done = $5,
            beat_on = clock_timestamp()
        WHERE id = $1 AND state = 'running' RETURNING cancel_asked_on IS NULL""",
        run_id,
        phase,
        tables,
        rows,
        size,
    )
    return bool(value)


async def note_error(connection: Connection, run_id: int, error: str, cure: str) -> None:
    """Keep why the last attempt failed; the next one forgets it."""
    await connection.execute("UPDATE publication_run SET error = $2, cure = $3 WHERE id = $1", run_id, error, cure)


async def end_run(connection: Connection, run_id: int, end: RunEnd) -> bool:
    """End a run that is open; False when it has ended."""
    value: int | None = await connection.fetchval(
        """
        UPDATE publication_run SET state = $2, error = $3, cure = $4, manifest = coalesce($5, manifest),
            tables = coalesce($6, tables), rows_done = $7, bytes_done = $8,
            tables_done = CASE WHEN $2 = 'done' THEN tables_total ELSE tables_done END, phase = '',
            journal = '{}', finished_on = clock_timestamp()
        WHERE id = $1 AND state IN ('waiting', 'running') RETURNING id""",
        run_id,
        end.state,
        end.error,
        end.cure,
        end.manifest,
        end.tables,
        end.rows,
        end.bytes,
    )
    return value is not None


async def ask_to_cancel(connection: Connection, run_id: int) -> Record | None:
    """Let an open run end: one that waits at once, one that runs with its next note of progress."""
    rows = await connection.fetch(
        """
        UPDATE publication_run SET cancel_asked_on = coalesce(cancel_asked_on, clock_timestamp())
        WHERE id = $1 AND state IN ('waiting', 'running') RETURNING state""",
        run_id,
    )
    return rows[0] if rows else None


async def late_runs(connection: Connection, publication_id: int, now: datetime, after: timedelta) -> list[int]:
    """Mark the open runs whose slot is longer ago than that, and give those that were not marked before."""
    rows = await connection.fetch(
        """
        UPDATE publication_run SET late_told_on = clock_timestamp()
        WHERE publication_id = $1 AND state IN ('waiting', 'running') AND due_on < $2::timestamptz - $3::interval
            AND late_told_on IS NULL
        RETURNING id""",
        publication_id,
        now,
        after,
    )
    return [row["id"] for row in rows]


async def expired_runs(connection: Connection, publication_id: int, before: datetime) -> list[Record]:
    """Give the runs whose files are older: done ones but for the latest of each mode, and what others left whole."""
    return list(
        await connection.fetch(
            """
            SELECT * FROM publication_run r
            WHERE publication_id = $1 AND finished_on < $2 AND expired_on IS NULL AND run_id IS NOT NULL
                AND CASE state
                    WHEN 'done' THEN EXISTS (
                        SELECT FROM publication_run n WHERE n.publication_id = $1 AND n.state = 'done'
                            AND n.mode = r.mode AND n.finished_on > r.finished_on)
                    ELSE tables <> '[]' END
            ORDER BY finished_on""",
            publication_id,
            before,
        )
    )


async def keepers(connection: Connection) -> list[Record]:
    """Give the publications of all clients, deleted ones too, that let files go; the connection is the owner's."""
    return list(
        await connection.fetch("SELECT client_id, id FROM publication WHERE keep_days IS NOT NULL ORDER BY 1, 2")
    )


async def mark_expired(connection: Connection, run_id: int) -> None:
    await connection.execute("UPDATE publication_run SET expired_on = clock_timestamp() WHERE id = $1", run_id)


async def run_before(connection: Connection, publication_id: int, mode: str) -> Record | None:
    """Give the last finished run in folders of a publication and mode."""
    rows = await connection.fetch(
        """
        SELECT run_id, up_to_revision FROM publication_run
        WHERE publication_id = $1 AND mode = $2 AND state = 'done' AND manifest IS NOT NULL AND expired_on IS NULL
        ORDER BY as_of DESC NULLS LAST, id DESC LIMIT 1""",
        publication_id,
        mode,
    )
    return rows[0] if rows else None


async def mark_of(connection: Connection, publication_id: int) -> tuple[int, str]:
    """Give how far a publication has come, and the sight of its reader then; (0, "") before its first run."""
    rows = await connection.fetch(
        "SELECT up_to_revision, scope FROM publication_mark WHERE publication_id = $1", publication_id
    )
    return (rows[0]["up_to_revision"], rows[0]["scope"]) if rows else (0, "")


async def move_mark(connection: Connection, publication_id: int, revision: int, scope: str) -> None:
    await connection.execute(
        """
        INSERT INTO publication_mark (client_id, publication_id, up_to_revision, scope)
        VALUES (coldshelf_client(), $1, $2, $3)
        ON CONFLICT (client_id, publication_id) DO UPDATE
            SET up_to_revision = excluded.up_to_revision, scope = excluded.scope""",
        publication_id,
        revision,
        scope,
    )


async def known_runs(connection: Connection) -> dict[str, Any]:  # run id of the files, and the state of the run
    """Give the run ids of this client's files with the states of their runs."""
    rows = await connection.fetch("SELECT run_id, state FROM publication_run WHERE run_id IS NOT NULL")
    return {row["run_id"]: row["state"] for row in rows}


async def reader_of_files(connection: Connection, run_id: str) -> int | None:
    """Give the user within whose limits the files of a run were written; None: the house, or a run by hand."""
    value: int | None = await connection.fetchval(
        """
        SELECT p.user_id FROM publication_run r
        JOIN publication p ON p.client_id = r.client_id AND p.id = r.publication_id
        WHERE r.run_id = $1""",
        run_id,
    )
    return value


async def file_names(connection: Connection) -> list[str]:
    """Give the templates after which this client's exchanged files are named."""
    rows = await connection.fetch("SELECT DISTINCT file_name FROM publication WHERE file_name <> '' ORDER BY 1")
    return [row["file_name"] for row in rows]


async def last_runs(connection: Connection) -> list[Record]:
    """Give every publication with the run that its files come to: the last that is done."""
    return list(
        await connection.fetch(
            """
            SELECT p.id, p.name, p.destination, p.datasets, p.schedule, p.time_zone, p.late_after, p.is_active,
                p.scheduled_from, r.id AS run, r.as_of, r.due_on AS done_slot, r.tables
            FROM publication p LEFT JOIN LATERAL (
                SELECT * FROM publication_run d
                WHERE d.client_id = p.client_id AND d.publication_id = p.id AND d.state = 'done'
                ORDER BY d.as_of DESC NULLS LAST, d.id DESC LIMIT 1) r ON true
            WHERE NOT p.is_deleted ORDER BY p.name, p.id"""
        )
    )


async def publishing_clients(connection: Connection) -> list[int]:
    """Give the clients that have publications; the connection is the owner's."""
    rows = await connection.fetch("SELECT DISTINCT client_id FROM publication WHERE NOT is_deleted ORDER BY 1")
    return [row["client_id"] for row in rows]
