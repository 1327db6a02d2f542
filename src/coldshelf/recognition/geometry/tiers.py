"""Tiers: every shelf of the cooler with what stands on it and its gaps, seen by its boxes or by its rail. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from coldshelf.recognition.geometry.borders import Borders
from coldshelf.recognition.geometry.emptiness import Looks
from coldshelf.recognition.geometry.gaps import Span, fill_with_gaps, find_gaps, usual_spacing
from coldshelf.recognition.geometry.levels import Bodies
from coldshelf.recognition.geometry.rows import Row
from coldshelf.recognition.geometry.slant import Slant
from coldshelf.recognition.recogniser import Corners, Shelf

_UP_TO_RAIL: Final = 0.85
"""Share of a free space that is sure not to show the rail of the shelf above."""


@dataclass(frozen=True, slots=True)
class Tier:
    """A shelf: level of its front edge, highest thing in it, its row (None without boxes), its gaps from the left."""

    foot: float
    height: float
    row: Row | None
    gaps: tuple[Span, ...]


@dataclass(frozen=True, slots=True)
class Cabinet:
    """The cooler around the rows: its sides, frames between doors as shares of its width, how the picture slants."""

    borders: Borders
    frames: tuple[tuple[float, float], ...]
    slant: Slant

    def parts(self, level: float) -> list[tuple[float, float]]:
        """Return the stretch of x behind each door at a level, from the left."""
        left, right = self.borders.at(level)
        starts = [0.0, *(end for _, end in self.frames)]
        ends = [*(start for start, _ in self.frames), 1.0]
        width = right - left
        return [(left + a * width, left + max(b, a) * width) for a, b in zip(starts, ends, strict=True)]

    def door(self, x: float, level: float) -> int:
        """Return the door behind which a thing stands, from 1 at the left."""
        left, right = self.borders.at(level)
        return 1 + sum(left + (start + end) / 2 * (right - left) < x for start, end in self.frames)


def tier_of_row(row: Row, bodies: Bodies, cabinet: Cabinet, looks: Looks) -> Tier:
    foot = float(np.median(bodies.foot[row.floor]))
    inside = np.concatenate((row.floor, row.stacked))
    height = float((row.foot(bodies.centre[inside]) - bodies.head[inside]).max())
    gaps = find_gaps(row, bodies, cabinet.slant, parts=cabinet.parts(foot), looks=looks)
    return Tier(foot, height, row, tuple(gaps))


def tier_without_boxes(foot: float, above: Sequence[Tier], bodies: Bodies, cabinet: Cabinet, looks: Looks) -> Tier:
    """Return the shelf of a rail; its gaps are as wide as the usual facing and stay below the shelf above."""
    spacing = usual_spacing([tier.row for tier in above if tier.row is not None], bodies)
    width, height = float(np.median(bodies.width)) + spacing, float(np.median(bodies.height))
    ceiling = max((tier.foot for tier in above if tier.foot < foot), default=foot - height)
    height = min(height, max(_UP_TO_RAIL * (foot - ceiling), 1.0))
    parts = cabinet.parts(foot)
    gaps = fill_with_gaps(foot, cabinet.slant, parts=parts, facing=(width, height), looks=looks)
    return Tier(foot, height, None, tuple(gaps))


def shelf_of(number: int, tier: Tier, bodies: Bodies, cabinet: Cabinet) -> Shelf:
    """Return the space above a shelf's front edge as high as its tallest product, from side to side."""
    left, right = cabinet.borders.at(tier.foot)
    feet = [tier.foot, tier.foot]
    if tier.row is not None:
        floor = tier.row.floor
        left, right = min(left, float(bodies.left[floor].min())), max(right, float(bodies.right[floor].max()))
        feet = [float(tier.row.foot(x)) for x in (left, right)]
    ends = [cabinet.slant.y(foot, x) for foot, x in zip(feet, (left, right), strict=True)]
    up = tier.height
    corners: Corners = (left, ends[0] - up), (left, ends[0]), (right, ends[1]), (right, ends[1] - up)
    return Shelf(number, corners)
