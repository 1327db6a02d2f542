"""Finds the products of a picture, row by row, whatever its size and slant. Pure.

The picture is brought to a long side of 416 pixels, its shelves are made level, and rows are found. When they fill
only a part of the picture, a second look at that part alone sees its products larger.
"""

from dataclasses import dataclass, replace
from typing import Final

import cv2
import numpy as np

from coldshelf.recognition.appearance import Floats
from coldshelf.recognition.levelling import Levelling, estimate_levelling
from coldshelf.recognition.recogniser import Box, Pixels
from coldshelf.recognition.rows import Row, Window, find_rows
from coldshelf.recognition.templates import channels_of

WORK_SIDE: Final = 416
_MIN_SIDE: Final = 32
_MIN_WORK_SIDE: Final = 48
_WEAK_ROW: Final = 0.2
"""A row below this share of the best row's value is taken for clutter."""
_ODD_WIDTH: Final = 1.8
"""Products of one cooler differ less in width than by this factor; headers and doors do not."""
_COMMON_COLUMNS: Final = 0.4
"""Share of the rows that must reach a column for it to belong to the cooler's inside."""
_COMMON_APART: Final = 0.7
_APART: Final = 1.5
"""Distance in widths from which windows of a row stand apart."""
_LOOK_AGAIN: Final = 0.8
_MARGIN: Final = 0.6


@dataclass(frozen=True, slots=True)
class Place:
    """An upright box around a product in the picture as taken, and its likeness to some product, up to 1."""

    box: Box
    score: float


@dataclass(frozen=True, slots=True)
class PlacedRow:
    """Products of a shelf from left to right, and the levelling that maps their row."""

    places: tuple[Place, ...]


def find_places(image: Pixels, templates: Floats) -> list[PlacedRow]:
    """Return rows from top to bottom; none when the picture is too small or too narrow."""
    height, width = image.shape[:2]
    if min(height, width) < _MIN_SIDE or not len(templates):
        return []
    whole = (0, 0, width, height)
    rows = _look(image, whole, templates)
    part = _filled_part(rows, width, height)
    if part is None or part == whole:
        return rows
    closer = _look(image, part, templates)
    return closer if _evidence(closer) >= _evidence(rows) else rows


def _look(image: Pixels, part: tuple[int, int, int, int], templates: Floats) -> list[PlacedRow]:
    """Find rows in a part of the picture (left, top, right, bottom)."""
    left, top, right, bottom = part
    scale = WORK_SIDE / max(right - left, bottom - top)
    size = (round((right - left) * scale), round((bottom - top) * scale))
    if min(size) < _MIN_WORK_SIDE:
        return []
    method = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    work = np.asarray(cv2.resize(image[top:bottom, left:right], size, interpolation=method), np.uint8)
    levelling = estimate_levelling(work)
    rows = _without_clutter(find_rows(channels_of(levelling.level(work)), templates))
    return [_placed(row, levelling, scale, left, top) for row in rows]


def _placed(row: Row, levelling: Levelling, scale: float, left: int, top: int) -> PlacedRow:
    places = []
    for window in row.windows:
        x, y = (window.left + window.right) / 2, (window.top + window.bottom) / 2
        drop = levelling.lift(x, y) - y
        box = (
            left + window.left / scale,
            top + (window.top + drop) / scale,
            left + window.right / scale,
            top + (window.bottom + drop) / scale,
        )
        places.append(Place(box, window.score))
    return PlacedRow(tuple(places))


def _without_clutter(rows: list[Row]) -> list[Row]:
    """Drop weak rows, and windows in columns that too few rows reach."""
    strongest = max((row.value for row in rows), default=0.0)
    usual = float(np.median([width for row in rows for width in [_width(row)] * len(row.windows)] or [0.0]))
    strong = [
        row
        for row in rows
        if row.value >= _WEAK_ROW * strongest and usual / _ODD_WIDTH <= _width(row) <= usual * _ODD_WIDTH
    ]
    reached = np.zeros(WORK_SIDE + 1, np.float32)
    for row in strong:
        columns = np.zeros(WORK_SIDE + 1, np.bool_)
        for window in row.windows:
            columns[int(window.left) : int(window.right) + 1] = True
        reached += columns
    reached /= max(float(reached.max(initial=0)), 1.0)
    kept = [replace(row, windows=_inside(row, reached)) for row in strong]
    return [row for row in kept if row.windows]


def _inside(row: Row, reached: Floats) -> tuple[Window, ...]:
    """Return windows in columns that enough rows reach; more rows for windows that stand apart from the longest run.

    `reached` is the share of rows for each column, of the best reached one.
    """
    runs: list[list[Window]] = []
    for window in row.windows:
        if runs and window.left - runs[-1][-1].right <= _APART * _width(row):
            runs[-1].append(window)
        else:
            runs.append([window])
    longest = max(runs, key=len)
    return tuple(
        window
        for run in runs
        for window in run
        if reached[min(int((window.left + window.right) / 2), WORK_SIDE)]
        >= (_COMMON_COLUMNS if run is longest else _COMMON_APART)
    )


def _width(row: Row) -> float:
    """Return the width of a row's usual window."""
    return float(np.median([window.right - window.left for window in row.windows]))


def _filled_part(rows: list[PlacedRow], width: int, height: int) -> tuple[int, int, int, int] | None:
    """Return the part of the picture that holds all places, when it is clearly smaller than the picture."""
    boxes = np.array([place.box for row in rows for place in row.places])
    if not len(boxes):
        return None
    across, down = _MARGIN * np.median(boxes[:, 2:] - boxes[:, :2], axis=0)
    left, top = max(0, int(boxes[:, 0].min() - across)), max(0, int(boxes[:, 1].min() - down))
    right, bottom = min(width, int(boxes[:, 2].max() + across)), min(height, int(boxes[:, 3].max() + down))
    if max(right - left, bottom - top) > _LOOK_AGAIN * max(width, height):
        return None
    return left, top, right, bottom


def _evidence(rows: list[PlacedRow]) -> float:
    return sum(
        place.score * (place.box[2] - place.box[0]) * (place.box[3] - place.box[1])
        for row in rows
        for place in row.places
    )
