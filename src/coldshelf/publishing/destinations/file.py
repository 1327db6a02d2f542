"""A local folder. Every file is written under a hidden name, synced, and renamed; then its folder is synced."""

import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO, ClassVar
from urllib.parse import unquote, urlsplit

from coldshelf.kit.objects import fsync_folder, make_durable_folder
from coldshelf.publishing.address import relative
from coldshelf.publishing.destination import SUCCESS, Capabilities, Entry, PartWriter, Secret, TablePlace
from coldshelf.publishing.errors import AlreadyPublished, DestinationFailed
from coldshelf.publishing.streams import copy_through


@contextmanager
def _named(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise DestinationFailed(f"{path}: {error.strerror or error}") from error


def _refuse_to_overwrite(path: Path) -> None:
    if os.path.lexists(path):
        raise AlreadyPublished(f"{path} exists already, and nothing published is ever overwritten")


class FileDestination:
    """The address is a path or `file:///folder`."""

    capabilities: ClassVar[Capabilities] = Capabilities(schemes=("file", ""), appears="rename")

    def __init__(self, root: Path) -> None:
        self._root = root.absolute()

    @classmethod
    def at(cls, address: str, secret: Secret) -> "FileDestination":  # noqa: ARG003  # a folder asks for none
        parts = urlsplit(address)
        return cls(Path(unquote(parts.path) if parts.scheme == "file" else address))

    def begin(self, folder: str) -> None:
        path = self._path(folder)
        with _named(path):
            make_durable_folder(path.parent)
            _refuse_to_overwrite(path)
            path.mkdir()
            fsync_folder(path.parent)

    def part(self, path: str) -> PartWriter:
        with _named(self._path(path)):
            make_durable_folder(self._path(path).parent)
        return FilePart(self._path(path))

    def replacement(self, path: str) -> PartWriter:
        with _named(self._path(path)):
            make_durable_folder(self._path(path).parent)
        return FilePart(self._path(path), replaces=True)

    def copy(self, source: str, path: str) -> None:
        """Give the same bytes a second name: what is committed is never written to again, at most replaced."""
        target = self._path(path)
        with _named(target):
            make_durable_folder(target.parent)
        _refuse_to_overwrite(target)
        try:
            os.link(self._path(source), target)
        except OSError:  # not on this file system, or there is nothing to copy, which the reading says
            copy_through(self, source, path)
        else:
            fsync_folder(target.parent)

    def can_copy(self) -> bool:
        return True

    def open(self, path: str) -> BinaryIO:
        with _named(self._path(path)):
            return self._path(path).open("rb")

    def size(self, path: str) -> int | None:
        with _named(self._path(path)), suppress(FileNotFoundError, NotADirectoryError):
            return self._path(path).stat().st_size
        return None

    def entries(self, folder: str) -> Iterator[Entry]:
        for path in sorted(self._path(folder).rglob("*")):
            with suppress(FileNotFoundError):  # removed a moment ago
                if path.is_file():
                    found = path.stat()
                    name = path.relative_to(self._root).as_posix()
                    yield Entry(name, found.st_size, datetime.fromtimestamp(found.st_mtime, UTC))

    def finish(self, folder: str) -> None:
        self.part(f"{folder}/{SUCCESS}").commit()

    def remove(self, path: str) -> None:
        target = self._path(path)
        with _named(target):
            if not target.is_dir():
                target.unlink()
                return
            for marker in target.rglob(SUCCESS):
                marker.unlink()
            shutil.rmtree(target)

    def table(self, path: str) -> TablePlace:
        return TablePlace(str(self._path(path)))

    def close(self) -> None:
        """Nothing is held open."""

    def _path(self, path: str) -> Path:
        return self._root.joinpath(relative(path))


class FilePart:
    def __init__(self, path: Path, *, replaces: bool = False) -> None:
        self._path = path
        self._replaces = replaces
        # A name of its own: what a killed attempt left under the same path must not be in the way of the next one.
        self._hidden = path.with_name(f".{path.name}.{secrets.token_hex(4)}.tmp")
        with _named(path):
            self._file = self._hidden.open("xb")

    def write(self, chunk: bytes | memoryview) -> None:
        with _named(self._path):
            self._file.write(chunk)

    def commit(self) -> None:
        """Rename it. The folder is this run's alone (see `begin`), so nothing comes between the look and the rename."""
        with _named(self._path):
            self._file.flush()
            os.fsync(self._file.fileno())
            self._file.close()
            if not self._replaces:
                _refuse_to_overwrite(self._path)
            self._hidden.rename(self._path)
            fsync_folder(self._path.parent)

    def discard(self) -> None:
        self._file.close()
        self._hidden.unlink(missing_ok=True)
