"""Draws the cooler itself: body, walls, boards before the products; strips, fences and lamps after them."""

import math
from functools import lru_cache

import numpy as np
from PIL import Image, ImageDraw

from coldshelf.pictures.rendering.cooler import Cooler, CoolerKind, StockedShelf
from coldshelf.pictures.rendering.paint import Colour, Floats, Pixels, draw_word, resized, tinted
from coldshelf.pictures.rendering.stage import Stage

_LAMP: Colour = (250, 253, 255)
_BOARD = 9.0  # mm, thickness of a wire shelf
_FENCE = 34.0  # mm, height of the wire before the products


def draw_outside(stage: Stage, cooler: Cooler) -> None:
    """Draw the cooler's body with its sign; a rack has none."""
    if cooler.kind is not CoolerKind.OPEN_RACK:
        _draw_sides(stage, cooler)
        _draw_front(stage, cooler)


def draw_inside(stage: Stage, cooler: Cooler) -> None:
    """Draw walls and boards, as far as depth goes."""
    if cooler.kind is CoolerKind.OPEN_RACK:
        _draw_rack(stage, cooler)
    else:
        _draw_walls(stage, cooler)
    for shelf in cooler.shelves:
        _draw_board(stage, cooler, shelf)


def draw_fronts(stage: Stage, cooler: Cooler, rng: np.random.Generator) -> None:
    """Draw what hangs before the products: strips with tags, fences, lamps."""
    for shelf in cooler.shelves:
        _draw_strip(stage, cooler, shelf, rng)
        if cooler.look.is_fenced:
            _draw_fence(stage, cooler, shelf)
    if cooler.kind is CoolerKind.OPEN_RACK:
        _draw_uprights(stage, cooler, z=-4.0)


def draw_lamps(stage: Stage, cooler: Cooler) -> None:
    """Draw the upright lamps at the sides; some are strips of single lights."""
    for x, is_there in zip((8.0, cooler.width - 8.0), cooler.look.lamps, strict=True):
        if not is_there:
            continue
        if not cooler.look.has_dotted_lamps:
            stage.bar((x - 7, 0, x + 7, cooler.height), _LAMP, z=10)
            continue
        for y in np.arange(10, cooler.height, 26):
            stage.bar((x - 6, float(y) - 7, x + 6, float(y) + 7), _LAMP, z=10, hides=False)


def light_map(stage: Stage, cooler: Cooler, rng: np.random.Generator) -> Floats:
    """Return the factor by which the cooler's light changes each pixel of the canvas, (height, width, 1)."""
    height, width = stage.pixels.shape[:2]
    left, top = stage.view.at(0, 0)
    right, bottom = stage.view.at(cooler.width, cooler.height)
    x = np.arange(width, dtype=np.float32)
    y = np.arange(height, dtype=np.float32)
    down = np.interp(y, [top, bottom], [1.0, rng.uniform(0.6, 1.05)]).astype(np.float32)
    dark = rng.uniform(0.65, 1.0)
    for shelf in cooler.shelves:
        start, end = stage.view.at(0, shelf.ceiling)[1], stage.view.at(0, shelf.foot)[1]
        below = np.clip((y - start) / max(0.35 * (end - start), 1), 0, 1)
        down *= np.where((y >= start) & (y < end), dark + (1 - dark) * below, 1).astype(np.float32)
    across = np.ones(width, dtype=np.float32)
    reach = rng.uniform(0.08, 0.3) * (right - left)
    for place, is_there in zip((left, right), cooler.look.lamps, strict=True):
        if is_there:
            across += np.float32(rng.uniform(0.1, 0.7)) * np.exp(-np.abs(x - place) / reach).astype(np.float32)
    inside = ((x > left) & (x < right))[None, :] & ((y > top) & (y < bottom))[:, None]
    return np.where(inside, down[:, None] * across[None, :], 1).astype(np.float32)[..., None]


@lru_cache(maxsize=64)
def sign(word: str, ground: Colour, ink: Colour, swoosh: Colour) -> Pixels:
    """Draw a brand's sign with its round badge: RGB (96, 480, 3)."""
    image = Image.new("RGB", (480, 96), ground)
    draw = ImageDraw.Draw(image)
    draw.ellipse((14, 10, 90, 86), fill=ink)
    draw.chord((18, 14, 86, 82), 190, 350, fill=swoosh)
    draw.chord((18, 14, 86, 82), 20, 160, fill=tinted(ground, 0.8))
    draw_word(draw, word, box=(112, 14, 462, 84), fill=ink, bold=0.04)
    pixels = np.asarray(image, dtype=np.uint8)
    pixels.flags.writeable = False
    return pixels


def _hang(stage: Stage, picture: Pixels, box: tuple[float, float, float, float], *, z: float = 0.0) -> None:
    """Show a picture on an upright rectangle; it hides facings."""
    (x0, y0), (x1, y1) = stage.view.at(box[0], box[1], z), stage.view.at(box[2], box[3], z)
    width, height = round(x1) - round(x0), round(y1) - round(y0)
    if width < 2 or height < 2 or width > 4 * stage.pixels.shape[1]:
        return
    sprite = np.dstack([resized(picture, width=width, height=height), np.full((height, width), 255, dtype=np.uint8)])
    stage.paste(sprite, left=round(x0), top=round(y0), owner=0)


def _draw_sides(stage: Stage, cooler: Cooler) -> None:
    """Draw the side wall that a camera beside the cooler sees from outside."""
    left, top, right, bottom = cooler.outline
    back = cooler.depth + 60
    for x, is_seen in ((left, stage.view.eye[0] < left), (right, stage.view.eye[0] > right)):
        if is_seen:
            side = [(x, top, 0.0), (x, top, back), (x, bottom, back), (x, bottom, 0.0)]
            stage.polygon(side, tinted(cooler.look.body, 0.6))


def _draw_front(stage: Stage, cooler: Cooler) -> None:
    look = cooler.look
    left, top, right, bottom = cooler.outline
    stage.bar((left, top, right, bottom), look.body, hides=False)
    stage.bar((left, top, left + 0.25 * look.frame, bottom), tinted(look.body, 1.2), hides=False)
    stage.bar((right - 0.25 * look.frame, top, right, bottom), tinted(look.body, 0.75), hides=False)
    swoosh = (220, 40, 50) if look.ink[0] > 128 else (250, 250, 250)
    if look.header > 20:
        middle, high = cooler.width / 2, 0.8 * look.header
        wide = min(5 * high, 0.95 * cooler.width)
        word = sign(look.word, look.body, look.ink, swoosh)
        _hang(stage, word, (middle - wide / 2, top + 0.1 * look.header, middle + wide / 2, top + 0.9 * look.header))
    if look.base > 60:
        stage.bar((left, bottom - 0.5 * look.base, right, bottom), tinted(look.body, 0.7), hides=False)
        for y in np.arange(bottom - 0.45 * look.base, bottom - 10, 14):
            stage.line((left + 30, float(y), 0), (right - 30, float(y), 0), tinted(look.body, 0.45), thick_mm=4)
    gasket = 0.3 * look.frame
    stage.bar((-gasket, -gasket, cooler.width + gasket, cooler.height + gasket), (196, 198, 200), hides=False)


def _draw_walls(stage: Stage, cooler: Cooler) -> None:
    wall, w, h, d = cooler.look.wall, cooler.width, cooler.height, cooler.depth
    stage.polygon([(0, 0, 0), (w, 0, 0), (w, 0, d), (0, 0, d)], tinted(wall, 1.1))
    stage.polygon([(0, h, 0), (w, h, 0), (w, h, d), (0, h, d)], tinted(wall, 0.7))
    stage.polygon([(0, 0, 0), (0, 0, d), (0, h, d), (0, h, 0)], tinted(wall, 0.92))
    stage.polygon([(w, 0, 0), (w, 0, d), (w, h, d), (w, h, 0)], tinted(wall, 0.84))
    stage.bar((0, 0, w, h), tinted(wall, 0.95), z=d, hides=False)
    if cooler.look.has_fan:
        _draw_fan(stage, cooler)


def _draw_fan(stage: Stage, cooler: Cooler) -> None:
    """Draw the evaporator's fan under the ceiling, at the back."""
    z = 0.7 * cooler.depth
    high = min(110.0, 0.6 * (cooler.shelves[0].foot - cooler.shelves[0].ceiling) if cooler.shelves else 110.0)
    stage.bar((0.15 * cooler.width, 0, 0.85 * cooler.width, high), tinted(cooler.look.wall, 1.05), z=z, hides=False)
    for x in (0.35, 0.65):
        for share, colour in (
            (0.42, (70, 72, 76)),
            (0.36, (120, 122, 126)),
            (0.28, (64, 66, 70)),
            (0.12, (130, 132, 136)),
        ):
            circle = [
                (x * cooler.width + share * high * math.cos(a), high / 2 + share * high * math.sin(a), z)
                for a in np.linspace(0, 2 * math.pi, 20)
            ]
            stage.polygon(circle, colour)


def _draw_board(stage: Stage, cooler: Cooler, shelf: StockedShelf) -> None:
    """Draw a wire shelf from the front edge to the back wall, seen from above or from below."""
    y, w, d = shelf.foot, cooler.width, cooler.depth
    is_below_eye = y > stage.view.eye[1]
    ground = tinted(cooler.look.wall, 0.6 if is_below_eye else 0.42)
    wire = tinted(cooler.look.wall, 0.95 if is_below_eye else 0.62)
    stage.polygon([(0, y, 0), (w, y, 0), (w, y, d), (0, y, d)], ground)
    for x in np.linspace(0, w, max(round(w / 22), 8)):
        stage.line((float(x), y, 0), (float(x), y, d), wire, thick_mm=2.5)
    for z in (0.3 * d, 0.65 * d, d):
        stage.line((0, y, z), (w, y, z), wire, thick_mm=4)


def _draw_strip(stage: Stage, cooler: Cooler, shelf: StockedShelf, rng: np.random.Generator) -> None:
    look, y = cooler.look, shelf.foot
    high = look.strip_height
    if high <= _BOARD:
        stage.bar((0, y, cooler.width, y + _BOARD), (214, 218, 222))
        stage.bar((0, y + 0.7 * _BOARD, cooler.width, y + _BOARD), (120, 124, 128))
        return
    stage.bar((0, y - 2, cooler.width, y + high), look.strip)
    stage.bar((0, y - 2, cooler.width, y + 3), tinted(look.strip, 1.5))
    stage.bar((0, y + 0.9 * high, cooler.width, y + high), tinted(look.strip, 0.6))
    ink = (250, 250, 250) if sum(look.strip) < 400 else look.body
    word = sign(look.word, look.strip, ink, (220, 40, 50))
    step = max(float(rng.uniform(0.22, 0.5)) * cooler.width, 6 * high)
    for x in np.arange(0.06 * cooler.width, cooler.width - 4 * high, step):
        _hang(stage, word, (float(x), y + 0.12 * high, float(x) + 3.9 * high, y + 0.88 * high))
    if look.has_tags:
        _draw_tags(stage, shelf, y=y, high=high)


def _draw_tags(stage: Stage, shelf: StockedShelf, *, y: float, high: float) -> None:
    for column in shelf.columns[::3]:
        stage.bar((column.x - 0.7 * high, y + 1, column.x + 0.7 * high, y + 0.92 * high), (250, 248, 238))
        stage.bar((column.x - 0.45 * high, y + 0.4 * high, column.x + 0.45 * high, y + 0.6 * high), (60, 60, 60))


def _draw_fence(stage: Stage, cooler: Cooler, shelf: StockedShelf) -> None:
    """Draw the thin wire before the products' feet; it hides next to nothing."""
    wire: Colour = (232, 234, 236)
    for y in (shelf.foot - _FENCE, shelf.foot - 0.45 * _FENCE):
        stage.line((0, y, -3), (cooler.width, y, -3), wire, thick_mm=2.5)
    for x in np.linspace(0, cooler.width, max(round(cooler.width / 110), 3)):
        stage.line((float(x), shelf.foot, -3), (float(x), shelf.foot - _FENCE, -3), wire, thick_mm=2.5)


def _draw_rack(stage: Stage, cooler: Cooler) -> None:
    look, w = cooler.look, cooler.width
    _draw_uprights(stage, cooler, z=cooler.depth)
    if look.header > 20:
        picture = sign(look.word, look.body, look.ink, (220, 40, 50))
        stage.bar((0, -look.header, w, -0.1 * look.header), look.body, z=0.5 * cooler.depth)
        _hang(stage, picture, (0.1 * w, -0.95 * look.header, 0.9 * w, -0.15 * look.header), z=0.5 * cooler.depth)
    if look.has_fan:  # a wire back
        for x in np.linspace(0, w, 18):
            stage.line(
                (float(x), 0, cooler.depth), (float(x), cooler.height, cooler.depth), (150, 150, 152), thick_mm=3
            )


def _draw_uprights(stage: Stage, cooler: Cooler, *, z: float) -> None:
    colour = (226, 226, 226) if cooler.look.lamps[0] else (40, 42, 46)
    for x in (-14.0, cooler.width + 14.0):
        stage.bar((x - 12, -0.3 * cooler.look.header, x + 12, cooler.height + cooler.look.base), colour, z=z)
