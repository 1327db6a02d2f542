"""Bytes out of destinations: files read by ranges, and copies that pass through here."""

import io
from collections.abc import Callable
from typing import BinaryIO, Protocol

from coldshelf.publishing.destination import PartWriter

CHUNK_BYTES = 1024 * 1024
RANGE_BYTES = 4 * 1024 * 1024
"""Each range costs a round trip."""


class _Ranges(io.RawIOBase):
    def __init__(self, size: int, read_at: Callable[[int, int], bytes]) -> None:
        self._size = size
        self._read_at = read_at
        self._offset = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self._offset, io.SEEK_END: self._size}[whence]
        self._offset = max(0, start + offset)
        return self._offset

    def tell(self) -> int:
        return self._offset

    def readall(self) -> bytes:
        return b"".join(iter(lambda: self.read(RANGE_BYTES) or b"", b""))

    def readinto(self, buffer: memoryview, /) -> int:  # type: ignore[override]  # what BufferedReader hands in
        wanted = min(len(buffer), self._size - self._offset)
        if wanted <= 0:
            return 0
        got = self._read_at(self._offset, wanted)
        buffer[: len(got)] = got
        self._offset += len(got)
        return len(got)


def read_by_ranges(size: int, read_at: Callable[[int, int], bytes]) -> BinaryIO:
    """Make a file of something that gives bytes from an offset: at most as many as asked for, and at least one."""
    return io.BufferedReader(_Ranges(size, read_at), RANGE_BYTES)


class HoldsFiles(Protocol):
    """What a copy needs of a destination."""

    def open(self, path: str) -> BinaryIO: ...
    def part(self, path: str) -> PartWriter: ...


def copy_through(destination: HoldsFiles, source: str, path: str) -> None:
    """Copy a committed file by reading and writing it, where the destination has no copy of its own."""
    with destination.open(source) as file:
        part = destination.part(path)
        try:
            while chunk := file.read(CHUNK_BYTES):
                part.write(chunk)
            part.commit()
        except BaseException:
            part.discard()
            raise
