"""What destinations on servers of files share. Every file is written under a hidden name, measured, and renamed."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import PurePosixPath
from typing import BinaryIO, ClassVar, Protocol

from coldshelf.kit.logs import get_logger
from coldshelf.publishing.address import relative
from coldshelf.publishing.destination import SUCCESS, Capabilities, Entry, PartWriter
from coldshelf.publishing.errors import DestinationFailed
from coldshelf.publishing.renaming import RemoteNames, exists_already, give_final_name, hidden_beside, named
from coldshelf.publishing.streams import copy_through

log = get_logger("publishing")


@dataclass(frozen=True, slots=True)
class Listed:
    """What is in a folder. `modified_on` is the server's time, in UTC."""

    name: str
    is_folder: bool
    bytes: int
    modified_on: datetime


class Upload(Protocol):
    """A file on its way to a server. `finish` waits until the server has all; then or after `abort` it is closed."""

    at_once: ClassVar[int]
    """Bytes that are worth a send."""

    def send(self, chunk: bytes) -> None: ...
    def finish(self) -> None: ...
    def abort(self) -> None: ...


class Server(RemoteNames, Protocol):
    """A server of files; paths are its own. Raises ConnectionError where the connection is lost, and OSErrors."""

    def make_folder(self, path: str) -> None: ...
    def remove_folder(self, path: str) -> None: ...
    def is_folder(self, path: str) -> bool: ...
    def listed(self, folder: str) -> list[Listed]:
        """Give what is in a folder, with hidden files; nothing where it is not there."""
        ...

    def read(self, path: str, place: str) -> BinaryIO:
        """Open a file, which can be read later; errors name it by its place."""
        ...

    def can_copy(self) -> bool:
        """Tell whether the server copies files by itself."""
        ...

    def copied(self, source: str, path: str) -> int:
        """Let a server that can copy a file into a new one, durably; give its bytes."""
        ...

    def upload(self, path: str) -> Upload: ...
    def close(self) -> None: ...


class RemoteDestination:
    """The base of each kind. `prefix` goes before each path, `shown` names the place in messages."""

    capabilities: ClassVar[Capabilities]

    def __init__(self, server: Server, prefix: str, shown: str) -> None:
        self._server = server
        self._prefix = prefix
        self._shown = shown
        self._made: set[str] = set()

    def begin(self, folder: str) -> None:
        path = self._path(folder)
        with self._named(folder):
            self._make(_parent(path))
            try:
                self._server.make_folder(path)
            except ConnectionError:
                raise
            except OSError:
                if not self._server.is_folder(path):
                    raise
                raise exists_already(f"{self._shown}/{folder}") from None

    def part(self, path: str) -> PartWriter:
        with self._named(path):
            self._make(_parent(self._path(path)))
            return RemotePart(self._server, self._path(path), f"{self._shown}/{path}")

    def can_copy(self) -> bool:
        """Say whether `copy` does without reading the file here."""
        with named(self._shown):
            return self._server.can_copy()

    def copy(self, source: str, path: str) -> None:
        if not self.can_copy():
            copy_through(self, source, path)
            return
        target, place = self._path(path), f"{self._shown}/{path}"
        hidden = hidden_beside(target)
        try:
            with self._named(source):
                self._make(_parent(target))
                size = self._server.copied(self._path(source), hidden)
            with self._named(path):
                give_final_name(self._server, hidden, target, size=size, place=place)
        except BaseException:
            _drop(self._server, hidden, place)
            raise

    def open(self, path: str) -> BinaryIO:
        with self._named(path):
            return self._server.read(self._path(path), f"{self._shown}/{path}")

    def size(self, path: str) -> int | None:
        with self._named(path):
            return self._server.size_of(self._path(path))

    def entries(self, folder: str) -> Iterator[Entry]:
        with self._named(folder):
            listed = sorted(self._server.listed(self._path(folder)), key=lambda one: one.name)
        for one in listed:
            if one.is_folder:
                yield from self.entries(f"{folder}/{one.name}")
            else:
                yield Entry(f"{folder}/{one.name}", one.bytes, one.modified_on)

    def finish(self, folder: str) -> None:
        self.part(f"{folder}/{SUCCESS}").commit()

    def remove(self, path: str) -> None:
        target = self._path(path)
        self._made.clear()
        with self._named(path):
            if self._server.size_of(target) is not None:
                self._server.delete(target)
                return
            for entry in list(self.entries(path)):
                if entry.path.endswith(f"/{SUCCESS}"):
                    self._server.delete(self._path(entry.path))
            self._remove_folder(target)

    def close(self) -> None:
        self._server.close()

    def _named(self, path: str) -> AbstractContextManager[None]:
        return named(f"{self._shown}/{path}")

    def _path(self, path: str) -> str:
        return f"{self._prefix}{relative(path)}"

    def _make(self, folder: str) -> None:
        """Make a folder and those above it, where they are missing."""
        if folder in self._made or folder in {".", "/"}:
            return
        if not self._server.is_folder(folder):
            self._make(_parent(folder))
            try:
                self._server.make_folder(folder)
            except OSError:
                if not self._server.is_folder(folder):  # else another made it meanwhile
                    raise
        self._made.add(folder)

    def _remove_folder(self, folder: str) -> None:
        for one in self._server.listed(folder):
            remove = self._remove_folder if one.is_folder else self._server.delete
            remove(f"{folder}/{one.name}")
        self._server.remove_folder(folder)


def _parent(path: str) -> str:
    return str(PurePosixPath(path).parent)


def _drop(server: Server, hidden: str, place: str) -> None:
    """Remove a hidden file; where that fails, a run that repairs the folder finds it by its name."""
    try:
        with suppress(FileNotFoundError):
            server.delete(hidden)
    except (OSError, DestinationFailed) as error:
        log.warning("hidden file stays", file=f"{place}: {hidden}", error=str(error))


class RemotePart:
    """Gathers as much as is worth a send."""

    def __init__(self, server: Server, path: str, place: str) -> None:
        self._server = server
        self._path = path
        self._hidden = hidden_beside(path)
        self._place = place
        self._buffer = bytearray()
        self._size = 0
        try:
            self._upload = server.upload(self._hidden)
        except ConnectionError:
            _drop(server, self._hidden, place)  # it may be there all the same
            raise

    def write(self, chunk: bytes | memoryview) -> None:
        self._buffer += chunk
        if len(self._buffer) >= self._upload.at_once:
            self._flush()

    def commit(self) -> None:
        try:
            self._flush()
            with named(self._place):
                self._upload.finish()
                give_final_name(self._server, self._hidden, self._path, size=self._size, place=self._place)
        except BaseException:
            self.discard()
            raise

    def discard(self) -> None:
        self._buffer.clear()
        with suppress(OSError):
            self._upload.abort()
        _drop(self._server, self._hidden, self._place)

    def _flush(self) -> None:
        with named(self._place):
            if self._buffer:
                self._upload.send(bytes(self._buffer))
        self._size += len(self._buffer)
        self._buffer.clear()
