"""Sums up what was said about all pictures: the answer of `coldshelf evaluate --json`."""

import resource
import sys
from collections import Counter as Counts
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from statistics import fmean, stdev
from typing import Any, Final

import numpy as np

from coldshelf.recognition.evaluation.measuring import Outcome
from coldshelf.recognition.evaluation.metrics import (
    DIGITS,
    LEVEL,
    PrecisionRecall,
    expected_calibration_error,
    interval,
    ratio,
    reliability,
    resampled,
)
from coldshelf.recognition.evaluation.pairing import Floats, ScoredHits
from coldshelf.recognition.evaluation.tallies import Counter, figures, table, total
from coldshelf.recognition.evaluation.truth import DeviationKind
from coldshelf.recognition.recogniser import Box, CatalogueProduct

Json = dict[str, Any]  # a JSON document
UNKNOWN: Final = "unknown"
"""How a product is called that was not named."""
PartFigures = dict[str, dict[str, float | None] | None]
NO_HITS: Final = ScoredHits(np.zeros(0), np.zeros(0, np.bool_), 0)
_RSS_UNITS: Final = {"darwin": 1024}
"""Units of `ru_maxrss` in a kilobyte, where it is not counted in kilobytes: macOS counts bytes."""


@dataclass(frozen=True, slots=True)
class Evaluation:
    """What a recogniser said about the same pictures in one run, or in several with other references each."""

    recogniser: str
    labels: str
    references: int
    """Most references of a product."""
    catalogue: Sequence[CatalogueProduct]
    brands: Mapping[str, str]
    runs: Sequence[Sequence[Outcome]]

    @property
    def outcomes(self) -> Iterator[Outcome]:
        return (outcome for run in self.runs for outcome in run)


class Summary:
    """The figures of an evaluation, also with pictures weighted otherwise. Several runs are pooled."""

    def __init__(self, evaluation: Evaluation) -> None:
        counter = Counter([product.sku for product in evaluation.catalogue], evaluation.brands)
        tables = [table([counter.count(outcome) for outcome in run]) for run in evaluation.runs]
        self._counts = np.sum(tables, axis=0)  # (pictures, counts)
        self._runs = len(evaluation.runs)
        self._curve = PrecisionRecall([outcome.curve or NO_HITS for outcome in evaluation.outcomes])
        self._strict_curve = PrecisionRecall([outcome.strict_curve or NO_HITS for outcome in evaluation.outcomes])
        self._parts = _parts_with_truth(evaluation)

    def figures(self, weights: Floats | None = None) -> PartFigures:
        """Return the figures by part; None for parts without truth. `weights`: how often each picture counts."""
        often = np.ones(len(self._counts)) if weights is None else weights
        found = figures(total(often @ self._counts))
        tiled = np.tile(often, self._runs)
        detection = found["detection"]
        found["detection"] = {
            "precision": detection["precision"],
            "recall": detection["recall"],
            "ap50": self._curve.area(tiled),
            "f1": detection["f1"],
            "ap75": self._strict_curve.area(tiled),
        }
        return {part: values if part in self._parts else None for part, values in found.items()}

    def intervals(self, draws: int, seed: int) -> Json:
        """Return the 95 % interval of each figure over pictures drawn with replacement."""
        weights = resampled(len(self._counts), draws=draws, seed=seed)
        drawn = [self.figures(row) for row in weights]
        found: Json = {"level": LEVEL, "draws": draws, "seed": seed}
        return found | {
            part: None if values is None else {name: interval(_column(drawn, part, name)) for name in values}
            for part, values in self.figures().items()
        }


def _column(drawn: Sequence[PartFigures], part: str, name: str) -> list[float | None]:
    return [(each[part] or {})[name] for each in drawn]


def _parts_with_truth(evaluation: Evaluation) -> set[str]:
    """Name the parts that were run and that some picture has truth for."""
    known = {product.sku for product in evaluation.catalogue}
    outcomes = list(evaluation.outcomes)
    seen = [outcome for outcome in outcomes if outcome.detections is not None and outcome.picture.boxes is not None]
    skus = {true.sku for outcome in seen for true in outcome.true} - {None}
    there = {
        "detection": bool(seen),
        "identification": any(outcome.ranked for outcome in outcomes),
        "end_to_end": bool(skus and known),
        "unknown": bool(skus - known and known),
        "rows": any(true.place is not None for outcome in seen for true in outcome.true),
        "share_of_shelf": bool(skus and known and evaluation.brands),
        "planogram": any(outcome.cases for outcome in outcomes),
    }
    return {part for part, is_there in there.items() if is_there}


def report(evaluation: Evaluation, *, bootstrap: int = 0, seed: int = 0) -> Json:
    """Return all figures as JSON: first those that docs/evaluation.md promises, then the rest."""
    summary = Summary(evaluation)
    found: Json = {"pictures": len(evaluation.runs[0]), **summary.figures()}
    if found["identification"] is not None:
        found["identification"] = {"references": evaluation.references, **found["identification"]}
    if found["planogram"] is not None:
        found["planogram"]["by_kind"] = _by_kind(evaluation)
    found |= {
        "seconds_per_picture": _seconds(evaluation),
        "peak_rss_mb": peak_rss_mb(),
        "recogniser": evaluation.recogniser,
        "labels": evaluation.labels,
        "products": len(evaluation.catalogue),
        "boxes": sum(len(outcome.true) for outcome in evaluation.runs[0]),
        "calibration": _calibration(evaluation),
        "confusions": _confusions(evaluation),
    }
    if bootstrap:
        found["intervals"] = summary.intervals(bootstrap, seed)
    return found


def spread(evaluations: Sequence[Evaluation]) -> Json:
    """Return mean, standard deviation, lowest and highest of each figure over single runs."""
    drawn = [Summary(evaluation).figures() for evaluation in evaluations]
    return {
        part: None if values is None else {name: _spread(_column(drawn, part, name)) for name in values}
        for part, values in drawn[0].items()
    }


def _spread(values: Sequence[float | None]) -> Json | None:
    there = [value for value in values if value is not None]
    if not there:
        return None
    return {
        "mean": round(fmean(there), DIGITS),
        "sd": round(stdev(there), DIGITS) if len(there) > 1 else None,
        "lowest": min(there),
        "highest": max(there),
    }


def _by_kind(evaluation: Evaluation) -> Json:
    cases = [case for outcome in evaluation.outcomes for _, case in outcome.cases]
    return {
        kind.value: {
            "found": sum(case.found.count(kind) for case in cases),
            "missed": sum(case.missed.count(kind) for case in cases),
            "wrongly_found": sum(case.wrong.count(kind) for case in cases),
        }
        for kind in DeviationKind
    }


def named_places(outcome: Outcome) -> list[tuple[tuple[str, str], Box]]:
    """Return true and said SKU of what was named in a picture, facings or the one product it shows, with true boxes."""
    if outcome.picture.whole is not None:
        ranked = outcome.ranked or ()
        return [((outcome.picture.whole, said[0] if said else UNKNOWN), true.box) for true, said in ranked]
    found = [(outcome.true[named.true], named) for named in outcome.facings if named.true is not None]
    return [((true.sku, named.sku or UNKNOWN), true.box) for true, named in found if true.sku is not None]


def _confusions(evaluation: Evaluation) -> list[Json]:
    """List who was called what, the commonest first; products without a reference are rightly unknown."""
    known = {product.sku for product in evaluation.catalogue}
    counts = Counts(
        pair
        for outcome in evaluation.outcomes
        for pair, _ in named_places(outcome)
        if pair[1] != (pair[0] if pair[0] in known else UNKNOWN)
    )
    ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    return [{"true": true, "named": said, "count": count} for (true, said), count in ordered]


def _calibration(evaluation: Evaluation) -> Json | None:
    """Hold the confidence of named facings that stand on a true product against how often the name is right."""
    pairs = [
        (named.facing.confidence, named.sku == outcome.true[named.true].sku)
        for outcome in evaluation.outcomes
        for named in outcome.facings
        if named.sku is not None and named.true is not None and outcome.true[named.true].sku is not None
    ]
    if not pairs:
        return None
    bins = reliability([confidence for confidence, _ in pairs], [right for _, right in pairs])
    return {"error": expected_calibration_error(bins), "bins": [asdict(each) for each in bins]}


def _seconds(evaluation: Evaluation) -> float | None:
    seconds = [outcome.seconds for outcome in evaluation.outcomes if outcome.seconds is not None]
    return ratio(sum(seconds), len(seconds))


def peak_rss_mb() -> int:
    """Return the most resident memory that this process had, in megabytes."""
    kilobytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // _RSS_UNITS.get(sys.platform, 1)
    return kilobytes // 1024
