"""Is the file whole? Answered from its segments, chunks or boxes, without decoding a pixel."""

import struct
import zlib
from collections.abc import Callable
from struct import unpack_from

from coldshelf.pictures.imaging.errors import PictureCorrupt, PictureFormatUnknown
from coldshelf.pictures.imaging.formats import SNIFF_BYTES, PictureFormat, sniff
from coldshelf.pictures.imaging.heic import Content, boxes, read_heic

MAX_PARTS = 65_536
"""Segments, chunks or boxes a file may have; 64 MiB in PNG chunks of 8 KiB are 8,192."""

MAX_SCANS = 64
"""Scans of a JPEG; encoders write up to about a dozen. Each costs 18 ms at 49 megapixels and as little as 98 bytes, so
that without a limit 64 MiB would keep a decoder busy for three hours (measured with Pillow 13, libjpeg-turbo)."""

_EOI = b"\xff\xd9"
_SOS = 0xDA
_STANDALONE = {0x01, *range(0xD0, 0xD8)}
_FRAME_HEADERS = set(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_ONE_PASS_FRAMES = {0xC0, 0xC1}


def verify_cheaply(data: Content) -> PictureFormat:
    """Refuse a file that is cut off, not a picture or put together wrongly; say which format it has.

    Finds what an interrupted upload leaves behind. Bytes appended after the end are fine, phones write trailers there.
    Damaged pixels inside a whole file are found by `decode` only, and not all of them by that.
    """
    picture_format = sniff(data[:SNIFF_BYTES])
    if picture_format is None:
        raise PictureFormatUnknown
    try:
        _CHECKS[picture_format](data)
    except (struct.error, IndexError) as fault:  # a header that the end of the file cuts in two
        raise PictureCorrupt from fault
    return picture_format


def _require(condition: bool) -> None:
    if not condition:
        raise PictureCorrupt


def _check_jpeg(data: Content) -> None:
    at = 2
    frame: tuple[int, int] | None = None  # marker, components
    for _ in range(MAX_PARTS):
        _require(data[at] == 0xFF)
        marker = data[at + 1]
        if marker == 0xFF or marker in _STANDALONE:
            at += 1 if marker == 0xFF else 2
            continue
        (length,) = unpack_from(">H", data, at + 2)
        _require(length >= 2 and marker not in (0xD8, 0xD9))
        if marker in _FRAME_HEADERS:
            frame = marker, data[at + 9]
        elif marker == _SOS:
            _check_scans(data, start=at, frame=frame)
            return
        at += 2 + length
    raise PictureCorrupt


def _check_scans(data: Content, *, start: int, frame: tuple[int, int] | None) -> None:
    if frame is None:
        raise PictureCorrupt
    marker, components = frame
    end = data.rfind(_EOI, start)
    _require(end > start)
    if marker not in _ONE_PASS_FRAMES or data[start + 4] != components:
        _require(_scans(data, start, end) <= MAX_SCANS)


def _scans(data: Content, start: int, end: int) -> int:
    """Count scans up to one too many; a mapped file knows `find` but not `count`."""
    found, at = 0, start
    while found <= MAX_SCANS and (at := data.find(b"\xff\xda", at, end)) >= 0:
        found += 1
        at += 2
    return found


def _check_png(data: Content) -> None:
    # closed at once: a mapped file cannot be closed while a view of it is left in a traceback
    with memoryview(data) as view:
        _check_chunks(view)


def _check_chunks(view: memoryview) -> None:
    at = 8
    has_pixels = False
    for part in range(MAX_PARTS):
        length, kind = unpack_from(">I4s", view, at)
        end = at + 8 + length
        (crc,) = unpack_from(">I", view, end)
        _require(zlib.crc32(view[at + 4 : end]) == crc)
        _require((kind == b"IHDR" and length == 13) == (part == 0))
        has_pixels = has_pixels or (kind == b"IDAT" and length > 0)
        if kind == b"IEND":
            _require(has_pixels)
            return
        at = end + 4
    raise PictureCorrupt


def _check_webp(data: Content) -> None:
    (size,) = unpack_from("<I", data, 4)
    end = size + 8
    _require(end <= len(data))
    at = 12
    kinds: set[bytes] = set()
    for _ in range(MAX_PARTS):
        if at >= end:
            break
        kind, length = unpack_from("<4sI", data, at)
        at += 8 + length
        _require(at <= end)
        at += length & 1
        kinds.add(kind)
    _require(at >= end and not kinds.isdisjoint({b"VP8 ", b"VP8L", b"ANMF"}))


def _check_heic(data: Content) -> None:
    kinds: set[bytes] = set()
    for kind, _, end in boxes(data):
        if end > len(data):
            # an unknown trailer may end as it likes once the picture is there
            _require(kind != b"mdat")
            break
        kinds.add(kind)
    _require(kinds >= {b"meta", b"mdat"})
    read_heic(data)


_CHECKS: dict[PictureFormat, Callable[[Content], None]] = {
    PictureFormat.JPEG: _check_jpeg,
    PictureFormat.PNG: _check_png,
    PictureFormat.WEBP: _check_webp,
    PictureFormat.HEIC: _check_heic,
}
