"""A picture of a filled cooler and the truth about it: which product stands where, and where a place is empty."""

from dataclasses import dataclass

import cv2
import numpy as np

from coldshelf.pictures.rendering.cabinet import draw_empty_cooler, draw_fronts, light_map, livery_of
from coldshelf.pictures.rendering.camera import Homography, photograph, seen_corners, slant
from coldshelf.pictures.rendering.designs import CATALOGUE, ProductDesign, design_of
from coldshelf.pictures.rendering.layout import Layout, Place, Row, lay_out
from coldshelf.pictures.rendering.paint import Box, Pixels, paste
from coldshelf.pictures.rendering.products import chance_view, render_view, sprite_width
from coldshelf.pictures.rendering.truth import RenderedScene, TrueFacing, TrueGap, TrueShelf, box_around

_DEPTH_STEP = 0.085  # from one product to the next behind it, in units of the distance to the camera
_DIM = 0.62  # light that reaches each further product


@dataclass(frozen=True, slots=True)
class SceneSpec:
    """What to draw.

    `rows` are shelves from the top, SKUs from the left, None for an empty place. `size` is width and height in pixels.
    `depth_rows` products stand behind each facing. `softness` is the lens's blur in pixels, `noise` is in grey levels,
    `brightness` a factor. `perspective` is by which share the right and the lower edge shrink (below zero: the left and
    the upper one). Without a `jpeg_quality` the picture is not compressed.
    The seed decides livery, prices and how each product stands; it never decides what the truth lists.
    """

    rows: tuple[tuple[str | None, ...], ...]
    size: tuple[int, int] = (960, 1280)
    seed: int = 0
    softness: float = 0.6
    brightness: float = 1.0
    noise: float = 2.0
    rotation_degrees: float = 0.0
    perspective: tuple[float, float] = (0.0, 0.0)
    depth_rows: int = 2
    jpeg_quality: int | None = 90


def render_scene(spec: SceneSpec, catalogue: tuple[ProductDesign, ...] = CATALOGUE) -> RenderedScene:
    """Draw a cooler as a phone would photograph it; the same spec gives the same pixels."""
    width, height = spec.size
    rows = tuple(tuple(design_of(sku, catalogue) if sku else None for sku in row) for row in spec.rows)
    layout = lay_out(rows, width=width, height=height)
    drawing, standing = _draw(layout, spec)
    bend = slant(width, height, rotation_degrees=spec.rotation_degrees, perspective=spec.perspective)
    image = photograph(
        drawing,
        bend,
        softness=spec.softness,
        brightness=spec.brightness,
        noise=spec.noise,
        jpeg_quality=spec.jpeg_quality,
        rng=_rng(spec, 3),
    )
    return _with_truth(image, layout, standing, bend)


@dataclass(frozen=True, slots=True)
class _Standing:
    """A front-row product as it was drawn."""

    shelf: int
    position: int
    sku: str
    box: Box


def _draw(layout: Layout, spec: SceneSpec) -> tuple[Pixels, list[_Standing]]:
    """Draw room, cooler and products straight on, back to front."""
    livery = livery_of(spec.seed)
    canvas = draw_empty_cooler(layout, livery, _rng(spec, 1))
    standing: list[_Standing] = []
    for row in layout.rows:
        _stock_behind(canvas, layout, row, spec)
        for place in row.places:
            if place.design is not None:
                box = _stand(canvas, layout, place, design=place.design, rng=_rng(spec, 4, row.number, place.position))
                standing.append(_Standing(row.number, place.position, place.design.sku, box))
    canvas = draw_fronts(canvas, layout, livery, _rng(spec, 2))
    _light(canvas, layout)
    return canvas, standing


def _with_truth(image: Pixels, layout: Layout, standing: list[_Standing], bend: Homography) -> RenderedScene:
    left, _, right, _ = layout.interior
    gaps = [place for row in layout.rows for place in row.places if place.design is None]
    return RenderedScene(
        image=image,
        shelves=tuple(
            TrueShelf(row.number, seen_corners((left, row.top, right, row.bottom), bend)) for row in layout.rows
        ),
        facings=tuple(_facing(each, bend) for each in standing),
        gaps=tuple(TrueGap(place.shelf, place.position, seen_corners(place.box, bend)) for place in gaps),
        front_to_picture=bend,
    )


def _facing(each: _Standing, bend: Homography) -> TrueFacing:
    corners = seen_corners(each.box, bend)
    return TrueFacing(each.shelf, each.position, each.sku, corners, box_around(corners))


def _rng(spec: SceneSpec, *purpose: int) -> np.random.Generator:
    """Return a source of its own for each purpose, so that one product more or less changes nothing else."""
    return np.random.default_rng([spec.seed, *purpose])


def _elevation(layout: Layout, y: float) -> float:
    """Return how far above a thing at height y the camera is, from -1 to 1."""
    horizon = layout.vanishing[1]
    return float(np.clip((y - horizon) / (0.5 * layout.height), -1, 1))


def _stand(canvas: Pixels, layout: Layout, place: Place, *, design: ProductDesign, rng: np.random.Generator) -> Box:
    """Put a facing on the front edge of its shelf, with its shadow; return its box."""
    left, top, right, bottom = place.box
    height = round((bottom - top) * rng.uniform(0.985, 1))  # nobody puts them exactly at the edge
    width = sprite_width(design, height)
    x = round((left + right - width) / 2 + rng.uniform(-0.02, 0.02) * width)
    foot = round(bottom)
    box = (float(x), float(foot - height), float(x + width), float(foot))
    _shadow(canvas, box)
    view = chance_view(rng, elevation=_elevation(layout, (top + bottom) / 2))
    paste(canvas, render_view(design, height_px=height, view=view), left=x, top=foot - height)
    return box


def _stock_behind(canvas: Pixels, layout: Layout, row: Row, spec: SceneSpec) -> None:
    """Draw the products behind the facings, farthest first; shelf boards hide what would show beyond them."""
    between = slice(round(row.top), round(row.bottom))
    for layer in range(spec.depth_rows, 0, -1):
        for place in row.places:
            if place.design is not None:
                rng = _rng(spec, 5, layer, row.number, place.position)
                sprite, left, top = _behind(layout, place, design=place.design, layer=layer, rng=rng)
                paste(canvas[between], sprite, left=left, top=top - between.start, light=_DIM**layer)


def _behind(
    layout: Layout, place: Place, *, design: ProductDesign, layer: int, rng: np.random.Generator
) -> tuple[Pixels, int, int]:
    """Draw a product of a further layer; return its sprite, left and top."""
    left, top, right, bottom = place.box
    depth = layer * _DEPTH_STEP + rng.uniform(0, 0.02)
    x, foot = layout.at_depth((left + right) / 2, bottom, depth)
    height = round((bottom - top) / (1 + depth))
    view = chance_view(rng, elevation=_elevation(layout, (top + bottom) / 2))
    sprite = render_view(design, height_px=height, view=view)
    return sprite, round(x - sprite.shape[1] / 2), round(foot) - height


def _shadow(canvas: Pixels, box: Box) -> None:
    """Darken the ground and the neighbours around a product, softly."""
    left, top, right, bottom = (round(edge) for edge in box)
    reach = max(round(0.06 * (right - left)), 1)
    x0, x1 = max(left - reach, 0), min(right + reach, canvas.shape[1])
    y0, y1 = max(top - reach, 0), min(bottom, canvas.shape[0])
    if x0 >= x1 or y0 >= y1:
        return
    dark = np.zeros((y1 - y0, x1 - x0), dtype=np.float32)
    dark[top - y0 + reach :, reach : max(right - left, 1) + reach] = 0.5
    soft = np.asarray(cv2.blur(dark, (2 * reach + 1, 2 * reach + 1)), dtype=np.float32)
    part = canvas[y0:y1, x0:x1]
    canvas[y0:y1, x0:x1] = (part * (1 - soft)[..., None]).astype(np.uint8)


def _light(canvas: Pixels, layout: Layout) -> None:
    left, top, right, bottom = (round(edge) for edge in layout.interior)
    part = canvas[top:bottom, left:right]
    canvas[top:bottom, left:right] = np.clip(part * light_map(layout)[..., None], 0, 255).astype(np.uint8)
