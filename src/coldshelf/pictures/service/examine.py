"""A look at received files before they are accepted: empty, too large, not a picture, cut off. No pixel is decoded."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from coldshelf.kit.errors import ColdshelfError
from coldshelf.kit.objects import KEPT_IN_MEMORY, ObjectWriter
from coldshelf.pictures.imaging.capture_time import ExifTime
from coldshelf.pictures.imaging.decode import inspect
from coldshelf.pictures.imaging.errors import PictureCorrupt, PictureFormatUnknown, PictureTooLarge
from coldshelf.pictures.imaging.structure import verify_cheaply
from coldshelf.pictures.models import ReceivedFile


@dataclass(frozen=True, slots=True)
class Examined:
    """A file and what was found: its hash, its time of capture, or why it is refused."""

    file: ReceivedFile
    sha256: bytes
    captured: ExifTime | None = None
    fault: ColdshelfError | None = None

    @property
    def is_empty(self) -> bool:
        return self.file.size == 0

    @property
    def is_undecodable(self) -> bool:
        return isinstance(self.fault, PictureCorrupt | PictureFormatUnknown)


def examine_all(files: Sequence[ReceivedFile], *, max_pixels: int) -> list[Examined]:
    """Examine the files of one upload. Blocking."""
    return [examine(file, max_pixels=max_pixels) for file in files]


def examine(file: ReceivedFile, *, max_pixels: int) -> Examined:
    """Hash the bytes, read the header and check the structure; a large file is mapped, not read into memory."""
    sha256 = _sha256(file.writer)
    if file.size == 0:
        return Examined(file, sha256)
    try:
        with file.writer.content() as content:
            verify_cheaply(content)
            if isinstance(content, bytes):
                return Examined(file, sha256, inspect(content, max_pixels=max_pixels).captured)
            with file.writer.reader() as stream:
                return Examined(file, sha256, inspect(stream, max_pixels=max_pixels).captured)
    except (PictureCorrupt, PictureFormatUnknown, PictureTooLarge) as fault:
        return Examined(file, sha256, fault=fault)


def _sha256(writer: ObjectWriter) -> bytes:
    if writer.size <= KEPT_IN_MEMORY:
        with writer.content() as content:
            return hashlib.sha256(content).digest()
    digest = hashlib.sha256()
    with writer.reader() as stream:  # read in pieces: a mapped file would count as memory of this process
        while piece := stream.read(KEPT_IN_MEMORY):
            digest.update(piece)
    return digest.digest()
