"""Promises of combining: everything is there once, in the order that was asked for, in a picture of bounded size."""

import itertools
import random

import numpy as np
import pytest

from coldshelf.pictures.imaging.combine import Placement, SideBySide, lay_out, parse_grid_order
from coldshelf.pictures.imaging.errors import GridOrderMismatch
from coldshelf.pictures.imaging.pixels import MAX_PIXELS, MAX_SIDE

CENTRE, LEFT, RIGHT = 10, 120, 240


def flat(grey, *, width=40, height=30):
    return np.full((height, width, 3), grey, np.uint8)


@pytest.mark.parametrize(
    ("text", "count", "order"),
    [("2,1,3", 3, (2, 1, 3)), (" 3 , 1,2 ", 3, (3, 1, 2)), ("1", 1, (1,)), (None, 3, (1, 2, 3)), ("  ", 2, (1, 2))],
)
def test_grid_order_is_read(text, count, order):
    assert parse_grid_order(text, count) == order


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("2,1", 3),
        ("2,1,3", 2),
        ("1,1,3", 3),
        ("0,1,2", 3),
        ("1,2,4", 3),
        ("1,2,", 3),
        ("1;2;3", 3),
        ("a,b,c", 3),
        ("1.0,2,3", 3),
        ("-1,2,3", 3),
        ("٢,1,3", 3),
        ("9" * 10_000 + ",1", 2),
        ("1", 0),
    ],
)
def test_grid_order_that_does_not_fit_is_refused_in_the_words_of_the_contract(text, count):
    with pytest.raises(GridOrderMismatch) as refused:
        parse_grid_order(text, count)

    assert refused.value.message == "Files did not match with the grid order"
    assert refused.value.status == 400


def test_number_n_is_the_place_of_file_n():
    """The example of the contract: files are centre, left, right; order is 2,1,3."""
    stitched = SideBySide().combine([flat(CENTRE), flat(LEFT), flat(RIGHT)], (2, 1, 3))

    assert stitched.image.shape == (30, 120, 3)
    assert [int(stitched.image[15, x, 0]) for x in (20, 60, 100)] == [LEFT, CENTRE, RIGHT]
    assert stitched.placements == (Placement(40, 0, 80, 30), Placement(0, 0, 40, 30), Placement(80, 0, 120, 30))


def test_order_that_is_not_its_own_inverse_is_read_the_same_way():
    stitched = SideBySide().combine([flat(10), flat(20), flat(30)], (2, 3, 1))

    assert [int(stitched.image[15, x, 0]) for x in (20, 60, 100)] == [30, 10, 20]


def test_pictures_are_scaled_to_the_tallest():
    stitched = SideBySide().combine([flat(50, width=40, height=30), flat(90, width=20, height=60)], (1, 2))

    assert stitched.placements == (Placement(0, 0, 80, 60), Placement(80, 0, 100, 60))
    assert stitched.image.shape == (60, 100, 3)
    assert (stitched.image[:, :80] == 50).all()
    assert (stitched.image[:, 80:] == 90).all()


def test_pixels_of_pictures_of_one_height_are_kept():
    chance = np.random.default_rng(3)
    pictures = [chance.integers(0, 256, (30, width, 3), np.uint8) for width in (17, 40)]
    before = [picture.copy() for picture in pictures]

    stitched = SideBySide().combine(pictures, (2, 1))

    assert np.array_equal(stitched.image, np.concatenate([pictures[1], pictures[0]], axis=1))
    assert all(np.array_equal(*pair) for pair in zip(pictures, before, strict=True))


def test_one_picture_stays_as_it_is():
    assert np.array_equal(SideBySide().combine([flat(7)], (1,)).image, flat(7))


def test_large_pictures_are_scaled_down_to_the_limits():
    placements = lay_out([(8160, 6120)] * 20, tuple(range(1, 21)))

    assert placements[-1].x1 <= MAX_SIDE
    assert placements[-1].x1 > 0.99 * MAX_SIDE
    assert placements[-1].x1 * placements[-1].y1 <= MAX_PIXELS
    assert lay_out([(3000, 4000)] * 2, (1, 2))[1] == Placement(3000, 0, 6000, 4000)


def test_layout_stays_within_the_limits_for_any_sizes():
    chance = random.Random(11)

    for _ in range(500):
        count = chance.randrange(1, 21)
        sizes = [(chance.choice((1, 50, 4000, MAX_SIDE)), chance.choice((1, 60, 3000, MAX_SIDE))) for _ in range(count)]
        placements = lay_out(sizes, chance.sample(range(1, count + 1), count))
        row = sorted(placements, key=lambda placement: placement.x0)

        assert row[0].x0 == 0
        assert all(left.x1 == right.x0 for left, right in itertools.pairwise(row))
        assert all(placement.x1 > placement.x0 and placement.y1 == row[0].y1 > 0 for placement in row)
        assert row[-1].x1 <= MAX_SIDE + count  # a hairline keeps one pixel
        assert row[-1].x1 * row[0].y1 <= MAX_PIXELS


@pytest.mark.parametrize("order", [(1,), (1, 1), (0, 1), (1, 2, 3)])
def test_order_that_is_no_permutation_is_refused(order):
    with pytest.raises(GridOrderMismatch):
        SideBySide().combine([flat(1), flat(2)], order)
