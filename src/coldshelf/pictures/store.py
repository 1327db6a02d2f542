"""Every query of pictures."""

from collections.abc import Mapping, Sequence
from dataclasses import astuple, dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Any
from uuid import UUID

import orjson
from asyncpg import Record

from coldshelf.kit.db import Connection, Database
from coldshelf.kit.ids import ClientId
from coldshelf.pictures.models import (
    PastReview,
    Picture,
    PictureId,
    Rendition,
    Resumable,
    Reviewable,
    StoredFile,
    Verdict,
)

PICTURE_COLUMNS = ", ".join(Picture.__dataclass_fields__)
REVIEWABLE_COLUMNS = ", ".join(Reviewable.__dataclass_fields__)
PAST_REVIEW_COLUMNS = ", ".join(PastReview.__dataclass_fields__)
REOPENED = "Reopened"
NOTE_DECISION = """
    INSERT INTO picture_review (client_id, picture_id, guid, location_id, decision, reason, from_status_id,
        to_status_id, from_reason, to_reason, from_serial_number, to_serial_number, from_scene_type, to_scene_type,
        before_image)
    VALUES (coldshelf_client(), $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)"""
RESUMABLE_COLUMNS = ", ".join(Resumable.__dataclass_fields__)
ADD_RESUMABLE = """
    INSERT INTO resumable_upload (client_id, guid, user_id, credential, length, metadata, began_on, expires_on,
        received, ended_on, status, answer)
    SELECT coldshelf_client(), $1, $2, $3, $4, $5, $6, $7, $8, $9::timestamptz, $10, $11
    WHERE $9::timestamptz IS NOT NULL OR $12 > (
        SELECT count(*) FROM resumable_upload WHERE credential = $3 AND ended_on IS NULL AND expires_on > $6)
    ON CONFLICT (client_id, guid) DO UPDATE SET credential = excluded.credential, length = excluded.length,
        metadata = excluded.metadata, began_on = excluded.began_on, expires_on = excluded.expires_on,
        received = excluded.received, ended_on = excluded.ended_on, status = excluded.status, answer = excluded.answer
    WHERE resumable_upload.ended_on IS NOT NULL
    RETURNING 1"""
ADD_PART = """
    UPDATE resumable_upload SET received = $4, part_keys = part_keys || $3::text, expires_on = $6
    WHERE guid = $1 AND received = $2 AND ended_on IS NULL AND expires_on > $5 RETURNING 1"""
EXTEND_RESUMABLES = """
    WITH held AS (SELECT guid FROM resumable_upload WHERE guid = ANY($1) ORDER BY guid FOR UPDATE)
    UPDATE resumable_upload SET expires_on = greatest(expires_on, $2)
    FROM held WHERE resumable_upload.guid = held.guid"""
END_RESUMABLE = """
    UPDATE resumable_upload SET received = $3, status = $4, answer = $5, ended_on = $6, part_keys = '{}'
    WHERE guid = $1 AND received = $2 AND ended_on IS NULL AND expires_on > $6 RETURNING 1"""
CLAIM = """
    INSERT INTO upload_answer (client_id, fingerprint, answered_on, picture_id, guid)
    VALUES (coldshelf_client(), $1, $2, 0, $3)
    ON CONFLICT (client_id, fingerprint) DO UPDATE SET answered_on = excluded.answered_on, picture_id = 0,
        guid = excluded.guid
    WHERE upload_answer.answered_on <= excluded.answered_on - $4::interval
    RETURNING 1"""


@dataclass(frozen=True, slots=True)
class Answered:
    """The picture that was answered for these bytes before."""

    picture_id: PictureId
    guid: UUID


async def claim_bytes(
    connection: Connection, fingerprint: bytes, *, now: datetime, guid: UUID, window: timedelta
) -> Answered | None:
    """Claim a fingerprint for this transaction; give the earlier answer when it is taken.

    A concurrent claim of the same bytes waits here until the first transaction ends.
    """
    if await connection.fetchval(CLAIM, fingerprint, now, guid, window):
        return None
    (row,) = await connection.fetch(
        "SELECT picture_id, guid FROM upload_answer WHERE client_id = coldshelf_client() AND fingerprint = $1",
        fingerprint,
    )
    return Answered(**row)


async def add_picture(
    connection: Connection, values: Mapping[str, Any], files: Sequence[StoredFile], fingerprint: bytes
) -> PictureId:
    """Insert a record (column name to value) and its files, and name it in the claim of its bytes."""
    columns = list(zip(*(astuple(file) for file in files), strict=True))
    return PictureId(await connection.fetchval(_add_picture(tuple(values)), fingerprint, *columns, *values.values()))


@cache
def _add_picture(names: tuple[str, ...]) -> str:
    places = ", ".join(f"${n}" for n in range(8, 8 + len(names)))
    return f"""
        WITH made AS (
            INSERT INTO picture (client_id, {", ".join(names)}) VALUES (coldshelf_client(), {places})
            RETURNING client_id, id
        ), files AS (
            INSERT INTO picture_file (client_id, picture_id, number, place, file_name, object_key, sha256, bytes)
            SELECT client_id, id, file.* FROM made,
                unnest($2::bigint[], $3::bigint[], $4::text[], $5::text[], $6::bytea[], $7::bigint[]) AS file
        ), settled AS (
            UPDATE upload_answer a SET picture_id = made.id FROM made
            WHERE a.client_id = made.client_id AND a.fingerprint = $1
        )
        SELECT id FROM made"""


async def quarantine(
    connection: Connection, object_key: str, *, file_name: str, reason: str, size: int, sha256: bytes
) -> None:
    await connection.execute(
        """
        INSERT INTO quarantine (client_id, object_key, file_name, reason, bytes, sha256)
        VALUES (coldshelf_client(), $1, $2, $3, $4, $5)""",
        object_key,
        file_name,
        reason,
        size,
        sha256,
    )


async def load_picture(connection: Connection, picture_id: int) -> Picture | None:
    row = await connection.fetchrow(f"SELECT {PICTURE_COLUMNS} FROM picture WHERE id = $1", picture_id)
    return None if row is None else Picture(**row)


async def lock_picture(connection: Connection, picture_id: int) -> Picture | None:
    """Load a picture as it is now and let nobody else change it until the end of the transaction."""
    row = await connection.fetchrow(f"SELECT {PICTURE_COLUMNS} FROM picture WHERE id = $1 FOR UPDATE", picture_id)
    return None if row is None else Picture(**row)


async def lock_reviewable(connection: Connection, picture_id: int) -> Reviewable | None:
    """Load a picture for a decision and let nobody else change it until the end of the transaction."""
    row = await connection.fetchrow(
        f"SELECT {REVIEWABLE_COLUMNS} FROM picture WHERE id = $1 AND NOT is_deleted FOR UPDATE", picture_id
    )
    return None if row is None else Reviewable(**row)


async def load_reviewable(connection: Connection, picture_id: int) -> Reviewable | None:
    """Load a picture as a decision would find it, without a lock."""
    row = await connection.fetchrow(
        f"SELECT {REVIEWABLE_COLUMNS} FROM picture WHERE id = $1 AND NOT is_deleted", picture_id
    )
    return None if row is None else Reviewable(**row)


async def newest_review(connection: Connection, picture_id: int) -> PastReview | None:
    row = await connection.fetchrow(
        f"SELECT {PAST_REVIEW_COLUMNS} FROM picture_review WHERE picture_id = $1 ORDER BY id DESC LIMIT 1", picture_id
    )
    return None if row is None else PastReview(**row)


async def decide(
    connection: Connection, before: Reviewable, values: Mapping[str, Any], *, decision: str, reason: str
) -> Reviewable:
    """Change columns of a locked picture (name to value) and note the decision."""
    image = await connection.fetchval(
        "SELECT (SELECT jsonb_object_agg(key, value) FROM jsonb_each(to_jsonb(p)) WHERE key = ANY($2))::text"
        " FROM picture p WHERE id = $1",
        before.id,
        list(values),
    )
    await change_picture(connection, before.id, values)
    return await _note_decision(connection, before, decision, reason, image)


async def reopen(connection: Connection, before: Reviewable, image: str, reason: str) -> Reviewable:
    """Give the changed columns of a locked picture back what they had before the decision, and note it."""
    names = list(orjson.loads(image))
    changes = ", ".join(f"{name} = b.{name}" for name in names)
    await connection.execute(
        f"UPDATE picture p SET {changes} FROM jsonb_populate_record(NULL::picture, $2::jsonb) b WHERE p.id = $1",
        before.id,
        image,
    )
    return await _note_decision(connection, before, REOPENED, reason, "{}")


async def _note_decision(
    connection: Connection, before: Reviewable, decision: str, reason: str, image: str
) -> Reviewable:
    (row,) = await connection.fetch(f"SELECT {REVIEWABLE_COLUMNS} FROM picture WHERE id = $1", before.id)
    after = Reviewable(**row)
    await connection.execute(
        NOTE_DECISION,
        before.id,
        before.guid,
        after.location_id,
        decision,
        reason,
        before.status_id,
        after.status_id,
        before.rejection_reason,
        after.rejection_reason,
        before.serial_number,
        after.serial_number,
        before.scene_type,
        after.scene_type,
        image,
    )
    return after


async def picture_ids(connection: Connection, guids: Sequence[UUID]) -> dict[UUID, int]:
    rows = await connection.fetch("SELECT guid, id FROM picture WHERE guid = ANY($1) AND NOT is_deleted", list(guids))
    return {row["guid"]: row["id"] for row in rows}


async def load_files(connection: Connection, picture_id: int) -> list[StoredFile]:
    rows = await connection.fetch(
        "SELECT number, place, file_name, object_key, sha256, bytes FROM picture_file"
        " WHERE picture_id = $1 ORDER BY number",
        picture_id,
    )
    return [StoredFile(**row) for row in rows]


async def add_renditions(connection: Connection, picture_id: int, renditions: Sequence[Rendition]) -> None:
    await connection.executemany(
        """
        INSERT INTO rendition (client_id, picture_id, kind, made_by, object_key, width, height, bytes)
        VALUES (coldshelf_client(), $1, $2, $3, $4, $5, $6, $7)""",
        [(picture_id, r.kind, r.made_by, r.object_key, r.width, r.height, r.bytes) for r in renditions],
    )


async def newest_rendition(connection: Connection, picture_id: int, kind: str) -> Rendition | None:
    row = await connection.fetchrow(
        """
        SELECT kind, made_by, object_key, width, height, bytes FROM rendition
        WHERE picture_id = $1 AND kind = $2 ORDER BY id DESC LIMIT 1""",
        picture_id,
        kind,
    )
    return None if row is None else Rendition(**row)


async def change_picture(connection: Connection, picture_id: int, values: Mapping[str, Any]) -> None:
    """Change columns (name to value); with none it only gets a new modification time."""
    changes = ", ".join(f"{name} = ${n}" for n, name in enumerate(values, 2)) or "is_deleted = is_deleted"
    await connection.execute(f"UPDATE picture SET {changes} WHERE id = $1", picture_id, *values.values())


async def finish_picture(connection: Connection, picture_id: int, status_id: int) -> None:
    await connection.execute(
        "UPDATE picture SET status_id = $2, verified_on = clock_timestamp() WHERE id = $1", picture_id, status_id
    )


async def set_verdict(connection: Connection, picture_id: int, verdict: Verdict) -> None:
    values = {
        "submission_outcome": verdict.outcome.value,
        "status_id": verdict.status_id,
        "rejection_reason": verdict.reason,
    }
    await change_picture(connection, picture_id, values)


async def picture_at_door(database: Database, guid: UUID) -> tuple[ClientId, PictureId] | None:
    async with database.door() as connection:
        row = await connection.fetchrow("SELECT client_id, picture_id FROM door_picture($1)", guid)
    return None if row is None else (ClientId(row["client_id"]), PictureId(row["picture_id"]))


async def newest_of_scene(connection: Connection, location_id: int, scene_type: str) -> int | None:
    value: int | None = await connection.fetchval(
        """
        SELECT id FROM picture WHERE location_id = $1 AND scene_type = $2 AND NOT is_deleted
            AND prepared_on IS NOT NULL ORDER BY id DESC LIMIT 1""",
        location_id,
        scene_type,
    )
    return value


async def open_pictures(connection: Connection, ids: Sequence[int]) -> list[Record]:
    """Give id and status of the wanted pictures."""
    return list(
        await connection.fetch("SELECT id, status_id, rejection_reason FROM picture WHERE id = ANY($1)", list(ids))
    )


async def load_resumable(connection: Connection, guid: UUID) -> Resumable | None:
    row = await connection.fetchrow(f"SELECT {RESUMABLE_COLUMNS} FROM resumable_upload WHERE guid = $1", guid)
    return None if row is None else Resumable(**row)


async def load_resumables(connection: Connection, guids: Sequence[UUID]) -> list[Resumable]:
    rows = await connection.fetch(f"SELECT {RESUMABLE_COLUMNS} FROM resumable_upload WHERE guid = ANY($1)", guids)
    return [Resumable(**row) for row in rows]


async def lock_set(connection: Connection, guid: UUID) -> None:
    """Let nobody else begin a file of this set until the transaction ends; `guid` is that of its first file."""
    await connection.execute("SELECT pg_advisory_xact_lock(hashtextextended($1, 0))", str(guid))


async def extend_resumables(connection: Connection, guids: Sequence[UUID], expires_on: datetime) -> None:
    """Let all files of a set live as long as the one that came last; in one order, so that nobody waits in a ring."""
    await connection.execute(EXTEND_RESUMABLES, guids, expires_on)


async def add_resumable(
    connection: Connection, upload: Resumable, *, credential: str, now: datetime, most_open: int
) -> bool:
    """Insert an upload, or begin an ended one again; False when the credential has as many open ones as it may have."""
    values = (upload.guid, upload.user_id, credential, upload.length, upload.metadata, now, upload.expires_on)
    ends = (upload.received, upload.ended_on, upload.status, upload.answer)
    return bool(await connection.fetchval(ADD_RESUMABLE, *values, *ends, most_open))


async def add_part(
    connection: Connection, upload: Resumable, key: str, *, received: int, now: datetime, expires_on: datetime
) -> bool:
    """Count a durable part; False when the upload moved on, ended or expired meanwhile."""
    return bool(await connection.fetchval(ADD_PART, upload.guid, upload.received, key, received, now, expires_on))


async def end_resumable(
    connection: Connection, upload: Resumable, *, received: int, status: int | None, answer: bytes | None, now: datetime
) -> bool:
    """End an open upload; False when it moved on, ended or expired meanwhile."""
    return bool(await connection.fetchval(END_RESUMABLE, upload.guid, upload.received, received, status, answer, now))


async def expired_resumables(connection: Connection, now: datetime, most: int) -> list[tuple[ClientId, UUID]]:
    """Find expired uploads of all tenants; the connection is the owner's."""
    rows = await connection.fetch(
        "SELECT client_id, guid FROM resumable_upload WHERE expires_on <= $1 ORDER BY expires_on LIMIT $2", now, most
    )
    return [(ClientId(row["client_id"]), row["guid"]) for row in rows]


async def forget_resumables(connection: Connection, uploads: Sequence[tuple[ClientId, UUID]]) -> None:
    """Delete uploads of all tenants; the connection is the owner's."""
    await connection.executemany("DELETE FROM resumable_upload WHERE client_id = $1 AND guid = $2", uploads)


async def erase_picture(connection: Connection, picture_id: int) -> datetime | None:
    """Make a tombstone of a picture and empty what its files and reviews say; None where there is no such picture."""
    await connection.execute("UPDATE picture_file SET file_name = '' WHERE picture_id = $1", picture_id)
    await connection.execute(
        "UPDATE picture_review SET before_image = '{}', reason = '' WHERE picture_id = $1", picture_id
    )
    value: datetime | None = await connection.fetchval("SELECT coldshelf_scrub('picture', $1)", picture_id)
    return value


async def object_keys(connection: Connection, picture_id: int) -> list[str]:
    rows = await connection.fetch(
        """
        SELECT object_key FROM picture_file WHERE picture_id = $1
        UNION SELECT object_key FROM rendition WHERE picture_id = $1 ORDER BY 1""",
        picture_id,
    )
    return [row["object_key"] for row in rows]
