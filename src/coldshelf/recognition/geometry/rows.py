"""Rows: the boxes of a shelf from left to right, and the line that their feet draw. Pure."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from coldshelf.recognition.geometry.levels import Bodies, join_levels, split_levels
from coldshelf.recognition.geometry.parts import Boxes, Floats, Ints
from coldshelf.recognition.geometry.slant import Slant
from coldshelf.recognition.geometry.stacks import NOTHING, find_supports

_AT_FRONT: Final = 0.08
"""Feet that lie so much higher than the line, in box heights, stand back and have no say in it."""
_ROUNDS: Final = 3
_HELD_BACK: Final = (1.0, 0.3, 0.0)
"""Weights of the ridge on bend and slope, which the slant has mostly taken out before; none on the height."""


@dataclass(frozen=True, slots=True)
class Row:
    """What stands on one shelf: indices of boxes on its floor, left to right, and of the boxes stacked on those.

    The front line is a polynomial of x - origin in the levelled picture, highest power first; beyond the outermost
    boxes, at `reach` from the origin, it goes on level.
    """

    floor: Ints
    stacked: Ints
    line: Floats
    origin: float
    reach: tuple[float, float]

    def foot(self, x: Floats | float) -> Floats:
        """Return the level of the shelf's front edge at x."""
        return np.asarray(np.polyval(self.line, np.clip(np.asarray(x) - self.origin, *self.reach)), np.float64)


def find_floors(boxes: Boxes, bodies: Bodies, slant: Slant) -> tuple[list[Ints], Ints]:
    """Return the boxes on each shelf's floor from the top, and what each box stands on (-1: a shelf), shape (n,)."""
    levels = split_levels(bodies)
    supports = find_supports(boxes, slant, levels)
    on_floor = [level[supports[level] == NOTHING] for level in levels]
    return join_levels([level for level in on_floor if len(level)], bodies), supports


def rows_of(floors: list[Ints], supports: Ints, bodies: Bodies) -> list[Row]:
    ground = _ground(supports)
    return [_row(floor, ground, bodies) for floor in floors]


def _ground(supports: Ints) -> Ints:
    """Return for each box the lowest one of its stack, shape (n,)."""
    ground = np.arange(len(supports))
    while (moves := supports[ground] != NOTHING).any():
        ground = np.where(moves, supports[ground], ground)
    return ground


def _row(floor: Ints, ground: Ints, bodies: Bodies) -> Row:
    stacked = np.flatnonzero(np.isin(ground, floor) & (ground != np.arange(len(ground))))
    origin = float(bodies.centre[floor].mean())
    reach = float(bodies.centre[floor].min()) - origin, float(bodies.centre[floor].max()) - origin
    return Row(floor, stacked, _front_line(floor, bodies, origin), origin, reach)


def _front_line(floor: Ints, bodies: Bodies, origin: float) -> Floats:
    """Fit the line through the feet at the front edge; those that stand back fall out round by round."""
    x, foot, height = bodies.centre[floor] - origin, bodies.foot[floor], bodies.height[floor]
    line = np.array([0.0, 0.0, float(np.quantile(foot, 0.6))])
    for _ in range(_ROUNDS):
        off = (foot - np.polyval(line, x)) / height
        front = np.abs(off) <= _AT_FRONT
        if front.sum() < 2:
            break
        line = _fit(x[front], foot[front])
    return line


def _fit(x: Floats, foot: Floats) -> Floats:
    """Fit a slightly bent line; slope and bend are held back, so that few feet give a level line and none fails."""
    scale = float(np.abs(x).max()) or 1.0
    powers = np.vander(x / scale, 3)
    squares = powers.T @ powers + np.diag(_HELD_BACK)
    return np.asarray(np.linalg.solve(squares, powers.T @ foot) / scale ** np.arange(2, -1, -1), np.float64)
