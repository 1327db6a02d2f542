"""Holds what was seen against plans that differ from the picture in a known way. Pure."""

from collections import Counter
from collections.abc import Mapping, Sequence

from coldshelf.compliance.matching import Found, Match, MatchStatus, Planned, match
from coldshelf.recognition.evaluation.measuring import CaseOutcome
from coldshelf.recognition.evaluation.truth import Deviation, DeviationKind, PlanCase
from coldshelf.recognition.recogniser import Detections, ProductId

KIND_OF = {
    MatchStatus.WRONG_PRODUCT: DeviationKind.WRONG_SKU,
    MatchStatus.MISSING: DeviationKind.MISSING_FACING,
    MatchStatus.EMPTY: DeviationKind.MISSING_FACING,
    MatchStatus.EXTRA: DeviationKind.EXTRA,
    MatchStatus.MOVED: DeviationKind.POSITION,
}
_LACKS = (MatchStatus.MISSING, MatchStatus.EMPTY)
_SWAPPED = (MatchStatus.WRONG_PRODUCT, MatchStatus.MOVED)


def judge(detections: Detections, case: PlanCase, numbers: Mapping[str, ProductId]) -> CaseOutcome:
    """Say which planted deviations compliance reports, and what else it reports.

    A planted deviation is found when compliance reports the same kind for the same product at its planned place (one
    that lacks or is too much: on its planned shelf). A swap is found when both places are reported. An empty place
    that the plan does not want filled is no deviation.
    """
    seen = _seen(detections)
    strange = {sku: -number for number, sku in enumerate(sorted({*_skus(case)} - {*numbers}), start=1)}
    ids: dict[str, int] = {**strange, **numbers}
    plan = [
        Planned(shelf, position, ids[sku])
        for shelf, row in enumerate(case.rows, start=1)
        for position, sku in enumerate(row, start=1)
    ]
    reported = _Reported(match(seen, plan), seen)
    found: list[DeviationKind] = []
    missed: list[DeviationKind] = []
    for deviation in case.deviations:
        (found if reported.claim(deviation, ids) else missed).append(deviation.kind)
    return CaseOutcome(tuple(found), tuple(missed), reported.rest())


def _skus(case: PlanCase) -> list[str]:
    return [
        *(sku for row in case.rows for sku in row),
        *(sku for deviation in case.deviations for sku in deviation.skus),
    ]


def _seen(detections: Detections) -> list[Found]:
    facings = [facing for facing in detections.facings if facing.stack_index == 0]
    named = [Found(n, each.shelf, each.position, each.product_id, is_gap=False) for n, each in enumerate(facings)]
    gaps = detections.gaps
    return named + [
        Found(n, each.shelf, each.position, None, is_gap=True) for n, each in enumerate(gaps, start=len(named))
    ]


class _Reported:
    """The deviations that compliance reports; planted ones claim theirs, the rest was reported for nothing."""

    def __init__(self, matches: Sequence[Match], seen: Sequence[Found]) -> None:
        self._seen = {each.key: each for each in seen}
        self._left = [each for each in matches if not each.is_compliant and not _is_open(each)]
        self._shelf_of = _planned_shelves(matches, self._seen)

    def claim(self, deviation: Deviation, ids: Mapping[str, int]) -> bool:
        """Take what a planted deviation explains; say whether it was found."""
        if deviation.kind is DeviationKind.POSITION:
            places = [self._at(deviation.row, position, _SWAPPED) for position in deviation.positions]
            claimed = [each for each in places if each is not None]
            is_found = len(claimed) == len(places)
        else:
            one = self._find(deviation, ids)
            claimed = [] if one is None else [one]
            is_found = one is not None
        self._left = [each for each in self._left if each not in claimed]
        return is_found

    def rest(self) -> tuple[DeviationKind, ...]:
        return tuple(KIND_OF[each.status] for each in self._left)

    def _at(self, row: int, position: int, statuses: Sequence[MatchStatus]) -> Match | None:
        wanted = (row, position)
        there = [each for each in self._left if each.planned and (each.planned.shelf, each.planned.position) == wanted]
        return next((each for each in there if each.status in statuses), None)

    def _find(self, deviation: Deviation, ids: Mapping[str, int]) -> Match | None:
        product = ids[deviation.skus[0]]
        if deviation.kind is DeviationKind.WRONG_SKU:
            return self._at(deviation.row, deviation.positions[0], (MatchStatus.WRONG_PRODUCT,))
        if deviation.kind is DeviationKind.MISSING_FACING:
            lacking = [each for each in self._left if each.status in _LACKS and each.planned]
            return next((each for each in lacking if self._wants(each, deviation.row, product)), None)
        extra = [each for each in self._left if each.status is MatchStatus.EXTRA]
        return next((each for each in extra if self._shows(each, deviation.row, product)), None)

    def _wants(self, each: Match, row: int, product: int) -> bool:
        return each.planned is not None and (each.planned.shelf, each.planned.product_id) == (row, product)

    def _shows(self, each: Match, row: int, product: int) -> bool:
        found = None if each.found_key is None else self._seen[each.found_key]
        return found is not None and found.product_id == product and self._shelf_of.get(found.shelf) == row


def _is_open(each: Match) -> bool:
    return each.status is MatchStatus.EMPTY and each.planned is None


def _planned_shelves(matches: Sequence[Match], seen: Mapping[int, Found]) -> dict[int, int]:
    """Return the planned shelf that most products of each found shelf were matched with."""
    votes: dict[int, Counter[int]] = {}
    for each in matches:
        if each.is_compliant and each.planned is not None and each.found_key is not None:
            votes.setdefault(seen[each.found_key].shelf, Counter())[each.planned.shelf] += 1
    return {shelf: counts.most_common(1)[0][0] for shelf, counts in votes.items()}
