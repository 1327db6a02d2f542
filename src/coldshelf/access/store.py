"""Every query of this room."""

# ruff: noqa: S105  the names of statements about passwords and tokens; neither stands here

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime

import asyncpg
from asyncpg import Record

from coldshelf.access.errors import ClientCodeTaken, DeviceNotFound, RoleNameTaken, UserNameTaken
from coldshelf.access.models import AccessLimit, ApiToken, Client, Contact, SecurityRole
from coldshelf.access.principal import Role
from coldshelf.kit.db import ENTER, Connection
from coldshelf.kit.ids import ClientId, UserId

CONTACTS = """
    SELECT id, coalesce(email, '') AS email, coalesce(primary_phone, '') AS phone,
        coalesce(preferred_notification_type, '') AS preferred, coalesce(time_zone, '') AS time_zone, is_active
    FROM app_user WHERE NOT is_deleted AND """
CLIENT_COLUMNS = "id, code, name, time_zone, demands_planogram, reviews_by_hand, is_active"


@dataclass(frozen=True, slots=True)
class UserRow:
    """What a sign-in must know of a user; `is_active` counts the client as well.

    `based_on`, `rights` (JSON) and `own_outlets` are those of the client's own role; `limits` (JSON) those of the user,
    then those of the token.
    """

    client_id: ClientId
    id: UserId
    username: str
    password_hash: str
    role: str
    is_active: bool
    based_on: str | None = None
    rights: str | None = None
    own_outlets: bool = False
    limits: str | None = None


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


async def contacts(connection: Connection, user_ids: Collection[int]) -> list[Contact]:
    rows = await connection.fetch(CONTACTS + "id = ANY($1::bigint[])", list(user_ids))
    return [Contact(**row) for row in rows]


async def contacts_in_role(connection: Connection, role: Role) -> list[Contact]:
    rows = await connection.fetch(CONTACTS + "role = $1 AND is_active ORDER BY id", role)
    return [Contact(**row) for row in rows]


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


async def roles(connection: Connection, client_id: ClientId) -> list[SecurityRole]:
    return [_role(row) for row in await connection.fetch(ROLES + " ORDER BY id", client_id)]


async def role_by_id(connection: Connection, client_id: ClientId, role_id: int) -> SecurityRole | None:
    row = await connection.fetchrow(ROLES + " AND id = $2", client_id, role_id)
    return _role(row) if row else None


async def role_by_name(connection: Connection, client_id: ClientId, name: str) -> SecurityRole | None:
    row = await connection.fetchrow(ROLES + " AND name_key = lower($2::text)", client_id, name)
    return _role(row) if row else None


async def insert_role(connection: Connection, client_id: ClientId, role: SecurityRole) -> int:
    try:
        return int(await connection.fetchval(INSERT_ROLE, client_id, *_role_values(role)))
    except asyncpg.UniqueViolationError as error:
        raise RoleNameTaken(f"There is a role with the name {role.name}") from error


async def update_role(connection: Connection, client_id: ClientId, role: SecurityRole) -> None:
    """Change a role; users who have it keep it when its name changes."""
    try:
        await connection.execute(RENAME_ROLE, client_id, role.id, role.name)
        await connection.execute(UPDATE_ROLE, client_id, role.id, *_role_values(role))
    except asyncpg.UniqueViolationError as error:
        raise RoleNameTaken(f"There is a role with the name {role.name}") from error


async def delete_role(connection: Connection, client_id: ClientId, role_id: int) -> None:
    await connection.execute(DELETE_ROLE, client_id, role_id)


async def users_of_role(connection: Connection, client_id: ClientId, name: str) -> int:
    return int(await connection.fetchval(USERS_OF_ROLE, client_id, name))


async def update_user_role(connection: Connection, client_id: ClientId, user_id: UserId, name: str) -> bool:
    return bool(await connection.fetchval(UPDATE_USER_ROLE, client_id, user_id, name))


async def limits(connection: Connection, client_id: ClientId) -> list[AccessLimit]:
    rows = await connection.fetch(LIMITS, client_id)
    return [AccessLimit(**{**row, "grants": json.loads(row["grants"])}) for row in rows]


async def put_limit(
    connection: Connection,
    client_id: ClientId,
    user_id: UserId,
    token_id: int | None,
    *,
    datasets: Collection[str] | None,
    hidden: Collection[str],
) -> int | None:
    """Add or change the limit of a user or a token of it; None when there is no such user or token."""
    names = None if datasets is None else sorted(datasets)
    found: int | None = await connection.fetchval(PUT_LIMIT, client_id, user_id, token_id, names, sorted(hidden))
    return found


async def replace_grants(
    connection: Connection,
    client_id: ClientId,
    limit_id: int,
    grants: Mapping[str, Collection[int]],
    dimensions: Collection[str],
) -> None:
    """Give a limit these grants in the named dimensions and no others there."""
    pairs = [(dimension, target) for dimension, targets in grants.items() for target in sorted(set(targets))]
    names, ids = [name for name, _ in pairs], [target for _, target in pairs]
    await connection.execute(RETIRE_GRANTS, client_id, limit_id, names, ids, sorted(dimensions))
    await connection.execute(ADD_GRANTS, client_id, limit_id, names, ids)


def _role(row: Record) -> SecurityRole:
    return SecurityRole(**{**row, "based_on": Role(row["based_on"]), "rights": json.loads(row["rights"])})


def _role_values(role: SecurityRole) -> tuple[str, str, str, bool]:
    return role.name, role.based_on.value, json.dumps(dict(role.rights)), role.own_outlets


async def user_by_id(
    connection: Connection, client_id: ClientId, user_id: UserId, token_id: int | None = None
) -> UserRow | None:
    row = await connection.fetchrow(USER, client_id, user_id, token_id)
    return UserRow(**row) if row else None


async def user_at_door(connection: Connection, username: str) -> UserRow | None:
    """Find the user whom a name means, and enter the client; without one the door stays shut."""
    found = await connection.fetchrow(f"SELECT client_id, user_id, {ENTER} FROM door_user($1)", username)
    if found is None:
        return None
    return await user_by_id(connection, found["client_id"], found["user_id"])


async def token_at_door(connection: Connection, token_hash: bytes) -> TokenRow | None:
    """Find the token with this hash, and enter its client; without one the door stays shut."""
    found = await connection.fetchrow(f"SELECT client_id, token_id, device, {ENTER} FROM door_token($1)", token_hash)
    if found is None:
        return None
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
    SELECT u.client_id, u.id, u.username, u.password_hash, u.role, u.is_active AND c.is_active AS is_active,
        r.based_on, r.rights::text AS rights, coalesce(r.own_outlets, false) AS own_outlets,
        (SELECT json_agg(json_build_object('id', l.id, 'datasets', l.datasets, 'hidden', l.hidden, 'scope', l.scope,
                'rows', EXISTS (SELECT FROM access_grant g WHERE g.client_id = l.client_id AND g.limit_id = l.id
                    AND NOT g.is_deleted)) ORDER BY l.token_id NULLS FIRST)::text
            FROM access_limit l WHERE l.client_id = u.client_id AND l.user_id = u.id AND NOT l.is_deleted
                AND (l.token_id IS NULL OR l.token_id = $3)) AS limits
    FROM app_user u JOIN client c ON c.id = u.client_id
    LEFT JOIN security_role r ON r.client_id = u.client_id AND r.name_key = lower(u.role) AND NOT r.is_deleted
    WHERE u.client_id = $1 AND u.id = $2 AND NOT u.is_deleted"""
TOKEN = """
    SELECT client_id, id, user_id,
        revoked_on IS NULL AND (expires_on IS NULL OR expires_on > clock_timestamp()) AS is_valid
    FROM api_token WHERE client_id = $1 AND id = $2 AND NOT is_deleted"""
DEVICE_TOKEN = """
    SELECT d.client_id, d.id, d.smart_device_id, d.revoked_on IS NULL AND c.is_active AS is_valid
    FROM device_credential d JOIN client c ON c.id = d.client_id
    WHERE d.client_id = $1 AND d.id = $2 AND NOT d.is_deleted"""
ROLES = """
    SELECT id, name, based_on, rights::text AS rights, own_outlets FROM security_role
    WHERE client_id = $1 AND NOT is_deleted"""
INSERT_ROLE = """
    INSERT INTO security_role (client_id, name, based_on, rights, own_outlets) VALUES ($1, $2, $3, $4::text::jsonb, $5)
    RETURNING id"""
RENAME_ROLE = """
    UPDATE app_user SET role = $3 WHERE client_id = $1 AND lower(role) = (
        SELECT name_key FROM security_role WHERE client_id = $1 AND id = $2)"""
UPDATE_ROLE = """
    UPDATE security_role SET name = $3, based_on = $4, rights = $5::text::jsonb, own_outlets = $6
    WHERE client_id = $1 AND id = $2"""
DELETE_ROLE = """
    UPDATE security_role SET is_deleted = true WHERE client_id = $1 AND id = $2"""
USERS_OF_ROLE = """
    SELECT count(*) FROM app_user WHERE client_id = $1 AND lower(role) = lower($2::text) AND NOT is_deleted"""
UPDATE_USER_ROLE = """
    UPDATE app_user SET role = $3 WHERE client_id = $1 AND id = $2 AND NOT is_deleted RETURNING true"""
LIMITS = """
    SELECT l.id, l.user_id, l.token_id, l.datasets, l.hidden, coalesce((
        SELECT json_object_agg(g.dimension, g.ids) FROM (
            SELECT dimension, json_agg(target_id ORDER BY target_id) AS ids FROM access_grant
            WHERE client_id = l.client_id AND limit_id = l.id AND NOT is_deleted GROUP BY dimension) AS g)::text,
        '{}') AS grants
    FROM access_limit l WHERE l.client_id = $1 AND NOT l.is_deleted ORDER BY l.id"""
PUT_LIMIT = """
    INSERT INTO access_limit (client_id, user_id, token_id, datasets, hidden)
    SELECT u.client_id, u.id, $3::bigint, $4::text[], $5::text[] FROM app_user u
    WHERE u.client_id = $1 AND u.id = $2 AND NOT u.is_deleted AND ($3::bigint IS NULL OR EXISTS (
        SELECT FROM api_token t
        WHERE t.client_id = u.client_id AND t.user_id = u.id AND t.id = $3 AND NOT t.is_deleted))
    ON CONFLICT (client_id, user_id, token_id) WHERE NOT is_deleted
        DO UPDATE SET datasets = excluded.datasets, hidden = excluded.hidden
    RETURNING id"""
RETIRE_GRANTS = """
    UPDATE access_grant SET is_deleted = true
    WHERE client_id = $1 AND limit_id = $2 AND NOT is_deleted AND dimension = ANY ($5::text[])
        AND (dimension, target_id) NOT IN (SELECT * FROM unnest($3::text[], $4::bigint[]))"""
ADD_GRANTS = """
    INSERT INTO access_grant (client_id, limit_id, dimension, target_id)
    SELECT $1, $2, * FROM unnest($3::text[], $4::bigint[])
    ON CONFLICT (client_id, limit_id, dimension, target_id)
        DO UPDATE SET is_deleted = false WHERE access_grant.is_deleted"""
