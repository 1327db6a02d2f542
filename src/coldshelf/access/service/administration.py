"""Administration of clients, users and tokens, as the owner or a client admin does it."""

import re
from collections.abc import Collection, Mapping
from datetime import datetime
from zoneinfo import ZoneInfo

from coldshelf.access import credentials, store
from coldshelf.access.errors import ClientNotFound, TokenNotFound, UserNotFound
from coldshelf.access.models import ApiToken, Client, Contact
from coldshelf.access.principal import OPERATORS, Role
from coldshelf.kit.db import Connection
from coldshelf.kit.errors import InputInvalid
from coldshelf.kit.ids import ClientId, UserId
from coldshelf.kit.runtime import Runtime

CODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,62}")
LONGEST_NAME = 256


async def add_client(
    run: Runtime,
    code: str,
    name: str,
    time_zone: str = "UTC",
    *,
    demands_planogram: bool = False,
    reviews_by_hand: bool = False,
) -> ClientId:
    """Add a tenant; only the owner of the installation can."""
    if not CODE.fullmatch(code):
        raise InputInvalid(f"Client code {code!r}: 1 to 63 letters, digits, - and _, not beginning with - or _.")
    _check_time_zone(time_zone)
    client = Client(
        id=ClientId(-1),
        code=code,
        name=_checked_name("Client name", name),
        time_zone=time_zone,
        demands_planogram=demands_planogram,
        reviews_by_hand=reviews_by_hand,
        is_active=True,
    )
    async with run.database.system() as connection:
        return await store.insert_client(connection, client)


async def client_by_code(run: Runtime, code: str) -> Client:
    """Find a client by its code, over all tenants; raise ClientNotFound."""
    async with run.database.system() as connection:
        client = await store.client_by_code(connection, code)
    if client is None:
        raise ClientNotFound(f"There is no client with the code {code}")
    return client


async def load_client(run: Runtime, client_id: ClientId) -> Client:
    """Load the client of a scope; raise ClientNotFound."""
    async with run.database.scope(client_id, readonly=True) as connection:
        return await client_of_scope(connection, client_id)


async def client_of_scope(connection: Connection, client_id: ClientId) -> Client:
    """Load the client of the caller's transaction, which needs no second connection; raise ClientNotFound."""
    client = await store.client_by_id(connection, client_id)
    if client is None:
        raise ClientNotFound
    return client


async def add_user(
    run: Runtime, client_id: ClientId, username: str, *, password: str | None = None, role: Role, email: str = ""
) -> tuple[UserId, str]:
    """Add a user and return its id and password, which is made when none is given. Operators belong to OPERATORS."""
    if role is Role.DEVICE or (role is Role.OPERATOR) != (client_id == OPERATORS):
        raise InputInvalid(f"The role {role} is not for a user of this client.")
    name = _checked_name("User name", username)
    chosen = credentials.make_password() if password is None else password
    credentials.check_password(chosen)
    password_hash = await run.off_loop(credentials.hash_password, chosen)
    async with run.database.scope(client_id) as connection:
        user_id = await store.insert_user(
            connection, client_id, username=name, password_hash=password_hash, role=role, email=email
        )
    return user_id, chosen


async def username_taken(connection: Connection, username: str, *, but: int | None = None) -> bool:
    """Tell whether any user of the installation signs in by this name, other than the user `but`."""
    holder = await store.user_id_at_door(connection, username)
    return holder is not None and holder != but


async def client_time_zone(connection: Connection) -> str:
    """Give the time zone of the client of this scope."""
    return await store.client_time_zone(connection)


async def contacts(connection: Connection, user_ids: Collection[int]) -> Mapping[int, Contact]:
    """Give how these users can be told something, by id; those who are gone are left out."""
    return {one.id: one for one in await store.contacts(connection, user_ids)}


async def admin_contacts(connection: Connection) -> list[Contact]:
    """Give how the active admins of the client of this scope can be told something."""
    return await store.contacts_in_role(connection, Role.CLIENT_ADMIN)


async def user_by_name(run: Runtime, username: str) -> tuple[ClientId, UserId]:
    """Find a user over all tenants; raise UserNotFound."""
    async with run.database.door() as connection:
        user = await store.user_at_door(connection, username)
    if user is None:
        raise UserNotFound
    return user.client_id, user.id


async def set_password(run: Runtime, client_id: ClientId, user_id: UserId, password: str) -> None:
    """Change a password; every cookie made with the old one ends."""
    async with run.database.scope(client_id) as connection:
        await change_password(run, connection, client_id, user_id, password)


async def change_password(
    run: Runtime, connection: Connection, client_id: ClientId, user_id: UserId, password: str
) -> None:
    """Change a password in the caller's transaction."""
    credentials.check_password(password)
    password_hash = await run.off_loop(credentials.hash_password, password)
    if not await store.update_password(connection, client_id, user_id, password_hash):
        raise UserNotFound


async def set_user_active(run: Runtime, client_id: ClientId, user_id: UserId, *, is_active: bool) -> None:
    """Let a user in or shut it out, with all its tokens and cookies."""
    async with run.database.scope(client_id) as connection:
        if not await store.set_user_active(connection, client_id, user_id, is_active=is_active):
            raise UserNotFound


async def add_token(
    run: Runtime, client_id: ClientId, user_id: UserId, name: str, expires_on: datetime | None = None
) -> str:
    """Make an API token of a user and return it; it is shown this once and never stored."""
    token = credentials.make_token()
    async with run.database.scope(client_id) as connection:
        added = await store.insert_token(
            connection,
            client_id,
            user_id,
            name=_checked_name("Token name", name),
            token_hash=credentials.hash_token(token),
            expires_on=expires_on,
        )
        if added is None:
            raise UserNotFound
    return token


async def list_tokens(run: Runtime, client_id: ClientId) -> list[ApiToken]:
    async with run.database.scope(client_id, readonly=True) as connection:
        return await store.tokens(connection, client_id)


async def revoke_token(run: Runtime, client_id: ClientId, token_id: int) -> None:
    """End a token at once."""
    async with run.database.scope(client_id) as connection:
        if not await store.revoke_token(connection, client_id, token_id):
            raise TokenNotFound


async def add_device_token(run: Runtime, client_id: ClientId, smart_device_id: int) -> str:
    """Make a token of a device and return it; it is shown this once. Older ones of the device stay valid."""
    token = credentials.make_token()
    async with run.database.scope(client_id) as connection:
        await store.insert_device_token(connection, client_id, smart_device_id, credentials.hash_token(token))
    return token


async def revoke_device_tokens(run: Runtime, client_id: ClientId, smart_device_id: int) -> int:
    """End every token of a device; return how many there were."""
    async with run.database.scope(client_id) as connection:
        return await store.revoke_device_tokens(connection, client_id, smart_device_id)


def _checked_name(what: str, name: str) -> str:
    checked = name.strip()
    if not 1 <= len(checked) <= LONGEST_NAME or not checked.isprintable():
        raise InputInvalid(f"{what}: 1 to {LONGEST_NAME} printable characters.")
    return checked


def _check_time_zone(name: str) -> None:
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError) as error:
        raise InputInvalid(f"Time zone {name!r} is not known; use an IANA name such as Europe/Vienna.") from error
