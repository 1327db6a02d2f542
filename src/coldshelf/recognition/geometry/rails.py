"""Shelves on which no box stands, found by their front rails: what runs below the feet elsewhere runs there too. Pure.

A rail's look is the mean colour along the shelf, row by row below its edge, less its mean. Shelves are sought where the
space between two rows, or below the last one, is high enough for another. Above the first row they are not: there the
cooler's own frame looks too much like a rail.
"""

from collections.abc import Sequence
from typing import Final

import numpy as np

from coldshelf.recognition.geometry.levelled import Levelled
from coldshelf.recognition.geometry.levels import Bodies
from coldshelf.recognition.geometry.parts import Floats, Ints
from coldshelf.recognition.geometry.rows import Row

_RAIL: Final = 0.35
"""Height that is compared, in facings."""
_LOOSE: Final = 0.1
"""Facings by which a row's feet may lie off its rail's edge."""
_ALIKE: Final = 0.85
"""Likeness to the known rails from which a place is one. On rendered scenes all empty shelves between rows lie over
0.9, and nothing else that has an edge."""
_EDGE: Final = 0.7
"""Share of the width along which the edge is clear."""
_FAINTEST: Final = 30.0
"""Squared grey levels, summed over a look: with less contrast any two places are alike."""
_CLEAR: Final = 5.0
_ROOM: Final = 0.6
"""Least height of a shelf in the lower of its neighbours' facings; what is lower is the shelf's own underside."""
_BELOW: Final = (0.7, 1.6)
"""Distance of the last shelf's floor from the last row, in median steps of the rows."""
_FEWEST_ROWS: Final = 2


class Rails:
    """How much each row of the levelled picture looks like the edge of a known shelf.

    alike: likeness of what lies below to the known rails; edges: share of the width with a clear edge; shape (rows,).
    With fewer than two known shelves in the picture nothing `is_told`, and nothing is alike.
    """

    def __init__(self, levelled: Levelled, bodies: Bodies, floors: Sequence[Ints]) -> None:
        height = float(np.median(bodies.height))
        looks = _looks(levelled, max(int(_RAIL * height / levelled.step), 4))
        feet = [levelled.row_of(float(np.median(bodies.foot[floor]))) for floor in floors]
        known = [foot for foot in feet if 0 <= foot < len(looks)]
        self.alike: Floats = np.zeros(len(looks))
        self.is_told = len(known) >= _FEWEST_ROWS
        if self.is_told:
            self.alike = _likeness(looks, _usual_rail(looks, known, max(int(_LOOSE * height / levelled.step), 2)))
        self.edges = _clear_edges(levelled)[: len(looks)]


def find_unseen_shelves(rows: Sequence[Row], bodies: Bodies, levelled: Levelled) -> list[float]:
    """Return the levels of the front edges of shelves without boxes, from the top."""
    if len(rows) < _FEWEST_ROWS:
        return []
    rails = Rails(levelled, bodies, [row.floor for row in rows])
    rail_like = (rails.alike >= _ALIKE) & (rails.edges >= _EDGE)
    found = []
    for start, end in _free_spaces(rows, bodies):
        first, last = max(levelled.row_of(start), 0), min(levelled.row_of(end), len(rail_like))
        if first < last and rail_like[first:last].any():
            found.append(levelled.level_of(first + int(np.argmax(np.where(rail_like, rails.alike, -1)[first:last]))))
    return found


def _free_spaces(rows: Sequence[Row], bodies: Bodies) -> list[tuple[float, float]]:
    """Return the stretches of levels in which a rail of another shelf may lie."""
    feet = [float(np.median(bodies.foot[row.floor])) for row in rows]
    heights = [float(np.median(bodies.height[row.floor])) for row in rows]
    inside = [np.concatenate((row.floor, row.stacked)) for row in rows]
    heads = [float(np.quantile(bodies.head[each], 0.1)) for each in inside]
    spaces = [
        (feet[i] + _ROOM * min(heights[i], heights[i + 1]), heads[i + 1] + _LOOSE * heights[i + 1] / 2)
        for i in range(len(rows) - 1)
    ]
    step = float(np.median(np.diff(feet)))
    return [*spaces, (feet[-1] + _BELOW[0] * step, feet[-1] + _BELOW[1] * step)]


def _looks(levelled: Levelled, count: int) -> Floats:
    """Return what lies below each row of the levelled picture, less its mean, shape (rows - count, count * 3)."""
    along = levelled.pixels.mean(axis=1)
    if len(along) <= count:
        return np.zeros((0, count * 3))
    looks = np.lib.stride_tricks.sliding_window_view(along, count, axis=0)[:-1]
    return np.asarray((looks - looks.mean(axis=2, keepdims=True)).reshape(len(looks), -1), np.float64)


def _likeness(looks: Floats, rail: Floats) -> Floats:
    """Return 1 for the same look, 0 for an even one, less for others; shape (n,)."""
    apart = ((looks - rail) ** 2).sum(axis=1)
    return np.asarray(1 - apart / ((looks**2).sum(axis=1) + (rail**2).sum() + _FAINTEST), np.float64)


def _usual_rail(looks: Floats, known: list[int], loose: int) -> Floats:
    """Return the median look of the known rails, each shifted to where it is most like the others."""
    places = known
    for _ in range(2):
        rail = np.median(looks[places], axis=0)
        places = [_most_alike(looks, rail, place, loose) for place in known]
    return np.asarray(np.median(looks[places], axis=0), np.float64)


def _most_alike(looks: Floats, rail: Floats, place: int, loose: int) -> int:
    first = max(place - loose, 0)
    return first + int(np.argmax(_likeness(looks[first : place + loose + 1], rail)))


def _clear_edges(levelled: Levelled) -> Floats:
    """Return the share of the width along which an edge runs near each row, shape (rows,)."""
    grey = np.pad(levelled.pixels.mean(axis=2), ((2, 2), (0, 0)), mode="edge")
    soft = (grey[:-2] + 2 * grey[1:-1] + grey[2:]) / 4
    steps = (soft[2:] - soft[:-2]) / max(float(grey.std()) / _CLEAR, 3.0)
    clear = np.abs(np.clip(steps, -1, 1).mean(axis=1))
    near = np.pad(clear, (2, 3))
    return np.asarray(np.lib.stride_tricks.sliding_window_view(near, 6).max(axis=1), np.float64)
