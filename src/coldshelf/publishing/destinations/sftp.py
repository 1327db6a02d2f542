"""A folder of an SFTP server. Every file is written under a hidden name, synced where the server can, and renamed."""

from typing import ClassVar

from coldshelf.kit.errors import SettingsInvalid
from coldshelf.publishing.address import check_secret, parse_address, remote_prefix
from coldshelf.publishing.destination import Capabilities, Secret
from coldshelf.publishing.remote import RemoteDestination


class SftpDestination(RemoteDestination):
    """The address is `sftp://user@host:port/folder?host_key=SHA256:…`; `/~/folder` is below the home of the user.

    The secret has `password`, or `private_key` and, where it is encrypted, `passphrase`.
    """

    capabilities: ClassVar[Capabilities] = Capabilities(schemes=("sftp",), appears="rename")

    @classmethod
    def at(cls, address: str, secret: Secret) -> "SftpDestination":
        from coldshelf.publishing import ssh  # noqa: PLC0415  # half a second that other destinations do without

        found = parse_address(address, ("host_key",))
        check_secret(found, secret, ("password", "private_key", "passphrase"))
        if not found.host or not found.user or not secret.keys() & {"password", "private_key"}:
            raise SettingsInvalid(
                f"Destination {found.shown}: it lacks a host, a user, or a secret with password or private_key",
                cure="Write sftp://user@host:port/folder?host_key=SHA256:…",
            )
        # Fingerprints hold `+`, which reads as a blank in addresses; several are separated by commas.
        pins = {pin.rstrip("=") for pin in found.options.get("host_key", "").replace(" ", "+").split(",") if pin}
        if not pins:
            raise ssh.refuse_unpinned(found)
        session = ssh.SshSession(found, secret, frozenset(pins))
        return cls(session, remote_prefix(found.path), found.shown.rstrip("/"))
