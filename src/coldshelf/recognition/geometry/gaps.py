"""Free places of a row: wide enough for a product, and empty by their looks. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np

from coldshelf.recognition.geometry.emptiness import Looks
from coldshelf.recognition.geometry.levels import Bodies
from coldshelf.recognition.geometry.parts import Floats
from coldshelf.recognition.geometry.rows import Row
from coldshelf.recognition.geometry.slant import Slant
from coldshelf.recognition.recogniser import Box, Corners

_ROOM_BETWEEN: Final = 0.7
_ROOM_AT_END: Final = 0.95
"""Free stretch that counts as one place, in widths of the products around it."""
_WIDEST_SPACING: Final = 0.15
_ROUNDING: Final = 0.35
_AROUND: Final = 2
"""Products on either side that tell how wide a place is here."""
_MOST_PLACES: Final = 60
_FULL: Final = 0.57
"""Fullness from which a place has an unfound product. Of 25 empty and 254 full places of real coolers, judged by eye,
24 and 18 lie below; full ones that a detector misses are rarer than empty ones."""
_FULL_SHELF: Final = 0.66
"""The same for a shelf on which nothing was found at all."""
_NEARLY_ALL: Final = 0.8
"""Share of the places of a shelf without boxes that must look empty for the shelf to be an empty one."""

_NO_BOXES: Final = np.zeros(0, np.intp)


@dataclass(frozen=True, slots=True)
class Span:
    """A free place in the levelled picture: where it begins and ends, level of its foot, height."""

    left: float
    right: float
    foot: float
    height: float

    @property
    def centre(self) -> float:
        return (self.left + self.right) / 2

    def corners(self, slant: Slant) -> Corners:
        """Return the place in the picture; its sides stand upright, its foot runs along the shelf."""
        left, right = slant.y(self.foot, self.left), slant.y(self.foot, self.right)
        tall = self.height
        return (self.left, left - tall), (self.left, left), (self.right, right), (self.right, right - tall)

    def box(self, slant: Slant) -> Box:
        foot = slant.y(self.foot, self.centre)
        return self.left, foot - self.height, self.right, foot


def find_gaps(
    row: Row, bodies: Bodies, slant: Slant, *, parts: Sequence[tuple[float, float]], looks: Looks
) -> list[Span]:
    """Return the empty places of a row from left to right; `parts` are the stretches of x behind each door."""
    stretches = (cut for stretch in _free_stretches(row, bodies, parts) for cut in _behind_doors(stretch, parts))
    spans = (span for stretch in stretches for span in _split(stretch, row, bodies))
    return [span for span in spans if looks.fullness(span.box(slant), row.floor) < _FULL]


def fill_with_gaps(
    foot: float, slant: Slant, *, parts: Sequence[tuple[float, float]], facing: tuple[float, float], looks: Looks
) -> list[Span]:
    """Return the places of a shelf without boxes, none unless nearly all look empty; facing: width and height."""
    width, height = facing
    spans = []
    for left, right in parts:
        count = min(max(int((right - left) / width + _ROUNDING), 1), _MOST_PLACES)
        spans += [Span(float(a), float(b), foot, height) for a, b in pairwise(np.linspace(left, right, count + 1))]
    empty = sum(looks.fullness(span.box(slant), _NO_BOXES) < _FULL_SHELF for span in spans)
    return spans if empty >= _NEARLY_ALL * len(spans) else []


@dataclass(frozen=True, slots=True)
class _Stretch:
    """A free stretch of a row; `before` counts the boxes to the left of it, `room` is the least width of a place."""

    left: float
    right: float
    before: int
    room: float


def _free_stretches(row: Row, bodies: Bodies, parts: Sequence[tuple[float, float]]) -> Iterator[_Stretch]:
    sides = parts[0][0], parts[-1][1]
    left, right = bodies.left[row.floor], bodies.right[row.floor]
    reached = np.maximum.accumulate(right)
    beyond = float(np.median(right - left))
    first, last = sides[0] - beyond, sides[1] + beyond
    yield _Stretch(sides[0], float(left[0]), 0, _ROOM_AT_END)
    for number in range(1, len(left)):
        start, end = float(reached[number - 1]), float(left[number:].min())
        yield _Stretch(max(start, first), min(end, last), number, _ROOM_BETWEEN)
    yield _Stretch(float(reached[-1]), sides[1], len(left), _ROOM_AT_END)


def _behind_doors(stretch: _Stretch, parts: Sequence[tuple[float, float]]) -> Iterator[_Stretch]:
    """Cut a free stretch where frames between doors cross it."""
    if len(parts) == 1:
        yield stretch
        return
    for number, (start, end) in enumerate(parts):
        left = stretch.left if number == 0 else max(stretch.left, start)
        right = stretch.right if number == len(parts) - 1 else min(stretch.right, end)
        if left < right:
            whole = (left, right) == (stretch.left, stretch.right)
            yield _Stretch(left, right, stretch.before, stretch.room if whole else _ROOM_AT_END)


def _split(stretch: _Stretch, row: Row, bodies: Bodies) -> list[Span]:
    """Cut a free stretch into places as wide as the products around it, spaced as they are."""
    near = row.floor[max(stretch.before - _AROUND, 0) : stretch.before + _AROUND]
    width, height = float(np.median(bodies.width[near])), float(np.median(bodies.height[near]))
    spacing = usual_spacing([row], bodies)
    free = stretch.right - stretch.left
    if free < stretch.room * width + spacing / 2:
        return []
    count = min(max(1, int(free / (width + spacing) + _ROUNDING)), _MOST_PLACES)
    edges: Floats = np.linspace(stretch.left, stretch.right, count + 1)
    return [
        Span(float(start), float(end), float(row.foot((start + end) / 2)), height) for start, end in pairwise(edges)
    ]


def usual_spacing(rows: Sequence[Row], bodies: Bodies) -> float:
    """Return the usual distance between neighbours of a row, at most half a facing, in pixels."""
    apart = [bodies.left[row.floor[1:]] - bodies.right[row.floor[:-1]] for row in rows]
    every = np.concatenate(apart) if apart else np.zeros(0)
    if not every.size:
        return 0.0
    return float(np.clip(np.median(every), 0.0, _WIDEST_SPACING * np.median(bodies.width)))
