"""Which boxes stand on the same shelf. Pure."""

from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np

from coldshelf.recognition.geometry.parts import Boxes, Floats, Ints
from coldshelf.recognition.geometry.slant import Slant

_BREAK: Final = 0.22
"""Step between sorted feet that begins another level, in box heights."""
_NO_ROOM: Final = 0.62
"""A level less than this share of its products' height below another has no room for them: it is the same shelf."""
_STEP: Final = 0.52
"""The same for levels that stand apart from each other, on steps of a rack or behind different doors."""
_NO_SLIP: Final = 3
"""So many boxes side by side on a level of their own are not a slip of the detector."""


@dataclass(frozen=True, slots=True)
class Bodies:
    """Boxes in the levelled picture, shape (n,): levels of feet and heads, and where they stand."""

    foot: Floats
    head: Floats
    left: Floats
    right: Floats

    @property
    def height(self) -> Floats:
        return self.foot - self.head

    @property
    def width(self) -> Floats:
        return self.right - self.left

    @property
    def centre(self) -> Floats:
        return (self.left + self.right) / 2


def level_out(boxes: Boxes, slant: Slant) -> Bodies:
    foot = slant.level(boxes.centre, boxes.bottom)
    head = np.minimum(slant.level(boxes.centre, boxes.top), foot - 1.0)
    return Bodies(foot, head, boxes.left, boxes.right)


def split_levels(bodies: Bodies) -> list[Ints]:
    """Return the indices of the boxes of each level of feet, from the top; stacked boxes have their own."""
    if not len(bodies.foot):
        return []
    order = np.argsort(bodies.foot, kind="stable")
    feet, heights = bodies.foot[order], bodies.height[order]
    steps = np.diff(feet) / ((heights[1:] + heights[:-1]) / 2)
    return np.split(order, np.flatnonzero(steps > _BREAK) + 1)


def join_levels(levels: list[Ints], bodies: Bodies) -> list[Ints]:
    """Join neighbouring levels that cannot be two shelves, the closest first; boxes come out left to right."""
    while len(levels) > 1:
        rooms = [_room(upper, lower, bodies) for upper, lower in pairwise(levels)]
        closest = int(np.argmin(rooms))
        if rooms[closest] >= 1:
            break
        joined = np.concatenate((levels[closest], levels[closest + 1]))
        levels = [*levels[:closest], joined, *levels[closest + 2 :]]
    return [level[np.argsort(bodies.centre[level], kind="stable")] for level in levels]


def _room(upper: Ints, lower: Ints, bodies: Bodies) -> float:
    """Return the distance of two levels over the least that two shelves need."""
    apart = min(len(upper), len(lower)) >= _NO_SLIP and _stand_apart(upper, lower, bodies)
    distance = float(np.median(bodies.foot[lower]) - np.median(bodies.foot[upper]))
    return distance / (float(np.median(bodies.height[lower])) * (_STEP if apart else _NO_ROOM))


def _stand_apart(one: Ints, other: Ints, bodies: Bodies) -> bool:
    middles = bodies.centre
    return bool(middles[one].max() < middles[other].min() or middles[other].max() < middles[one].min())
