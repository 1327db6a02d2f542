"""Reads a URL into a target, or refuses it, before anything is resolved or connected to. Pure.

A URL that two parsers may read differently is refused: what is checked must be what is called.
"""

import re
from dataclasses import dataclass
from ipaddress import AddressValueError, IPv4Address, IPv6Address

from yarl import URL

from coldshelf.kit.http.addresses import Address, Allowed, is_inside_name, may_call
from coldshelf.kit.http.errors import PortRefused, SchemeRefused, TargetRefused, UrlInvalid

LONGEST_URL = 2000
LONGEST_NAME = 253
PORTS = {"http": 80, "https": 443}
_URL = re.compile(r"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]*)://(?P<authority>[^/?#]*)(?P<rest>[/?#].*)?")
_AUTHORITY = re.compile(r"(?:\[(?P<six>[0-9A-Fa-f:.]+)\]|(?P<name>[A-Za-z0-9._-]+))(?::(?P<port>[0-9]{1,5}))?")
_LABEL = re.compile(r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?")
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")


@dataclass(frozen=True, slots=True)
class Rules:
    """What is called at all."""

    ports: frozenset[int]
    takes_http: bool
    allowed: Allowed


@dataclass(frozen=True, slots=True)
class Target:
    """A URL that may be tried. `address` is set when the host is one already; a name is still to be resolved."""

    url: URL
    host: str
    address: Address | None

    @property
    def shown(self) -> str:
        """Name it without its query, which may hold a secret."""
        return str(self.url.with_query(None))


def read_target(text: str, rules: Rules) -> Target:
    """Read and check a URL; raise UrlInvalid or one of its kinds."""
    scheme, host, six, port, rest = _split(text)
    address, host = (_address_six(six), six) if six else _address_four(host)
    url = _build(f"{scheme}://{f'[{host}]' if six else host}:{port}{rest}", scheme, host, port)
    target = Target(url, host, address)
    if scheme == "http" and not rules.takes_http:
        raise SchemeRefused(f"{target.shown}: only https:// is called")
    if port not in rules.ports:
        ports = ", ".join(map(str, sorted(rules.ports)))
        raise PortRefused(f"{target.shown}: port {port} is not called, only {ports}")
    _check_inside(target, rules.allowed)
    return target


def _split(text: str) -> tuple[str, str, str, int, str]:
    if len(text) > LONGEST_URL:
        raise UrlInvalid(f"A URL takes at most {LONGEST_URL:,} characters, not {len(text):,}")
    if "\\" in text or not text.isprintable() or any(letter.isspace() for letter in text):
        raise UrlInvalid(f"{text[:100]!r}: a URL takes no blanks, control characters or backslashes")
    parts = _URL.fullmatch(text)
    if parts is None:
        raise UrlInvalid(f"{text[:100]!r} is no absolute URL")
    scheme, authority = parts["scheme"].lower(), parts["authority"]
    if scheme not in PORTS:
        raise SchemeRefused(f"{scheme}:// is not called, only https://")
    if "@" in authority:  # not shown: it may hold a password
        raise UrlInvalid("A URL takes no user name and no password")
    found = _AUTHORITY.fullmatch(authority)
    if found is None:
        raise UrlInvalid(f"{authority[:100]!r} is no host, or not in its plain ASCII form")
    port = int(found["port"] or PORTS[scheme])
    return scheme, (found["name"] or "").lower(), (found["six"] or "").lower(), port, parts["rest"] or "/"


def _address_six(text: str) -> Address:
    try:
        return IPv6Address(text)
    except AddressValueError as error:
        raise UrlInvalid(f"[{text[:60]}] is no IPv6 address") from error


def _address_four(host: str) -> tuple[Address | None, str]:
    host = host.removesuffix(".")
    labels = host.split(".")
    if len(host) > LONGEST_NAME or not all(_LABEL.fullmatch(label) for label in labels):
        raise UrlInvalid(f"{host[:100]!r} is no name of a host")
    if not _NUMBER.fullmatch(labels[-1]):
        return None, host
    try:  # what ends in a number is an address to some: then only in the form that all read alike
        return IPv4Address(host), host
    except AddressValueError as error:
        raise UrlInvalid(f"{host[:100]!r} is no IPv4 address of four decimal numbers") from error


def _build(text: str, scheme: str, host: str, port: int) -> URL:
    try:
        url = URL(text).with_fragment(None)
        plain = url.raw_host if ":" not in host else IPv6Address(url.raw_host or "")
        same = plain == (host if ":" not in host else IPv6Address(host))
    except ValueError as error:
        raise UrlInvalid(f"{text[:100]!r} cannot be read as a URL") from error
    if not same or (url.scheme, url.port, url.user, url.password) != (scheme, port, None, None):
        raise UrlInvalid(f"{text[:100]!r} can be read in two ways")
    return url


def _check_inside(target: Target, allowed: Allowed) -> None:
    if target.address is not None:
        refused = not may_call(target.address, allowed)
    else:
        refused = is_inside_name(target.host) and not allowed.has_name(target.host)
    if refused:
        raise TargetRefused(f"{target.shown}: {target.host} is not public")
