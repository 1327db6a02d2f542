"""Promises of the context: look-alikes agree, neighbours count more, a plan speaks only where the picture is unsure."""

from dataclasses import replace
from itertools import combinations, pairwise

import numpy as np
import pytest

from coldshelf.recognition.context import Weights, agreed, aligned, logits_of, shares, with_plan
from coldshelf.recognition.recogniser import PlannedFacing, ProductId

WEIGHTS = Weights(temperature=0.1, unknown=0.5, agreement=0.5, alike=0.6, beside=1.0, planned=2.0)
A, B, C, D, E = (ProductId(number) for number in (11, 12, 13, 14, 15))
SAME, OTHER = (1.0, 0.0), (0.0, 1.0)


def array(rows):
    return np.array(rows, np.float32)


def plan(*shelves):
    """Shelves of products from top to bottom, each from left to right."""
    return [
        PlannedFacing(shelf, position, product)
        for shelf, products in enumerate(shelves, 1)
        for position, product in enumerate(products, 1)
    ]


def named(logits):
    """Number of the likeliest product of each facing, -1 where none is likelier."""
    likely = shares(logits)
    return [int(row.argmax()) if row.max() > 1 - row.sum() else -1 for row in likely]


def test_likeness_at_the_border_to_unknown_has_the_logit_of_unknown():
    logits = logits_of(array([[0.5, 0.7, 0.4]]), WEIGHTS)

    assert logits == pytest.approx(array([[0, 2, -1]]), abs=1e-5)


def test_shares_are_likelihoods_and_their_rest_is_that_of_unknown():
    likely = shares(array([[0, 0], [np.log(3), 0], [-50, -50]]))

    assert likely == pytest.approx(array([[1 / 3, 1 / 3], [0.6, 0.2], [0, 0]]), abs=1e-6)


def test_shares_never_exceed_one_whatever_the_logits():
    logits = np.random.default_rng(2).normal(0, 40, (200, 7)).astype(np.float32)

    likely = shares(np.concatenate([logits, array([[1e4] * 7, [-1e4] * 7])]))

    assert np.isfinite(likely).all()
    assert likely.min() >= 0
    assert likely.sum(1).max() <= 1 + 1e-6


def test_without_products_all_is_unknown():
    assert shares(np.zeros((3, 0), np.float32)).shape == (3, 0)


def test_doubtful_facing_follows_those_of_its_look():
    logits = array([[4, -4], [4, -4], [-0.2, 0.2]])

    joined = agreed(logits, array([SAME] * 3), WEIGHTS)

    assert joined[2] == pytest.approx([0.5 * -0.2 + 0.5 * 4, 0.5 * 0.2 - 0.5 * 4])
    assert named(logits)[2] == 1
    assert named(joined) == [0, 0, 0]


def test_facing_of_another_look_is_left_alone():
    logits = array([[4, -4], [4, -4], [-0.2, 0.2]])

    joined = agreed(logits, array([SAME, SAME, OTHER]), WEIGHTS)

    assert joined[2] == pytest.approx(logits[2])


def test_barely_alike_facing_has_less_say():
    logits = array([[4, -4], [0, 0]])
    barely = (0.8, 0.6)  # half of the way from 0.6 to 1, which squared is a quarter

    joined = agreed(logits, array([SAME, barely]), WEIGHTS)

    assert joined[1] == pytest.approx([0.5 * 0.25 * 4, 0.5 * 0.25 * -4], abs=1e-4)


def test_neighbour_counts_more_than_a_facing_farther_off():
    logits = array([[0, 0], [3, -3], [-3, 3]])
    points = array([SAME] * 3)

    beside_first = agreed(logits, points, WEIGHTS, [(1, 1), (1, 2), (1, 5)])
    on_other_shelf = agreed(logits, points, WEIGHTS, [(1, 1), (2, 2), (1, 5)])

    # the neighbour counts twice: (2 * 3 - 3) / 3, of which the half
    assert beside_first[0] == pytest.approx([0.5, -0.5], abs=1e-5)
    assert on_other_shelf[0] == pytest.approx([0, 0], abs=1e-5)


def test_single_facing_and_no_agreement_change_nothing():
    logits, points = array([[1, 2], [3, 4]]), array([SAME, SAME])

    assert (agreed(logits[:1], points[:1], WEIGHTS) == logits[:1]).all()
    assert (agreed(logits, points, replace(WEIGHTS, agreement=0.0)) == logits).all()


def test_planned_product_gains_by_how_unsure_the_picture_is():
    logits = array([[0, 0], [0, 0]])  # a third each
    both = [(1, 1), (1, 2)]

    raised = with_plan(logits, [A, B], both, plan([A, A]), WEIGHTS)

    assert raised == pytest.approx(array([[2 * 2 / 3, 0]] * 2), abs=1e-5)


def test_product_planned_elsewhere_on_the_shelf_gains_half():
    logits = array([[0, 0]] * 4)
    places = [(1, position) for position in range(1, 5)]

    raised = with_plan(logits, [A, B], places, plan([A, B, B, B]), WEIGHTS)

    full = 2 * 2 / 3
    assert raised[:, 0] == pytest.approx([full, full, full / 2, full / 2], abs=1e-5)
    assert raised[:, 1] == pytest.approx([full] * 4, abs=1e-5)


def test_plan_with_more_places_than_were_found_is_stretched():
    logits = array([[0, 0]] * 2)

    raised = with_plan(logits, [A, B], [(1, 1), (1, 2)], plan([A, A, A, B, B, B]), WEIGHTS)

    full = 2 * 2 / 3
    assert raised == pytest.approx(array([[full, full], [full / 2, full]]), abs=1e-5)


def test_plan_decides_between_twins():
    logits = array([[3, 3.2, -3]])
    assert named(logits) == [1]

    assert named(with_plan(logits, [A, B, C], [(1, 1)], plan([A]), WEIGHTS)) == [0]


@pytest.mark.parametrize("planned", range(4))
def test_what_is_plainly_seen_keeps_its_name_under_any_plan(planned):
    products = [A, B, C, D]
    rng = np.random.default_rng(planned)
    logits = rng.normal(0, 4, (400, 4)).astype(np.float32)
    places = [(1 + n // 40, 1 + n % 40) for n in range(400)]
    plainly = shares(logits).max(1) >= 0.95
    assert 50 < plainly.sum() < 350
    strong = replace(WEIGHTS, planned=10.0)

    joined = with_plan(logits, products, places, plan(*[[products[planned]] * 40] * 10), strong)

    before, after = np.array(named(logits)), np.array(named(joined))
    assert (after[plainly] == before[plainly]).all()
    assert (after[~plainly] != before[~plainly]).any()


def test_what_is_plainly_none_of_the_products_stays_unknown_under_any_plan():
    logits = array([[-4, -5], [-4.5, -4]])
    assert (1 - shares(logits).sum(1) >= 0.95).all()

    assert named(with_plan(logits, [A, B], [(1, 1), (1, 2)], plan([A, B]), WEIGHTS)) == [-1, -1]


def test_shelves_are_aligned_by_what_stands_there_when_one_was_missed():
    """The plan's middle shelf was not found, so the second found shelf is its third."""
    products = [A, B, C, D, E]
    logits = array([[6, -6, -6, -6, -6], [-6, -6, 6, -6, -6], [-6, -6, -6, 1, 1]])

    raised = with_plan(logits, products, [(1, 1), (2, 1), (2, 2)], plan([A], [B, E], [C, D]), WEIGHTS)

    unsure = 1 - shares(logits)[2, 3]
    assert raised[2] == pytest.approx([-6, -6, -6 + 2 * unsure, 1 + 2 * unsure, 1], abs=1e-4)


@pytest.mark.parametrize("planned", [[], plan([ProductId(99)])], ids=["no plan", "a product without reference"])
def test_plan_that_says_nothing_changes_nothing(planned):
    logits = array([[1, 0], [0, 1]])

    assert (with_plan(logits, [A, B], [(1, 1), (1, 2)], planned, WEIGHTS) == logits).all()


def test_plan_without_facings_changes_nothing():
    logits = np.zeros((0, 2), np.float32)

    assert with_plan(logits, [A, B], [], plan([A, B]), WEIGHTS).shape == (0, 2)


def best_by_trying(gain):
    """Largest gain of all ways to pair rows and columns in order."""
    height, width = gain.shape
    return max(
        sum(gain[row, column] for row, column in zip(rows, columns, strict=True))
        for count in range(min(height, width) + 1)
        for rows in combinations(range(height), count)
        for columns in combinations(range(width), count)
    )


@pytest.mark.parametrize("seed", range(20))
def test_alignment_keeps_the_order_and_gains_most(seed):
    rng = np.random.default_rng(seed)
    gain = rng.integers(0, 9, rng.integers(1, 6, 2)).astype(np.float32)

    pairs = aligned(gain)

    assert all(one[0] < other[0] and one[1] < other[1] for one, other in pairwise(pairs))
    assert sum(gain[pair] for pair in pairs) == best_by_trying(gain)


@pytest.mark.parametrize("shape", [(0, 0), (0, 3), (3, 0)])
def test_nothing_is_aligned_with_nothing(shape):
    assert aligned(np.zeros(shape, np.float32)) == []
