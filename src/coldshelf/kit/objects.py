"""Object store: bytes by key, never overwritten half-way. The local folder fsyncs what it acknowledges.

Keys are relative paths such as `pictures/12/2026/11/<guid>/original`. A writer gathers bytes; `commit` makes them
durable and visible under the key at once, `abort` leaves nothing behind.
"""

import os
import secrets
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import BinaryIO, Protocol
from urllib.parse import unquote, urlsplit

from coldshelf.kit.errors import NotFound, SettingsInvalid


class ObjectNotFound(NotFound):
    """There is no object with this key"""

    code = "object_not_found"


class ObjectWriter(Protocol):
    """Bytes on their way in. Not safe for two threads at once; blocking, so call it off the event loop."""

    size: int

    def write(self, chunk: bytes | bytearray | memoryview) -> None: ...
    def reader(self) -> BinaryIO: ...
    def commit(self, key: str) -> None: ...
    def abort(self) -> None: ...


class ObjectStore(Protocol):
    """Blocking; call it off the event loop."""

    def writer(self) -> ObjectWriter: ...
    def put(self, key: str, content: bytes) -> None: ...
    def get(self, key: str) -> bytes: ...
    def chunks(self, key: str, size: int = 256 * 1024) -> Iterator[bytes]: ...
    def delete(self, key: str) -> None: ...


def open_store(url: str) -> ObjectStore:
    """Open the store that the URL names: `file:///folder`."""
    parts = urlsplit(url)
    if parts.scheme != "file":
        raise SettingsInvalid(f"Object store {url!r}: only file:///folder is supported", cure="Use file:///folder.")
    return LocalStore(Path(unquote(parts.path)))


class LocalStore:
    """A folder. Temporary file, fsync, rename, fsync of the folder (and of each folder it had to make)."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._staging = root / ".staging"
        make_durable_folder(self._staging)

    def writer(self) -> "LocalWriter":
        return LocalWriter(self, self._staging / secrets.token_hex(16))

    def put(self, key: str, content: bytes) -> None:
        writer = self.writer()
        try:
            writer.write(content)
            writer.commit(key)
        except BaseException:
            writer.abort()
            raise

    def get(self, key: str) -> bytes:
        try:
            return self.path(key).read_bytes()
        except FileNotFoundError as error:
            raise ObjectNotFound(f"There is no object {key}") from error

    def chunks(self, key: str, size: int = 256 * 1024) -> Iterator[bytes]:
        try:
            with self.path(key).open("rb") as file:
                while chunk := file.read(size):
                    yield chunk
        except FileNotFoundError as error:
            raise ObjectNotFound(f"There is no object {key}") from error

    def delete(self, key: str) -> None:
        self.path(key).unlink(missing_ok=True)

    def path(self, key: str) -> Path:
        """Give the file of a key; a key cannot leave the store."""
        pure = PurePosixPath(key)
        if pure.is_absolute() or not pure.parts or any(part in {"..", "."} for part in pure.parts):
            raise ValueError(f"not a key: {key!r}")
        return self.root.joinpath(*pure.parts)


class LocalWriter:
    def __init__(self, store: LocalStore, temporary: Path) -> None:
        self._store = store
        self._temporary = temporary
        self._file: BinaryIO | None = temporary.open("xb")
        self.size = 0

    def write(self, chunk: bytes | bytearray | memoryview) -> None:
        if self._file is None:
            raise ValueError("the writer is closed")
        self._file.write(chunk)
        self.size += len(chunk)

    def reader(self) -> BinaryIO:
        """Read back what was written so far."""
        if self._file is not None:
            self._file.flush()
        return self._temporary.open("rb")

    def commit(self, key: str) -> None:
        if self._file is None:
            raise ValueError("the writer is closed")
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()
        self._file = None
        target = self._store.path(key)
        make_durable_folder(target.parent)
        self._temporary.rename(target)
        fsync_folder(target.parent)

    def abort(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None
        self._temporary.unlink(missing_ok=True)


def make_durable_folder(folder: Path) -> None:
    """Make a folder and its parents so that they survive a power cut."""
    if folder.is_dir():
        return
    make_durable_folder(folder.parent)
    folder.mkdir(exist_ok=True)
    fsync_folder(folder.parent)


def fsync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
