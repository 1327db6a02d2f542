"""The inner sides of the cooler, as far as rows of products show them. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Final

import numpy as np

from coldshelf.recognition.geometry.levels import Bodies
from coldshelf.recognition.geometry.parts import Floats, Ints
from coldshelf.recognition.geometry.slant import Slant

_FIRST_MISSING: Final = 0.25
"""Price of a row that begins inside the border, against 0.75 for one that begins outside."""
_FAR: Final = (1.0, 1.5)
"""Facing widths outside and inside beyond which a row's end tells nothing more about the border."""
_TURNED: Final = 2.0
"""Price of a border that does not lean as the shelf lines do, in facing widths over the height of the rows."""


@dataclass(frozen=True, slots=True)
class Borders:
    """Left and right side as x = offset + lean * level of the row's foot, shape (2,) each: offset, lean."""

    left: Floats
    right: Floats

    def at(self, level: float) -> tuple[float, float]:
        left, right = self.along(np.array([level]))
        return float(left[0]), float(right[0])

    def along(self, levels: Floats) -> tuple[Floats, Floats]:
        """Return x of both sides at levels of shape (n,); the right one is at least a pixel further."""
        left, right = (side[0] + side[1] * levels for side in (self.left, self.right))
        return left, np.maximum(right, left + 1.0)


def find_borders(floors: Sequence[Ints], bodies: Bodies, slant: Slant) -> Borders:
    """Fit each side to the rows' ends; most rows reach it, few boxes lie beyond. At least one row is given."""
    told = [floor for floor in floors if len(floor) > 1] or floors
    levels = np.array([float(np.median(bodies.foot[floor])) for floor in told])
    width = float(np.median(bodies.width))
    starts = np.array([bodies.left[floor].min() for floor in told])
    ends = np.array([bodies.right[floor].max() for floor in told])
    left = _fit_side(levels, starts, width=width, lean=-slant.tilt)
    right = _fit_side(levels, -ends, width=width, lean=slant.tilt)
    return Borders(left, -right)


def _fit_side(levels: Floats, ends: Floats, *, width: float, lean: float) -> Floats:
    """Return offset and lean of the cheapest line through two rows' ends, or through one in the expected lean."""
    height = max(float(np.ptp(levels)), 1.0)
    leans = [lean] * len(levels)
    offsets = list(ends - lean * levels)
    for one, other in combinations(range(len(levels)), 2):
        if levels[other] - levels[one] > 0.2 * height:
            leans.append((ends[other] - ends[one]) / (levels[other] - levels[one]))
            offsets.append(ends[one] - leans[-1] * levels[one])
    lines = np.stack((offsets, leans), axis=1)
    inside = np.clip((ends - lines[:, :1] - lines[:, 1:] * levels) / width, -_FAR[0], _FAR[1])
    costs = np.where(inside > 0, _FIRST_MISSING * inside, (_FIRST_MISSING - 1) * inside).sum(axis=1)
    costs += _TURNED * _FIRST_MISSING * np.abs(lines[:, 1] - lean) * height / width / len(levels)
    return np.asarray(lines[int(costs.argmin())], np.float64)
