"""The formulas, each on its own. Pure: counts and arrays in, figures out."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from coldshelf.recognition.evaluation.pairing import Floats, ScoredHits

DIGITS: Final = 4
LEVEL: Final = 0.95
"""Share of resampled figures that an interval holds."""


def ratio(part: float, whole: float) -> float | None:
    """Return part / whole; None where there is nothing to divide by."""
    return round(float(part / whole), DIGITS) if whole else None


def f1(precision: float | None, recall: float | None) -> float | None:
    """Return the harmonic mean 2PR / (P + R) (van Rijsbergen 1979); 0 when both are 0."""
    if precision is None or recall is None:
        return None
    return round(2 * precision * recall / (precision + recall), DIGITS) if precision + recall else 0.0


class PrecisionRecall:
    """The curve of precision over recall of many pictures, and the area below it.

    The area is that of PASCAL VOC since 2010 (Everingham et al.): precision at a recall is the highest precision at
    that recall or beyond, and every step of recall counts with its width. COCO samples the same curve at 101 recalls.
    Boxes of equal score come in together, so the order of equals does not matter.
    """

    def __init__(self, pictures: Sequence[ScoredHits]) -> None:
        scores = np.concatenate([each.scores for each in pictures]) if pictures else np.zeros(0)
        owners = np.repeat(np.arange(len(pictures)), [len(each.scores) for each in pictures])
        order = np.argsort(-scores, kind="stable")
        hits = np.concatenate([each.hits for each in pictures]) if pictures else np.zeros(0)
        self._owners = owners[order]
        self._hits = hits[order].astype(np.float64)
        self._ends = np.append(np.diff(scores[order]) != 0, np.ones(min(1, len(order)), np.bool_))
        self._true = np.array([each.true for each in pictures], np.float64)

    def area(self, weights: Floats | None = None) -> float | None:
        """Return the average precision; `weights` (pictures,) says how often each picture counts."""
        often = np.ones(len(self._true)) if weights is None else weights
        true = float(often @ self._true)
        if not true:
            return None
        each = often[self._owners]
        right = np.cumsum(each * self._hits)[self._ends]
        found = np.cumsum(each)[self._ends]
        precision = np.divide(right, found, out=np.zeros_like(right), where=found > 0)
        envelope = np.maximum.accumulate(precision[::-1])[::-1]
        return round(float(np.diff(right, prepend=0) @ envelope / true), DIGITS)


def share_errors(true: Sequence[str | None], found: Sequence[str | None], names: set[str]) -> list[float]:
    """Return by how many percentage points the share of each name is off, for the names among the true or found ones.

    share = facings of the name / all facings; facings without a name count in the whole only.
    """
    seen = sorted(names & ({*true} | {*found}) - {None})
    return [
        100 * abs(_share(true, name) - _share(found, name))  # percentage points
        for name in seen
    ]


def _share(names: Sequence[str | None], name: str) -> float:
    return sum(each == name for each in names) / len(names) if names else 0.0


@dataclass(frozen=True, slots=True)
class ReliabilityBin:
    """Named products whose confidence lies from `low` up to `high`: how many, how confident, how often right."""

    low: float
    high: float
    count: int
    confidence: float | None
    accuracy: float | None


def reliability(confidences: Sequence[float], right: Sequence[bool], *, bins: int = 10) -> tuple[ReliabilityBin, ...]:
    """Put names into bins of equal width by confidence (reliability diagram, DeGroot and Fienberg 1983)."""
    values, hits = np.asarray(confidences, np.float64), np.asarray(right, np.float64)
    numbers = np.clip((values * bins).astype(int), 0, bins - 1)
    found = []
    for number in range(bins):
        inside = numbers == number
        count = int(inside.sum())
        means = (ratio(values[inside].sum(), count), ratio(hits[inside].sum(), count))
        found.append(ReliabilityBin(number / bins, (number + 1) / bins, count, *means))
    return tuple(found)


def expected_calibration_error(bins: Sequence[ReliabilityBin]) -> float | None:
    """Return sum over bins of count / all * |accuracy - confidence| (Naeini et al. 2015)."""
    total = sum(each.count for each in bins)
    off = sum(each.count * abs((each.accuracy or 0) - (each.confidence or 0)) for each in bins)
    return ratio(off, total)


def resampled(pictures: int, *, draws: int, seed: int) -> Floats:
    """Return how often each picture is drawn with replacement, shape (draws, pictures) (bootstrap, Efron 1979)."""
    rng = np.random.default_rng(seed)
    drawn = rng.integers(0, pictures, (draws, pictures))
    return np.asarray([np.bincount(row, minlength=pictures) for row in drawn], np.float64)


def interval(values: Sequence[float | None]) -> tuple[float, float] | None:
    """Return the middle 95 % of resampled figures (percentile interval); None without any."""
    there = [value for value in values if value is not None]
    if not there:
        return None
    low, high = np.quantile(there, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return round(float(low), DIGITS), round(float(high), DIGITS)
