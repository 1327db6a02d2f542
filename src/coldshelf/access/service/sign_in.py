"""Sign-in by password, token or cookie. Every failure says the same, and takes the same time.

A password costs one Argon2 run; after that, one digest comparison until it changes or the process ends.
"""

import asyncio
import hmac
import json
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from hashlib import sha256

from itsdangerous import BadData, URLSafeTimedSerializer

from coldshelf.access import credentials, store
from coldshelf.access.errors import SignInEnded, TooManyFailures, WrongCredentials
from coldshelf.access.principal import OPERATORS, Limit, Principal, Role
from coldshelf.kit.errors import ColdshelfError, NotAllowed
from coldshelf.kit.ids import ClientId, UserId
from coldshelf.kit.memory import Memory
from coldshelf.kit.runtime import Runtime
from coldshelf.kit.turns import Turns

COOKIE_LIFE = timedelta(days=30)
FAILURES_A_MINUTE = 10
NO_OUTLET = 0
"""The id of no limit: a user whom its role limits and whose grant is not there sees nothing."""
HASHES_AT_ONCE = 4
"""Argon2 runs at the same time, 19 MiB each, so that a flood of sign-ins leaves threads to the pictures."""


class Failures:
    """Failed tries of each user name, or address, within the last minute; knows the latest `size` of them.

    From the try after the `most`th on, `error` is raised.
    """

    def __init__(
        self,
        most: int = FAILURES_A_MINUTE,
        error: Callable[[timedelta], ColdshelfError] = TooManyFailures,
        *,
        size: int = 10_000,
    ) -> None:
        self._most = most
        self._error = error
        self._size = size
        self._windows: OrderedDict[str, tuple[float, int]] = OrderedDict()

    def check(self, username: str) -> None:
        began, count = self._windows.get(username, (0.0, 0))
        left = began + 60 - time.monotonic()
        if left > 0 and count >= self._most:
            raise self._error(timedelta(seconds=left))

    def count(self, username: str) -> None:
        now = time.monotonic()
        began, count = self._windows.pop(username, (now, 0))
        self._windows[username] = (began, count + 1) if now < began + 60 else (now, 1)
        if len(self._windows) > self._size:
            self._windows.popitem(last=False)


@dataclass
class Doorkeeper:
    """What one process remembers of sign-ins."""

    verified: credentials.VerifiedPasswords = field(default_factory=credentials.VerifiedPasswords)
    failures: Failures = field(default_factory=Failures)
    turns: Turns = field(default_factory=Turns)
    hashing: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(HASHES_AT_ONCE))


_doorkeepers: Memory[Doorkeeper] = Memory(lambda _: Doorkeeper())


async def sign_in_password(run: Runtime, username: str, password: str) -> Principal:
    """Sign a user in by name and password; raise WrongCredentials, or TooManyFailures."""
    name = username.strip().casefold()
    user = await _user_at_door(run, username.strip())
    if not await _fits(run, name, user.password_hash if user else None, password):
        raise WrongCredentials
    if user is None or not user.is_active:
        raise WrongCredentials
    return _principal(user, f"user:{user.id}")


async def sign_in_token(run: Runtime, token: str) -> Principal:
    """Sign in the user or the device that a token belongs to; raise WrongCredentials."""
    async with run.database.door() as connection:
        row = await store.token_at_door(connection, credentials.hash_token(token))
        if row is None or not row.is_valid:
            raise WrongCredentials("The token is wrong, revoked or expired")
        if row.smart_device_id is not None:
            return _device(row.client_id, row.smart_device_id, row.id)
        user = await store.user_by_id(connection, row.client_id, UserId(row.user_id or 0), row.id)
    if user is None or not user.is_active:
        raise WrongCredentials("The token is wrong, revoked or expired")
    return _principal(user, f"token:{row.id}")


async def make_cookie(run: Runtime, principal: Principal) -> str:
    """Make the value of a cookie that signs this user in for 30 days, unless its password changes."""
    if principal.role is Role.DEVICE:
        raise NotAllowed("A device signs in with its token.")
    client_id = OPERATORS if principal.client_id is None else principal.client_id
    async with run.database.scope(client_id, readonly=True) as connection:
        user = await store.user_by_id(connection, client_id, principal.user_id)
    if user is None:
        raise SignInEnded
    return str(_signer(run).dumps([client_id, user.id, credentials.fingerprint(user.password_hash, run.secret)]))


async def sign_in_cookie(run: Runtime, cookie: str) -> Principal:
    """Sign in the user of a cookie; raise SignInEnded when it, its password or its user does not hold any more."""
    try:
        client_id, user_id, fingerprint = _signer(run).loads(cookie, max_age=int(COOKIE_LIFE.total_seconds()))
    except BadData as error:
        raise SignInEnded from error
    async with run.database.scope(ClientId(client_id), readonly=True) as connection:
        user = await store.user_by_id(connection, ClientId(client_id), UserId(user_id))
    if user is None or not user.is_active:
        raise SignInEnded
    if not hmac.compare_digest(fingerprint, credentials.fingerprint(user.password_hash, run.secret)):
        raise SignInEnded
    return _principal(user, f"cookie:{user.id}")


async def sign_in_again(run: Runtime, client_id: ClientId, user_id: UserId, credential: str) -> Principal:
    """Give who left work behind with a credential, as it is limited by now; raise SignInEnded when its user is gone."""
    kind, _, number = credential.partition(":")
    token_id = int(number) if kind == "token" else None
    async with run.database.scope(client_id, readonly=True) as connection:
        user = await store.user_by_id(connection, client_id, user_id, token_id)
    if user is None or not user.is_active:
        raise SignInEnded(f"The user {user_id} who asked for this may not sign in any more")
    return _principal(user, credential)


async def _user_at_door(run: Runtime, username: str) -> store.UserRow | None:
    if not username or "\0" in username:  # PostgreSQL has no text with a zero byte
        return None
    async with run.database.door() as connection:
        return await store.user_at_door(connection, username)


async def _fits(run: Runtime, name: str, password_hash: str | None, password: str) -> bool:
    """Say whether the password fits, with one Argon2 run for all requests that bring the same right one.

    A password that was verified before passes even while somebody else's failures shut the name out.
    """
    keeper = _doorkeepers.of(run)
    if password_hash is not None and keeper.verified.knows(password_hash, password):
        return True
    keeper.failures.check(name)
    async with keeper.turns.take(name):
        if password_hash is not None and keeper.verified.knows(password_hash, password):
            return True
        keeper.failures.check(name)
        async with keeper.hashing:
            fits = await run.off_loop(_verify, password_hash, password)
        if fits and password_hash is not None:
            keeper.verified.remember(password_hash, password)
            return True
        keeper.failures.count(name)
        return False


def _verify(password_hash: str | None, password: str) -> bool:
    if len(password) > credentials.LONGEST_PASSWORD:
        password = ""
    return credentials.verify_password(password_hash or credentials.nobody_hash(), password)


def _principal(user: store.UserRow, credential: str) -> Principal:
    published = user.based_on or user.role
    if published not in set(Role):
        raise NotAllowed(f"The role {user.role} does not exist any more.")
    return Principal(
        client_id=None if user.client_id == OPERATORS else user.client_id,
        user_id=user.id,
        user_name=user.username,
        role=Role(published),
        credential=credential,
        role_name=user.role if user.based_on else "",
        rights=json.loads(user.rights or "{}"),
        limit=_limit(user),
    )


def _limit(user: store.UserRow) -> Limit:
    """Put the limits of a user and its token together: the expanded grants of a token are within those of its user."""
    held = json.loads(user.limits or "[]")
    by_rows = [one["id"] for one in held if one["rows"]]
    named = [frozenset(one["datasets"]) for one in held if one["datasets"] is not None]
    return Limit(
        outlets=by_rows[-1] if by_rows else NO_OUTLET if user.own_outlets else None,
        datasets=frozenset.intersection(*named) if named else None,
        hidden=frozenset(name for one in held for name in one["hidden"]),
        scope=user.limits or "",
    )


def _device(client_id: ClientId, smart_device_id: int, credential_id: int) -> Principal:
    # Devices are no users: a negative id keeps their idempotency keys apart from those of users and other devices.
    return Principal(
        client_id=client_id,
        user_id=UserId(-smart_device_id),
        user_name=f"device {smart_device_id}",
        role=Role.DEVICE,
        smart_device_id=smart_device_id,
        credential=f"device:{credential_id}",
    )


def _signer(run: Runtime) -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(
        run.secret, salt="coldshelf.access.cookie", signer_kwargs={"key_derivation": "hmac", "digest_method": sha256}
    )
