"""Draws the cooler without its products: room, cabinet, door frame, walls, shelves and their price strips."""

from dataclasses import dataclass
from itertools import pairwise

import cv2
import numpy as np
from PIL import Image, ImageDraw

from coldshelf.pictures.rendering.layout import BACK_WALL, LAMP_WIDTH, Layout, Row
from coldshelf.pictures.rendering.paint import Box, Colour, Floats, Pixels, draw_word, font, text_width, tinted

_FRAME: Colour = (38, 40, 44)
_WHITE: Colour = (255, 255, 255)


@dataclass(frozen=True, slots=True)
class Livery:
    """What a cooler is painted like, and the room behind it."""

    word: str
    body: Colour
    ink: Colour
    strip: Colour
    wall: Colour
    floor: Colour


_LIVERIES = (
    Livery("Boreal", (22, 44, 112), (236, 250, 246), (22, 44, 112), (196, 190, 178), (118, 108, 98)),
    Livery("Fjelda", (226, 232, 236), (12, 84, 150), (40, 128, 190), (150, 166, 168), (92, 92, 96)),
    Livery("Lumen", (20, 124, 62), (255, 232, 70), (20, 124, 62), (214, 206, 196), (140, 122, 100)),
    Livery("Northpier", (40, 42, 48), (240, 240, 240), (150, 28, 36), (170, 152, 134), (80, 74, 70)),
)


def livery_of(seed: int) -> Livery:
    return _LIVERIES[seed % len(_LIVERIES)]


def draw_empty_cooler(layout: Layout, livery: Livery, rng: np.random.Generator) -> Pixels:
    """Draw room and cooler with bare shelves, RGB (height, width, 3)."""
    image = Image.fromarray(_room(layout, livery, rng))
    draw = ImageDraw.Draw(image)
    _draw_body(draw, layout, livery)
    _draw_walls(draw, layout)
    for row in layout.rows:
        _draw_shelf_board(draw, layout, row)
    return np.array(image, dtype=np.uint8)


def draw_fronts(canvas: Pixels, layout: Layout, livery: Livery, rng: np.random.Generator) -> Pixels:
    """Draw what stands before the products: shelf strips with price tags, the lamps."""
    image = Image.fromarray(canvas)
    draw = ImageDraw.Draw(image)
    for row in layout.rows:
        _draw_strip(draw, layout, row, livery=livery, rng=rng)
    _draw_lamps(draw, layout)
    return np.array(image, dtype=np.uint8)


def light_map(layout: Layout) -> Floats:
    """Return the factor by which the lamps light each pixel of the interior, (interior height, interior width).

    Bright at the top and along the upright lamps, dim below each shelf.
    """
    left, top, right, bottom = (round(edge) for edge in layout.interior)
    y = np.arange(top, bottom, dtype=np.float32)
    x = np.arange(left, right, dtype=np.float32)
    down = np.linspace(1.05, 0.86, bottom - top, dtype=np.float32)
    for row in layout.rows:
        reach = max(0.30 * (row.bottom - row.top), 1)
        below = np.clip((y - row.top) / reach, 0, 1)
        down *= np.where((y >= row.top) & (y < row.bottom), 0.72 + 0.28 * below**0.7, 1).astype(np.float32)
    near = np.exp(-np.minimum(x - left, right - x) / (0.10 * (right - left)))
    return np.asarray(down[:, None] * (0.94 + 0.16 * near)[None, :], dtype=np.float32)


def _room(layout: Layout, livery: Livery, rng: np.random.Generator) -> Pixels:
    height, width = layout.height, layout.width
    floor_line = round(0.93 * height)
    room = np.empty((height, width, 3), dtype=np.float32)
    room[:] = livery.wall
    room[floor_line:] = livery.floor
    patches = rng.normal(0, 1, (9, 7)).astype(np.float32)  # uneven plaster and things out of focus
    stains = np.asarray(cv2.resize(patches, (width, height), interpolation=cv2.INTER_CUBIC), dtype=np.float32)
    fall = np.linspace(1.04, 0.82, height, dtype=np.float32)[:, None]
    room *= (fall * (1 + 0.035 * stains))[..., None]
    left, top, right, bottom = (round(edge) for edge in layout.body)
    shadow = np.zeros((height, width), dtype=np.float32)
    shadow[top + height // 60 : bottom, left - width // 60 : right + width // 30] = 0.45
    blurred = np.asarray(cv2.blur(shadow, (width // 20, width // 20)), dtype=np.float32)
    return np.asarray(np.clip(room * (1 - blurred)[..., None], 0, 255), dtype=np.uint8)


def _draw_body(draw: ImageDraw.ImageDraw, layout: Layout, livery: Livery) -> None:
    left, top, right, bottom = layout.body
    unit = layout.width / 100
    draw.rounded_rectangle(layout.body, unit * 1.4, fill=livery.body, outline=tinted(livery.body, 0.6), width=2)
    draw.rectangle((left + 0.3 * unit, top + unit, left + 0.8 * unit, bottom - unit), fill=tinted(livery.body, 1.25))
    draw.rectangle((right - 0.8 * unit, top + unit, right - 0.3 * unit, bottom - unit), fill=tinted(livery.body, 0.75))
    _draw_header(draw, layout, livery)
    inner_left, inner_top, inner_right, inner_bottom = layout.interior
    frame = (inner_left - 2.2 * unit, inner_top - 2.0 * unit, inner_right + 2.2 * unit, inner_bottom + 2.0 * unit)
    draw.rounded_rectangle(frame, unit, fill=_FRAME, outline=tinted(_FRAME, 1.25), width=2)
    middle = (inner_top + inner_bottom) / 2
    handle = (frame[2] - 0.5 * unit, middle - 9 * unit, frame[2] + 0.9 * unit, middle + 9 * unit)
    draw.rounded_rectangle(handle, 0.7 * unit, fill=(176, 180, 184), outline=(96, 98, 100), width=2)
    _draw_grille(draw, (left + 4 * unit, frame[3] + 1.2 * unit, right - 4 * unit, bottom - 1.6 * unit), livery)


def _draw_header(draw: ImageDraw.ImageDraw, layout: Layout, livery: Livery) -> None:
    left, top, right, bottom = layout.header
    bands = 24
    for index in range(bands):  # lit from behind: brightest in the middle
        glow = 1.0 + 0.22 * (1 - abs(2 * index / (bands - 1) - 1))
        y = top + (bottom - top) * index / bands
        draw.rectangle((left, y, right, y + (bottom - top) / bands), fill=tinted(livery.body, glow))
    draw.rectangle(layout.header, outline=tinted(livery.body, 0.55), width=3)
    height = bottom - top
    word = (left + 0.12 * (right - left), top + 0.16 * height, right - 0.12 * (right - left), bottom - 0.16 * height)
    draw_word(draw, livery.word, box=word, fill=livery.ink, bold=0.03)


def _draw_grille(draw: ImageDraw.ImageDraw, box: Box, livery: Livery) -> None:
    left, top, right, bottom = box
    if bottom - top < 8:
        return
    draw.rectangle(box, fill=tinted(livery.body, 0.7))
    for y in np.arange(top + 3, bottom - 2, 6):
        draw.line((left + 4, float(y), right - 4, float(y)), fill=tinted(livery.body, 0.4), width=2)


def _draw_walls(draw: ImageDraw.ImageDraw, layout: Layout) -> None:
    left, top, right, bottom = layout.interior
    far_left, far_top = layout.at_depth(left, top, BACK_WALL)
    far_right, far_bottom = layout.at_depth(right, bottom, BACK_WALL)
    draw.rectangle(layout.interior, fill=(150, 156, 162))
    draw.polygon([(left, top), (far_left, far_top), (far_left, far_bottom), (left, bottom)], fill=(168, 175, 182))
    draw.polygon([(right, top), (far_right, far_top), (far_right, far_bottom), (right, bottom)], fill=(160, 167, 174))
    draw.polygon([(left, top), (right, top), (far_right, far_top), (far_left, far_top)], fill=(206, 212, 218))
    draw.rectangle((far_left, far_top, far_right, far_bottom), fill=(182, 190, 198))


def _draw_shelf_board(draw: ImageDraw.ImageDraw, layout: Layout, row: Row) -> None:
    """Draw the wire shelf, which recedes to the back wall: seen from above when it hangs low, else from below."""
    left, _, right, _ = layout.interior
    far_left, far_y = layout.at_depth(left, row.bottom, BACK_WALL)
    far_right, _ = layout.at_depth(right, row.bottom, BACK_WALL)
    seen_from_above = far_y < row.bottom
    board, wire = ((126, 132, 138), (196, 202, 206)) if seen_from_above else ((92, 97, 103), (128, 133, 138))
    draw.polygon([(left, row.bottom), (right, row.bottom), (far_right, far_y), (far_left, far_y)], fill=board)
    wires = 44
    for index in range(wires + 1):
        x = left + (right - left) * index / wires
        draw.line((x, row.bottom, *layout.at_depth(x, row.bottom, BACK_WALL)), fill=wire, width=1)
    for depth in (0.1, 0.2, BACK_WALL):
        start, end = layout.at_depth(left, row.bottom, depth), layout.at_depth(right, row.bottom, depth)
        draw.line((*start, *end), fill=wire, width=3)


def _draw_strip(
    draw: ImageDraw.ImageDraw, layout: Layout, row: Row, *, livery: Livery, rng: np.random.Generator
) -> None:
    left, _, right, _ = layout.interior
    top, high = row.bottom, layout.strip_height
    draw.rectangle((left, top, right, top + high), fill=livery.strip)
    draw.rectangle((left, top, right, top + max(0.12 * high, 1)), fill=tinted(livery.strip, 1.5))
    draw.rectangle((left, top + 0.92 * high, right, top + high), fill=tinted(livery.strip, 0.5))
    if high < 12:
        return
    ink = _WHITE if livery.strip != livery.body else livery.ink
    face = font(round(0.55 * high))
    tags = [(place.box[0] + place.box[2]) / 2 for place in row.places[:: max(len(row.places) // 4, 1)]]
    for x in tags:
        _draw_tag(draw, middle=x, top=top, high=high, price=int(rng.integers(59, 289)))
    free = text_width(livery.word, face) + 2.2 * high
    for start, end in pairwise([left, *tags, right]):
        if end - start > free:
            draw.text(((start + end) / 2, top + 0.54 * high), livery.word, font=face, fill=ink, anchor="mm")


def _draw_tag(draw: ImageDraw.ImageDraw, *, middle: float, top: float, high: float, price: int) -> None:
    tag = (middle - 0.72 * high, top + 0.16 * high, middle + 0.72 * high, top + 0.90 * high)
    draw.rectangle(tag, fill=(252, 250, 240), outline=(150, 150, 150))
    text = f"{price // 100}.{price % 100:02d}"
    draw.text((middle, top + 0.54 * high), text, font=font(round(0.5 * high)), fill=(30, 30, 30), anchor="mm")


def _draw_lamps(draw: ImageDraw.ImageDraw, layout: Layout) -> None:
    left, top, right, bottom = layout.interior
    thick = 0.8 * LAMP_WIDTH * (right - left)
    for x in (left, right - thick):
        draw.rectangle((x, top, x + thick, bottom), fill=(236, 244, 250))
    draw.rectangle((left, top, right, top + thick), fill=(236, 244, 250))
