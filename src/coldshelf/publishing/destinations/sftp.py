"""A folder of an SFTP server. Every file is written under a hidden name, synced where the server can, and renamed."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, suppress
from datetime import UTC, datetime
from os import fsdecode
from pathlib import PurePosixPath
from stat import S_ISDIR
from typing import TYPE_CHECKING, BinaryIO, ClassVar, cast

from coldshelf.kit.errors import SettingsInvalid
from coldshelf.kit.logs import get_logger
from coldshelf.publishing.address import check_secret, parse_address, relative, remote_prefix
from coldshelf.publishing.destination import SUCCESS, Capabilities, Entry, Secret
from coldshelf.publishing.errors import DestinationFailed
from coldshelf.publishing.renaming import exists_already, give_final_name, hidden_beside, named
from coldshelf.publishing.streams import copy_through, read_by_ranges

if TYPE_CHECKING:
    from asyncssh import SFTPClientFile

    from coldshelf.publishing.ssh import SshSession

SENT_AT_ONCE = 4 * 1024 * 1024
"""Bytes in flight: far servers are slow with less."""
SLOW_SECONDS = 600
"""For what a server does by itself, such as a sync or a copy."""

log = get_logger("publishing")


class SftpDestination:
    """The address is `sftp://user@host:port/folder?host_key=SHA256:…`; `/~/folder` is below the home of the user.

    The secret has `password`, or `private_key` and, where it is encrypted, `passphrase`.
    """

    capabilities: ClassVar[Capabilities] = Capabilities(schemes=("sftp",), appears="rename")

    def __init__(self, session: "SshSession", prefix: str, shown: str) -> None:
        self._session = session
        self._prefix = prefix
        self._shown = shown
        self._made: set[str] = set()

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

    def begin(self, folder: str) -> None:
        path = self._path(folder)
        with self._named(folder):
            self._make_parents(path)
            try:
                self._session.run(lambda client: client.mkdir(path))
            except ConnectionError:
                raise
            except OSError:
                if not self._session.run(lambda client: client.exists(path)):
                    raise
                raise exists_already(f"{self._shown}/{folder}") from None

    def part(self, path: str) -> "SftpPart":
        with self._named(path):
            self._make_parents(self._path(path))
            return SftpPart(self._session, self._path(path), place=f"{self._shown}/{path}")

    def copy(self, source: str, path: str) -> None:
        with self._named(source):
            if not self._session.can_copy():
                copy_through(self, source, path)
                return
        part = self.part(path)
        try:
            part.copy_from(self._path(source))
            part.commit()
        except BaseException:
            part.discard()
            raise

    def open(self, path: str) -> BinaryIO:
        with self._named(path):
            file = self._session.run(lambda client: client.open(self._path(path), "rb"))
            size = self._session.on_file(file.stat()).size or 0

        def read_at(offset: int, length: int) -> bytes:
            with self._named(path):
                return cast("bytes", self._session.on_file(file.read(length, offset)))

        return read_by_ranges(size, read_at)

    def size(self, path: str) -> int | None:
        with self._named(path):
            return self._session.size_of(self._path(path))

    def entries(self, folder: str) -> Iterator[Entry]:
        self._path(folder)
        for path, is_folder, size, changed in self._listed(folder):
            if is_folder:
                yield from self.entries(path)
            else:
                yield Entry(path, size, datetime.fromtimestamp(changed, UTC))

    def finish(self, folder: str) -> None:
        self.part(f"{folder}/{SUCCESS}").commit()

    def remove(self, path: str) -> None:
        target = self._path(path)
        self._made.clear()
        with self._named(path):
            attributes = self._session.run(lambda client: client.stat(target))
            if not S_ISDIR(attributes.permissions or 0):
                self._session.delete(target)
                return
            for entry in list(self.entries(path)):
                if entry.path.endswith(f"/{SUCCESS}"):
                    self._session.delete(self._path(entry.path))
            self._session.run(lambda client: client.rmtree(target), seconds=SLOW_SECONDS)

    def close(self) -> None:
        self._session.close()

    def _named(self, path: str) -> AbstractContextManager[None]:
        return named(f"{self._shown}/{path}")

    def _path(self, path: str) -> str:
        return f"{self._prefix}{relative(path)}"

    def _make_parents(self, path: str) -> None:
        parent = str(PurePosixPath(path).parent)
        if parent not in self._made:
            self._session.run(lambda client: client.makedirs(parent, exist_ok=True))
            self._made.add(parent)

    def _listed(self, folder: str) -> list[tuple[str, bool, int, float]]:
        with self._named(folder), suppress(FileNotFoundError):
            names = self._session.run(lambda client: client.readdir(self._path(folder)))
            return sorted(
                (
                    f"{folder}/{fsdecode(name.filename)}",
                    S_ISDIR(name.attrs.permissions or 0),
                    name.attrs.size or 0,
                    name.attrs.mtime or 0,
                )
                for name in names
                if fsdecode(name.filename) not in {".", ".."}
            )
        return []


class SftpPart:
    """Gathers some megabytes, then sends them at once."""

    def __init__(self, session: "SshSession", path: str, *, place: str) -> None:
        self._session = session
        self._path = path
        self._hidden = hidden_beside(path)
        self._place = place
        self._buffer = bytearray()
        self._size = 0
        self._file: SFTPClientFile | None = None
        try:
            self._file = session.run(lambda client: client.open(self._hidden, "xb"))
        except ConnectionError:
            self.discard()  # it may be there all the same
            raise

    def write(self, chunk: bytes | memoryview) -> None:
        self._buffer += chunk
        if len(self._buffer) >= SENT_AT_ONCE:
            self._flush()

    def copy_from(self, source: str) -> None:
        """Let the server fill it from another of its files."""
        with named(self._place):
            self._session.run(lambda client: client.remote_copy(source, self._open), seconds=SLOW_SECONDS)
            self._size = self._session.on_file(self._open.stat()).size or 0

    def commit(self) -> None:
        try:
            self._flush()
            with named(self._place):
                self._session.sync(self._open, seconds=SLOW_SECONDS)
                self._session.on_file(self._open.close())
                give_final_name(self._session, self._hidden, self._path, size=self._size, place=self._place)
        except BaseException:
            self.discard()
            raise

    def discard(self) -> None:
        """Remove what was sent; where that fails, a run that repairs the folder finds it by its hidden name."""
        self._buffer.clear()
        try:
            if self._file is not None:
                with suppress(OSError):
                    self._session.on_file(self._file.close())
            with suppress(FileNotFoundError):
                self._session.delete(self._hidden)
        except (OSError, DestinationFailed) as error:
            log.warning("hidden file stays", file=f"{self._place}: {self._hidden}", error=str(error))

    @property
    def _open(self) -> "SFTPClientFile":
        if self._file is None:
            raise ConnectionError("the file was not opened")
        return self._file

    def _flush(self) -> None:
        with named(self._place):
            if self._buffer:
                self._session.on_file(self._open.write(bytes(self._buffer)))
        self._size += len(self._buffer)
        self._buffer.clear()
