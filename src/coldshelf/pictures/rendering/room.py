"""Draws the room behind a cooler: a wall, a floor, and clutter out of focus."""

import cv2
import numpy as np

from coldshelf.pictures.rendering.designs import ProductDesign
from coldshelf.pictures.rendering.paint import Pixels, resized
from coldshelf.pictures.rendering.products import View, render_view
from coldshelf.pictures.rendering.stage import Stage


def draw_room(stage: Stage, designs: tuple[ProductDesign, ...], rng: np.random.Generator) -> None:
    """Fill the canvas: things in it look like boxes and drinks, but too blurred to be facings."""
    height, width = stage.pixels.shape[:2]
    small: Pixels = np.empty((max(height // 2, 4), max(width // 2, 4), 3), dtype=np.uint8)
    small[:] = _muted(rng)
    floor = round(rng.uniform(0.6, 1.0) * small.shape[0])
    small[floor:] = _muted(rng)
    for _ in range(int(rng.integers(0, 60))):
        _box(small, rng)
    for _ in range(int(rng.integers(0, 8))):
        _row_of_drinks(small, designs, rng)
    softness = rng.uniform(1.5, 5) * width / 900
    soft = np.asarray(cv2.GaussianBlur(small, (0, 0), max(softness, 0.8)), dtype=np.float32)
    stains = rng.normal(1, 0.12, (5, 5, 1)).astype(np.float32)
    uneven = np.asarray(cv2.resize(stains, (small.shape[1], small.shape[0]), interpolation=cv2.INTER_CUBIC))
    lit = np.clip(soft * uneven[..., None] * rng.uniform(0.2, 0.9), 0, 255).astype(np.uint8)
    stage.pixels = resized(lit, width=width, height=height)


def _muted(rng: np.random.Generator) -> tuple[int, ...]:
    """Choose a colour as walls, floors and cardboard have it: a grey, a little warm or cold."""
    grey, warmth = rng.integers(15, 225), rng.normal(6, 12)
    return tuple(int(np.clip(part, 0, 255)) for part in (grey + warmth, grey + rng.normal(0, 5), grey - warmth))


def _box(small: Pixels, rng: np.random.Generator) -> None:
    height, width = small.shape[:2]
    x, y = int(rng.integers(-20, width)), int(rng.integers(-20, height))
    wide, high = rng.integers(3, max(width // 5, 4)), rng.integers(3, max(height // 6, 4))
    colour = _muted(rng) if rng.random() < 0.75 else tuple(int(part) for part in rng.integers(10, 245, 3))
    cv2.rectangle(small, (x, y), (x + int(wide), y + int(high)), colour, -1)
    if rng.random() < 0.5:
        bright = tuple(int(min(part * 1.4 + 20, 255)) for part in colour)
        cv2.rectangle(small, (x, y), (x + int(wide), y + int(high) // 3), bright, -1)


def _row_of_drinks(small: Pixels, designs: tuple[ProductDesign, ...], rng: np.random.Generator) -> None:
    design = designs[int(rng.integers(len(designs)))]
    high = int(rng.integers(12, max(small.shape[0] // 6, 14)))
    sprite = render_view(design, height_px=high, view=View())
    x, y = int(rng.integers(-10, small.shape[1])), int(rng.integers(0, max(small.shape[0] - high, 1)))
    for _ in range(int(rng.integers(1, 6))):
        part = small[y : y + high, max(x, 0) : x + sprite.shape[1]]
        if x >= 0 and part.shape[:2] == sprite.shape[:2]:
            np.copyto(part, sprite[..., :3], where=sprite[..., 3:] > 127)
        x += sprite.shape[1]
