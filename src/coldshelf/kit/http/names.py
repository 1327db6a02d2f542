"""Resolves a name once, checks every address behind it, and gives the caller exactly those."""

import asyncio
import socket
from collections.abc import Sequence
from ipaddress import IPv4Address, ip_address
from typing import Protocol

from aiohttp.abc import AbstractResolver, ResolveResult

from coldshelf.kit.http.addresses import Address, Allowed, may_call
from coldshelf.kit.http.errors import HostUnknown, TargetRefused
from coldshelf.kit.logs import get_logger

log = get_logger("kit")


class Lookup(Protocol):
    """Where names are looked up: the addresses of one, as text; OSError when it has none."""

    async def __call__(self, host: str) -> Sequence[str]: ...


async def system_lookup(host: str) -> Sequence[str]:
    """Ask the system."""
    found = await asyncio.get_running_loop().getaddrinfo(host, None, type=socket.SOCK_STREAM)
    return [str(entry[4][0]) for entry in found]


class Guard(AbstractResolver):
    """The resolver of the guarded client. `family`: only addresses of that kind, where a source address is set."""

    def __init__(self, lookup: Lookup, allowed: Allowed, family: socket.AddressFamily | None = None) -> None:
        self._lookup = lookup
        self._allowed = allowed
        self._family = family

    async def addresses(self, host: str) -> list[Address]:
        """Give the addresses of a name; raise HostUnknown, or TargetRefused when any of them is not public."""
        try:
            found = dict.fromkeys(ip_address(text) for text in await self._lookup(host))
        except (OSError, UnicodeError) as error:
            raise HostUnknown(f"{host} is not known") from error
        name_allowed = self._allowed.has_name(host)
        refused = [one for one in found if not may_call(one, self._allowed, name_allowed=name_allowed)]
        if refused:
            log.warning("outgoing.refused", host=host, addresses=[str(one) for one in refused])
            raise TargetRefused(f"{host} is not public")
        usable = [one for one in found if self._family in (None, family_of(one))]
        if not usable:
            raise HostUnknown(f"{host} has no address that can be called from here")
        return usable

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """Answer the connector, which connects to nothing else."""
        return [
            ResolveResult(
                hostname=host,
                host=str(one),
                port=port,
                family=family_of(one),
                proto=0,
                flags=socket.AI_NUMERICHOST | socket.AI_NUMERICSERV,
            )
            for one in await self.addresses(host)
        ]

    async def close(self) -> None:
        return None


def family_of(address: Address) -> socket.AddressFamily:
    return socket.AF_INET if isinstance(address, IPv4Address) else socket.AF_INET6
