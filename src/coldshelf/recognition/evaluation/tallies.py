"""Counts of a picture that add up over pictures, and the figures made of their sums. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import astuple, dataclass

import numpy as np

from coldshelf.recognition.evaluation.measuring import NamedFacing, Outcome
from coldshelf.recognition.evaluation.metrics import f1, ratio, share_errors
from coldshelf.recognition.evaluation.pairing import Floats
from coldshelf.recognition.evaluation.truth import TrueBox

Figures = dict[str, dict[str, float | None]]
"""Figures by part and name."""
_OWN = "own"
_SUFFIXES = {"-chai": "bottle", "-lon": "can"}


@dataclass(frozen=True, slots=True)
class Tally:
    """Counts; all of them add up."""

    found: float = 0
    true: float = 0
    hits: float = 0
    asked: float = 0
    first_right: float = 0
    among_five: float = 0
    twins: float = 0
    container_right: float = 0
    judged_found: float = 0
    judged_true: float = 0
    named_right: float = 0
    named: float = 0
    product_right: float = 0
    unknown_said: float = 0
    unknown_true: float = 0
    unknown_right: float = 0
    known_true: float = 0
    known_lost: float = 0
    placed: float = 0
    place_right: float = 0
    shares: float = 0
    share_error: float = 0
    own_shares: float = 0
    own_error: float = 0
    planted: float = 0
    planted_found: float = 0
    planted_wrong: float = 0


def table(tallies: Sequence[Tally]) -> Floats:
    """Return the counts, shape (pictures, counts)."""
    return np.array([astuple(tally) for tally in tallies], np.float64)


def total(counts: Floats) -> Tally:
    """Return the tally with these counts, shape (counts,)."""
    return Tally(*map(float, counts))


class Counter:
    """Counts outcomes of one catalogue; `brands` are the brands of SKUs, left out ones too."""

    def __init__(self, known: Sequence[str], brands: Mapping[str, str]) -> None:
        self._known = frozenset(known)
        self._brands = brands
        self._names = set(brands.values())
        self._with_twin = frozenset(sku for sku in known if any(_are_twins(sku, other) for other in known))

    def count(self, outcome: Outcome) -> Tally:
        """Count what was said about a picture."""
        counts = self._count_ranked(outcome) | _count_cases(outcome)
        if outcome.detections is not None and outcome.picture.boxes is not None:
            counts |= _count_boxes(outcome) | _count_places(outcome)
            if self._known:
                counts |= self._count_names(outcome) | self._count_unknown(outcome) | self._count_shares(outcome)
        return Tally(**counts)

    def _count_ranked(self, outcome: Outcome) -> dict[str, float]:
        ranked = [(true.sku, named) for true, named in outcome.ranked or () if true.sku is not None]
        twins = [(sku, named) for sku, named in ranked if sku in self._with_twin]
        return {
            "asked": len(ranked),
            "first_right": sum(named[:1] == (sku,) for sku, named in ranked),
            "among_five": sum(sku in named[:5] for sku, named in ranked),
            "twins": len(twins),
            "container_right": sum(_container(named[0])[1] == _container(sku)[1] for sku, named in twins if named),
        }

    def _count_names(self, outcome: Outcome) -> dict[str, float]:
        """Count right names; a product without a reference is named right when it is called unknown."""
        judged = _judged(outcome)
        right = [named for named, true in judged if true is not None and named.sku == self._label(true)]
        return {
            "judged_found": len(judged),
            "judged_true": len(_labelled(outcome)),
            "named_right": len(right),
            "named": sum(named.sku is not None for named, _ in judged),
            "product_right": sum(named.sku is not None for named in right),
        }

    def _count_unknown(self, outcome: Outcome) -> dict[str, float]:
        labels = [self._label(true) for true in _labelled(outcome)]
        said = [true for named, true in _judged(outcome) if named.sku is None]
        told = [self._label(true) for true in said if true is not None]
        return {
            "unknown_said": len(said),
            "unknown_true": labels.count(None),
            "unknown_right": told.count(None),
            "known_true": len(labels) - labels.count(None),
            "known_lost": len(told) - told.count(None),
        }

    def _count_shares(self, outcome: Outcome) -> dict[str, float]:
        labelled, found = _labelled(outcome), [named.sku for named, _ in _judged(outcome)]
        if not labelled or not self._names:
            return {}
        brands = [self._brands.get(true.sku or "", true.brand) for true in labelled]
        errors = share_errors(brands, [self._brands.get(sku or "") for sku in found], self._names)
        own_true = [_OWN if self._label(true) else None for true in labelled]
        own = share_errors(own_true, [_OWN if sku else None for sku in found], {_OWN})
        return {"shares": len(errors), "share_error": sum(errors), "own_shares": len(own), "own_error": sum(own)}

    def _label(self, true: TrueBox) -> str | None:
        return true.sku if true.sku in self._known else None


def _true_of(outcome: Outcome, named: NamedFacing) -> TrueBox | None:
    return None if named.true is None else outcome.true[named.true]


def _labelled(outcome: Outcome) -> list[TrueBox]:
    return [true for true in outcome.true if true.sku is not None]


def _judged(outcome: Outcome) -> list[tuple[NamedFacing, TrueBox | None]]:
    """Return facings with their true boxes, without those whose true product nobody could name."""
    pairs = [(named, _true_of(outcome, named)) for named in outcome.facings]
    return [(named, true) for named, true in pairs if true is None or true.sku is not None]


def _count_boxes(outcome: Outcome) -> dict[str, float]:
    hits = sum(named.true is not None for named in outcome.facings)
    return {"found": len(outcome.facings), "true": len(outcome.true), "hits": hits}


def _count_places(outcome: Outcome) -> dict[str, float]:
    """Compare places of found true products after both sides were numbered anew among them.

    So a row without labels, or a product that was missed, does not make everything behind it wrong.
    """
    pairs = [(named.facing, true) for named in outcome.facings if (true := _true_of(outcome, named)) is not None]
    places = [(facing, true.place) for facing, true in pairs if true.place is not None]
    found = renumbered([(facing.shelf, facing.position, facing.stack_index) for facing, _ in places])
    wanted = renumbered([(*place, 0) for _, place in places])
    return {"placed": len(places), "place_right": sum(a == b for a, b in zip(found, wanted, strict=True))}


def renumbered(places: Sequence[tuple[int, int, int]]) -> list[tuple[int, int]]:
    """Count rows from 0 among those that occur, and positions from 0 among those of their row."""
    rows = {row: number for number, row in enumerate(sorted({place[0] for place in places}))}
    inside = {row: sorted(place for place in places if place[0] == row) for row in rows}
    return [(rows[place[0]], inside[place[0]].index(place)) for place in places]


def _count_cases(outcome: Outcome) -> dict[str, float]:
    found = sum(len(case.found) for _, case in outcome.cases)
    missed = sum(len(case.missed) for _, case in outcome.cases)
    wrong = sum(len(case.wrong) for _, case in outcome.cases)
    return {"planted": found + missed, "planted_found": found, "planted_wrong": wrong}


def _container(sku: str) -> tuple[str, str]:
    """Return what the drink is and in what; SKUs of the samples end in -chai (bottle), -lon or nothing (can)."""
    for suffix, container in _SUFFIXES.items():
        if sku.endswith(suffix):
            return sku.removesuffix(suffix), container
    return sku, "can"


def _are_twins(one: str, other: str) -> bool:
    (drink, container), (other_drink, other_container) = _container(one), _container(other)
    return drink == other_drink and container != other_container


def figures(tally: Tally) -> Figures:
    """Return every figure that is made of counts; None where there is nothing to measure."""
    precision, recall = ratio(tally.hits, tally.found), ratio(tally.hits, tally.true)
    right = ratio(tally.named_right, tally.judged_found), ratio(tally.named_right, tally.judged_true)
    reported = tally.planted_found + tally.planted_wrong
    return {
        "detection": {"precision": precision, "recall": recall, "f1": f1(precision, recall)},
        "identification": {
            "top1": ratio(tally.first_right, tally.asked),
            "top5": ratio(tally.among_five, tally.asked),
            "can_bottle": ratio(tally.container_right, tally.twins),
        },
        "end_to_end": {
            "precision": right[0],
            "recall": right[1],
            "f1": f1(*right),
            "right_of_named": ratio(tally.product_right, tally.named),
        },
        "unknown": {
            "precision": ratio(tally.unknown_right, tally.unknown_said),
            "recall": ratio(tally.unknown_right, tally.unknown_true),
            "known_lost": ratio(tally.known_lost, tally.known_true),
        },
        "rows": {"agreement": ratio(tally.place_right, tally.placed)},
        "share_of_shelf": {
            "mean_abs_error": ratio(tally.share_error, tally.shares),
            "own_mean_abs_error": ratio(tally.own_error, tally.own_shares),
        },
        "planogram": {
            "precision": ratio(tally.planted_found, reported),
            "recall": ratio(tally.planted_found, tally.planted),
        },
    }
