"""How full the column behind a facing is, from how far the facing stands back. Pure.

Assumption: a column is four products deep at most, is emptied from the front and never drawn forward, so that a facing
which stands one product's depth behind its shelf's edge leaves 75 percent, two 50, three or more 25. A facing at the
edge hides what is behind it, so nothing is said of it. A product is as deep as it is wide.

Seen from above, a thing on a shelf rises in the picture as it stands back. With the camera at distance D, the horizon
at y0 and a front edge at y, a thing z behind the edge has its foot at y0 + (y - y0) / (1 + z / D), a pinhole camera's
view. D is not known; people stand so that the picture takes in about as much as they are away, and hold the phone at
the height of their face: both are taken for usual. Near the horizon nothing shows, and nothing is said.
"""

from collections.abc import Sequence
from typing import Final

import numpy as np

from coldshelf.recognition.geometry.levels import Bodies
from coldshelf.recognition.geometry.parts import Floats
from coldshelf.recognition.geometry.rows import Row

_DISTANCE: Final = 1.6
"""Of the camera, in the larger of the stocked width and height."""
_HORIZON: Final = 0.4
"""Height of the camera, as a share of the way from the top of the stocked part to its foot."""
_SEEN: Final = 0.09
"""Rise in heights of the facing from which it stands back; less is a loose box."""
_SHOWS: Final = 0.025
"""Rise per product, in heights of the facing, below which the shelf is seen too flat to tell."""
_PER_PRODUCT: Final = 25
_DEEPEST: Final = 3
_TOO_FAR: Final = 4.5
"""Products' depths by which nothing stands back: such a box is a slip."""
_COVERED: Final = 0.5
"""Share of a box's width that its neighbours cover, from which it shows behind them and heads no column."""


def fill_levels(rows: Sequence[Row], bodies: Bodies) -> list[int | None]:
    """Return the fill level of each box that stands back on a shelf, None for all others."""
    levels: list[int | None] = [None] * len(bodies.foot)
    if not rows:
        return levels
    top, bottom = float(bodies.head.min()), float(bodies.foot.max())
    reach = max(float(bodies.right.max() - bodies.left.min()), bottom - top)
    horizon = top + _HORIZON * (bottom - top)
    for row in rows:
        edge = row.foot(bodies.centre[row.floor])
        rise = edge - bodies.foot[row.floor]
        step = _step_back(edge - horizon, bodies.width[row.floor], _DISTANCE * reach)
        height = bodies.height[row.floor]
        stands_back = (rise >= np.maximum(_SEEN * height, step / 2)) & (step >= _SHOWS * height)
        stands_back &= (rise <= _TOO_FAR * step) & (_covered(row, bodies) < _COVERED)
        for box, back in zip(row.floor[stands_back], (rise / np.maximum(step, 1e-9))[stands_back], strict=True):
            missing = min(max(round(float(back)), 1), _DEEPEST)
            levels[int(box)] = 100 - _PER_PRODUCT * missing
    return levels


def _step_back(below_horizon: Floats, depth: Floats, distance: float) -> Floats:
    """Return by how much a foot rises when its facing stands one product's depth further back, shape (n,)."""
    return np.asarray(below_horizon * (1 - 1 / (1 + depth / distance)), np.float64)


def _covered(row: Row, bodies: Bodies) -> Floats:
    """Return the share of each box's width that its neighbours on the shelf cover, shape (n,)."""
    left, right = bodies.left[row.floor], bodies.right[row.floor]
    covered = np.zeros(len(left))
    shared = np.maximum(right[:-1] - left[1:], 0)
    covered[1:] += shared
    covered[:-1] += shared
    return np.asarray(covered / (right - left), np.float64)
