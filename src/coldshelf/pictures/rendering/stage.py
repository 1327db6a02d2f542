"""The canvas on which a cooler is drawn, and beside it whose each pixel is."""

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from coldshelf.pictures.rendering.paint import Colour, Floats, Pixels
from coldshelf.pictures.rendering.viewpoint import Viewpoint

Owners = NDArray[np.int16]
"""Number of the facing that each pixel shows, (height, width); 0 where it shows none."""
Place = tuple[float, float, float]
"""x, y, z in millimetres."""

_FINE = 4  # bits of a pixel that OpenCV's drawing takes as fractions


class Stage:
    """What has been drawn so far; every method draws over it."""

    def __init__(self, view: Viewpoint) -> None:
        width, height = view.canvas_size
        self.view = view
        self.pixels: Pixels = np.zeros((height, width, 3), dtype=np.uint8)
        self.owners: Owners = np.zeros((height, width), dtype=np.int16)

    def polygon(self, places: Sequence[Place], colour: Colour, *, hides: bool = False) -> None:
        """Fill a convex polygon; `hides` takes the pixels from the facings drawn there before."""
        points = self._fixed(places)
        cv2.fillConvexPoly(self.pixels, points, colour, cv2.LINE_AA, _FINE)
        if hides:
            cv2.fillConvexPoly(self.owners, points, 0, cv2.LINE_8, _FINE)

    def bar(
        self, box: tuple[float, float, float, float], colour: Colour, *, z: float = 0.0, hides: bool = True
    ) -> None:
        """Fill an upright rectangle at a depth: left, top, right, bottom in mm."""
        left, top, right, bottom = box
        self.polygon([(left, top, z), (right, top, z), (right, bottom, z), (left, bottom, z)], colour, hides=hides)

    def line(self, start: Place, end: Place, colour: Colour, *, thick_mm: float) -> None:
        (x0, y0), (x1, y1) = self._fixed([start, end])
        thick = max(round(thick_mm * self.view.scale), 1)
        cv2.line(self.pixels, (int(x0), int(y0)), (int(x1), int(y1)), colour, thick, cv2.LINE_AA, _FINE)

    def paste(
        self,
        sprite: Pixels,
        *,
        left: int,
        top: int,
        owner: int | None = None,
        light: float = 1.0,
        rows: slice | None = None,
    ) -> None:
        """Lay an RGBA sprite on the canvas; it becomes the owner's. Only canvas `rows` are touched."""
        height, width = self.pixels.shape[:2]
        lowest, highest = (rows.start, rows.stop) if rows else (0, height)
        x0, y0 = max(left, 0), max(top, lowest, 0)
        x1, y1 = min(left + sprite.shape[1], width), min(top + sprite.shape[0], highest, height)
        if x0 >= x1 or y0 >= y1:
            return
        part = sprite[y0 - top : y1 - top, x0 - left : x1 - left]
        share = part[..., 3:].astype(np.float32) / np.float32(255)
        below = self.pixels[y0:y1, x0:x1].astype(np.float32)
        mixed = below + (part[..., :3] * np.float32(light) - below) * share
        self.pixels[y0:y1, x0:x1] = np.clip(mixed + np.float32(0.5), 0, 255).astype(np.uint8)
        if owner is not None:
            self.owners[y0:y1, x0:x1][part[..., 3] > 127] = owner

    def restore_outside(self, before: Pixels, box: tuple[float, float, float, float]) -> None:
        """Put back what was there before, except within an upright rectangle of the front plane (mm)."""
        height, width = self.pixels.shape[:2]
        (x0, y0), (x1, y1) = self.view.at(box[0], box[1]), self.view.at(box[2], box[3])
        columns = slice(min(max(round(x0), 0), width), min(max(round(x1), 0), width))
        rows = slice(min(max(round(y0), 0), height), min(max(round(y1), 0), height))
        kept, owned = before.copy(), np.zeros_like(self.owners)
        kept[rows, columns], owned[rows, columns] = self.pixels[rows, columns], self.owners[rows, columns]
        self.pixels, self.owners = kept, owned

    def glaze(self, layer: Floats | Pixels, share: Floats | float) -> None:
        """Mix a layer (height, width, 3) over the canvas; `share` is (height, width, 1) or one number."""
        below = self.pixels.astype(np.float32)
        self.pixels = np.clip(below + (layer - below) * share, 0, 255).astype(np.uint8)

    def _fixed(self, places: Sequence[Place]) -> NDArray[np.int32]:
        points = np.array([self.view.at(*place) for place in places]) - 0.5
        return np.asarray(np.round(points * (1 << _FINE)), dtype=np.int32)
