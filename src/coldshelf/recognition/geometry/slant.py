"""How shelf lines run through a picture: tilted by the camera's roll, converging by its place aside. Pure."""

from dataclasses import dataclass
from typing import Final, overload

import numpy as np

from coldshelf.recognition.geometry.parts import Boxes, Floats

_STEEPEST: Final = 0.25
"""Slope of a shelf line, 14 degrees; a phone that is turned more is turned on purpose."""
_CONVERGING: Final = 0.4
"""Largest difference of the slopes of two lines that lie as far apart as the boxes reach sideways."""
_GRIDS: Final = ((21, 9), (9, 9), (9, 9))
"""Tilts and convergences tried, coarse to fine."""
_SAME_FOOT: Final = 0.12
"""Feet that differ by more, in box heights, stand on different lines; how much more tells nothing."""
_PRICES: Final = (1.0, 0.5)
"""Price of a unit of tilt and of convergence: few boxes are taken for level rather than for a strange slant."""


@dataclass(frozen=True, slots=True)
class Slant:
    """Shelf lines y = level + (tilt + converge * level) * (x - middle); `reach` scales converge, all in pixels."""

    middle: float = 0.0
    horizon: float = 0.0
    tilt: float = 0.0
    converge: float = 0.0

    @overload
    def level(self, x: float, y: float) -> float: ...
    @overload
    def level(self, x: Floats, y: Floats) -> Floats: ...
    def level(self, x: float | Floats, y: float | Floats) -> float | Floats:
        """Return where the line through a point crosses the middle of the boxes."""
        aside = x - self.middle
        spread = np.maximum(1 + self.converge * aside, 0.2)
        return (y - (self.tilt - self.converge * self.horizon) * aside) / spread

    @overload
    def y(self, level: float, x: float) -> float: ...
    @overload
    def y(self, level: Floats, x: Floats) -> Floats: ...
    def y(self, level: float | Floats, x: float | Floats) -> float | Floats:
        """Return the height in the picture of a level at x."""
        return level + (self.tilt + self.converge * (level - self.horizon)) * (x - self.middle)


def estimate_slant(boxes: Boxes) -> Slant:
    """Find the slant under which the feet of the boxes gather on the fewest and sharpest levels.

    The cost of a slant is the sum of the steps between sorted levels, each cut off where another line begins.
    """
    if len(boxes) < 2:
        return Slant()
    middle, horizon = float(np.median(boxes.centre)), float(np.median(boxes.bottom))
    aside, foot = boxes.centre - middle, boxes.bottom - horizon
    height, reach = float(np.median(boxes.height)), max(float(np.ptp(boxes.centre)), 1.0)
    tilt = converge = 0.0
    width = (_STEEPEST, _CONVERGING / reach)
    for tilts, converges in _GRIDS:
        tried_tilts = tilt + np.linspace(-width[0], width[0], tilts)
        tried = np.stack(np.meshgrid(tried_tilts, converge + np.linspace(-width[1], width[1], converges)), -1)
        pairs = tried.reshape(-1, 2)
        costs = _costs(pairs, aside, foot, height) + np.abs(pairs * (1.0, reach)) @ np.array(_PRICES)
        tilt, converge = (float(value) for value in pairs[int(costs.argmin())])
        width = (2 * width[0] / (tilts - 1), 2 * width[1] / (converges - 1))
    return Slant(middle, horizon, tilt, converge)


def _costs(pairs: Floats, aside: Floats, foot: Floats, height: float) -> Floats:
    """Return the cost of slants, shape (m,), without their price. pairs: (m, 2) tilt and convergence."""
    spread = np.maximum(1 + pairs[:, 1:] * aside, 0.2)
    levels = np.sort((foot - pairs[:, :1] * aside) / spread, axis=1)
    return np.asarray(np.minimum(np.diff(levels, axis=1) / height, _SAME_FOOT).sum(axis=1), np.float64)
