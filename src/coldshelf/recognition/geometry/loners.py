"""Single boxes on a level of their own: a shelf where the picture shows its rail, else a slip or half hidden. Pure."""

from typing import Final

import numpy as np

from coldshelf.recognition.geometry.levelled import Levelled
from coldshelf.recognition.geometry.levels import Bodies
from coldshelf.recognition.geometry.parts import Ints
from coldshelf.recognition.geometry.rails import Rails

_A_ROW: Final = 3
"""So many boxes are a shelf without further proof."""
_ALIKE: Final = 0.6
_EDGE: Final = 0.6
"""Likeness to the known rails, and share of the width with an edge, that prove a shelf below a single box."""
_LOOSE: Final = 0.12
"""Heights by which the box may miss its rail."""
_ON_TOP: Final = 0.5
"""Heights by which a foot may miss the head below of a thing that it stands on."""
_SHARED: Final = 0.5
_HANGS: Final = 0.3
"""Heights below a shelf's edge up to which a box is taken for a slip on that shelf, not above the next one."""


def settle_loners(floors: list[Ints], supports: Ints, bodies: Bodies, levelled: Levelled) -> tuple[list[Ints], Ints]:
    """Return floors and supports, with unproven single boxes put on the box or the shelf below them."""
    full = [floor for floor in floors if len(floor) >= _A_ROW]
    alone = [floor for floor in floors if len(floor) == 1]
    if not full or not alone:
        return floors, supports
    rails = Rails(levelled, bodies, full)
    if not rails.is_told:
        return floors, supports
    doubtful = [int(floor[0]) for floor in alone if not _is_proven(int(floor[0]), bodies, levelled, rails)]
    kept = [floor for floor in floors if len(floor) > 1 or int(floor[0]) not in doubtful]
    supports = supports.copy()
    for box in doubtful:
        below = _thing_below(box, np.concatenate(kept), bodies)
        if below is None:
            number = _shelf_below(box, kept, bodies)
            joined = np.append(kept[number], box)
            kept[number] = joined[np.argsort(bodies.centre[joined], kind="stable")]
        else:
            supports[box] = below
    return kept, supports


def _is_proven(box: int, bodies: Bodies, levelled: Levelled, rails: Rails) -> bool:
    loose = _LOOSE * bodies.height[box]
    first = max(levelled.row_of(float(bodies.foot[box] - loose)), 0)
    last = min(levelled.row_of(float(bodies.foot[box] + loose)) + 1, len(rails.alike))
    if first >= last:
        return False
    return bool(((rails.alike[first:last] >= _ALIKE) & (rails.edges[first:last] >= _EDGE)).any())


def _thing_below(box: int, others: Ints, bodies: Bodies) -> int | None:
    """Return the box on whose head a box stands, None when there is none."""
    free = np.abs(bodies.head[others] - bodies.foot[box]) / np.minimum(bodies.height[others], bodies.height[box])
    left = np.maximum(bodies.left[others], bodies.left[box])
    right = np.minimum(bodies.right[others], bodies.right[box])
    shared = (right - left) / np.minimum(bodies.width[others], bodies.width[box])
    bears = (free <= _ON_TOP) & (shared >= _SHARED)
    return int(others[int(np.argmin(np.where(bears, free, np.inf)))]) if bears.any() else None


def _shelf_below(box: int, floors: list[Ints], bodies: Bodies) -> int:
    feet = np.array([float(np.median(bodies.foot[floor])) for floor in floors])
    below = np.flatnonzero(feet >= bodies.foot[box] - _HANGS * bodies.height[box])
    return int(below[0]) if len(below) else len(floors) - 1
