"""Draws one package: its label bent round the body, lamps mirrored in it; and packshots of it."""

from dataclasses import dataclass

import cv2
import numpy as np

from coldshelf.pictures.rendering.designs import Form, ProductDesign
from coldshelf.pictures.rendering.labels import WRAP_HEIGHT, gloss_of_rows, unrolled, unrolled_small
from coldshelf.pictures.rendering.paint import Floats, Mask, Pixels, paste, resized

_OVERSAMPLING = 2
LID_TILT = 0.045  # height of the lid's ellipse over the height of a package seen from the highest camera
_BOX_SIDE = 0.16  # share of a turned carton's width that shows its side


@dataclass(frozen=True, slots=True)
class View:
    """How a package stands before the camera.

    `turn` is in radians round its own axis, `elevation` from -1 (camera far below) to 1 (far above), `light` a factor.
    """

    turn: float = 0.0
    elevation: float = 0.0
    light: float = 1.0


def render_product(design: ProductDesign, *, height_px: int, rng: np.random.Generator | None = None) -> Pixels:
    """Draw the package as an RGBA sprite (height_px, its width, 4); with `rng` slightly turned and lit by chance."""
    if rng is None:
        return render_view(design, height_px=height_px, view=View())
    return render_view(design, height_px=height_px, view=chance_view(rng))


def chance_view(rng: np.random.Generator, *, elevation: float | None = None) -> View:
    turn, light, tilt = rng.normal(0, 0.22), rng.uniform(0.92, 1.06), rng.uniform(-0.4, 0.4)
    return View(turn=float(np.clip(turn, -0.6, 0.6)), elevation=tilt if elevation is None else elevation, light=light)


def render_view(design: ProductDesign, *, height_px: int, view: View, width_px: int = 0) -> Pixels:
    """Draw the package from a given view as an RGBA sprite (height_px, width_px or its natural width, 4)."""
    width_px = width_px or sprite_width(design, height_px)
    height, width = height_px * _OVERSAMPLING, width_px * _OVERSAMPLING
    draw = _box_sprite if design.form.is_box else _round_sprite
    return resized(draw(design, height, width, view), width=width_px, height=height_px)


def sprite_width(design: ProductDesign, height_px: int) -> int:
    return max(round(height_px * design.form.width_mm / design.form.height_mm), 2)


def reference_pictures(design: ProductDesign, count: int = 3) -> tuple[Pixels, ...]:
    """Photograph the package before a plain ground, tightly cropped: RGB, about 240 pixels high, other angle each."""
    turns = np.linspace(-0.3, 0.3, count) if count > 1 else np.zeros(1)
    lights = (1.0, 0.93, 1.05)
    grounds = (255, 238, 247)
    return tuple(
        _packshot(design, View(turn=float(turn), elevation=0.15, light=lights[index % 3]), ground=grounds[index % 3])
        for index, turn in enumerate(np.roll(turns, -(count // 2)))  # the straight one first
    )


def _packshot(design: ProductDesign, view: View, *, ground: int) -> Pixels:
    sprite = render_view(design, height_px=232, view=view)
    picture = np.full((240, sprite.shape[1] + 8, 3), ground, dtype=np.uint8)
    paste(picture, sprite, left=4, top=4)
    return picture


def _grid(height: int, width: int) -> tuple[Floats, Floats]:
    """Return pixel centres: x from -1 to 1 as (1, width), y from 0 to 1 as (height, 1)."""
    x = (np.arange(width, dtype=np.float32) + 0.5) * (2 / width) - 1
    y = (np.arange(height, dtype=np.float32) + 0.5) / height
    return x[None, :].astype(np.float32), y[:, None].astype(np.float32)


def _radius(form: Form, rows: Floats) -> Floats:
    """Look up the half width at each row; the outline's corners are rounded a little."""
    fine = np.linspace(0, 1, 400)
    outline = np.interp(fine, *np.array(form.outline).T)
    if not form.is_box:
        outline = np.convolve(np.pad(outline, 2, mode="edge"), np.full(5, 0.2), mode="valid")
    return np.asarray(np.interp(rows, fine, outline), dtype=np.float32)


def _round_sprite(design: ProductDesign, height: int, width: int, view: View) -> Pixels:
    x, y = _grid(height, width)
    tilt = np.float32(abs(view.elevation) * LID_TILT)
    sign = np.float32(np.sign(view.elevation))
    radius = _radius(design.form, (y - tilt) / (1 - 2 * tilt))
    across = np.clip(x / radius, -1, 1)  # (height, width): -1 left rim, 1 right rim
    towards = np.sqrt(1 - across**2)
    row = (y - tilt - sign * tilt * radius * towards) / (1 - 2 * tilt)
    colour = _bent(design, row, np.arcsin(across) + np.float32(view.turn))
    gloss = np.interp(row, np.linspace(0, 1, WRAP_HEIGHT), gloss_of_rows(design)).astype(np.float32)
    lit = colour * (_shade(across, towards) * np.float32(view.light))[..., None] + _mirrored(across, gloss)[..., None]
    inside = (np.abs(x) <= radius) & (row >= 0) & (row <= 1)
    if view.elevation > 0:
        _add_lid(lit, inside, design=design, tilt=float(tilt))
    return _sprite(lit, inside)


def _bent(design: ProductDesign, row: Floats, angle: Floats) -> Floats:
    """Fetch the label's colour for each pixel: row from 0 to 1, angle in radians from the front; (height, width, 3)."""
    art = unrolled(design) if row.shape[0] > WRAP_HEIGHT // 2 else unrolled_small(design)
    art_height, art_width = art.shape[:2]
    columns = (angle / np.float32(np.pi) + np.float32(0.5)) * art_width
    rows = np.broadcast_to(np.clip(row, 0, 1) * (art_height - 1), columns.shape)
    wrapped = np.mod(columns, art_width).astype(np.float32)
    shrunk = cv2.remap(art, wrapped, rows.astype(np.float32), cv2.INTER_LINEAR, borderMode=cv2.BORDER_WRAP)
    return np.asarray(shrunk, dtype=np.float32)


def _shade(across: Floats, towards: Floats) -> Floats:
    """Return the light that a round body throws back: bright left of the middle, dark at the rims."""
    return np.asarray(0.38 + 0.62 * np.clip(0.95 * towards - 0.22 * across, 0, 1) ** 0.8, dtype=np.float32)


def _mirrored(across: Floats, gloss: Floats) -> Floats:
    """Return the glare of the cooler's two upright lamps, in grey levels."""
    left = np.exp(-(((across + 0.58) / 0.11) ** 2))
    right = np.exp(-(((across - 0.70) / 0.07) ** 2))
    return np.asarray(gloss * (left * 150 + right * 80), dtype=np.float32)


def _add_lid(lit: Floats, inside: Mask, *, design: ProductDesign, tilt: float) -> None:
    """Draw the top of the lid or cap, which a camera above sees as an ellipse; changes both arrays."""
    height, width = inside.shape
    x, y = _grid(height, width)
    radius = float(_radius(design.form, np.zeros(1, dtype=np.float32))[0])
    distance = (x / radius) ** 2 + ((y - tilt) / (tilt * radius)) ** 2
    top = (distance <= 1) & ~inside
    ring = np.where(distance > 0.72, 1.08, 0.86).astype(np.float32)
    lit[top] = (np.array(design.cap, dtype=np.float32) * ring[..., None])[top]
    inside |= top


def _box_sprite(design: ProductDesign, height: int, width: int, view: View) -> Pixels:
    x, y = _grid(height, width)
    side = _BOX_SIDE * min(abs(view.turn) / 0.4, 1.0)
    along = (x + 1) / 2 if view.turn >= 0 else (1 - x) / 2  # 0 at the front's outer edge, 1 at the side's
    on_side = np.broadcast_to(along > 1 - side, (height, width))
    front = along / (1 - side)
    share = np.where(along > 1 - side, (along - 1 + side) / max(side, 1e-6) * 0.05, front)
    share = share if view.turn >= 0 else np.where(along > 1 - side, share, 1 - front)
    art = unrolled(design)
    columns = np.broadcast_to(np.clip(share, 0, 1) * (art.shape[1] - 1), (height, width)).astype(np.float32)
    rows = np.broadcast_to(y * (WRAP_HEIGHT - 1), (height, width)).astype(np.float32)
    colour = np.asarray(cv2.remap(art, columns, rows, cv2.INTER_LINEAR), dtype=np.float32)
    shade = np.where(on_side, 0.62, 1.0 - 0.10 * np.abs(x)).astype(np.float32) * np.float32(view.light)
    inside = np.broadcast_to(np.abs(x) <= _radius(design.form, y), (height, width))
    return _sprite(colour * shade[..., None], inside)


def _sprite(lit: Floats, inside: Mask) -> Pixels:
    alpha = np.where(inside, 255, 0).astype(np.uint8)
    return np.dstack([np.clip(lit, 0, 255).astype(np.uint8), alpha])
