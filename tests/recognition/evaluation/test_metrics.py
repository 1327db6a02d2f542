"""The formulas, against examples worked out by hand."""

import numpy as np
import pytest

from coldshelf.recognition.evaluation.metrics import (
    PrecisionRecall,
    expected_calibration_error,
    f1,
    interval,
    ratio,
    reliability,
    resampled,
    share_errors,
)
from coldshelf.recognition.evaluation.pairing import ScoredHits, covered, overlaps, pair_up, score_hits


def curve(*pairs: tuple[float, bool], true: int) -> ScoredHits:
    return ScoredHits(np.array([score for score, _ in pairs]), np.array([hit for _, hit in pairs], np.bool_), true)


def test_overlap_is_common_area_over_joint_area():
    table = overlaps([(0, 0, 10, 10), (20, 20, 30, 30)], [(5, 0, 15, 10), (0, 0, 10, 10)])

    assert table.tolist() == [[pytest.approx(50 / 150), 1.0], [0.0, 0.0]]


def test_boxes_without_area_overlap_nothing():
    assert overlaps([(5, 5, 5, 5)], [(5, 5, 5, 5)]).tolist() == [[0.0]]


def test_best_overlaps_pair_first_and_each_box_once():
    found = [(0, 0, 10, 10), (1, 0, 11, 10), (50, 0, 60, 10)]
    true = [(1, 0, 11, 10), (90, 0, 99, 10)]

    assert pair_up(found, true) == ((1, 0),)


def test_a_box_is_covered_when_half_of_it_lies_in_a_region():
    assert covered([(0, 0, 10, 10), (0, 0, 10, 21), (0, 0, 5, 5)], [(0, 0, 10, 10)]).tolist() == [True, False, True]
    assert covered([(0, 0, 10, 10)], []).tolist() == [False]


def test_average_precision_is_the_area_below_the_highest_precision_at_or_beyond_each_recall():
    # hits at ranks 1, 3, 5 of four true boxes: precision 1, 2/3, 3/5, each over a quarter of recall
    ranked = curve((0.9, True), (0.8, False), (0.7, True), (0.6, False), (0.5, True), true=4)

    assert PrecisionRecall([ranked]).area() == round((1 + 2 / 3 + 3 / 5) / 4, 4)


def test_average_precision_lifts_a_dip_to_the_precision_beyond_it():
    # precision at the hits: 1/2, then 2/3, which counts for both
    ranked = curve((0.9, False), (0.8, True), (0.7, True), true=2)

    assert PrecisionRecall([ranked]).area() == round(2 / 3, 4)


def test_average_precision_merges_pictures_by_score():
    first, second = curve((0.9, True), (0.2, False), true=1), curve((0.5, True), true=1)

    assert PrecisionRecall([first, second]).area() == 1.0


def test_boxes_of_equal_score_count_together_in_any_order():
    equals = [(1.0, True), (1.0, False), (1.0, True), (1.0, False)]

    areas = {PrecisionRecall([curve(*order, true=4)]).area() for order in (equals, equals[::-1], sorted(equals))}

    assert areas == {0.25}  # precision 1/2 up to recall 1/2


def test_average_precision_counts_a_picture_as_often_as_its_weight():
    good, bad = curve((0.9, True), true=1), curve((0.8, False), true=1)
    both = PrecisionRecall([good, bad])

    assert both.area() == 0.5
    assert both.area(np.array([1.0, 0.0])) == 1.0
    assert both.area(np.array([0.0, 2.0])) == 0.0
    assert both.area(np.array([3.0, 1.0])) == 0.75


def test_average_precision_of_nothing_is_nothing():
    assert PrecisionRecall([]).area() is None
    assert PrecisionRecall([curve((0.5, False), true=0)]).area() is None
    assert PrecisionRecall([curve(true=3)]).area() == 0.0


def test_doubled_boxes_hit_once_and_the_higher_score_hits():
    hits = score_hits([(0, 0, 10, 10), (0, 0, 10, 9)], [0.3, 0.8], [(0, 0, 10, 10)], at_least=0.5)

    assert hits.scores.tolist() == [0.8, 0.3]
    assert hits.hits.tolist() == [True, False]


def test_false_boxes_in_ignored_regions_are_left_out_of_the_curve_and_hits_are_not():
    region = (0, 0, 40, 40)
    found = [(0, 0, 10, 10), (20, 20, 30, 30), (80, 0, 90, 10)]

    hits = score_hits(found, [0.9, 0.8, 0.7], [(0, 0, 10, 10)], at_least=0.5, ignored=[region])

    assert hits.scores.tolist() == [0.9, 0.7]
    assert hits.hits.tolist() == [True, False]


def test_ratio_and_harmonic_mean():
    assert ratio(1, 3) == 0.3333
    assert ratio(1, 0) is None
    assert f1(0.5, 1.0) == 0.6667
    assert f1(0.0, 0.0) == 0.0
    assert f1(None, 1.0) is None


def test_shares_count_facings_without_a_name_in_the_whole():
    # of 4 true facings 2 are cola and 1 tea; of 5 found 1 is cola, 1 is water
    errors = share_errors(["cola", "cola", "tea", None], ["cola", "water", None, None, None], {"cola", "tea", "juice"})

    assert errors == pytest.approx([30.0, 25.0])


def test_reliability_puts_names_into_bins_of_equal_width():
    bins = reliability([0.05, 0.95, 1.0, 0.91], [False, True, True, False])

    assert [each.count for each in bins] == [1, *[0] * 8, 3]
    assert (bins[9].low, bins[9].high, bins[9].confidence, bins[9].accuracy) == (0.9, 1.0, 0.9533, 0.6667)
    assert bins[4].accuracy is None


def test_calibration_error_weighs_the_bins_by_their_names():
    bins = reliability([0.05, 0.95, 0.95, 0.95], [True, True, True, False])

    # 1/4 * |1 - 0.05| + 3/4 * |2/3 - 0.95|
    assert expected_calibration_error(bins) == pytest.approx(0.25 * 0.95 + 0.75 * (0.95 - 0.6667), abs=1e-4)
    assert expected_calibration_error(reliability([], [])) is None


def test_resampling_draws_as_many_pictures_again_and_a_seed_draws_the_same():
    drawn = resampled(7, draws=50, seed=3)

    assert drawn.shape == (50, 7)
    assert (drawn.sum(1) == 7).all()
    assert (drawn == resampled(7, draws=50, seed=3)).all()
    assert (drawn != resampled(7, draws=50, seed=4)).any()


def test_interval_holds_the_middle_95_percent():
    assert interval([n / 1000 for n in range(1001)]) == (0.025, 0.975)
    assert interval([0.2, None, 0.2]) == (0.2, 0.2)
    assert interval([None]) is None
