"""Finds rows of products in a level picture: which bands, and which windows side by side in each. Pure.

Every window of many sizes has a likeness to some product. A row is a chain of windows of one height and about one
width; its value is the likeness above a threshold times the area, less a price for each start of a chain. Dynamic
programming finds the best chain of every band, and again the best set of bands that do not overlap.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from coldshelf.recognition.appearance import TINY_HEIGHT, TINY_WIDTH, Floats
from coldshelf.recognition.templates import likeness, shrink

GRID: Final = 4
"""Windows start at every fourth pixel of the working picture."""
HEIGHTS: Final = tuple(float(value) for value in np.geomspace(28, 150, 12))
WIDTHS: Final = tuple(float(value) for value in np.geomspace(14, 100, 11))
"""Sizes of products in pixels of a working picture whose long side is 416."""
_ASPECTS: Final = (1.05, 3.4)
_STRETCH: Final = (0.88, 1.0, 1.12)
_START_PRICE: Final = 0.05
_THRESHOLD: Final = 0.68
_TALL: Final = 1.4
"""Power of the height in a band's value; above 1 whole bottles win over their labels alone."""
_OVERLAP: Final = 0.1
# Prices of a second look at each row: windows that differ from its usual size must look that much more like a product.
_FOOT_SHIFTS: Final = (-0.06, 0.0, 0.06)
_FOOT_TOLERANCE: Final = 0.06
_HEIGHT_PRICE: Final = 0.1
_WIDTH_PRICE: Final = 0.1
_MIXED_HEIGHTS: Final = (0.55, 1.3)


@dataclass(frozen=True, slots=True)
class Window:
    """A product's place in pixels of the level picture, and its likeness to a product."""

    left: float
    top: float
    right: float
    bottom: float
    score: float


@dataclass(frozen=True, slots=True)
class Row:
    """A row of products in the level picture."""

    top: float
    bottom: float
    windows: tuple[Window, ...]
    value: float


@dataclass(frozen=True, slots=True)
class _Bands:
    """Best chains of one window width, for all bands. Arrays have the shape (bands, grid + 1)."""

    width: float
    tops: Floats
    heights: Floats
    scores: Floats
    total: Floats
    """Best value of all chains that end at or before the column."""
    steps: NDArray[np.int16]
    """Width of the last window of the best chain that ends in the column, in grid steps."""
    starts: NDArray[np.bool_]
    """Whether that window is the first of its chain."""


def find_rows(channels: tuple[Floats, Floats], templates: Floats) -> list[Row]:
    """Return the best rows from top to bottom."""
    if channels[0].shape[1] < 2 * GRID or not len(templates):
        return []
    bands = [
        _best_chains(tops, heights, scores, step)
        for step, (tops, heights, scores) in _score_bands(channels, templates).items()
    ]
    return [_refine(row, bands) for row in _best_rows(bands)]


def _score_bands(channels: tuple[Floats, Floats], templates: Floats) -> Mapping[float, tuple[Floats, Floats, Floats]]:
    """Return, by window width, tops (bands,), heights (bands,) and likeness (bands, grid) of the left edges."""
    found: dict[float, tuple[Floats, Floats, Floats]] = {}
    for window_width in WIDTHS:
        parts = [
            part
            for window_height in HEIGHTS
            if _ASPECTS[0] <= window_height / window_width <= _ASPECTS[1]
            and (part := _score_size(channels, templates, window_width, window_height)) is not None
        ]
        if parts:
            tops, heights, scores = (np.concatenate([part[i] for part in parts]) for i in range(3))
            found[window_width] = (tops, heights, scores)
    return found


def _score_size(
    channels: tuple[Floats, Floats], templates: Floats, window_width: float, window_height: float
) -> tuple[Floats, Floats, Floats] | None:
    height, width = channels[0].shape[:2]
    cells_across = round(width * TINY_WIDTH / window_width)
    cells_down = round(height * TINY_HEIGHT / window_height)
    if cells_across < TINY_WIDTH + 1 or cells_down < TINY_HEIGHT:
        return None
    scores = likeness(shrink(channels, width=cells_across, height=cells_down), templates)
    tops = np.arange(len(scores), dtype=np.float32) * (height / cells_down)
    heights = np.full(len(scores), TINY_HEIGHT * height / cells_down, np.float32)
    return tops, heights, _on_grid(scores, width / cells_across, width // GRID)


def _on_grid(scores: Floats, cell: float, columns: int) -> Floats:
    """Interpolate the likeness at window starts from cells to grid steps; -1 where no window fits."""
    position = np.arange(columns) * GRID / cell
    fits = position <= scores.shape[1] - 1
    before = np.clip(position.astype(np.intp), 0, max(scores.shape[1] - 2, 0))
    after = np.minimum(before + 1, scores.shape[1] - 1)
    part = np.clip(position - before, 0, 1).astype(np.float32)
    return np.where(fits, scores[:, before] * (1 - part) + scores[:, after] * part, -1).astype(np.float32)


def _best_chains(tops: Floats, heights: Floats, scores: Floats, window_width: float) -> _Bands:
    count, columns = scores.shape
    total = np.zeros((count, columns + 1), np.float32)
    running = np.full((count, columns + 1), -np.inf, np.float32)
    steps = np.zeros((count, columns + 1), np.int16)
    starts = np.zeros((count, columns + 1), np.bool_)
    for column in range(1, columns + 1):
        for step in sorted({max(1, round(window_width * stretch / GRID)) for stretch in _STRETCH}):
            left = column - step
            if left < 0:
                continue
            fresh = total[:, left] - _START_PRICE * window_width
            value = np.maximum(running[:, left], fresh) + (scores[:, left] - _THRESHOLD) * (step * GRID)
            better = value > running[:, column]
            running[better, column] = value[better]
            steps[better, column] = step
            starts[better, column] = (fresh >= running[:, left])[better]
        total[:, column] = np.maximum(total[:, column - 1], running[:, column])
    return _Bands(window_width, tops, heights, scores, total, steps, starts)


def _best_rows(bands: list[_Bands]) -> list[Row]:
    """Choose the bands of the highest summed value that do not overlap, by weighted interval scheduling."""
    found = [
        (float(part.tops[i] + part.heights[i]), float(part.tops[i]), float(value), number, int(i))
        for number, part in enumerate(bands)
        for i, value in enumerate(part.total[:, -1] * part.heights**_TALL)
        if value > 0
    ]
    found.sort()
    ends = np.array([entry[0] for entry in found])
    best, before = [0.0], [-1]
    for j, (bottom, top, value, _, _) in enumerate(found):
        fits = min(int(np.searchsorted(ends, top + _OVERLAP * (bottom - top), side="right")), j)
        takes = best[fits] + value > best[j]
        best.append(best[fits] + value if takes else best[j])
        before.append(fits if takes else -1)
    rows, j = [], len(found)
    while j > 0:
        if before[j] < 0:
            j -= 1
            continue
        bottom, top, value, number, i = found[j - 1]
        rows.append(Row(top, bottom, _windows(bands[number], i), value))
        j = before[j]
    return rows[::-1]


def _windows(part: _Bands, band: int) -> tuple[Window, ...]:
    """Follow the best chains of a band back from the right."""
    windows: list[Window] = []
    top, bottom = float(part.tops[band]), float(part.tops[band] + part.heights[band])
    column, chained = part.total.shape[1] - 1, False
    while column > 0:
        if not chained and part.total[band, column] == part.total[band, column - 1]:
            column -= 1
            continue
        left = column - int(part.steps[band, column])
        score = float(part.scores[band, left])
        windows.append(Window(left * GRID, top, column * GRID, bottom, score))
        chained = not bool(part.starts[band, column])
        column = left
    return tuple(windows[::-1])


def _refine(row: Row, bands: list[_Bands]) -> Row:
    """Let windows of a row differ in height and width: bottles and cans share a shelf, and so a foot line."""
    height = row.bottom - row.top
    width = float(np.median([window.right - window.left for window in row.windows]))
    best = row
    for shift in _FOOT_SHIFTS:
        bottom = row.bottom + shift * height
        sizes = [size for part in bands if (size := _sizes_on(part, bottom, height, width)) is not None]
        windows, value = _best_mixed_chain(sizes, bottom)
        if value > best.value or best is row:
            best = Row(row.top, bottom, windows, value)
    return replace(best, value=row.value) if best.windows else row


@dataclass(frozen=True, slots=True)
class _Size:
    """Windows of one width on a foot line: gain, likeness and height at each grid column, the best height chosen."""

    width: float
    gains: Floats
    scores: Floats
    heights: Floats


def _sizes_on(part: _Bands, bottom: float, height: float, width: float) -> _Size | None:
    feet = part.tops + part.heights
    chosen = np.abs(feet - bottom) <= _FOOT_TOLERANCE * height
    chosen &= (part.heights >= _MIXED_HEIGHTS[0] * height) & (part.heights <= _MIXED_HEIGHTS[1] * height)
    if not chosen.any():
        return None
    scores, heights = part.scores[chosen], part.heights[chosen]
    other = np.abs(np.log(heights / height)) * _HEIGHT_PRICE + abs(np.log(part.width / width)) * _WIDTH_PRICE
    gains = (scores - _THRESHOLD - other[:, None]) * (heights[:, None] / height) ** _TALL
    best = gains.argmax(0)
    columns = np.arange(scores.shape[1])
    return _Size(part.width, gains[best, columns], scores[best, columns], heights[best])


@dataclass(frozen=True, slots=True)
class _Move:
    """The last window of the best chain that ends in a column; `starts` says whether it is the first one."""

    left: int
    size: _Size
    starts: bool


def _best_mixed_chain(sizes: list[_Size], bottom: float) -> tuple[tuple[Window, ...], float]:
    """Return the best chain of windows of any size on a foot line, and its value."""
    columns = max((len(size.gains) for size in sizes), default=0)
    total, running = [0.0] * (columns + 1), [-np.inf] * (columns + 1)
    last: list[_Move | None] = [None] * (columns + 1)
    steps = [(size, max(1, round(size.width * stretch / GRID))) for size in sizes for stretch in _STRETCH]
    for column in range(1, columns + 1):
        for size, step in steps:
            left = column - step
            if left < 0 or size.gains[left] < 0:
                continue
            fresh = total[left] - _START_PRICE * size.width
            value = max(running[left], fresh) + float(size.gains[left]) * step * GRID
            if value > running[column]:
                running[column], last[column] = value, _Move(left, size, fresh >= running[left])
        total[column] = max(total[column - 1], running[column])
    return _mixed_windows(last, total, bottom), total[columns]


def _mixed_windows(last: list[_Move | None], total: list[float], bottom: float) -> tuple[Window, ...]:
    """Follow the best chains back from the right."""
    windows: list[Window] = []
    column, chained = len(last) - 1, False
    while column > 0:
        move = last[column]
        if move is None or (not chained and total[column] == total[column - 1]):
            column -= 1
            continue
        top = bottom - float(move.size.heights[move.left])
        windows.append(Window(move.left * GRID, top, column * GRID, bottom, float(move.size.scores[move.left])))
        chained = not move.starts
        column = move.left
    return tuple(windows[::-1])
