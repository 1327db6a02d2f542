"""Passwords and tokens: what is stored of them, and how one that comes in is compared."""

import hmac
import secrets
from collections import OrderedDict
from functools import cache
from hashlib import sha256

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from coldshelf.access.errors import PasswordInvalid

TOKEN_PREFIX = "cs_"  # noqa: S105  # the beginning of every token, not one
SHORTEST_PASSWORD = 8
LONGEST_PASSWORD = 256

# OWASP's least cost for Argon2id (cheat sheet "Password Storage"): 19 MiB, two passes, one lane; about 30 ms here.
_HASHER = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)


def check_password(password: str) -> None:
    """Raise PasswordInvalid unless the password may be set."""
    if not SHORTEST_PASSWORD <= len(password) <= LONGEST_PASSWORD:
        raise PasswordInvalid(f"A password has {SHORTEST_PASSWORD} to {LONGEST_PASSWORD} characters.")
    if password.startswith(TOKEN_PREFIX):
        raise PasswordInvalid(f"A password does not begin with {TOKEN_PREFIX}: that is how tokens begin.")


def make_password() -> str:
    return secrets.token_urlsafe(15)


def hash_password(password: str) -> str:
    """Hash with Argon2id and a fresh salt. Slow on purpose: call it off the event loop."""
    return _HASHER.hash(password)


def verify_password(password_hash: str, password: str) -> bool:
    """Say whether the password is the one. Slow on purpose: call it off the event loop."""
    try:
        return _HASHER.verify(password_hash, password)
    except (VerificationError, InvalidHashError):
        return False


@cache
def nobody_hash() -> str:
    """Give a hash that no password fits, so that an unknown user name takes the time of a known one."""
    return hash_password(secrets.token_urlsafe(32))


def make_token() -> str:
    return TOKEN_PREFIX + secrets.token_urlsafe(32)


def is_token(text: str) -> bool:
    return text.startswith(TOKEN_PREFIX)


def hash_token(token: str) -> bytes:
    """Hash a token: with 256 random bits, a fast hash is enough."""
    return sha256(token.encode()).digest()


def fingerprint(password_hash: str, secret: bytes) -> str:
    """Name a password hash without telling it, so that a cookie ends when the password changes."""
    return hmac.new(secret, password_hash.encode(), sha256).hexdigest()[:32]


class VerifiedPasswords:
    """The last password verified for each hash, as a keyed digest: a second request costs one comparison.

    A changed password has another hash and so misses by construction. The key lives and dies with the process.
    """

    def __init__(self, size: int = 10_000) -> None:
        self._key = secrets.token_bytes(32)
        self._size = size
        self._digests: OrderedDict[str, bytes] = OrderedDict()

    def knows(self, password_hash: str, password: str) -> bool:
        known = self._digests.get(password_hash)
        if known is None or not hmac.compare_digest(known, self._digest(password)):
            return False
        self._digests.move_to_end(password_hash)
        return True

    def remember(self, password_hash: str, password: str) -> None:
        self._digests[password_hash] = self._digest(password)
        self._digests.move_to_end(password_hash)
        if len(self._digests) > self._size:
            self._digests.popitem(last=False)

    def _digest(self, password: str) -> bytes:
        return hmac.digest(self._key, password.encode(), "sha256")
