"""The header of a HEIC file, read here and not by the decoder (ISO/IEC 14496-12 and 23008-12).

pi_heif 1.4 dies with a segmentation fault when an item's type is not UTF-8: one changed byte of a file of 725 took the
process with it as soon as the header was read (found by fuzzing). So nothing native looks at a HEIC during an upload,
and such items are refused before it does.
"""

import mmap
from collections.abc import Iterator
from dataclasses import dataclass, field
from struct import unpack_from

from coldshelf.pictures.imaging.errors import PictureCorrupt

Content = bytes | mmap.mmap
"""A file in memory or mapped into it."""

MOST_BOXES = 65_536
MOST_ITEMS = 4_096
MOST_EXTENTS = 8
LARGEST_META = 2 * 1024 * 1024
"""Bounds on boxes of one level, items, pieces of an EXIF block and bytes of the header: what is read here costs a
second at worst. A grid of 512-pixel tiles has 200 items at 50 megapixels, and the decoder itself stops at 1,000."""


@dataclass(frozen=True, slots=True)
class HeicHeader:
    """Size of the picture as it is shown, and its EXIF block without the leading offset."""

    width: int
    height: int
    coded: tuple[int, int]
    """Width and height that the decoder has to make room for, before anything is cut off or turned."""
    exif: bytes


@dataclass(slots=True)
class _Meta:
    primary: int = 0
    exif_item: int | None = None
    properties: list[tuple[bytes, bytes]] = field(default_factory=list)
    """Kind and content, in the order that associations count from 1."""
    associations: dict[int, list[int]] = field(default_factory=dict)
    locations: bytes = b""
    inline: bytes = b""


@dataclass(slots=True)
class _Numbers:
    """Big-endian numbers of any width, one after the other; beyond the end they are 0."""

    data: bytes
    at: int

    def take(self, width: int) -> int:
        self.at += width
        return int.from_bytes(self.data[self.at - width : self.at])


def boxes(data: Content, start: int = 0) -> Iterator[tuple[bytes, int, int]]:
    """Walk the boxes of one level: kind, start and end of the content. The end may lie beyond a file that was cut."""
    at = start
    for _ in range(MOST_BOXES):
        if len(data) - at < 8:
            return
        size, kind = unpack_from(">I4s", data, at)
        header = 8
        if size == 1:
            (size,) = unpack_from(">Q", data, at + 8)
            header = 16
        elif size == 0:
            size = len(data) - at
        if size < header:
            raise PictureCorrupt
        yield kind, at + header, at + size
        at += size
    raise PictureCorrupt


def read_heic(data: Content) -> HeicHeader:
    """Read size and EXIF of the primary picture; the pixels may be missing."""
    meta = next((data[start:end] for kind, start, end in boxes(data) if kind == b"meta" and end <= len(data)), None)
    if meta is None or len(meta) > LARGEST_META:
        raise PictureCorrupt
    facts = _facts(meta)
    width, height, coded = _sizes(facts)
    return HeicHeader(width=width, height=height, coded=coded, exif=_exif(data, facts))


def _facts(meta: bytes) -> _Meta:
    facts = _Meta()
    for kind, start, end in boxes(meta, 4):
        content = meta[start:end]
        if kind == b"pitm":
            (facts.primary,) = unpack_from(">I" if content[0] else ">H", content, 4)
        elif kind == b"iinf":
            facts.exif_item = _exif_item(content)
        elif kind == b"iprp":
            _read_properties(content, facts)
        elif kind == b"iloc":
            facts.locations = content
        elif kind == b"idat":
            facts.inline = content
    return facts


def _exif_item(iinf: bytes) -> int | None:
    found = None
    for kind, start, end in boxes(iinf, 8 if iinf[0] else 6):
        if kind != b"infe":
            continue
        entry = iinf[start:end]
        wide = entry[0] == 3
        words = entry[10 if wide else 8 :]
        try:
            words.decode()
        except UnicodeDecodeError as fault:
            raise PictureCorrupt from fault
        if found is None and words.startswith(b"Exif"):
            (found,) = unpack_from(">I" if wide else ">H", entry, 4)
    return found


def _read_properties(iprp: bytes, facts: _Meta) -> None:
    for kind, start, end in boxes(iprp):
        content = iprp[start:end]
        if kind == b"ipco":
            facts.properties = [(name, content[first:last]) for name, first, last in boxes(content)]
        elif kind == b"ipma":
            facts.associations.update(_associations(content))


def _associations(ipma: bytes) -> Iterator[tuple[int, list[int]]]:
    item_width = 4 if ipma[0] else 2
    index_width = 2 if ipma[3] & 1 else 1
    without_essential_bit = (1 << (8 * index_width - 1)) - 1
    numbers = _Numbers(ipma, at=4)
    for _ in range(min(numbers.take(4), MOST_ITEMS)):
        item = numbers.take(item_width)
        yield item, [numbers.take(index_width) & without_essential_bit for _ in range(numbers.take(1))]


def _sizes(facts: _Meta) -> tuple[int, int, tuple[int, int]]:
    width = height = 0
    coded = 0, 0
    for index in facts.associations.get(facts.primary, []):
        kind, content = facts.properties[index - 1] if 0 < index <= len(facts.properties) else (b"", b"")
        if kind == b"ispe":
            width, height = coded = unpack_from(">II", content, 4)
        elif kind == b"clap":
            width, height = _cut(width, height, content)
        elif kind == b"irot" and content[0] & 1:
            width, height = height, width
    if not width or not height:
        raise PictureCorrupt
    return width, height, coded


def _cut(width: int, height: int, clap: bytes) -> tuple[int, int]:
    """Apply a clean aperture: encoders pad a picture to whole blocks and cut the padding off again."""
    width_of, width_by, height_of, height_by = unpack_from(">IIII", clap)
    if not width_by or not height_by:
        raise PictureCorrupt
    return min(width, width_of // width_by), min(height, height_of // height_by)


def _exif(data: Content, facts: _Meta) -> bytes:
    if facts.exif_item is None or not facts.locations:
        return b""
    is_inline, extents = _extents(facts.locations, facts.exif_item)
    source: Content = facts.inline if is_inline else data
    block = b"".join(source[offset : offset + length] for offset, length in extents)
    skipped = int.from_bytes(block[:4])
    return block[4 + skipped :]


def _extents(iloc: bytes, wanted: int) -> tuple[bool, list[tuple[int, int]]]:
    version = iloc[0]
    widths = iloc[4] >> 4, iloc[4] & 15, iloc[5] >> 4, (iloc[5] & 15) if version else 0
    numbers = _Numbers(iloc, at=6)
    for _ in range(min(numbers.take(4 if version == 2 else 2), MOST_ITEMS)):
        item = numbers.take(4 if version == 2 else 2)
        method = numbers.take(2) & 15 if version else 0
        numbers.take(2)
        base = numbers.take(widths[2])
        extents = [_extent(numbers, widths, base) for _ in range(min(numbers.take(2), MOST_EXTENTS))]
        if item == wanted:
            return method == 1, extents
    return False, []


def _extent(numbers: _Numbers, widths: tuple[int, int, int, int], base: int) -> tuple[int, int]:
    numbers.take(widths[3])
    return base + numbers.take(widths[0]), numbers.take(widths[1])
