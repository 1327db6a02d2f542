"""Which addresses and names may be called. Pure.

Refused is everything that the registries of special-purpose addresses (IANA) do not leave to the public, what the
clouds answer their own machines on, and every IPv6 form in which such an IPv4 address hides.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from coldshelf.kit.errors import SettingsInvalid

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

NOT_PUBLIC: tuple[Network, ...] = tuple(
    ip_network(text)
    for text in (
        "0.0.0.0/8",
        "10.0.0.0/8",
        "100.64.0.0/10",  # carrier-grade NAT
        "127.0.0.0/8",
        "169.254.0.0/16",
        "172.16.0.0/12",
        "192.0.0.0/24",
        "192.0.2.0/24",
        "192.88.99.0/24",  # relays of 6to4
        "192.168.0.0/16",
        "198.18.0.0/15",
        "198.51.100.0/24",
        "203.0.113.0/24",
        "224.0.0.0/4",
        "240.0.0.0/4",
        "2001::/23",  # Teredo, ORCHID, benchmarks and other protocols
        "2001:db8::/32",
        "3fff::/20",
    )
)
PUBLIC_IPV6 = IPv6Network("2000::/3")
METADATA: frozenset[Address] = frozenset(
    ip_address(text)
    for text in (
        "169.254.169.254",
        "169.254.170.2",  # containers of AWS
        "169.254.170.23",
        "100.100.100.200",  # Alibaba
        "168.63.129.16",  # Azure: outside every range above
        "192.0.0.192",  # Oracle
        "fd00:ec2::254",
        "fd00:ec2::23",
        "fd20:ce::254",  # Google
    )
)
"""Where a machine in a cloud is told its secrets."""
NAT64 = IPv6Network("64:ff9b::/96")
MAPPED = IPv6Network("::ffff:0:0/96")
SIX_TO_FOUR = IPv6Network("2002::/16")
ISATAP = (0x00005EFE, 0x02005EFE)
INSIDE_SUFFIXES = (
    "localhost",
    "localdomain",
    "local",
    "internal",  # metadata.google.internal, *.ec2.internal
    "intranet",
    "private",
    "corp",
    "home",
    "lan",
    "home.arpa",
    "svc",
)
_NAME = re.compile(r"(\*\.)?([a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?\.)*[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?")


@dataclass(frozen=True, slots=True)
class Allowed:
    """What an operator opened besides the public: networks, names, and suffixes of names."""

    networks: tuple[Network, ...] = ()
    names: frozenset[str] = frozenset()
    suffixes: tuple[str, ...] = ()

    def has_name(self, host: str) -> bool:
        return host in self.names or host.endswith(self.suffixes)

    def has_address(self, address: Address) -> bool:
        return any(address in network for network in self.networks)

    def has_alone(self, address: Address) -> bool:
        """Say whether exactly this address is opened: a network is no word for what lies hidden in it."""
        return any(network.num_addresses == 1 and address in network for network in self.networks)


def read_allowed(entries: Iterable[str]) -> Allowed:
    """Read addresses, networks, names and `*.suffixes`; raise SettingsInvalid naming the one that is none."""
    networks: list[Network] = []
    names: set[str] = set()
    for entry in (entry.strip().lower() for entry in entries):
        try:
            networks.append(ip_network(entry))
        except ValueError as error:
            if not _NAME.fullmatch(entry) or entry.rpartition(".")[2].isdigit():
                raise SettingsInvalid(
                    f"COLDSHELF_OUTGOING_ALLOW={entry!r}: takes an address, a network such as 10.1.0.0/16, a host or "
                    "*.suffix"
                ) from error
            names.add(entry)
    suffixes = tuple(sorted(name[1:] for name in names if name.startswith("*.")))
    return Allowed(tuple(networks), frozenset(name for name in names if name[0] != "*"), suffixes)


def may_call(address: Address, allowed: Allowed, *, name_allowed: bool = False) -> bool:
    """Say whether an address may be connected to; `name_allowed`: it was found under a name that is opened."""
    forms = [address, *_hidden(address)]
    if any(form in METADATA and not allowed.has_alone(form) for form in forms):
        return False
    return name_allowed or all(_is_public(form) or allowed.has_address(form) for form in forms)


def is_inside_name(host: str) -> bool:
    """Say whether a name is one that only means something inside: a single label, or a suffix kept for that."""
    return "." not in host or any(host == suffix or host.endswith(f".{suffix}") for suffix in INSIDE_SUFFIXES)


def _is_public(address: Address) -> bool:
    if any(address in network for network in NOT_PUBLIC):
        return False
    if isinstance(address, IPv4Address):
        return True
    # What holds an IPv4 address is judged by that: `_hidden` gives it.
    return address in PUBLIC_IPV6 or address in NAT64 or address in MAPPED


def _hidden(address: Address) -> list[Address]:
    """Give the IPv4 addresses that an IPv6 address may be turned into on its way."""
    if isinstance(address, IPv4Address):
        return []
    number = int(address)
    if address in NAT64 or address in MAPPED:
        return [IPv4Address(number & 0xFFFFFFFF)]
    if address in SIX_TO_FOUR:
        return [IPv4Address(number >> 80 & 0xFFFFFFFF)]
    if number >> 32 & 0xFFFFFFFF in ISATAP:
        return [IPv4Address(number & 0xFFFFFFFF)]
    return []
