"""A look at a received file before it is accepted: empty, too large, not a picture, cut off. No pixel is decoded."""

import mmap
from dataclasses import dataclass

from coldshelf.kit.errors import ColdshelfError
from coldshelf.pictures.imaging.capture_time import ExifTime
from coldshelf.pictures.imaging.decode import inspect
from coldshelf.pictures.imaging.errors import PictureCorrupt, PictureFormatUnknown, PictureTooLarge
from coldshelf.pictures.imaging.structure import verify_cheaply
from coldshelf.pictures.models import ReceivedFile


@dataclass(frozen=True, slots=True)
class Examined:
    """A file and what was found: its time of capture, or why it is refused."""

    file: ReceivedFile
    captured: ExifTime | None = None
    fault: ColdshelfError | None = None

    @property
    def is_empty(self) -> bool:
        return self.file.size == 0

    @property
    def is_undecodable(self) -> bool:
        return isinstance(self.fault, PictureCorrupt | PictureFormatUnknown)


def examine(file: ReceivedFile, *, max_pixels: int) -> Examined:
    """Read the header and check the structure; the file is mapped, not read into memory. Blocking."""
    if file.size == 0:
        return Examined(file)
    try:
        with file.writer.reader() as stream, mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as content:
            verify_cheaply(content)
            return Examined(file, captured=inspect(stream, max_pixels=max_pixels).captured)
    except (PictureCorrupt, PictureFormatUnknown, PictureTooLarge) as fault:
        return Examined(file, fault=fault)
