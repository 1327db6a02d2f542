"""Every query of links."""

from datetime import datetime

import asyncpg

from coldshelf.access.errors import UserNotFound
from coldshelf.access.links import Link
from coldshelf.kit.db import Connection
from coldshelf.kit.ids import ClientId, UserId


async def add(
    connection: Connection,
    token_hash: bytes,
    *,
    purpose: str,
    dataset: str,
    key: int,
    recipient: str,
    user_id: UserId | None,
    expires_on: datetime,
) -> tuple[int, datetime]:
    """Insert a link, or find the one with this token; give its id and when it expires. Raises UserNotFound."""
    try:
        await connection.execute(ADD, token_hash, purpose, dataset, key, recipient, user_id, expires_on)
    except asyncpg.ForeignKeyViolationError as error:
        raise UserNotFound(f"There is no user with id {user_id}") from error
    row = await connection.fetchrow("SELECT id, expires_on FROM link WHERE token_hash = $1", token_hash)
    if row is None:
        raise LookupError("the link is not there")
    return row["id"], row["expires_on"]


async def at_door(connection: Connection, token_hash: bytes) -> tuple[ClientId, int] | None:
    row = await connection.fetchrow("SELECT client_id, link_id FROM door_link($1)", token_hash)
    return None if row is None else (ClientId(row["client_id"]), row["link_id"])


async def load(connection: Connection, link_id: int) -> Link | None:
    row = await connection.fetchrow(LINK, link_id)
    return None if row is None else Link(**row)


async def latest(connection: Connection, most: int) -> list[Link]:
    rows = await connection.fetch(f"{LINK_COLUMNS} WHERE NOT l.is_deleted ORDER BY l.id DESC LIMIT $1", most)
    return [Link(**row) for row in rows]


async def lock(connection: Connection, link_id: int) -> Link | None:
    """Load a link and let nobody else act by it until the end of the transaction."""
    row = await connection.fetchrow(f"{LINK} FOR UPDATE OF l", link_id)
    return None if row is None else Link(**row)


async def use(connection: Connection, link: Link, action: str, *, detail: str, now: datetime) -> None:
    """Note on a locked link, and in the audit trail, what was done by it."""
    await connection.execute("UPDATE link SET used_on = $2, used_by_action = $3 WHERE id = $1", link.id, now, action)
    await connection.execute(NOTE, link.id, link.purpose, link.dataset, link.record_key, link.recipient, action, detail)


async def revoke(connection: Connection, link_id: int, now: datetime) -> datetime | None:
    """Take a link back and give when that was, which a second time does not change; None where there is no such one."""
    value: datetime | None = await connection.fetchval(REVOKE, link_id, now)
    return value


async def forget(connection: Connection, dataset: str, key: int) -> None:
    """Empty what links to a record, and what was done by them, tell of persons; the links open no more."""
    await connection.execute(FORGET, dataset, key)
    await connection.execute(FORGET_ACTIONS, dataset, key)


async def forget_recipient(connection: Connection, user_id: int) -> None:
    """Empty for whom links were made that were made for a user."""
    await connection.execute(FORGET_RECIPIENT, user_id)


ADD = """
    INSERT INTO link (client_id, token_hash, purpose, dataset, record_key, recipient, user_id, expires_on)
    VALUES (coldshelf_client(), $1, $2, $3, $4, $5, $6, $7) ON CONFLICT (token_hash) DO NOTHING"""
LINK_COLUMNS = """
    SELECT l.client_id, l.id, l.purpose, l.dataset, l.record_key, l.recipient, l.user_id, l.expires_on, l.revoked_on,
        l.used_on, l.used_by_action, c.is_active AND (l.user_id IS NULL OR EXISTS (SELECT FROM app_user u
            WHERE u.client_id = l.client_id AND u.id = l.user_id AND u.is_active AND NOT u.is_deleted)) AS is_open
    FROM link l JOIN client c ON c.id = l.client_id"""
LINK = f"{LINK_COLUMNS} WHERE l.id = $1 AND NOT l.is_deleted"
NOTE = """
    INSERT INTO link_action (client_id, link_id, purpose, dataset, record_key, recipient, action, detail)
    VALUES (coldshelf_client(), $1, $2, $3, $4, $5, $6, $7)"""
REVOKE = """
    UPDATE link SET revoked_on = coalesce(revoked_on, $2) WHERE id = $1 AND NOT is_deleted RETURNING revoked_on"""
FORGET = """
    UPDATE link SET recipient = '', revoked_on = coalesce(revoked_on, clock_timestamp())
    WHERE dataset = $1 AND record_key = $2"""
FORGET_ACTIONS = "UPDATE link_action SET recipient = '', detail = '' WHERE dataset = $1 AND record_key = $2"
FORGET_RECIPIENT = """
    WITH emptied AS (UPDATE link SET recipient = '' WHERE user_id = $1 RETURNING id)
    UPDATE link_action a SET recipient = '' FROM emptied WHERE a.link_id = emptied.id"""
