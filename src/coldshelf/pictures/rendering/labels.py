"""Label art: the unrolled front half of a package, before it is bent round the body."""

import math
from collections.abc import Callable, Iterable
from functools import lru_cache

import numpy as np
from PIL import Image, ImageDraw

from coldshelf.pictures.rendering.designs import LabelStyle, Packaging, ProductDesign
from coldshelf.pictures.rendering.ornaments import adorn, letter
from coldshelf.pictures.rendering.paint import Colour, Floats, Pixels, draw_word, resized, tinted

WRAP_HEIGHT = 512
"""Rows of every unrolled package; on a shelf a product is rarely taller than 300 pixels."""

Point = tuple[float, float]
Painter = Callable[[ImageDraw.ImageDraw, int, int, ProductDesign], None]
"""Paints the ornament of a label: draw, width, height, design."""


@lru_cache(maxsize=64)
def unrolled(design: ProductDesign) -> Pixels:
    """Draw half of the surface, flat: (WRAP_HEIGHT, half the circumference, 3). The other half repeats it."""
    form = design.form
    turn = 1.0 if form.is_box else math.pi / 2
    width = round(turn * form.width_mm / form.height_mm * WRAP_HEIGHT)
    image = Image.new("RGB", (width, WRAP_HEIGHT), design.contents)
    draw = ImageDraw.Draw(image)
    _paint_contents(draw, width, design)
    top, bottom = (round(row * WRAP_HEIGHT) for row in form.label)
    image.paste(_label(design, width, bottom - top), (0, top))
    if design.packaging is Packaging.GLASS:
        _paint_neck_label(draw, width, design)
    _paint_cap(draw, width, design)
    pixels = np.asarray(image, dtype=np.uint8)
    pixels.flags.writeable = False  # it is shared by every caller
    return pixels


@lru_cache(maxsize=1024)
def unrolled_small(design: ProductDesign) -> Pixels:
    """Return `unrolled` at half its size, for packages up to 128 pixels high: quicker, and without shimmer."""
    full = unrolled(design)
    pixels = resized(full, width=full.shape[1] // 2, height=full.shape[0] // 2)
    pixels.flags.writeable = False
    return pixels


@lru_cache(maxsize=1024)
def gloss_of_rows(design: ProductDesign) -> Floats:
    """Return how strongly each row of the unrolled package mirrors the lamps, (WRAP_HEIGHT,), from 0 to 1."""
    form = design.form
    rows = np.linspace(0, 1, WRAP_HEIGHT, dtype=np.float32)
    gloss = np.full(WRAP_HEIGHT, form.gloss, dtype=np.float32)
    if design.packaging not in {Packaging.CAN, Packaging.SLIM_CAN}:
        gloss[(rows >= form.label[0]) & (rows <= form.label[1])] *= 0.5  # paper and film shine less than glass and PET
    return gloss


def _paint_contents(draw: ImageDraw.ImageDraw, width: int, design: ProductDesign) -> None:
    if design.packaging in {Packaging.CAN, Packaging.SLIM_CAN, Packaging.CARTON}:
        return
    fill_level = round(WRAP_HEIGHT * (0.24 if design.packaging is Packaging.GLASS else 0.155))
    draw.rectangle((0, 0, width, fill_level), fill=tinted(design.contents, 1.3))
    draw.line((0, fill_level, width, fill_level), fill=tinted(design.contents, 1.6), width=2)
    for row in (0.755, 0.80, 0.845) if design.packaging is Packaging.PET else ():
        y = round(row * WRAP_HEIGHT)
        draw.line((0, y, width, y), fill=tinted(design.contents, 0.72), width=5)
        draw.line((0, y + 6, width, y + 6), fill=tinted(design.contents, 1.35), width=4)
    draw.rectangle((0, round(0.965 * WRAP_HEIGHT), width, WRAP_HEIGHT), fill=tinted(design.contents, 0.7))


def _paint_cap(draw: ImageDraw.ImageDraw, width: int, design: ProductDesign) -> None:
    top, bottom = (round(row * WRAP_HEIGHT) for row in design.form.cap)
    draw.rectangle((0, top, width, bottom), fill=design.cap)
    is_lid = design.packaging in {Packaging.CAN, Packaging.SLIM_CAN}
    for index in range(0 if is_lid else 22):
        x = width * (index + 0.5) / 22
        draw.line((x, top + 5, x, bottom), fill=tinted(design.cap, 0.78), width=3)
    draw.line((0, bottom, width, bottom), fill=tinted(design.cap, 0.6), width=3)


def _paint_neck_label(draw: ImageDraw.ImageDraw, width: int, design: ProductDesign) -> None:
    top, bottom = round(0.13 * WRAP_HEIGHT), round(0.25 * WRAP_HEIGHT)
    draw.rectangle((0, top, width, bottom), fill=design.ground)
    draw.rectangle((0, bottom - 8, width, bottom), fill=design.accent)
    draw_word(draw, design.brand[0], box=(0.4 * width, top + 6, 0.6 * width, bottom - 14), fill=design.ink, bold=0.06)


def _label(design: ProductDesign, width: int, height: int) -> Image.Image:
    label = Image.new("RGB", (width, height), design.ground)
    draw = ImageDraw.Draw(label)
    _PAINTERS[design.style](draw, width, height, design)
    if design.variant:
        adorn(label, design)
        letter(label, design)
    elif design.packaging is Packaging.SLIM_CAN:
        _write_upwards(label, design)
    else:
        _write_across(draw, width, height, design)
    return label


_LOGO_ROWS: dict[LabelStyle, tuple[float, float]] = {
    LabelStyle.BANDS: (0.28, 0.56),
    LabelStyle.BURST: (0.22, 0.50),
    LabelStyle.DROPS: (0.12, 0.32),
    LabelStyle.EMBLEM: (0.40, 0.60),
    LabelStyle.LEAVES: (0.32, 0.54),
    LabelStyle.PEAKS: (0.10, 0.40),
    LabelStyle.STRIPES: (0.36, 0.62),
    LabelStyle.WAVE: (0.18, 0.46),
}


def _write_across(draw: ImageDraw.ImageDraw, width: int, height: int, design: ProductDesign) -> None:
    top, bottom = _LOGO_ROWS.get(design.style, (0.35, 0.6))
    side = 0.07 if design.form.is_box else 0.21  # round bodies hide the outer fifth of what they show
    logo = (side * width, top * height, (1 - side) * width, bottom * height)
    draw_word(draw, design.brand, box=logo, fill=design.ink, bold=0.04)
    below = (0.30 * width, (bottom + 0.03) * height, 0.70 * width, (bottom + 0.03 + (bottom - top) * 0.42) * height)
    draw_word(draw, design.flavour.upper(), box=below, fill=design.ink, bold=0.03)


def _write_upwards(label: Image.Image, design: ProductDesign) -> None:
    width, height = label.size
    word = Image.new("RGB", (round(0.76 * height), round(0.34 * width)))
    draw = ImageDraw.Draw(word)
    draw_word(draw, design.brand.upper(), box=(4, 2, word.width - 4, word.height - 2), fill=(255, 255, 255), bold=0.04)
    upright = word.convert("L").transpose(Image.Transpose.ROTATE_90)
    label.paste(design.ink, ((width - upright.width) // 2, round(0.05 * height)), upright)
    flavour = (0.28 * width, 0.85 * height, 0.72 * width, 0.93 * height)
    draw_word(ImageDraw.Draw(label), design.flavour.upper(), box=flavour, fill=design.ink, bold=0.03)


def _band(draw: ImageDraw.ImageDraw, upper: Iterable[Point], lower: Iterable[Point], fill: Colour) -> None:
    draw.polygon([*upper, *reversed(list(lower))], fill=fill)


def _swell(width: int, level: float, rise: float) -> list[Point]:
    """Return a wave line that meets itself when the label is wrapped."""
    return [(x, level - rise * math.sin(2 * math.pi * x / width + 0.6)) for x in range(0, width + 8, 4)]


def _paint_wave(draw: ImageDraw.ImageDraw, width: int, height: int, design: ProductDesign) -> None:
    rise = min(0.10 * height, 0.16 * width)
    _band(draw, _swell(width, 0.70 * height, rise), _swell(width, 0.86 * height, rise * 0.5), design.accent)
    _band(draw, _swell(width, 0.89 * height, rise * 0.5), _swell(width, 0.92 * height, rise * 0.4), design.ink)
    draw.rectangle((0, 0, width, 0.05 * height), fill=design.accent)


def _paint_burst(draw: ImageDraw.ImageDraw, width: int, height: int, design: ProductDesign) -> None:
    x, y, reach = width / 2, 0.44 * height, float(max(width, height))
    for ray in range(16):
        start, end = (math.pi * (ray + share) / 8 for share in (0.0, 0.5))
        rim = [(x + reach * math.cos(angle), y + reach * math.sin(angle)) for angle in (start, end)]
        draw.polygon([(x, y), *rim], fill=design.accent)
    radius = min(0.20 * width, 0.17 * height)
    foot = 0.90 * height
    draw.ellipse((x - radius, foot - radius * 0.9, x + radius, foot + radius * 1.1), fill=design.ink)
    inner = radius * 0.8
    draw.ellipse((x - inner, foot - inner * 0.85, x + inner, foot + inner * 1.1), fill=design.ground)
    for angle in (0.0, math.pi / 3, 2 * math.pi / 3):
        dx, dy = inner * math.cos(angle), inner * math.sin(angle)
        draw.line((x - dx, foot - dy + 2, x + dx, foot + dy + 2), fill=design.ink, width=4)


def _paint_peaks(draw: ImageDraw.ImageDraw, width: int, height: int, design: ProductDesign) -> None:
    for lift, colour in ((0.0, tinted(design.accent, 1.45)), (0.14, design.accent)):
        tops = (0.72, 0.60, 0.76, 0.56, 0.72)
        ridge = [(width * (i / 4), height * (tops[i] + lift)) for i in range(5)]
        _band(draw, ridge, [(0, height), (width, height)], colour)
    draw.polygon(
        [(0.75 * width, 0.56 * height), (0.70 * width, 0.60 * height), (0.81 * width, 0.60 * height)], fill=design.ink
    )
    draw.rectangle((0, 0, width, 0.045 * height), fill=design.ink)


def _paint_leaves(draw: ImageDraw.ImageDraw, width: int, height: int, design: ProductDesign) -> None:
    places = ((0.14, 0.16, -0.5), (0.80, 0.12, 0.7), (0.24, 0.80, 0.5), (0.56, 0.88, -0.4), (0.84, 0.74, -0.8))
    length = 0.22 * min(width, height) + 0.08 * height
    for across, down, slope in places:
        _paint_leaf(draw, (across * width, down * height), slope=slope, length=length, colour=design.accent)


def _paint_leaf(draw: ImageDraw.ImageDraw, centre: Point, *, slope: float, length: float, colour: Colour) -> None:
    steps = [2 * math.pi * i / 32 for i in range(32)]
    plain = [(length * math.cos(a), 0.42 * length * math.sin(a) * abs(math.sin(a))) for a in steps]
    cos, sin = math.cos(slope), math.sin(slope)
    points = [(centre[0] + x * cos - y * sin, centre[1] + x * sin + y * cos) for x, y in plain]
    draw.polygon(points, fill=colour)
    draw.line((points[0], points[16]), fill=tinted(colour, 0.7), width=3)


def _paint_diagonal(draw: ImageDraw.ImageDraw, width: int, height: int, design: ProductDesign) -> None:
    for start, thick in ((0.48, 0.30), (0.84, 0.04)):
        left, right = (start + 0.22) * height, (start - 0.22) * height
        draw.polygon(
            [(0, left), (width, right), (width, right + thick * height), (0, left + thick * height)], fill=design.accent
        )
    draw.rectangle((0, 0, width, 0.06 * height), fill=design.accent)


def _paint_chevrons(draw: ImageDraw.ImageDraw, width: int, height: int, design: ProductDesign) -> None:
    for level in (0.02, 0.30, 0.58, 0.86):
        upper = [(0, level * height), (width / 2, (level + 0.12) * height), (width, level * height)]
        lower = [(x, y + 0.085 * height) for x, y in upper]
        _band(draw, upper, lower, design.accent)
    draw.rounded_rectangle((0.30 * width, 0.03 * height, 0.70 * width, 0.95 * height), 12, fill=design.ground)


def _paint_emblem(draw: ImageDraw.ImageDraw, width: int, height: int, design: ProductDesign) -> None:
    x, y = width / 2, height / 2
    for share, colour in ((0.40, design.accent), (0.375, design.ground), (0.355, design.accent)):
        across = share * width * 0.86
        down = min(share * height * 1.12, across * 1.2)
        draw.ellipse((x - across, y - down, x + across, y + down), fill=colour)
    for level in (0.03, 0.93):
        draw.rectangle((0, level * height, width, (level + 0.035) * height), fill=design.accent)


def _paint_bands(draw: ImageDraw.ImageDraw, width: int, height: int, design: ProductDesign) -> None:
    for top, bottom in ((0.0, 0.14), (0.19, 0.23), (0.84, 1.0), (0.77, 0.81)):
        draw.rectangle((0, top * height, width, bottom * height), fill=design.accent)


def _paint_stripes(draw: ImageDraw.ImageDraw, width: int, height: int, design: ProductDesign) -> None:
    for index in range(12):
        draw.rectangle((width * index / 12, 0, width * (index + 0.45) / 12, height), fill=design.accent)
    plate = (0.14 * width, 0.22 * height, 0.86 * width, 0.84 * height)
    draw.rounded_rectangle(plate, 0.1 * width, fill=design.ground, outline=design.ink, width=4)


def _paint_drops(draw: ImageDraw.ImageDraw, width: int, height: int, design: ProductDesign) -> None:
    x, y, radius = 0.5 * width, 0.70 * height, 0.34 * width
    draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=design.accent)
    draw.ellipse(
        (x - radius * 0.8, y - radius * 0.7, x - radius * 0.2, y - radius * 0.1), fill=tinted(design.accent, 1.5)
    )
    draw.line((x, y - radius * 0.9, x + radius * 0.25, y - radius * 1.4), fill=tinted(design.ground, 0.5), width=7)
    _paint_leaf(
        draw, (x + radius * 0.62, y - radius * 1.3), slope=-0.3, length=radius * 0.4, colour=tinted(design.ground, 0.7)
    )
    draw.rectangle((0, 0.93 * height, width, height), fill=design.accent)
    draw.rectangle((0, 0, width, 0.04 * height), fill=design.accent)


_PAINTERS: dict[LabelStyle, Painter] = {
    LabelStyle.BANDS: _paint_bands,
    LabelStyle.BURST: _paint_burst,
    LabelStyle.CHEVRONS: _paint_chevrons,
    LabelStyle.DIAGONAL: _paint_diagonal,
    LabelStyle.DROPS: _paint_drops,
    LabelStyle.EMBLEM: _paint_emblem,
    LabelStyle.LEAVES: _paint_leaves,
    LabelStyle.PEAKS: _paint_peaks,
    LabelStyle.STRIPES: _paint_stripes,
    LabelStyle.WAVE: _paint_wave,
}
