"""Every query of the runs of imports."""

from collections.abc import Collection
from dataclasses import dataclass
from uuid import UUID

from asyncpg import Record

from coldshelf.kit.db import Connection
from coldshelf.records.store import Lock

ADD_RUN = """
    INSERT INTO import_run (
        client_id, guid, type, state, source, claim, file_name, object_key, sha256, file_size, options)
    VALUES (coldshelf_client(), $1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
    ON CONFLICT DO NOTHING RETURNING id"""
RUN_COLUMNS = """
    SELECT id, guid, type, state, source, claim, file_name, object_key, sha256, file_size, options, phase, total_rows,
        rows_done, inserted, updated, unchanged, error_count, errors, warnings, started_on, finished_on, undone_on,
        created_by_user, created_by_user_id
    FROM import_run WHERE NOT is_deleted AND """


@dataclass(frozen=True, slots=True, kw_only=True)
class NewRun:
    """What is known of a run when it begins. `claim`: of two runs with the same one only the first is taken."""

    guid: UUID
    type: str
    state: str
    source: str
    claim: str | None
    file_name: str
    object_key: str
    sha256: bytes
    file_size: int
    options: str


async def add_run(connection: Connection, run: NewRun) -> int | None:
    """Add a run; None when its claim is taken."""
    value: int | None = await connection.fetchval(
        ADD_RUN,
        run.guid,
        run.type,
        run.state,
        run.source,
        run.claim,
        run.file_name,
        run.object_key,
        run.sha256,
        run.file_size,
        run.options,
    )
    return value


async def load_run(connection: Connection, guid: UUID, *, lock: Lock = Lock.NONE) -> Record | None:
    rows = await connection.fetch(f"{RUN_COLUMNS} guid = $1 {lock}", guid)
    return rows[0] if rows else None


async def run_id(connection: Connection, guid: UUID) -> int:
    """Give the id of a run that this transaction has just added."""
    return int(await connection.fetchval("SELECT id FROM import_run WHERE guid = $1", guid))


async def load_run_by_id(connection: Connection, run_id: int) -> Record | None:
    rows = await connection.fetch(f"{RUN_COLUMNS} id = $1", run_id)
    return rows[0] if rows else None


async def note_progress(connection: Connection, run_id: int, state: str, phase: str, rows: int) -> None:
    """Say how far a run is, unless it has ended."""
    await connection.execute(
        """
        UPDATE import_run SET state = $2, phase = $3, rows_done = $4,
            started_on = coalesce(started_on, clock_timestamp())
        WHERE id = $1 AND finished_on IS NULL""",
        run_id,
        state,
        phase,
        rows,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """How a run ended."""

    state: str
    total_rows: int
    inserted: int = 0
    updated: int = 0
    unchanged: int = 0
    error_count: int = 0
    errors: str = "[]"
    warnings: str = "[]"


async def end_run(connection: Connection, run_id: int, ended: Ended) -> None:
    await connection.execute(
        """
        UPDATE import_run SET state = $2, phase = '', total_rows = $3, rows_done = $3, inserted = $4, updated = $5,
            unchanged = $6, error_count = $7, errors = $8, warnings = $9, finished_on = clock_timestamp(),
            started_on = coalesce(started_on, clock_timestamp())
        WHERE id = $1""",
        run_id,
        ended.state,
        ended.total_rows,
        ended.inserted,
        ended.updated,
        ended.unchanged,
        ended.error_count,
        ended.errors,
        ended.warnings,
    )
    # Every row that this transaction wrote carries the revision that the run has got just now.
    await connection.execute("UPDATE import_run SET written_revision = revision WHERE id = $1", run_id)


async def mark_undone(connection: Connection, run_id: int, user_name: str) -> None:
    await connection.execute(
        """
        UPDATE import_run SET state = 'undone', undone_on = clock_timestamp(), undone_by_user = $2
        WHERE id = $1""",
        run_id,
        user_name,
    )


async def act_as(connection: Connection, user_id: int | None, user_name: str) -> None:
    """Let the rest of this transaction write in the name of who sent the file."""
    await connection.execute(
        "SELECT set_config('coldshelf.user_id', $1, true), set_config('coldshelf.user_name', $2, true)",
        "" if user_id is None else str(user_id),
        user_name,
    )


async def claimed_runs(connection: Connection, claims: Collection[str]) -> dict[str, Record]:
    """Give the runs that have taken these claims."""
    rows = await connection.fetch(f"{RUN_COLUMNS} claim = ANY($1)", list(claims))
    return {row["claim"]: row for row in rows}
