"""What addresses of destinations have in common: their parts, paths below them, and secrets that never show."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from urllib.parse import parse_qs, unquote, urlsplit

from coldshelf.kit.errors import SettingsInvalid
from coldshelf.publishing.destination import Secret

SHORTEST_HIDDEN = 4
"""Characters of a secret from which on it is looked for in messages; shorter ones would garble them."""


@dataclass(frozen=True, slots=True)
class Address:
    """An address such as `sftp://user@host:port/folder?option=value`. `shown` is what messages call it."""

    shown: str
    host: str
    user: str
    port: int | None
    path: str
    options: Mapping[str, str] = field(default_factory=dict)


def parse_address(address: str, options: Collection[str] = ()) -> Address:
    """Take an address apart; raise SettingsInvalid for a password in it, or for options other than these."""
    try:
        parts = urlsplit(address)
        port = parts.port
        given = parse_qs(parts.query, keep_blank_values=True, strict_parsing=bool(parts.query))
    except ValueError:  # its text, like the address, may hold a piece of a password
        raise SettingsInvalid(
            f"Destination {address.partition(':')[0]}://…: its address cannot be read",
            cure="Write scheme://user@host:port/folder?option=value",
        ) from None
    shown = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"
    if parts.password is not None:
        raise SettingsInvalid(
            f"Destination {shown}: its address holds a password", cure="Give it as the secret `password` instead"
        )
    if unknown := sorted(given.keys() - set(options)):
        known = ", ".join(sorted(options)) or "none"
        raise SettingsInvalid(f"Destination {shown}: unknown option {', '.join(unknown)}", cure=f"Options are: {known}")
    return Address(
        shown=shown,
        host=unquote(parts.hostname or ""),
        user=unquote(parts.username or ""),
        port=port,
        path=unquote(parts.path),
        options={name: values[-1] for name, values in given.items()},
    )


def check_secret(address: Address, secret: Secret, known: Collection[str]) -> None:
    """Refuse parts of a secret that are not known: a misspelt one would be left out silently."""
    if unknown := sorted(secret.keys() - set(known)):
        raise SettingsInvalid(
            f"Destination {address.shown}: unknown part of its secret: {', '.join(unknown)}",
            cure=f"A secret for it holds: {', '.join(known)}",
        )


def relative(path: str) -> PurePosixPath:
    """Check that a path stays below its destination; raise ValueError."""
    pure = PurePosixPath(path)
    if pure.is_absolute() or not pure.parts or ".." in pure.parts:
        raise ValueError(f"not a path below the destination: {path!r}")
    return pure


def remote_prefix(path: str) -> str:
    """Give what goes before a relative path on a server of files: `/~/folder` is below the folder one signs in to."""
    if path in {"", "/~", "/~/"}:
        return ""
    return path.removeprefix("/~/").rstrip("/") + "/"


def without_secret(text: str, secret: Secret) -> str:
    """Take every value of a secret out of a text that a server or a library wrote."""
    for value in sorted(secret.values(), key=len, reverse=True):
        if len(value) >= SHORTEST_HIDDEN:
            text = text.replace(value, "…")
    return text
