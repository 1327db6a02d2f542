"""A folder of an FTP server, over TLS. Every file is written under a hidden name, measured, and renamed.

FTP cannot refuse to overwrite: servers rename over what is there. A name is looked for before; two that write the same
name within the same moment are not told apart.
"""

import ssl
import tempfile
from collections.abc import Iterator
from contextlib import AbstractContextManager, suppress
from pathlib import PurePosixPath
from typing import BinaryIO, ClassVar, cast

from coldshelf.kit.errors import SettingsInvalid
from coldshelf.kit.logs import get_logger
from coldshelf.publishing.address import check_secret, parse_address, relative, remote_prefix
from coldshelf.publishing.destination import SUCCESS, Capabilities, Entry, PartWriter, Secret
from coldshelf.publishing.errors import DestinationFailed
from coldshelf.publishing.ftp import EXPLICIT_PORT, IMPLICIT_PORT, FtpPool, FtpSettings, Upload
from coldshelf.publishing.renaming import exists_already, give_final_name, hidden_beside, named
from coldshelf.publishing.streams import CHUNK_BYTES, copy_through

MODES = ("explicit", "implicit")

log = get_logger("publishing")


class FtpsDestination:
    """The address is `ftps://user@host:port/folder`; `?mode=implicit` speaks TLS from the first byte (port 990).

    `/~/folder` is below the folder one signs in to. The secret has `password`, and `ca` where an authority of one's own
    signed the server's certificate.
    """

    capabilities: ClassVar[Capabilities] = Capabilities(schemes=("ftps",), appears="rename")

    def __init__(self, pool: FtpPool, prefix: str, shown: str) -> None:
        self._pool = pool
        self._prefix = prefix
        self._shown = shown
        self._made: set[str] = set()

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

    def begin(self, folder: str) -> None:
        path = self._path(folder)
        with self._named(folder):
            self._make(str(PurePosixPath(path).parent))
            try:
                self._pool.make_folder(path)
            except ConnectionError:
                raise
            except OSError:
                if not self._pool.is_folder(path):
                    raise
                raise exists_already(f"{self._shown}/{folder}") from None

    def part(self, path: str) -> PartWriter:
        with self._named(path):
            self._make(str(PurePosixPath(self._path(path)).parent))
            return FtpsPart(self._pool, self._path(path), place=f"{self._shown}/{path}")

    def copy(self, source: str, path: str) -> None:
        copy_through(self, source, path)

    def open(self, path: str) -> BinaryIO:
        file = tempfile.TemporaryFile()  # noqa: SIM115  # handed on open
        try:
            with self._named(path):
                self._pool.read_into(self._path(path), file)
        except BaseException:
            file.close()
            raise
        file.seek(0)
        return cast("BinaryIO", file)

    def size(self, path: str) -> int | None:
        with self._named(path):
            return self._pool.size_of(self._path(path))

    def entries(self, folder: str) -> Iterator[Entry]:
        with self._named(folder):
            listed = sorted(self._pool.listed(self._path(folder)), key=lambda one: one.name)
        for one in listed:
            if one.is_folder:
                yield from self.entries(f"{folder}/{one.name}")
            else:
                yield Entry(f"{folder}/{one.name}", one.bytes, one.modified_on)

    def finish(self, folder: str) -> None:
        self.part(f"{folder}/{SUCCESS}").commit()

    def remove(self, path: str) -> None:
        self._made.clear()
        with self._named(path):
            if self._pool.size_of(self._path(path)) is not None:
                self._pool.delete(self._path(path))
                return
            for entry in list(self.entries(path)):
                if entry.path.endswith(f"/{SUCCESS}"):
                    self._pool.delete(self._path(entry.path))
            self._remove_folder(self._path(path))

    def close(self) -> None:
        self._pool.close()

    def _named(self, path: str) -> AbstractContextManager[None]:
        return named(f"{self._shown}/{path}")

    def _path(self, path: str) -> str:
        return f"{self._prefix}{relative(path)}"

    def _make(self, folder: str) -> None:
        """Make a folder and those above it, where they are missing."""
        if folder in self._made or folder in {".", "/"}:
            return
        if not self._pool.is_folder(folder):
            self._make(str(PurePosixPath(folder).parent))
            try:
                self._pool.make_folder(folder)
            except OSError:
                if not self._pool.is_folder(folder):  # else another made it meanwhile
                    raise
        self._made.add(folder)

    def _remove_folder(self, folder: str) -> None:
        for one in self._pool.listed(folder):
            if one.is_folder:
                self._remove_folder(f"{folder}/{one.name}")
            else:
                self._pool.delete(f"{folder}/{one.name}")
        self._pool.remove_folder(folder)


class FtpsPart:
    """Gathers a megabyte, then sends it: each send is a record of TLS at least."""

    def __init__(self, pool: FtpPool, path: str, *, place: str) -> None:
        self._pool = pool
        self._path = path
        self._hidden = hidden_beside(path)
        self._place = place
        self._buffer = bytearray()
        self._size = 0
        self._upload: Upload | None = None
        try:
            self._upload = Upload(pool, self._hidden)
        except ConnectionError:
            self.discard()  # it may be there all the same
            raise

    def write(self, chunk: bytes | memoryview) -> None:
        self._buffer += chunk
        if len(self._buffer) >= CHUNK_BYTES:
            self._flush()

    def commit(self) -> None:
        try:
            self._flush()
            with named(self._place):
                self._open.finish()
                give_final_name(self._pool, self._hidden, self._path, size=self._size, place=self._place)
        except BaseException:
            self.discard()
            raise

    def discard(self) -> None:
        """Remove what was sent; where that fails, a run that repairs the folder finds it by its hidden name."""
        self._buffer.clear()
        try:
            if self._upload is not None:
                self._upload.abort()
            with suppress(FileNotFoundError):
                self._pool.delete(self._hidden)
        except (OSError, DestinationFailed) as error:
            log.warning("hidden file stays", file=f"{self._place}: {self._hidden}", error=str(error))

    @property
    def _open(self) -> Upload:
        if self._upload is None:
            raise ConnectionError("the file was not opened")
        return self._upload

    def _flush(self) -> None:
        with named(self._place):
            if self._buffer:
                self._open.send(bytes(self._buffer))
        self._size += len(self._buffer)
        self._buffer.clear()
