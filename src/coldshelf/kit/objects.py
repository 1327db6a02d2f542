"""Object store: bytes by key, never overwritten half-way. The local folder fsyncs what it acknowledges.

Keys are relative paths such as `originals/12/20261121/<guid>_1`. A writer gathers bytes; `commit` makes them
durable and visible under the key at once, `abort` leaves nothing behind.
"""

import mmap
import os
import secrets
import shutil
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from datetime import timedelta
from pathlib import Path, PurePosixPath
from typing import BinaryIO, Protocol
from urllib.parse import unquote, urlsplit

from coldshelf.kit.errors import NotFound, SettingsInvalid

KEPT_IN_MEMORY = 512 * 1024
"""Bytes that a writer holds before it opens a file: most pictures then meet the disk once, off the event loop."""

MOST_REMEMBERED = 10_000
"""Folders that a process remembers to be durable; then it looks again."""

Content = bytes | mmap.mmap


class ObjectNotFound(NotFound):
    """There is no object with this key"""

    code = "object_not_found"


class ObjectWriter(Protocol):
    """Bytes on their way in. Not safe for two threads at once; all but small writes block."""

    @property
    def size(self) -> int: ...

    def write(self, chunk: bytes | bytearray | memoryview) -> None: ...

    def content(self) -> AbstractContextManager[Content]:
        """Look at everything written so far without reading a large file into memory."""
        ...

    def reader(self) -> BinaryIO:
        """Read back what was written so far, from where it is staged."""
        ...

    def commit(self, key: str) -> None: ...
    def abort(self) -> None: ...


class ObjectStore(Protocol):
    """Blocking; call it off the event loop."""

    def writer(self) -> ObjectWriter: ...
    def put(self, key: str, content: bytes) -> None: ...
    def get(self, key: str) -> bytes: ...
    def chunks(self, key: str, size: int = 256 * 1024) -> Iterator[bytes]: ...
    def delete(self, key: str) -> None: ...

    def delete_folder(self, folder: str) -> None:
        """Remove every object whose key begins with `folder` and a slash."""
        ...

    def sweep(self, older_than: timedelta) -> int:
        """Remove what killed processes left staged for longer than that; return how many."""
        ...


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
        self.staging = root / ".staging"
        make_durable_folder(self.staging)
        fsync_folder(root.parent)  # another process may have made the root a moment ago
        self._durable = {root}

    def writer(self) -> "LocalWriter":
        return LocalWriter(self, self.staging / secrets.token_hex(16))

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

    def delete_folder(self, folder: str) -> None:
        path = self.path(folder)
        self._durable.discard(path)
        shutil.rmtree(path, ignore_errors=True)

    def sweep(self, older_than: timedelta) -> int:
        oldest = time.time() - older_than.total_seconds()
        removed = 0
        for path in self.staging.iterdir():
            with suppress(FileNotFoundError):  # committed or swept by another process just now
                if path.stat().st_mtime < oldest:
                    path.unlink()
                    removed += 1
        return removed

    def path(self, key: str) -> Path:
        """Give the file of a key; a key cannot leave the store."""
        pure = PurePosixPath(key)
        if pure.is_absolute() or not pure.parts or any(part.startswith(".") for part in pure.parts):
            raise ValueError(f"not a key: {key!r}")
        return self.root.joinpath(*pure.parts)

    def publish(self, temporary: Path, key: str) -> None:
        """Give a durable file its key; when this returns, the entry in the folder is durable too."""
        target = self.path(key)
        self._make_durable(target.parent)
        try:
            temporary.rename(target)
        except FileNotFoundError:  # the folder was removed since it was made
            self._durable = {self.root}
            self._make_durable(target.parent)
            temporary.rename(target)
        fsync_folder(target.parent)

    def _make_durable(self, folder: Path) -> None:
        """Make a folder unless this process knows it: one that another process made may not be on the disk yet."""
        if folder in self._durable:
            return
        self._make_durable(folder.parent)
        folder.mkdir(exist_ok=True)
        fsync_folder(folder.parent)
        if len(self._durable) >= MOST_REMEMBERED:
            self._durable = {self.root}
        self._durable.add(folder)


class LocalWriter:
    """Gathers in memory at first and in the staging folder beyond that."""

    def __init__(self, store: LocalStore, temporary: Path) -> None:
        self.size = 0
        self._store = store
        self._temporary = temporary
        self._held: list[bytes] = []
        self._file: BinaryIO | None = None
        self._is_open = True

    def write(self, chunk: bytes | bytearray | memoryview) -> None:
        if not self._is_open:
            raise ValueError("the writer is closed")
        self.size += len(chunk)
        if self._file is None and self.size <= KEPT_IN_MEMORY:
            self._held.append(bytes(chunk))
        else:
            self._staged().write(chunk)

    @contextmanager
    def content(self) -> Iterator[Content]:
        if self._file is None:
            self._held = [b"".join(self._held)]
            yield self._held[0]
            return
        if self.size == 0:
            yield b""
            return
        with self.reader() as stream, mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as mapped:
            yield mapped

    def reader(self) -> BinaryIO:
        self._staged().flush()
        return self._temporary.open("rb")

    def commit(self, key: str) -> None:
        if not self._is_open:
            raise ValueError("the writer is closed")
        with self._staged() as file:
            file.flush()
            os.fsync(file.fileno())
        self._is_open = False
        self._store.publish(self._temporary, key)

    def abort(self) -> None:
        self._is_open = False
        self._held = []
        if self._file is not None:
            self._file.close()
            self._temporary.unlink(missing_ok=True)

    def _staged(self) -> BinaryIO:
        if self._file is None:
            self._file = self._temporary.open("xb")
            self._file.writelines(self._held)
            self._held = []
        return self._file


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
