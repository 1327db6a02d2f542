"""Which found box is which true one. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from coldshelf.recognition.recogniser import Box, Corners

Floats = NDArray[np.float64]
MATCHES = 0.5
"""Overlap from which a found box counts as the true one."""


def box_of(corners: Corners) -> Box:
    """Return the upright box around four corners."""
    xs, ys = [x for x, _ in corners], [y for _, y in corners]
    return min(xs), min(ys), max(xs), max(ys)


def overlaps(found: Sequence[Box], true: Sequence[Box]) -> Floats:
    """Return intersection over union of every pair, shape (found, true)."""
    common = _common(found, true)
    union = _areas(found)[:, None] + _areas(true)[None] - common
    return np.divide(common, union, out=np.zeros_like(common), where=union > 0)


def covered(found: Sequence[Box], regions: Sequence[Box]) -> NDArray[np.bool_]:
    """Say of each found box whether at least half of it lies in one of the regions, shape (found,).

    The rule of COCO's evaluation for crowd regions: intersection over the found box alone.
    """
    common, areas = _common(found, regions), _areas(found)[:, None]
    shares = np.divide(common, areas, out=np.zeros_like(common), where=areas > 0)
    return np.asarray((shares >= MATCHES).any(1), np.bool_)


def _common(one: Sequence[Box], other: Sequence[Box]) -> Floats:
    a, b = np.reshape(one, (-1, 1, 4)), np.reshape(other, (1, -1, 4))
    sides = np.minimum(a[..., 2:], b[..., 2:]) - np.maximum(a[..., :2], b[..., :2])
    return np.asarray(np.clip(sides, 0, None).prod(-1), np.float64)


def _areas(boxes: Sequence[Box]) -> Floats:
    corners = np.reshape(np.asarray(boxes, np.float64), (-1, 4))
    return np.asarray((corners[:, 2:] - corners[:, :2]).prod(-1), np.float64)


def pair_up(found: Sequence[Box], true: Sequence[Box], *, at_least: float = MATCHES) -> tuple[tuple[int, int], ...]:
    """Pair found with true boxes, the best overlaps first, each box once; numbers of found and true."""
    left = overlaps(found, true)
    pairs: list[tuple[int, int]] = []
    while left.size and left.max() >= at_least:
        i, j = (int(n) for n in np.unravel_index(left.argmax(), left.shape))
        pairs.append((i, j))
        left[i], left[:, j] = -1, -1
    return tuple(sorted(pairs))


@dataclass(frozen=True, slots=True)
class ScoredHits:
    """Found boxes of a picture, best first, for the curve of precision over recall."""

    scores: Floats
    hits: NDArray[np.bool_]
    true: int


def score_hits(
    found: Sequence[Box], scores: Sequence[float], true: Sequence[Box], *, at_least: float, ignored: Sequence[Box] = ()
) -> ScoredHits:
    """Say of each found box whether it hits: in the order of scores, each takes the free true box it covers best.

    The assignment of PASCAL VOC and COCO (Lin et al. 2014). Boxes that hit nothing and lie in an ignored region are
    left out.
    """
    order = np.argsort(-np.asarray(scores, np.float64), kind="stable")
    table = overlaps(found, true)
    hits = np.zeros(len(order), np.bool_)
    for number in order:
        if table.shape[1] and table[number].max() >= at_least:
            hits[number] = True
            table[:, table[number].argmax()] = -1
    kept = order[(hits | ~covered(found, ignored))[order]]
    return ScoredHits(np.asarray(scores, np.float64)[kept], hits[kept], len(true))
