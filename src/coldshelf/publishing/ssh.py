"""A connection to an SFTP server for callers that block: asyncssh on an event loop of its own, in a thread.

It is made when it is first needed, and anew after it was lost. A host key is trusted by its fingerprint alone: nothing
of the machine's own SSH settings, keys or agent is used. Raises ConnectionError where the connection is lost, and other
OSErrors for what the server refuses.
"""

import asyncio
import threading
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import suppress
from datetime import UTC, datetime
from os import fsdecode
from stat import S_ISDIR
from typing import Any, BinaryIO, ClassVar, TypeVar, cast

import asyncssh

from coldshelf.kit.errors import SettingsInvalid
from coldshelf.publishing.address import Address, without_secret
from coldshelf.publishing.destination import Secret
from coldshelf.publishing.errors import DestinationFailed
from coldshelf.publishing.remote import Listed
from coldshelf.publishing.renaming import named
from coldshelf.publishing.streams import read_by_ranges

CONNECT_SECONDS = 15
IDLE_SECONDS = 60
KEEPALIVE_SECONDS = 15
SLOW_SECONDS = 600
"""For what a server does by itself, such as a sync or a copy."""
SENT_AT_ONCE = 4 * 1024 * 1024
"""Bytes in flight: far servers are slow with less."""
DEFAULT_PORT = 22

HOST_KEYS = (
    ("ssh-ed25519", "ssh-ed448"),
    ("ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp521"),
    ("rsa-sha2-512", "rsa-sha2-256"),
)
"""Tried one kind after another, as a fingerprint does not say of which of the server's keys it is."""

T = TypeVar("T")


class SshSession:
    """Signs in with `password` or `private_key` (and its `passphrase`); `pins` are fingerprints of the host key."""

    def __init__(self, address: Address, secret: Secret, pins: frozenset[str]) -> None:
        self._address = address
        self._secret = secret
        self._pins = pins
        self._keys = _private_keys(address, secret)
        self._kinds: tuple[tuple[str, ...], ...] = HOST_KEYS
        self._connection: asyncssh.SSHClientConnection | None = None
        self._client: asyncssh.SFTPClient | None = None
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="sftp", daemon=True)
        self._thread.start()

    def run(self, work: Callable[[asyncssh.SFTPClient], Awaitable[T]], *, seconds: float = IDLE_SECONDS) -> T:
        """Do something on the connection, and connect before where it is not."""

        async def connect_and_work() -> T:
            client = self._client or await self._connect()
            async with asyncio.timeout(seconds):
                return await work(client)

        return self._wait(connect_and_work())

    def on_file(self, work: Awaitable[T], *, seconds: float = IDLE_SECONDS) -> T:
        """Do something on an open file, which is lost with the connection that it was opened on."""

        async def within_time() -> T:
            async with asyncio.timeout(seconds):
                return await work

        return self._wait(within_time())

    def can_copy(self) -> bool:
        async def ask(client: asyncssh.SFTPClient) -> bool:
            return client.supports_remote_copy

        return self.run(ask)

    def copied(self, source: str, path: str) -> int:
        return self.upload(path).copy_from(source)

    def read(self, path: str, place: str) -> BinaryIO:
        file = self.run(lambda client: client.open(path, "rb"))
        size = self.on_file(file.stat()).size or 0

        def read_at(offset: int, length: int) -> bytes:
            with named(place):
                return cast("bytes", self.on_file(file.read(length, offset)))

        return read_by_ranges(size, read_at)

    def upload(self, path: str) -> "SftpUpload":
        return SftpUpload(self, self.run(lambda client: client.open(path, "xb")))

    def size_of(self, path: str) -> int | None:
        found = self._attributes(path)
        return None if found is None or _is_folder(found) else found.size

    def is_folder(self, path: str) -> bool:
        found = self._attributes(path)
        return found is not None and _is_folder(found)

    def listed(self, folder: str) -> list[Listed]:
        with suppress(FileNotFoundError):
            names = self.run(lambda client: client.readdir(folder))
            return [_listed(name) for name in names if fsdecode(name.filename) not in {".", ".."}]
        return []

    def make_folder(self, path: str) -> None:
        self.run(lambda client: client.mkdir(path))

    def remove_folder(self, path: str) -> None:
        self.run(lambda client: client.rmdir(path))

    def rename(self, path: str, new: str) -> None:
        """Rename as the first version of the protocol does: a server that keeps to it refuses to overwrite."""
        self.run(lambda client: client.rename(path, new))

    def delete(self, path: str) -> None:
        self.run(lambda client: client.remove(path))

    def close(self) -> None:
        if not self._loop.is_closed():
            asyncio.run_coroutine_threadsafe(self._disconnect(), self._loop).result()
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join()
            self._loop.close()

    def _attributes(self, path: str) -> asyncssh.SFTPAttrs | None:
        with suppress(FileNotFoundError):
            return self.run(lambda client: client.stat(path))
        return None

    def _wait(self, work: Coroutine[Any, Any, T]) -> T:
        try:
            return asyncio.run_coroutine_threadsafe(self._translated(work), self._loop).result()
        except ConnectionError:
            asyncio.run_coroutine_threadsafe(self._disconnect(), self._loop).result()
            raise

    async def _translated(self, work: Coroutine[Any, Any, T]) -> T:
        try:
            return await work
        except (asyncssh.SFTPNoSuchFile, asyncssh.SFTPNoSuchPath):
            raise FileNotFoundError("there is no such file") from None
        except (asyncssh.SFTPNoConnection, asyncssh.SFTPConnectionLost) as error:
            raise ConnectionError(self._said(error)) from None
        except TimeoutError:
            raise ConnectionError("the server did not answer in time") from None
        except asyncssh.SFTPError as error:
            raise OSError(self._said(error)) from None
        except (OSError, asyncssh.Error) as error:
            raise ConnectionError(self._said(error)) from None

    def _said(self, error: Exception) -> str:
        return without_secret(str(error) or type(error).__name__, self._secret)

    async def _connect(self) -> asyncssh.SFTPClient:
        seen: list[str] = []
        lost: Exception | None = None
        for kind in self._kinds:
            try:
                self._connection = await self._connect_once(kind, seen)
            except (asyncssh.HostKeyNotVerifiable, asyncssh.KeyExchangeFailed):
                continue
            except (
                asyncssh.ConnectionLost,
                ConnectionResetError,
            ) as error:  # also what OpenSSH does when it has no key of this kind
                lost = error
                continue
            except asyncssh.PermissionDenied as error:
                raise DestinationFailed(
                    f"{self._address.shown}: sign-in was refused: {self._said(error)}",
                    cure="Check its user, password or private key with the server's owner.",
                ) from None
            self._kinds = (kind,)
            async with asyncio.timeout(CONNECT_SECONDS):
                self._client = await self._connection.start_sftp_client()
            return self._client
        if lost is not None and not seen:
            raise lost
        raise DestinationFailed(_not_trusted(self._address, seen, self._pins), cure=_how_to_trust(seen))

    async def _connect_once(self, kind: tuple[str, ...], seen: list[str]) -> asyncssh.SSHClientConnection:
        pins = self._pins

        class Pinned(asyncssh.SSHClient):
            def validate_host_public_key(self, host: str, addr: str, port: int, key: asyncssh.SSHKey) -> bool:
                seen.append(key.get_fingerprint("sha256"))
                return seen[-1] in pins

        return await asyncssh.connect(
            self._address.host,
            self._address.port or DEFAULT_PORT,
            username=self._address.user,
            password=self._secret.get("password"),
            client_keys=self._keys,
            client_factory=Pinned,
            known_hosts=([], [], []),
            server_host_key_algs=kind,
            config=None,
            agent_path=None,
            gss_host=None,
            connect_timeout=CONNECT_SECONDS,
            login_timeout=2 * CONNECT_SECONDS,
            keepalive_interval=KEEPALIVE_SECONDS,
            keepalive_count_max=IDLE_SECONDS // KEEPALIVE_SECONDS,
        )

    async def _disconnect(self) -> None:
        connection, self._connection, self._client = self._connection, None, None
        if connection is not None:
            connection.abort()
            with suppress(OSError, asyncssh.Error, TimeoutError):
                await asyncio.wait_for(connection.wait_closed(), CONNECT_SECONDS)


class SftpUpload:
    """An open file, which is lost with the connection that it was opened on."""

    at_once: ClassVar[int] = SENT_AT_ONCE

    def __init__(self, session: SshSession, file: asyncssh.SFTPClientFile) -> None:
        self._session = session
        self._file = file

    def send(self, chunk: bytes) -> None:
        self._session.on_file(self._file.write(chunk))

    def finish(self) -> None:
        """Have it written to disk, where the server can be asked to (`fsync@openssh.com`)."""

        async def sync() -> None:
            with suppress(asyncssh.SFTPOpUnsupported):
                await self._file.fsync()

        self._session.on_file(sync(), seconds=SLOW_SECONDS)
        self._session.on_file(self._file.close())

    def abort(self) -> None:
        with suppress(OSError):
            self._session.on_file(self._file.close())

    def copy_from(self, source: str) -> int:
        """Let the server fill it from another of its files; give the bytes."""
        self._session.run(lambda client: client.remote_copy(source, self._file), seconds=SLOW_SECONDS)
        size = self._session.on_file(self._file.stat()).size or 0
        self.finish()
        return size


def _is_folder(found: asyncssh.SFTPAttrs) -> bool:
    return S_ISDIR(found.permissions or 0)


def _listed(one: asyncssh.SFTPName) -> Listed:
    changed = datetime.fromtimestamp(one.attrs.mtime or 0, UTC)
    return Listed(fsdecode(one.filename), _is_folder(one.attrs), one.attrs.size or 0, changed)


def refuse_unpinned(address: Address) -> SettingsInvalid:
    """Ask the server for its host key, so that its owner can be asked whether it is the right one."""

    async def ask() -> str:
        port = address.port or DEFAULT_PORT
        async with asyncio.timeout(CONNECT_SECONDS):
            kinds = [name for kind in HOST_KEYS for name in kind]
            key = await asyncssh.get_server_host_key(address.host, port, config=None, server_host_key_algs=kinds)
        return key.get_fingerprint("sha256") if key is not None else ""

    seen = []
    with suppress(OSError, asyncssh.Error, TimeoutError):
        seen = [asyncio.run(ask())]
    return SettingsInvalid(f"Destination {_not_trusted(address, seen, frozenset())}", cure=_how_to_trust(seen))


def _not_trusted(address: Address, seen: list[str], pins: frozenset[str]) -> str:
    shows = f"the server shows the host key {' or '.join(seen)}" if seen else "the server showed no host key"
    wanted = f"the address pins {' or '.join(sorted(pins))}" if pins else "the address pins none"
    return f"{address.shown}: {shows}, {wanted}"


def _how_to_trust(seen: list[str]) -> str:
    shown = seen[0] if seen else "SHA256:…"
    return f"Ask the server's owner for its fingerprint; only if it is the same, add ?host_key={shown} to the address."


def _private_keys(address: Address, secret: Secret) -> list[asyncssh.SSHKey] | None:
    if "private_key" not in secret:
        return None
    try:
        return [asyncssh.import_private_key(secret["private_key"], secret.get("passphrase"))]
    except (asyncssh.KeyImportError, asyncssh.KeyEncryptionError) as error:
        raise SettingsInvalid(
            f"Destination {address.shown}: private_key: {without_secret(str(error), secret)}",
            cure="Give the key in OpenSSH or PEM form, with its passphrase where it has one",
        ) from None
