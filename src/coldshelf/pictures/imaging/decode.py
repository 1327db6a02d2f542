"""From the bytes of a file to its facts (`inspect`) and to its pixels (`decode`), whatever the bytes are.

Every fault ends in PictureFormatUnknown, PictureCorrupt or PictureTooLarge. A decoder with a bug of its own may still
take its process down: call `decode` in a process that can be replaced, `verify_cheaply` and `inspect` anywhere.
"""

import struct
import warnings
import zlib
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import IO

import numpy as np
import pi_heif
from PIL import Image

from coldshelf.pictures.imaging.capture_time import ExifTime
from coldshelf.pictures.imaging.errors import PictureCorrupt, PictureFormatUnknown, PictureTooLarge
from coldshelf.pictures.imaging.formats import SNIFF_BYTES, PictureFormat, sniff
from coldshelf.pictures.imaging.heic import read_heic
from coldshelf.pictures.imaging.pixels import MAX_PIXELS, MAX_SIDE, Pixels
from coldshelf.pictures.imaging.structure import verify_cheaply

Source = bytes | Path | IO[bytes]

_ORIENTATION, _EXIF_IFD, _TAKEN, _TAKEN_OFFSET = 0x0112, 0x8769, 0x9003, 0x9011

_STRIP_PIXELS = 250_000
"""Rows are converted in strips: no second copy of a 50-megapixel picture is made, and strips that fit the processor's
cache take a third of the time (12 ms instead of 35 ms for a picture of 2048 x 1536)."""

# What Pillow 13 and pi_heif raise on bytes they cannot read, found by fuzzing and by reading their `raise` lines.
# Warning stands here for processes that turn warnings into errors.
_FAULTS = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    EOFError,
    LookupError,
    OSError,
    RuntimeError,
    SyntaxError,
    TypeError,
    ValueError,
    Warning,
    struct.error,
    zlib.error,
)

# Colours of a HEIC are wanted, its thumbnails, depth and auxiliary pictures are not; one thread for each picture.
pi_heif.options.THUMBNAILS = pi_heif.options.DEPTH_IMAGES = pi_heif.options.AUX_IMAGES = False
pi_heif.options.DECODE_THREADS = 1


@dataclass(frozen=True, slots=True)
class PictureInfo:
    """What the header of a file says. Width and height are those of the upright picture, as `decode` returns it."""

    format: PictureFormat
    width: int
    height: int
    orientation: int
    """EXIF orientation, 1 to 8, that `decode` undoes; 1 for HEIC, which says in another place how it is turned."""
    captured: ExifTime | None
    frames: int
    """Frames of an animation; a HEIC counts as one, whatever else it holds."""


@dataclass(frozen=True, slots=True)
class _Exif:
    orientation: int = 1
    captured: ExifTime | None = None


def inspect(source: Source, *, max_pixels: int = MAX_PIXELS, max_side: int = MAX_SIDE) -> PictureInfo:
    """Read the header, nothing more: format, size, time of capture. Safe in a process that must not die."""
    with _stream(source) as stream, _faults_translated():
        picture_format = sniff(stream.read(SNIFF_BYTES))
        stream.seek(0)
        if picture_format is None:
            raise PictureFormatUnknown
        if picture_format is PictureFormat.HEIC:
            info, sizes = _heic_info(stream.read())
        else:
            with Image.open(stream, formats=[picture_format.upper()]) as image:
                info, sizes = _picture_info(image, picture_format), [image.size]
        for size in sizes:
            _bound(size, max_pixels=max_pixels, max_side=max_side)
        return info


def decode(data: bytes, *, max_pixels: int = MAX_PIXELS, max_side: int = MAX_SIDE) -> Pixels:
    """Decode the first frame upright, without alpha (on white), 8 bits a channel. Colour profiles are not applied."""
    picture_format = verify_cheaply(data)
    info = inspect(data, max_pixels=max_pixels, max_side=max_side)
    with _faults_translated(), closing(_open(data, picture_format)) as image:
        image.load()
        _bound(image.size, max_pixels=max_pixels, max_side=max_side)  # HEIC: the decoder has the last word
        return _upright_rgb(image, info.orientation)


@contextmanager
def _stream(source: Source) -> Iterator[IO[bytes]]:
    if isinstance(source, bytes):
        yield BytesIO(source)
    elif isinstance(source, Path):
        with source.open("rb") as stream:
            yield stream
    else:
        source.seek(0)
        yield source


def _open(data: bytes, picture_format: PictureFormat) -> Image.Image:
    if picture_format is PictureFormat.HEIC:
        heif: Image.Image = pi_heif.HeifImageFile(BytesIO(data))
        return heif
    return Image.open(BytesIO(data), formats=[picture_format.upper()])


@contextmanager
def _faults_translated() -> Iterator[None]:
    # Pillow warns, among others, for every wrong EXIF tag: one file of 520 kB wrote 43,000 lines. The filter is not
    # safe between threads before Python 3.14; a lost race costs a log line.
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", module=r"(PIL|pi_heif)\b")
        try:
            yield
        except (Image.DecompressionBombError, MemoryError) as fault:
            raise PictureTooLarge from fault
        except _FAULTS as fault:
            raise PictureCorrupt from fault


def _bound(size: tuple[int, int], *, max_pixels: int, max_side: int) -> None:
    width, height = size
    if width * height > max_pixels:
        raise PictureTooLarge(f"Image has {width} x {height} pixels; the limit is {max_pixels:,} pixels")
    if max(width, height) > max_side:
        raise PictureTooLarge(f"Image has {width} x {height} pixels; the limit is {max_side:,} a side")


def _picture_info(image: Image.Image, picture_format: PictureFormat) -> PictureInfo:
    exif = _exif(image.info.get("exif", b""))
    width, height = image.size if exif.orientation < 5 else image.size[::-1]
    return PictureInfo(
        format=picture_format,
        width=width,
        height=height,
        orientation=exif.orientation,
        captured=exif.captured,
        frames=getattr(image, "n_frames", 1),
    )


def _heic_info(data: bytes) -> tuple[PictureInfo, list[tuple[int, int]]]:
    header = read_heic(data)
    info = PictureInfo(
        format=PictureFormat.HEIC,
        width=header.width,
        height=header.height,
        orientation=1,
        captured=_exif(header.exif).captured,
        frames=1,
    )
    return info, [(header.width, header.height), header.coded]


def _exif(block: bytes) -> _Exif:
    if not block:
        return _Exif()
    exif = Image.Exif()
    try:
        exif.load(block)
        orientation = exif.get(_ORIENTATION)
        camera = exif.get_ifd(_EXIF_IFD)
    except _FAULTS:  # a broken EXIF is no reason to refuse the picture
        return _Exif()
    if not isinstance(orientation, int) or orientation not in range(1, 9):
        orientation = 1
    return _Exif(orientation=orientation, captured=_captured(camera.get(_TAKEN), camera.get(_TAKEN_OFFSET)))


def _captured(taken: object, offset: object) -> ExifTime | None:
    if not isinstance(taken, str):
        return None
    return ExifTime(date_time=taken, offset=offset if isinstance(offset, str) else None)


def _upright_rgb(image: Image.Image, orientation: int) -> Pixels:
    width, height = image.size
    upright = np.empty((height, width, 3) if orientation < 5 else (width, height, 3), np.uint8)
    stored = _as_stored(upright, orientation)
    rows = max(1, _STRIP_PIXELS // width)
    for top in range(0, height, rows):
        bottom = min(height, top + rows)
        stored[top:bottom] = _rgb(image.crop((0, top, width, bottom)))
    return upright


def _as_stored(upright: Pixels, orientation: int) -> Pixels:
    """View the upright picture the way the file stores its rows (EXIF 2.32, table of Orientation)."""
    view = upright if orientation < 5 else upright.transpose(1, 0, 2)
    row_step = -1 if orientation in (3, 4, 6, 7) else 1
    column_step = -1 if orientation in (2, 3, 7, 8) else 1
    return view[::row_step, ::column_step]


def _rgb(strip: Image.Image) -> Pixels:
    if strip.mode.startswith("I;16"):
        return np.repeat((np.asarray(strip) >> 8).astype(np.uint8)[:, :, None], 3, axis=2)
    if strip.mode == "RGBa" or strip.has_transparency_data:
        layer = strip.convert("RGBA")
        strip = Image.alpha_composite(Image.new("RGBA", strip.size, "white"), layer)
    return np.asarray(strip.convert("RGB"))
