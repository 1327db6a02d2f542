"""Links for people without an account: what one may be for, and the token in its URL.

A token is a random number and its signature, 48 letters and digits: no client, no record and no person in it. It stands
in URLs that programs on phones cut at odd characters, so it has none.
"""

import base64
import hmac
import secrets
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import sha256
from types import MappingProxyType

from itsdangerous import Signer

from coldshelf.access.errors import LinkWrong, PurposeUnknown
from coldshelf.access.principal import Permission
from coldshelf.kit.db import Connection
from coldshelf.kit.ids import ClientId, UserId
from coldshelf.kit.runtime import Runtime
from coldshelf.kit.web.html import Html

PATH = "/l"
"""Where links begin, short for messages that are paid by the letter."""
PICTURE = "picture"
"""What follows the token in the path of the page's picture."""
NUMBER_BYTES = 15
"""120 bits, which base32 writes in 24 letters without padding; so is the signature."""


@dataclass(frozen=True, slots=True)
class Link:
    """A link as its row says. `used_by_action` is what was done by it, which is done once."""

    client_id: ClientId
    id: int
    purpose: str
    dataset: str
    record_key: int
    recipient: str
    user_id: UserId | None
    expires_on: datetime
    revoked_on: datetime | None
    used_on: datetime | None
    used_by_action: str | None
    is_open: bool
    """False when its client, or the user for whom it was made, is shut out."""

    @property
    def actor(self) -> str:
        """Name who acts by it, in the audit trail."""
        return f"link {self.id}"


@dataclass(frozen=True, slots=True)
class Minted:
    """A new link; its `url` is told this once."""

    id: int
    url: str
    expires_on: datetime


@dataclass(frozen=True, slots=True)
class Page:
    """What a link shows. `refresh_after`: it is still changing, and is loaded again after so long."""

    title: str
    body: Html
    refresh_after: timedelta | None = None


@dataclass(frozen=True, slots=True)
class Opened:
    """A link that holds, in one transaction of its client. `picture_path` is relative to that of its page."""

    run: Runtime
    connection: Connection
    link: Link
    picture_path: str


Show = Callable[[Opened], Awaitable[Page]]
Act = Callable[[Opened, str, Mapping[str, str]], Awaitable[str]]
"""Does an action with the fields of its form, in a transaction that it shares with the audit trail; gives what to note
there beside the action."""
Render = Callable[[int | None], bytes]
Picture = Callable[[Opened], Awaitable[Render]]
"""Finds the picture of the page; what it gives makes the JPEG of a largest width. Blocking."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Purpose:
    """What a link is for: its page, and what can be done there.

    `show` sees a read-only transaction. `actions` are the names of what `act` can do, with their meanings. The first
    action decides; with `single_use` the link then opens no more, else its page goes on showing what became of it.
    `permission`: who makes such a link by hand must have it.
    """

    name: str
    dataset: str
    title: str
    meaning: str
    show: Show
    lifetime: timedelta = timedelta(days=30)
    actions: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    act: Act | None = None
    picture: Picture | None = None
    single_use: bool = False
    permission: Permission | None = None


Purposes = Mapping[str, Purpose]


def purposes_by_name(purposes: Iterable[Purpose]) -> Purposes:
    """Name the purposes of the house; raise ValueError on a doubled name or an action without `act`."""
    found: dict[str, Purpose] = {}
    for purpose in purposes:
        if purpose.name in found:
            raise ValueError(f"purpose {purpose.name} is registered twice")
        if bool(purpose.actions) != (purpose.act is not None):
            raise ValueError(f"purpose {purpose.name} needs both actions and act, or neither")
        found[purpose.name] = purpose
    return MappingProxyType(found)


def purpose_named(purposes: Purposes, name: str) -> Purpose:
    """Find a purpose; raise PurposeUnknown with the known ones."""
    if name not in purposes:
        raise PurposeUnknown(f"There is no purpose {name[:60]!r}", cure=f"Known: {', '.join(purposes)}.")
    return purposes[name]


def new_number(secret: bytes, *once: object) -> bytes:
    """Make the number of a link: random, or always the same for the same words of who must not mint twice."""
    if not once:
        return secrets.token_bytes(NUMBER_BYTES)
    return hmac.digest(_key(secret, "once"), repr(once).encode(), sha256)[:NUMBER_BYTES]


def write_token(secret: bytes, number: bytes) -> str:
    """Sign a number."""
    signature = hmac.digest(_key(secret, "token"), number, sha256)[:NUMBER_BYTES]
    return base64.b32encode(number + signature).decode().lower()


def read_token(secret: bytes, token: str) -> bytes:
    """Give the number in a token; raise LinkWrong unless every letter of it is as it was written."""
    try:
        number = base64.b32decode(token.upper().encode("ascii"))[:NUMBER_BYTES]
    except (ValueError, UnicodeEncodeError) as error:
        raise LinkWrong from error
    if not hmac.compare_digest(write_token(secret, number).encode(), token.encode("ascii")):
        raise LinkWrong
    return number


def hash_number(number: bytes) -> bytes:
    """Hash a number for its row: with 120 random bits, a fast hash is enough."""
    return sha256(number).digest()


def _key(secret: bytes, use: str) -> bytes:
    return Signer(secret, salt=f"coldshelf.access.link.{use}", key_derivation="hmac", digest_method=sha256).derive_key()
