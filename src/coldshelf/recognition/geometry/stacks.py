"""Which boxes stand on the head of another box instead of on a shelf. Pure."""

from typing import Final

import numpy as np

from coldshelf.recognition.geometry.parts import Boxes, Flags, Floats, Ints
from coldshelf.recognition.geometry.slant import Slant

_TOUCH: Final = (-0.18, 0.08)
"""Distance from a foot down to the head below, in heights of the lower of the two: boxes are loose by so much, and a
camera above sees the upper one stand on the near edge of the lid."""
_CLOSE: Final = 0.035
"""Median distance up to which even a full level stands on the one below; two full shelves have a board between."""
_ALIKE: Final = (0.7, 1.4)
"""Heights of two products on each other: a bottle bears nothing, a can bears a can."""
_SHARED: Final = 0.4
"""Share of the narrower box's width that lies over the other one; half where they are laid like bricks."""
_MOST: Final = 0.6
"""Share of a level's boxes that must touch something for the level to be no shelf."""
_FULL: Final = 0.7
"""Share of the boxes below from which a level could be a full shelf."""
_HIDDEN: Final = 0.6
"""Distance in heights up to which a box among stacked ones stands on another: its own may be half hidden."""
NOTHING: Final = -1


def find_supports(boxes: Boxes, slant: Slant, levels: list[Ints]) -> Ints:
    """Return for each box the one that it stands on, -1 for the shelf; shape (n,). `levels` come from the top."""
    supports = np.full(len(boxes), NOTHING, np.intp)
    for number, upper in enumerate(levels[:-1]):
        below = np.concatenate(levels[number + 1 :])
        free, shared = _free_between(boxes, slant, upper, below), _shared_width(boxes, slant, upper, below)
        touches = _touches(boxes, upper, below, free, shared)
        if not _is_stack(touches, free, _count_below(touches, below, levels[number + 1 :])):
            continue
        near = touches | ((np.abs(free) <= _HIDDEN) & (shared > 0))
        best = np.where(near, shared - np.abs(free), -np.inf).argmax(axis=1)
        supports[upper] = np.where(near.any(axis=1), below[best], NOTHING)
    return supports


def _touches(boxes: Boxes, upper: Ints, lower: Ints, free: Floats, shared: Floats) -> Flags:
    ratio = boxes.height[upper, None] / boxes.height[None, lower]
    alike = (ratio >= _ALIKE[0]) & (ratio <= _ALIKE[1])
    return np.asarray(alike & (free >= _TOUCH[0]) & (free <= _TOUCH[1]) & (shared >= _SHARED), np.bool_)


def _is_stack(touches: Flags, free: Floats, below: int) -> bool:
    """Say whether a level stands on the one below. touches, free: (upper, lower)."""
    if touches.any(axis=1).mean() < _MOST:
        return False
    return bool(np.median(free[touches]) < _CLOSE) or len(touches) < _FULL * below


def _count_below(touches: Flags, below: Ints, levels: list[Ints]) -> int:
    """Return how many boxes the levels have that bear something."""
    bearing = set(below[touches.any(axis=0)].tolist())
    return sum(len(level) for level in levels if bearing & set(level.tolist()))


def _free_between(boxes: Boxes, slant: Slant, upper: Ints, lower: Ints) -> Floats:
    """Return the distance from each foot to each head, positive where the head lies lower; shape (upper, lower)."""
    feet = slant.level(boxes.centre[upper], boxes.bottom[upper])
    heads = slant.level(boxes.centre[lower], boxes.top[lower])
    smaller = np.minimum(boxes.height[upper, None], boxes.height[None, lower])
    return np.asarray((heads[None, :] - feet[:, None]) / smaller, np.float64)


def _shared_width(boxes: Boxes, slant: Slant, upper: Ints, lower: Ints) -> Floats:
    """Return the share of the narrower width that lies over each other, leaning as the picture does."""
    lean = slant.tilt * (boxes.height[upper, None] + boxes.height[None, lower]) / 2
    left = np.maximum(boxes.left[upper, None] - lean, boxes.left[None, lower])
    right = np.minimum(boxes.right[upper, None] - lean, boxes.right[None, lower])
    return np.asarray((right - left) / np.minimum(boxes.width[upper, None], boxes.width[None, lower]), np.float64)
