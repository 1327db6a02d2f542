"""Every query of this room."""

# ruff: noqa: S105  the names of statements about passwords and tokens; neither stands here

from dataclasses import dataclass
from datetime import datetime

import asyncpg

from coldshelf.access.errors import ClientCodeTaken, DeviceNotFound, UserNameTaken
from coldshelf.access.models import ApiToken, Client
from coldshelf.kit.db import Connection, Database
from coldshelf.kit.ids import ClientId, UserId

CLIENT_COLUMNS = "id, code, name, time_zone, demands_planogram, reviews_by_hand, is_active"


@dataclass(frozen=True, slots=True)
class UserRow:
    """What a sign-in must know of a user; `is_active` counts the client as well."""

    client_id: ClientId
    id: UserId
    username: str
    password_hash: str
    role: str
    is_active: bool


@dataclass(frozen=True, slots=True)
class TokenRow:
    """A token that opened the door: of a user, or of a device."""

    client_id: ClientId
    id: int
    is_valid: bool
    user_id: UserId | None = None
    smart_device_id: int | None = None


async def insert_client(connection: Connection, client: Client) -> ClientId:
    try:
        return ClientId(
            await connection.fetchval(
                INSERT_CLIENT,
                client.code,
                client.name,
                client.time_zone,
                client.demands_planogram,
                client.reviews_by_hand,
                client.is_active,
            )
        )
    except asyncpg.UniqueViolationError as error:
        raise ClientCodeTaken(f"There is a client with the code {client.code}") from error


async def client_by_code(connection: Connection, code: str) -> Client | None:
    row = await connection.fetchrow(f"SELECT {CLIENT_COLUMNS} FROM client WHERE code = $1 AND id <> 0", code)
    return Client(**row) if row else None


async def client_by_id(connection: Connection, client_id: ClientId) -> Client | None:
    row = await connection.fetchrow(f"SELECT {CLIENT_COLUMNS} FROM client WHERE id = $1", client_id)
    return Client(**row) if row else None


async def insert_user(
    connection: Connection, client_id: ClientId, *, username: str, password_hash: str, role: str, email: str
) -> UserId:
    try:
        return UserId(await connection.fetchval(INSERT_USER, client_id, username, password_hash, role, email))
    except asyncpg.UniqueViolationError as error:
        what = f"the e-mail {email}" if error.constraint_name == "app_user_email" else f"the name {username}"
        raise UserNameTaken(f"There is a user with {what}") from error


async def update_password(connection: Connection, client_id: ClientId, user_id: UserId, password_hash: str) -> bool:
    return bool(await connection.fetchval(UPDATE_PASSWORD, client_id, user_id, password_hash))


async def set_user_active(connection: Connection, client_id: ClientId, user_id: UserId, *, is_active: bool) -> bool:
    return bool(await connection.fetchval(UPDATE_ACTIVE, client_id, user_id, is_active))


async def insert_token(
    connection: Connection,
    client_id: ClientId,
    user_id: UserId,
    *,
    name: str,
    token_hash: bytes,
    expires_on: datetime | None,
) -> int | None:
    added: int | None = await connection.fetchval(INSERT_TOKEN, client_id, user_id, name, token_hash, expires_on)
    return added


async def revoke_token(connection: Connection, client_id: ClientId, token_id: int) -> bool:
    return bool(await connection.fetchval(REVOKE_TOKEN, client_id, token_id))


async def tokens(connection: Connection, client_id: ClientId) -> list[ApiToken]:
    rows = await connection.fetch(TOKENS, client_id)
    return [ApiToken(**row) for row in rows]


async def insert_device_token(
    connection: Connection, client_id: ClientId, smart_device_id: int, token_hash: bytes
) -> None:
    try:
        await connection.execute(INSERT_DEVICE_TOKEN, client_id, smart_device_id, token_hash)
    except asyncpg.ForeignKeyViolationError as error:
        raise DeviceNotFound from error


async def revoke_device_tokens(connection: Connection, client_id: ClientId, smart_device_id: int) -> int:
    return len(await connection.fetch(REVOKE_DEVICE_TOKENS, client_id, smart_device_id))


async def user_id_at_door(connection: Connection, username: str) -> UserId | None:
    """Find the id of the user whom a name means, of whatever client, without entering that client."""
    value: UserId | None = await connection.fetchval("SELECT user_id FROM door_user($1)", username)
    return value


async def client_time_zone(connection: Connection) -> str:
    return str(await connection.fetchval("SELECT time_zone FROM client WHERE id = coldshelf_client()"))


async def user_by_id(connection: Connection, client_id: ClientId, user_id: UserId) -> UserRow | None:
    row = await connection.fetchrow(USER, client_id, user_id)
    return UserRow(**row) if row else None


async def user_at_door(connection: Connection, username: str) -> UserRow | None:
    """Find the user whom a name means, and enter the client; without one the door stays shut."""
    found = await connection.fetchrow("SELECT client_id, user_id FROM door_user($1)", username)
    if found is None:
        return None
    await Database.enter(connection, found["client_id"])
    return await user_by_id(connection, found["client_id"], found["user_id"])


async def token_at_door(connection: Connection, token_hash: bytes) -> TokenRow | None:
    """Find the token with this hash, and enter its client; without one the door stays shut."""
    found = await connection.fetchrow("SELECT client_id, token_id, device FROM door_token($1)", token_hash)
    if found is None:
        return None
    await Database.enter(connection, found["client_id"])
    statement = DEVICE_TOKEN if found["device"] else TOKEN
    row = await connection.fetchrow(statement, found["client_id"], found["token_id"])
    return TokenRow(**row) if row else None


INSERT_CLIENT = """
    INSERT INTO client (code, name, time_zone, demands_planogram, reviews_by_hand, is_active)
    VALUES ($1, $2, $3, $4, $5, $6) RETURNING id"""
INSERT_USER = """
    INSERT INTO app_user (client_id, username, password_hash, role, email)
    VALUES ($1, $2, $3, $4, nullif(lower(btrim($5)), '')) RETURNING id"""
UPDATE_PASSWORD = """
    UPDATE app_user SET password_hash = $3 WHERE client_id = $1 AND id = $2 AND NOT is_deleted RETURNING true"""
UPDATE_ACTIVE = """
    UPDATE app_user SET is_active = $3 WHERE client_id = $1 AND id = $2 AND NOT is_deleted RETURNING true"""
INSERT_TOKEN = """
    INSERT INTO api_token (client_id, user_id, name, token_hash, expires_on)
    SELECT $1, id, $3, $4, $5 FROM app_user WHERE client_id = $1 AND id = $2 AND NOT is_deleted RETURNING id"""
REVOKE_TOKEN = """
    UPDATE api_token SET revoked_on = coalesce(revoked_on, clock_timestamp())
    WHERE client_id = $1 AND id = $2 RETURNING true"""
TOKENS = """
    SELECT id, user_id, name, expires_on, revoked_on FROM api_token
    WHERE client_id = $1 AND NOT is_deleted ORDER BY id"""
INSERT_DEVICE_TOKEN = """
    INSERT INTO device_credential (client_id, smart_device_id, token_hash) VALUES ($1, $2, $3)"""
REVOKE_DEVICE_TOKENS = """
    UPDATE device_credential SET revoked_on = clock_timestamp()
    WHERE client_id = $1 AND smart_device_id = $2 AND revoked_on IS NULL RETURNING 1"""
USER = """
    SELECT u.client_id, u.id, u.username, u.password_hash, u.role, u.is_active AND c.is_active AS is_active
    FROM app_user u JOIN client c ON c.id = u.client_id
    WHERE u.client_id = $1 AND u.id = $2 AND NOT u.is_deleted"""
TOKEN = """
    SELECT client_id, id, user_id,
        revoked_on IS NULL AND (expires_on IS NULL OR expires_on > clock_timestamp()) AS is_valid
    FROM api_token WHERE client_id = $1 AND id = $2 AND NOT is_deleted"""
DEVICE_TOKEN = """
    SELECT d.client_id, d.id, d.smart_device_id, d.revoked_on IS NULL AND c.is_active AS is_valid
    FROM device_credential d JOIN client c ON c.id = d.client_id
    WHERE d.client_id = $1 AND d.id = $2 AND NOT d.is_deleted"""
