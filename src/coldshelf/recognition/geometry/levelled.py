"""The picture between the cooler's sides with its shelf lines made level, to look along and across them. Pure."""

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np

from coldshelf.recognition.geometry.borders import Borders
from coldshelf.recognition.geometry.parts import Floats
from coldshelf.recognition.geometry.slant import Slant
from coldshelf.recognition.recogniser import Pixels

_FACING_ROWS: Final = 48
"""Rows that a usual facing gets at most: more show nothing more of rails and frames."""
_MOST_ROWS: Final = 640
_COLUMNS: Final = 160
_INSET: Final = 0.02
"""Share of the width left out at either side: there the cooler's walls run into the depth."""


@dataclass(frozen=True, slots=True)
class Levelled:
    """Pixels of shape (rows, columns, 3), float; row i is level first + i * step, columns run from side to side."""

    pixels: Floats
    first: float
    step: float

    def row_of(self, level: float) -> int:
        """Return the row of a level; it may lie outside."""
        return round((level - self.first) / self.step)

    def level_of(self, row: float) -> float:
        return self.first + row * self.step


def level_picture(image: Pixels, slant: Slant, borders: Borders, *, height: float) -> Levelled:
    """Sample the picture along its shelf lines; `height` is the usual facing's, in pixels."""
    step = max(1.0, height / _FACING_ROWS, image.shape[0] / _MOST_ROWS)
    levels = np.arange(0.0, float(image.shape[0]), step)
    shares = np.linspace(_INSET, 1 - _INSET, _COLUMNS)
    left, right = borders.along(levels)
    x = left[:, None] + (right - left)[:, None] * shares
    y = slant.y(np.broadcast_to(levels[:, None], x.shape), x)
    small = _shrunk(image, step)
    scale = small.shape[1] / image.shape[1], small.shape[0] / image.shape[0]
    maps = (x * scale[0] - 0.5).astype(np.float32), (y * scale[1] - 0.5).astype(np.float32)
    sampled = cv2.remap(small, *maps, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return Levelled(np.asarray(sampled, np.float64), 0.0, step)


def _shrunk(image: Pixels, step: float) -> Pixels:
    if step < 1.5:
        return image
    size = max(round(image.shape[1] / step), 1), max(round(image.shape[0] / step), 1)
    return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)
