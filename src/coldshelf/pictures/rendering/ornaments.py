"""What generated designs carry besides their style: further ornaments and a lettering of their brand's own.

Everything here follows from a design's `variant`, so all drinks of a brand share it and only their colours differ.
"""

import math
from collections.abc import Callable

import numpy as np
from PIL import Image, ImageDraw

from coldshelf.pictures.rendering.designs import ProductDesign
from coldshelf.pictures.rendering.paint import Colour, draw_word, font, tinted

Ornament = Callable[[ImageDraw.ImageDraw, tuple[int, int], ProductDesign, np.random.Generator], None]
"""Paints on a label: draw, (width, height), design, source of chance."""


def adorn(label: Image.Image, design: ProductDesign) -> None:
    """Add up to two ornaments to a painted label, in place."""
    rng = np.random.default_rng([design.variant, 1])
    draw = ImageDraw.Draw(label)
    for index in rng.choice(len(_ORNAMENTS), size=int(rng.integers(0, 3)), replace=False):
        _ORNAMENTS[index](draw, label.size, design, rng)


def letter(label: Image.Image, design: ProductDesign) -> None:
    """Write brand and flavour on a label, in place: across, slanted or upwards, with or without a plate behind."""
    rng = np.random.default_rng([design.variant, 2])
    width, height = label.size
    side = 0.07 if design.form.is_box else 0.22  # round bodies hide the outer fifth of what they show
    room = (1 - 2 * side) * width
    is_upright = height > 1.3 * room and rng.random() < 0.55
    long, short = (rng.uniform(0.5, 0.8) * height, room * rng.uniform(0.5, 0.8)) if is_upright else (room, 0.3 * height)
    turn = 90.0 if is_upright else float(rng.choice([0, 0, 8, 14, -6]))
    plate = int(rng.choice([0, 2, 3] if is_upright else [0, 1, 2, 3]))
    word = _word_plate(design, round(long), round(min(short, 0.5 * long)), plate=plate).rotate(turn, expand=True)
    y = rng.uniform(0.04, 0.20) * height if is_upright else rng.uniform(0.12, 0.42) * height
    label.paste(word, (round((width - word.width) / 2), round(y)), word)
    foot = min(y + word.height + 0.02 * height, 0.84 * height)
    _write_flavour(label, design, top=foot, is_boxed=plate % 2 == 0)


def _word_plate(design: ProductDesign, width: int, height: int, *, plate: int) -> Image.Image:
    """Draw the brand's word on nothing, an ellipse, a rounded bar or with a shadow: RGBA."""
    image = Image.new("RGBA", (max(width, 8), max(height, 8)), (*design.accent, 0))
    draw = ImageDraw.Draw(image)
    ink = design.ink
    if plate in {1, 2}:
        shape = draw.ellipse if plate == 1 else draw.rectangle
        shape((0, 0, image.width - 1, image.height - 1), fill=(*design.ink, 255))
        ink = design.ground
    inset = 0.16 if plate == 1 else 0.05
    box = (inset * width, inset * height, (1 - inset) * width, (1 - inset) * height)
    word = design.brand.upper() if design.variant % 3 == 0 else design.brand
    if plate == 3:
        shadow = (box[0] + 4, box[1] + 4, box[2] + 4, box[3] + 4)
        draw_word(draw, word, box=shadow, fill=tinted(design.ground, 0.4), bold=0.05)
    draw_word(draw, word, box=box, fill=ink, bold=0.05)
    return image


def _write_flavour(label: Image.Image, design: ProductDesign, *, top: float, is_boxed: bool) -> None:
    width, height = label.size
    box = (0.30 * width, top, 0.70 * width, top + 0.12 * height)
    draw = ImageDraw.Draw(label)
    ink = design.ink
    if is_boxed:
        draw.rounded_rectangle((box[0] - 6, box[1] - 3, box[2] + 6, box[3] + 3), 8, fill=design.accent)
        ink = _contrast(design.accent)
    draw_word(draw, design.flavour.upper(), box=box, fill=ink, bold=0.03)


def _contrast(colour: Colour) -> Colour:
    return (20, 22, 30) if sum(colour) > 400 else (250, 250, 248)


def _dots(draw: ImageDraw.ImageDraw, size: tuple[int, int], design: ProductDesign, rng: np.random.Generator) -> None:
    width, height = size
    radius = rng.uniform(0.02, 0.05) * width
    for _ in range(int(rng.integers(12, 40))):
        x, y, r = rng.uniform(0, width), rng.uniform(0, height), radius * rng.uniform(0.4, 1.4)
        draw.ellipse((x - r, y - r, x + r, y + r), fill=tinted(design.accent, 1.25))


def _fruit(draw: ImageDraw.ImageDraw, size: tuple[int, int], design: ProductDesign, rng: np.random.Generator) -> None:
    """Draw a cluster of round fruit near the foot, in the colour of the drink."""
    width, height = size
    colour = design.accent
    radius = rng.uniform(0.10, 0.2) * width
    y = rng.uniform(0.68, 0.9) * height
    for index in range(int(rng.integers(1, 5))):
        x = width * (0.35 + 0.12 * index)
        for share, tint in ((1.0, 0.75), (0.9, 1.0), (0.4, 1.35)):
            r = radius * share
            shift = 0.25 * radius * (1 - share)
            draw.ellipse((x - r - shift, y - r - shift, x + r - shift, y + r - shift), fill=tinted(colour, tint))


def _edges(draw: ImageDraw.ImageDraw, size: tuple[int, int], design: ProductDesign, rng: np.random.Generator) -> None:
    width, height = size
    thick = rng.uniform(0.02, 0.08) * height
    for y in (0.0, height - thick):
        draw.rectangle((0, y, width, y + thick), fill=design.ink)
        draw.rectangle((0, y + thick * 0.3, width, y + thick * 0.6), fill=design.accent)


def _column(draw: ImageDraw.ImageDraw, size: tuple[int, int], design: ProductDesign, rng: np.random.Generator) -> None:
    """Fill the label's side with a stripe of small print."""
    width, height = size
    x = rng.choice([0.06, 0.8]) * width
    draw.rectangle((x, 0, x + 0.14 * width, height), fill=tinted(design.ground, 0.75))
    for y in np.arange(0.08, 0.92, 0.045):
        draw.line((x + 6, y * height, x + rng.uniform(0.05, 0.12) * width, y * height), fill=design.ink, width=3)


def _medal(draw: ImageDraw.ImageDraw, size: tuple[int, int], design: ProductDesign, rng: np.random.Generator) -> None:
    width, height = size
    x, y, radius = rng.uniform(0.35, 0.65) * width, rng.uniform(0.72, 0.86) * height, 0.12 * width
    star = []
    for index in range(24):
        reach, angle = radius * (1.0 if index % 2 else 0.82), math.pi * index / 12
        star.append((x + reach * math.cos(angle), y + reach * math.sin(angle)))
    draw.polygon(star, fill=(214, 176, 60))
    draw.text((x, y), design.brand[0], font=font(round(radius)), fill=(90, 40, 10), anchor="mm")


def _fade(draw: ImageDraw.ImageDraw, size: tuple[int, int], design: ProductDesign, rng: np.random.Generator) -> None:
    """Let the lower part of the ground run into the accent."""
    width, height = size
    start = rng.uniform(0.5, 0.75) * height
    for y in range(round(start), height, 4):
        share = (y - start) / max(height - start, 1)
        mixed = tuple(round(a + (b - a) * share) for a, b in zip(design.ground, design.accent, strict=True))
        draw.rectangle((0, y, width, y + 4), fill=(mixed[0], mixed[1], mixed[2]))


_ORNAMENTS: tuple[Ornament, ...] = (_dots, _fruit, _edges, _column, _medal, _fade)
