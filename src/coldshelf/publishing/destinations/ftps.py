"""A folder of an FTP server, over TLS. Every file is written under a hidden name, measured, and renamed.

FTP cannot refuse to overwrite: servers rename over what is there. A name is looked for before; two that write the same
name within the same moment are not told apart.
"""

import ssl
from typing import ClassVar

from coldshelf.kit.errors import SettingsInvalid
from coldshelf.publishing.address import check_secret, parse_address, remote_prefix
from coldshelf.publishing.destination import Capabilities, Secret
from coldshelf.publishing.ftp import EXPLICIT_PORT, IMPLICIT_PORT, FtpPool, FtpSettings
from coldshelf.publishing.remote import RemoteDestination

MODES = ("explicit", "implicit")


class FtpsDestination(RemoteDestination):
    """The address is `ftps://user@host:port/folder`; `?mode=implicit` speaks TLS from the first byte (port 990).

    `/~/folder` is below the folder one signs in to. The secret has `password`, and `ca` where an authority of one's own
    signed the server's certificate.
    """

    capabilities: ClassVar[Capabilities] = Capabilities(schemes=("ftps",), appears="rename")

    @classmethod
    def at(cls, address: str, secret: Secret) -> "FtpsDestination":
        found = parse_address(address, ("mode",))
        check_secret(found, secret, ("password", "ca"))
        mode = found.options.get("mode", "explicit")
        if not found.host or not found.user or "password" not in secret or mode not in MODES:
            raise SettingsInvalid(
                f"Destination {found.shown}: it lacks a host, a user, a known mode or a secret with password",
                cure=f"Write ftps://user@host:port/folder?mode={'|'.join(MODES)}",
            )
        shown = found.shown.rstrip("/")
        settings = FtpSettings(
            shown=shown,
            host=found.host,
            port=found.port or (IMPLICIT_PORT if mode == "implicit" else EXPLICIT_PORT),
            user=found.user,
            implicit=mode == "implicit",
            secret=secret,
        )
        try:
            return cls(FtpPool(settings), remote_prefix(found.path), shown)
        except (ssl.SSLError, ValueError):
            raise SettingsInvalid(
                f"Destination {shown}: `ca` is no certificate", cure="Give it in PEM form, with its first and last line"
            ) from None
