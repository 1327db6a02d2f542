"""Frames between the doors of a cooler: upright bars that no row of products crosses. Pure."""

from collections.abc import Sequence
from typing import Final

import numpy as np

from coldshelf.recognition.geometry.borders import Borders
from coldshelf.recognition.geometry.levelled import Levelled
from coldshelf.recognition.geometry.levels import Bodies
from coldshelf.recognition.geometry.parts import Flags, Floats
from coldshelf.recognition.geometry.rows import Row

_STEPS: Final = 320
"""Places across the cooler that are looked at."""
_FEWEST_ROWS: Final = 2
_MOST_FREE: Final = 0.9
"""Share of the rows on both sides of a place that must leave it free."""
_HALF: Final = 0.5
"""Share of all rows that must reach from one side of a frame to the other."""
_NARROWEST: Final = 0.25
"""Width of a frame in facings."""
_UPRIGHT: Final = 0.5
"""Share of a frame's length along which its sides are seen."""
_NEAR: Final = 0.25
"""Facings by which a side may lie off the free stretch."""
_LEAN: Final = 0.06
"""Share of the cooler's width by which a frame may lean otherwise than its sides."""
_CLEAR: Final = 5.0
"""Share of the picture's contrast at which an edge is as clear as can be: one fifth."""


def find_frames(rows: Sequence[Row], bodies: Bodies, borders: Borders, levelled: Levelled) -> list[tuple[float, float]]:
    """Return the frames from left to right, each as shares of the cooler's width where it begins and ends."""
    if len(rows) < _FEWEST_ROWS:
        return []
    free, reached = _free_and_reached(rows, bodies, borders)
    counts = reached.sum(axis=0)
    enough = counts >= max(_FEWEST_ROWS, _HALF * len(rows))
    open_places = enough & ((free & reached).sum(axis=0) >= _MOST_FREE * counts)
    facing = _facing_share(bodies, borders)
    edges = _edges(levelled, rows, bodies)
    wide = [(start, end) for start, end in _stretches(open_places) if end - start >= _NARROWEST * facing]
    frames = [_frame_in(edges, start, end, reach=_NEAR * facing) for start, end in wide]
    return [frame for frame in frames if frame is not None]


def _free_and_reached(rows: Sequence[Row], bodies: Bodies, borders: Borders) -> tuple[Flags, Flags]:
    """Return where rows are free and where they have boxes on both sides, shape (rows, steps) each."""
    at = (np.arange(_STEPS) + 0.5) / _STEPS
    free, reached = [], []
    for row in rows:
        sides = borders.at(float(np.median(bodies.foot[row.floor])))
        left = (bodies.left[row.floor] - sides[0]) / (sides[1] - sides[0])
        right = (bodies.right[row.floor] - sides[0]) / (sides[1] - sides[0])
        free.append(~((at >= left[:, None]) & (at <= right[:, None])).any(axis=0))
        reached.append((at > left.min()) & (at < right.max()))
    return np.array(free), np.array(reached)


def _facing_share(bodies: Bodies, borders: Borders) -> float:
    left, right = borders.at(float(np.median(bodies.foot)))
    return float(np.median(bodies.width)) / (right - left)


def _stretches(flags: Flags) -> list[tuple[float, float]]:
    """Return the runs of set flags as shares of the whole."""
    edges = np.flatnonzero(np.diff(np.concatenate(([0], flags.astype(np.int8), [0]))))
    return [(float(a) / len(flags), float(b) / len(flags)) for a, b in edges.reshape(-1, 2)]


def _edges(levelled: Levelled, rows: Sequence[Row], bodies: Bodies) -> Floats:
    """Return the tone's step to the right at each place of the stocked part, from -1 to 1, shape (rows, columns)."""
    top = levelled.row_of(float(bodies.head[rows[0].floor].min()))
    bottom = levelled.row_of(float(bodies.foot[rows[-1].floor].max()))
    grey = levelled.pixels[max(top, 0) : max(bottom, 1)].mean(axis=2)
    steps = np.zeros_like(grey)
    steps[:, 1:-1] = grey[:, 2:] - grey[:, :-2]
    return np.asarray(np.clip(steps / max(float(grey.std()) / _CLEAR, 3.0), -1, 1), np.float64)


def _frame_in(edges: Floats, start: float, end: float, *, reach: float) -> tuple[float, float] | None:
    """Find clear edges down the left and the right half of a free stretch, one up and one down in tone.

    Frames need not lean exactly as the cooler's sides do: a few leans are tried.
    """
    count = edges.shape[1]
    places = np.arange(int((start - reach) * count), int(np.ceil((end + reach) * count)))
    down = np.linspace(-0.5, 0.5, len(edges))
    best, frame = _UPRIGHT, None
    for lean in np.linspace(-_LEAN, _LEAN, 9) * count:
        across = np.clip(places[None, :] + np.round(lean * down)[:, None].astype(np.intp), 0, count - 1)
        upright = np.take_along_axis(edges, across, axis=1).mean(axis=0)
        for tone in (1, -1):
            clear, left, right = _pair(tone * upright)
            if clear >= best:
                best, frame = clear, (float(places[left]) / count, float(places[right] + 1) / count)
    return frame


def _pair(upright: Floats) -> tuple[float, int, int]:
    """Return how clear the edges of a dark bar are, down at the left and up at the right, and where they are."""
    half = max(len(upright) // 2, 1)
    left, right = int(np.argmin(upright[:half])), len(upright) - 1 - int(np.argmax(upright[half:][::-1]))
    return float(min(-upright[left], upright[right])), left, right
