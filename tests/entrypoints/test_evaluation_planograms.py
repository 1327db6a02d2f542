"""Which planted deviations compliance reports, with pictures whose content is told."""

import pytest
from tests.recognition.evaluation.told import column, corners

from coldshelf.entrypoints.evaluation.planograms import judge
from coldshelf.recognition.evaluation.measuring import CaseOutcome
from coldshelf.recognition.evaluation.truth import Deviation, DeviationKind, PlanCase
from coldshelf.recognition.recogniser import Detections, Facing, Gap, ProductId

NUMBERS = {sku: ProductId(number) for number, sku in enumerate("abcdxy", start=1)}
KIND = DeviationKind
PLAN = (tuple("abcd"), tuple("ddcc"))


def seen(*rows: str, first_shelf: int = 1) -> Detections:
    """One letter a facing, `_` a gap, `?` an unknown product."""
    places = [
        (shelf, position, letter)
        for shelf, row in enumerate(rows, start=first_shelf)
        for position, letter in enumerate(row, start=1)
    ]
    box = corners(column(0))
    facings = [
        Facing(shelf, position, box, NUMBERS.get(letter), 0.9) for shelf, position, letter in places if letter != "_"
    ]
    gaps = [Gap(shelf, position, box) for shelf, position, letter in places if letter == "_"]
    return Detections((), tuple(facings), tuple(gaps))


def case(*deviations: Deviation) -> PlanCase:
    return PlanCase("planted", PLAN, deviations)


SWAPPED = Deviation(KIND.POSITION, 1, (2, 3), ("b", "c"))
LACKS = Deviation(KIND.MISSING_FACING, 2, (), ("d",))
WRONG = Deviation(KIND.WRONG_SKU, 1, (2,), ("b", "x"))
EXTRA = Deviation(KIND.EXTRA, 2, (1,), ("y",))


@pytest.mark.parametrize(
    ("picture", "deviation"),
    [
        (seen("acbd", "ddcc"), SWAPPED),
        (seen("abcd", "dcc"), LACKS),
        (seen("abcd", "d_cc"), LACKS),
        (seen("axcd", "ddcc"), WRONG),
        (seen("abcd", "yddcc"), EXTRA),
        (seen("acbd", "ddcc", first_shelf=2), SWAPPED),
    ],
)
def test_a_planted_deviation_that_is_seen_is_found_and_nothing_else(picture: Detections, deviation: Deviation):
    assert judge(picture, case(deviation), NUMBERS) == CaseOutcome((deviation.kind,), (), ())


@pytest.mark.parametrize("deviation", [SWAPPED, LACKS, WRONG, EXTRA])
def test_a_planted_deviation_that_is_not_seen_is_missed(deviation: Deviation):
    assert judge(seen("abcd", "ddcc"), case(deviation), NUMBERS) == CaseOutcome((), (deviation.kind,), ())


def test_what_is_reported_beside_the_planted_is_wrongly_found():
    outcome = judge(seen("axcd", "ddccy"), case(WRONG), NUMBERS)

    assert outcome == CaseOutcome((KIND.WRONG_SKU,), (), (KIND.EXTRA,))


def test_a_deviation_on_another_shelf_or_of_another_product_is_not_the_planted_one():
    elsewhere = judge(seen("abcdy", "ddcc"), case(EXTRA), NUMBERS)
    other = judge(seen("abcd", "xddcc"), case(EXTRA), NUMBERS)

    assert elsewhere == other == CaseOutcome((), (KIND.EXTRA,), (KIND.EXTRA,))


def test_a_gap_where_the_plan_wants_nothing_is_no_deviation():
    assert judge(seen("abcd_", "ddcc"), case(), NUMBERS) == CaseOutcome((), (), ())


def test_products_without_references_in_the_plan_are_never_matched():
    without_b = {sku: number for sku, number in NUMBERS.items() if sku != "b"}

    outcome = judge(seen("a?cd", "ddcc"), case(), without_b)

    assert outcome == CaseOutcome((), (), (KIND.WRONG_SKU,))
