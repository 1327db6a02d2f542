"""A schematic drawing of a planogram: shelves with reference pictures, or coloured blocks with names."""

import colorsys
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate

import numpy as np
from PIL import Image, ImageDraw

from coldshelf.pictures.rendering.paint import (
    Box,
    Colour,
    Font,
    Pixels,
    draw_word,
    font,
    legible,
    resized,
    text_width,
    tinted,
)

_PAPER: Colour = (250, 250, 249)
_INK: Colour = (44, 48, 54)
_FAINT: Colour = (128, 134, 142)
_BOARD: Colour = (206, 211, 217)
_WIDEST_SLOT = 0.16  # of the width, so that a lonely product does not become a giant
_DRAWN_STACK = 4  # more would be too flat to recognise; the badge still says the number


@dataclass(frozen=True, slots=True, eq=False)
class PlannedProduct:
    """A place of a planogram: drawn as `picture` (RGB) if there is one, else as a block of `colour` with the label.

    Without a colour the label chooses one, always the same. `stack` products stand on top of each other.
    """

    label: str
    picture: Pixels | None = None
    colour: Colour | None = None
    stack: int = 1


PlannedRow = Sequence[PlannedProduct | None]
"""Places of a shelf from the left; None is a place that is left empty."""


@dataclass(frozen=True, slots=True)
class _Sheet:
    """Measures of the drawing in pixels."""

    width: int
    margin: int
    title: int
    shelf: int
    caption: int
    text: int

    @property
    def inner(self) -> int:
        return self.width - 2 * self.margin

    def row_height(self, row: PlannedRow) -> int:
        return (self.shelf if row else self.shelf // 3) + self.caption


def render_planogram(rows: Sequence[PlannedRow], *, width: int = 960, title: str = "") -> Pixels:
    """Draw shelves from the top, places from the left: RGB (as high as needed, width, 3)."""
    sheet = _sheet(width, has_title=bool(title))
    tops = list(accumulate((sheet.row_height(row) for row in rows or [()]), initial=sheet.title))
    height = tops[-1] + sheet.margin
    image = Image.new("RGB", (width, height), _PAPER)
    draw = ImageDraw.Draw(image)
    if title:
        words = _shortened(legible(title), font(sheet.text * 3 // 2), sheet.inner)
        draw.text((sheet.margin, sheet.title / 2), words, font=font(sheet.text * 3 // 2), fill=_INK, anchor="lm")
    if not rows:
        middle = (width / 2, (sheet.title + height) / 2)
        draw.text(middle, "No shelves planned", font=font(sheet.text), fill=_FAINT, anchor="mm")
    for number, row in enumerate(rows, start=1):
        _draw_row(image, sheet, row, number=number, foot=tops[number] - sheet.caption)
    return np.array(image, dtype=np.uint8)


def _sheet(width: int, *, has_title: bool) -> _Sheet:
    text = max(width // 72, 9)
    margin = max(width // 40, 6)
    return _Sheet(
        width=width,
        margin=margin,
        title=text * 3 if has_title else margin,
        shelf=max(width // 5, 48),
        caption=text * 4,
        text=text,
    )


def _draw_row(image: Image.Image, sheet: _Sheet, row: PlannedRow, *, number: int, foot: int) -> None:
    draw = ImageDraw.Draw(image)
    board = max(sheet.text // 2, 3)
    draw.rectangle((sheet.margin, foot, sheet.width - sheet.margin, foot + board), fill=_BOARD)
    draw.text((2, foot), str(number), font=font(sheet.text), fill=_FAINT, anchor="ls")
    slot = min(sheet.inner / max(len(row), 1), _WIDEST_SLOT * sheet.width)
    for index, product in enumerate(row):
        left = sheet.margin + slot * index
        box = (left + 0.03 * slot, foot - 0.94 * sheet.shelf, left + 0.97 * slot, float(foot))
        if product is None:
            _draw_empty(draw, box)
        else:
            _draw_product(image, product, box)
        _draw_caption(
            draw, sheet, product, box=(left, foot + board, left + slot, foot + sheet.caption), number=index + 1
        )


def _draw_empty(draw: ImageDraw.ImageDraw, box: Box) -> None:
    left, top, right, bottom = (round(edge) for edge in box)
    for y in range(top, bottom, 10):
        draw.line((left, y, left, y + 4), fill=_FAINT)
        draw.line((right - 1, y, right - 1, y + 4), fill=_FAINT)
    for x in range(left, right, 10):
        draw.line((x, top, min(x + 4, right - 1), top), fill=_FAINT)


def _draw_product(image: Image.Image, product: PlannedProduct, box: Box) -> None:
    left, top, right, bottom = box
    layers = min(max(product.stack, 1), _DRAWN_STACK)
    layer_height = (bottom - top) / layers
    picture = product.picture
    if picture is not None and picture.size:
        sprite = _fitted(picture, width=right - left, height=layer_height)
        x = round((left + right - sprite.shape[1]) / 2)
        for layer in range(1, layers + 1):
            image.paste(Image.fromarray(sprite), (x, round(bottom) - layer * sprite.shape[0]))
    else:
        for layer in range(layers):
            floor = bottom - layer * layer_height
            _draw_block(image, product, (left, floor - layer_height, right, floor), is_named=layer == 0)
    if product.stack > 1:
        _draw_badge(ImageDraw.Draw(image), f"x{product.stack}", right=right, top=top, width=right - left)


def _fitted(picture: Pixels, *, width: float, height: float) -> Pixels:
    scale = min(width / picture.shape[1], height / picture.shape[0])
    return resized(picture, width=int(picture.shape[1] * scale), height=int(picture.shape[0] * scale))


def _draw_block(image: Image.Image, product: PlannedProduct, box: Box, *, is_named: bool) -> None:
    left, top, right, bottom = box[0], box[1] + 1, max(box[2], box[0] + 2), max(box[3] - 1, box[1] + 3)
    colour = product.colour or _colour_of(product.label)
    draw = ImageDraw.Draw(image)
    draw.rounded_rectangle(
        (left, top, right, bottom), min(4, (right - left) / 4), fill=colour, outline=tinted(colour, 0.7)
    )
    if is_named and right - left >= 10 and bottom - top >= 10:
        _write_name(image, legible(product.label), (left, top, right, bottom), ink=_ink_on(colour))


def _colour_of(label: str) -> Colour:
    mixed = zlib.crc32(label.encode())
    red, green, blue = colorsys.hls_to_rgb((mixed % 360) / 360, 0.46 + (mixed >> 9) % 20 / 100, 0.55)
    return round(red * 255), round(green * 255), round(blue * 255)


def _ink_on(ground: Colour) -> Colour:
    luminance = 0.299 * ground[0] + 0.587 * ground[1] + 0.114 * ground[2]
    return _INK if luminance > 150 else (255, 255, 255)


def _write_name(image: Image.Image, name: str, box: Box, *, ink: Colour) -> None:
    """Write a name into a block: in lines, or upwards where the block is too narrow for words."""
    left, top, right, bottom = (round(edge) for edge in box)
    width, height = right - left - 4, bottom - top - 4
    is_upright = width < 48 <= height
    across, down = (height, width) if is_upright else (width, height)
    size = int(min(max(across / 7, 9), 16, max(down, 6)))
    lines = _lines(name, font(size), width=across, most=max(int(down / (size * 1.2)), 1))
    mask = Image.new("L", (max(across, 1), max(down, 1)), 0)
    draw = ImageDraw.Draw(mask)
    first = (mask.height - len(lines) * size * 1.2) / 2 + size * 0.6
    for index, line in enumerate(lines):
        draw.text((mask.width / 2, first + index * size * 1.2), line, font=font(size), fill=255, anchor="mm")
    written = mask.transpose(Image.Transpose.ROTATE_90) if is_upright else mask
    image.paste(ink, (left + 2, top + 2), written)


def _lines(text: str, face: Font, *, width: float, most: int) -> list[str]:
    """Break a text at spaces into at most so many lines; what does not fit ends in an ellipsis."""
    lines: list[str] = []
    words = text.split()
    while words and len(lines) < most - 1:
        line = words.pop(0)
        while words and text_width(f"{line} {words[0]}", face) <= width:
            line = f"{line} {words.pop(0)}"
        lines.append(line)
    if words:
        lines.append(" ".join(words))
    return [_shortened(line, face, width) for line in lines]


def _shortened(text: str, face: Font, width: float) -> str:
    if text_width(text, face) <= width:
        return text
    while text and text_width(f"{text}...", face) > width:
        text = text[:-1]
    return f"{text.rstrip()}..." if text else ""


def _draw_badge(draw: ImageDraw.ImageDraw, word: str, *, right: float, top: float, width: float) -> None:
    size = min(max(width * 0.34, 10), 28)
    box = (right - size * 1.25, top, right, top + size * 0.8)
    draw.rounded_rectangle(box, size * 0.2, fill=_INK)
    inset = size * 0.16
    draw_word(draw, word, box=(box[0] + inset, box[1] + inset, box[2] - inset, box[3] - inset), fill=_PAPER)


def _draw_caption(
    draw: ImageDraw.ImageDraw, sheet: _Sheet, product: PlannedProduct | None, *, box: Box, number: int
) -> None:
    """Write the position below the board and, where there is room, the label below it."""
    left, top, right, _ = box
    middle, width = (left + right) / 2, right - left
    if width >= text_width(str(number), font(sheet.text)) + 1:
        draw.text((middle, top + sheet.text * 0.7), str(number), font=font(sheet.text), fill=_FAINT, anchor="mm")
    if product is None or product.picture is None or width < sheet.text * 4:
        return
    face = font(max(sheet.text - 2, 8))
    for index, line in enumerate(_lines(legible(product.label), face, width=width - 4, most=2)):
        y = top + sheet.text * (1.75 + 0.95 * index)
        draw.text((middle, y), line, font=face, fill=_INK, anchor="mm")
