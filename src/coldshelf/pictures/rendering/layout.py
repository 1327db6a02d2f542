"""Where everything of a cooler stands, in pixels of the straight drawing, before the camera bends it."""

from dataclasses import dataclass

from coldshelf.pictures.rendering.designs import ProductDesign
from coldshelf.pictures.rendering.paint import Box

Slot = ProductDesign | None

_EMPTY_WIDTH_MM = 66.0  # a slot on a shelf without any product: a can's place
_EMPTY_HEIGHT_MM = 150.0
_HEADROOM = 1.12  # row height over the tallest product in it
_STRETCH = 1.25  # a short row may be drawn so much larger than the fullest one; the rest becomes space
BACK_WALL = 0.36
"""Depth of the back wall; a thing at depth z is drawn 1 / (1 + z) as large, drawn to the vanishing point."""

LAMP_WIDTH = 0.016
"""Share of the interior's width that the lamp takes at either side."""


@dataclass(frozen=True, slots=True)
class Place:
    """A slot of a shelf at the front edge: its product or None, and its box."""

    shelf: int
    position: int
    design: Slot
    box: Box


@dataclass(frozen=True, slots=True)
class Row:
    """A shelf: `top` and `bottom` bound what stands on it; its front strip hangs below `bottom`."""

    number: int
    top: float
    bottom: float
    places: tuple[Place, ...]


@dataclass(frozen=True, slots=True)
class Layout:
    """All boxes of one cooler; `vanishing` is the point that depth draws to."""

    width: int
    height: int
    body: Box
    interior: Box
    header: Box
    strip_height: float
    rows: tuple[Row, ...]

    @property
    def vanishing(self) -> tuple[float, float]:
        left, top, right, bottom = self.interior
        return (left + right) / 2, top + 0.42 * (bottom - top)

    def at_depth(self, x: float, y: float, depth: float) -> tuple[float, float]:
        centre_x, centre_y = self.vanishing
        return centre_x + (x - centre_x) / (1 + depth), centre_y + (y - centre_y) / (1 + depth)


def lay_out(rows: tuple[tuple[Slot, ...], ...], *, width: int, height: int) -> Layout:
    """Choose the cooler's width, the shelves' heights and every slot so that the rows fill the cooler."""
    top, bottom = 0.150 * height, 0.905 * height
    strip_height = min(0.024 * height, 0.2 * (bottom - top) / max(len(rows), 1))
    free = bottom - top - strip_height * len(rows)
    inner_width = _interior_width(rows, free=free, widest=0.83 * width)
    left = (width - inner_width) / 2
    interior = (left, top, left + inner_width, bottom)
    frame = 0.040 * width
    return Layout(
        width=width,
        height=height,
        body=(left - frame, 0.020 * height, left + inner_width + frame, 0.985 * height),
        interior=interior,
        header=(left - frame * 0.4, 0.032 * height, left + inner_width + frame * 0.4, 0.125 * height),
        strip_height=strip_height,
        rows=_rows(rows, interior=interior, strip_height=strip_height),
    )


def _slot_widths(row: tuple[Slot, ...]) -> list[float]:
    """Return widths in millimetres; a gap is as wide as the mean product of its shelf."""
    known = [slot.form.width_mm for slot in row if slot]
    mean = sum(known) / len(known) if known else _EMPTY_WIDTH_MM
    return [(slot.form.width_mm if slot else mean) * 1.05 for slot in row]


def _tallest(row: tuple[Slot, ...]) -> float:
    return max((slot.form.height_mm for slot in row if slot), default=_EMPTY_HEIGHT_MM)


def _scales(rows: tuple[tuple[Slot, ...], ...], inner_width: float) -> list[float]:
    """Return pixels per millimetre at which each row fills the width, with sparse rows held back."""
    fill = [inner_width / sum(_slot_widths(row)) if row else float("inf") for row in rows]
    largest = _STRETCH * min([*fill, inner_width / (3 * _EMPTY_WIDTH_MM)])
    return [min(scale, largest) for scale in fill]


def _interior_width(rows: tuple[tuple[Slot, ...], ...], *, free: float, widest: float) -> float:
    """Narrow the cooler where rows that fill its width would be higher than it has room for."""
    wanted = sum(_tallest(row) * scale * _HEADROOM for row, scale in zip(rows, _scales(rows, widest), strict=True))
    return max(min(widest, widest * free / max(wanted, 1)), 0.45 * widest)


def _rows(rows: tuple[tuple[Slot, ...], ...], *, interior: Box, strip_height: float) -> tuple[Row, ...]:
    left, top, right, bottom = interior
    left, right = left + LAMP_WIDTH * (right - left), right - LAMP_WIDTH * (right - left)
    scales = _scales(rows, right - left)
    heights = [_tallest(row) * scale * _HEADROOM for row, scale in zip(rows, scales, strict=True)]
    free = bottom - top - strip_height * len(rows)
    squeeze = free / max(sum(heights), 1)
    laid = []
    for number, (row, scale, wanted) in enumerate(zip(rows, scales, heights, strict=True), start=1):
        foot = top + wanted * squeeze
        places = _places(row, number, scale=scale * min(squeeze, 1), left=left, right=right, foot=foot)
        laid.append(Row(number, top, foot, places))
        top = foot + strip_height
    return tuple(laid)


def _places(
    row: tuple[Slot, ...], number: int, *, scale: float, left: float, right: float, foot: float
) -> tuple[Place, ...]:
    widths = [width * scale for width in _slot_widths(row)]
    space = (right - left - sum(widths)) / max(len(row), 1)
    tallest = _tallest(row) * scale
    places = []
    edge = left
    for position, (slot, width) in enumerate(zip(row, widths, strict=True), start=1):
        height = slot.form.height_mm * scale if slot else tallest
        half = width / 1.05 / 2 if slot else width / 2
        middle = edge + (width + space) / 2
        places.append(Place(number, position, slot, (middle - half, foot - height, middle + half, foot)))
        edge += width + space
    return tuple(places)
