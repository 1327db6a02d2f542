"""Draws what was found into a picture: boxes, short labels, gaps, and a legend below. Pure.

A picture with a long side under 800 pixels is drawn at twice its size, and the legend says so; else labels would
cover what they name. The legend is a strip added below the picture, so nothing of the picture is hidden by it.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise
from typing import Final

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from coldshelf.pictures.rendering.paint import legible
from coldshelf.recognition.recogniser import Corner, Corners, Pixels

_SMALL_SIDE: Final = 800
_ENLARGEMENT: Final = 2
_INK: Final = (16, 16, 16)
_STRIP: Final = (28, 30, 34)
_STRIP_INK: Final = (240, 240, 240)
_GAP_COLOUR: Final = (255, 59, 48)
_DASH: Final = 6

Colour = tuple[int, int, int]
Font = ImageFont.FreeTypeFont | ImageFont.ImageFont


class MarkKind(StrEnum):
    """Whose product a mark shows."""

    OWN = "own"
    FOREIGN = "foreign"
    UNKNOWN = "unknown"


_COLOURS: Final[dict[MarkKind, Colour]] = {
    MarkKind.OWN: (64, 222, 106),
    MarkKind.FOREIGN: (255, 159, 28),
    MarkKind.UNKNOWN: (190, 194, 203),
}


@dataclass(frozen=True, slots=True)
class Mark:
    """A found product: corners in pixels of the picture, confidence from 0 to 1."""

    corners: Corners
    label: str
    kind: MarkKind
    confidence: float


@dataclass(frozen=True, slots=True)
class Outline:
    """What is drawn around something: its words go into the box, shortened from the end of all but the last word."""

    corners: Corners
    colour: Colour
    words: str = ""
    is_dashed: bool = False


def annotate(image: Pixels, marks: Sequence[Mark], gaps: Sequence[Corners] = ()) -> Pixels:
    """Return a picture with marks, gaps and a legend; small pictures come back at twice their size."""
    dashed = [Outline(corners, _GAP_COLOUR, is_dashed=True) for corners in gaps]
    named = [Outline(mark.corners, _COLOURS[mark.kind], _words(mark)) for mark in marks]
    return draw_outlines(image, [*dashed, *named], _summary(marks, gaps))


def draw_outlines(image: Pixels, outlines: Sequence[Outline], legend: Sequence[tuple[Colour, str]]) -> Pixels:
    """Return a picture with outlines, their words above them all, and a legend; small ones at twice their size."""
    factor = _ENLARGEMENT if max(image.shape[:2]) < _SMALL_SIDE else 1
    picture = Image.fromarray(image).resize(
        (image.shape[1] * factor, image.shape[0] * factor), Image.Resampling.LANCZOS
    )
    draw = ImageDraw.Draw(picture)
    line = max(2, round(max(picture.size) / 640))
    for outline in outlines:
        corners = _enlarged(outline.corners, factor)
        if outline.is_dashed:
            _dashed(draw, corners, outline.colour, line)
        else:
            draw.polygon(corners, outline=outline.colour, width=line)
    size = max(11, round(max(picture.size) / 90))
    for outline in outlines:
        if outline.words:
            _label(picture, outline, _enlarged(outline.corners, factor), line=line, size=size)
    return _with_legend(picture, legend, size=size + 2, factor=factor)


def _words(mark: Mark) -> str:
    return f"{legible(mark.label)} {mark.confidence:.0%}".lstrip()


def _enlarged(corners: Corners, factor: int) -> list[Corner]:
    return [(x * factor, y * factor) for x, y in corners]


def _dashed(draw: ImageDraw.ImageDraw, corners: list[Corner], colour: Colour, line: int) -> None:
    dash = _DASH * line / 2
    for (x0, y0), (x1, y1) in pairwise([*corners, corners[0]]):
        length = max(float(np.hypot(x1 - x0, y1 - y0)), 1.0)
        for start in np.arange(0, length, 2 * dash):
            a, b = start / length, min(start + dash, length) / length
            ends = [(x0 + (x1 - x0) * a, y0 + (y1 - y0) * a), (x0 + (x1 - x0) * b, y0 + (y1 - y0) * b)]
            draw.line(ends, fill=colour, width=line)


def _label(picture: Image.Image, outline: Outline, corners: list[Corner], *, line: int, size: int) -> None:
    """Write the words inside the box: along its foot where they fit, else upwards along its left side.

    A label never leaves its own box, so labels of neighbours cannot hide each other.
    """
    left, right = min(x for x, _ in corners) + line, max(x for x, _ in corners) - line
    top, bottom = min(y for _, y in corners) + line, max(y for _, y in corners) - line
    words = outline.words
    lies = ImageFont.load_default(size).getlength(words) + 4 <= right - left
    room, depth = (right - left, bottom - top) if lies else (bottom - top, right - left)
    tag = _tag(words, room=int(room), depth=int(depth), size=size, colour=outline.colour)
    if tag is None:
        return
    if not lies:
        tag = tag.transpose(Image.Transpose.ROTATE_90)
    picture.paste(tag, (round(left), round(bottom) - tag.height))


def _tag(words: str, *, room: int, depth: int, size: int, colour: Colour) -> Image.Image | None:
    """Return the words on their colour, shortened and shrunk to at most `room` x `depth` pixels, None if unreadable."""
    if room < 16 or depth < 9:
        return None
    font = ImageFont.load_default(min(size, depth - 2))
    shown = next(each for each in _shortened(words) if font.getlength(each) + 4 <= room or len(each) <= 2)
    left, top, right, bottom = font.getbbox(shown)
    tag = Image.new("RGB", (min(int(right - left) + 4, room), min(int(bottom - top) + 4, depth)), colour)
    ImageDraw.Draw(tag).text((2 - left, 2 - top), shown, fill=_INK, font=font)
    return tag


def _shortened(words: str) -> Iterator[str]:
    """Give the words, then ever fewer letters of the label; a confidence behind it stays."""
    label, _, confidence = words.rpartition(" ") if " " in words else (words, "", "")
    yield words
    for length in range(len(label) - 1, 0, -1):
        yield f"{label[:length]}… {confidence}".rstrip()
    yield confidence or label[:1]
    yield confidence[:2] or label[:1]


def _summary(marks: Sequence[Mark], gaps: Sequence[Corners]) -> list[tuple[Colour, str]]:
    counts = Counter(mark.kind for mark in marks)
    entries = [(_COLOURS[kind], f"{kind} {counts[kind]}") for kind in MarkKind]
    return [*entries, (_GAP_COLOUR, f"gap {len(gaps)}")]


def _with_legend(picture: Image.Image, entries: Sequence[tuple[Colour, str]], *, size: int, factor: int) -> Pixels:
    """Add a strip with a coloured square and a count for each kind; it wraps in narrow pictures."""
    font = ImageFont.load_default(size)
    words = [*entries, *([(_STRIP_INK, f"drawn at {factor}x")] if factor > 1 else [])]
    places: list[tuple[int, int]] = []
    x, y, step = size, size // 2, size + size // 2
    for _, word in words:
        width = int(font.getlength(word)) + 3 * size
        if x > size and x + width > picture.width:
            x, y = size, y + step
        places.append((x, y))
        x += width
    whole = Image.new("RGB", (picture.width, picture.height + y + step), _STRIP)
    whole.paste(picture, (0, 0))
    draw = ImageDraw.Draw(whole)
    for (colour, word), (left, top) in zip(words, places, strict=True):
        foot = picture.height + top
        draw.rectangle((left, foot + 1, left + size - 2, foot + size - 1), fill=colour)
        draw.text((left + size + size // 2, foot - 1), word, fill=_STRIP_INK, font=font)
    return np.asarray(whole, np.uint8).copy()
