import numpy as np
import pytest

from coldshelf.recognition.geometry import arrange
from coldshelf.recognition.recogniser import Box
from tests.recognition.geometry.layouts import SIZE, cooler, picture_of, row, turned

BLANK = np.full((*SIZE, 3), 225, np.uint8)


def numbers(boxes: list[Box]) -> list[tuple[int, int]]:
    return [(place.shelf, place.position) for place in arrange(picture_of(boxes), boxes).places]


def test_shelves_count_from_the_top_and_positions_from_the_left() -> None:
    boxes = cooler(rows=3, count=5)

    assert numbers(boxes) == [(shelf, position) for shelf in (1, 2, 3) for position in range(1, 6)]


def test_places_come_in_the_order_of_the_boxes() -> None:
    boxes = cooler(rows=3, count=5)
    order = np.random.default_rng(1).permutation(len(boxes))

    shuffled = numbers([boxes[i] for i in order])

    assert shuffled == [numbers(boxes)[i] for i in order]


def test_bottles_and_cans_share_a_shelf_by_their_feet() -> None:
    bottles, cans = row(foot=200, count=4, height=80), row(foot=201, left=204, count=4, height=45)

    assert {shelf for shelf, _ in numbers([*row(foot=90), *bottles, *cans])[8:]} == {2}


@pytest.mark.parametrize("slope", [-0.15, -0.05, 0.05, 0.15])
def test_tilted_shelves_are_told_apart(slope: float) -> None:
    boxes = cooler(rows=4, count=8)

    assert numbers(turned(boxes, slope)) == numbers(boxes)


def test_rows_that_converge_are_told_apart() -> None:
    boxes = [box for shelf, slope in enumerate((-0.08, 0.0, 0.08)) for box in turned(row(foot=100 + 85 * shelf), slope)]

    assert [shelf for shelf, _ in numbers(boxes)] == [1] * 8 + [2] * 8 + [3] * 8


def test_no_boxes_have_no_shelves() -> None:
    result = arrange(BLANK, [])

    assert (result.shelves, result.places, result.gaps) == ((), (), ())


def test_one_box_is_one_shelf() -> None:
    result = arrange(picture_of([(100, 100, 140, 180)]), [(100, 100, 140, 180)])

    assert [(place.shelf, place.position) for place in result.places] == [(1, 1)]
    assert len(result.shelves) == 1
    assert result.gaps == ()


@pytest.mark.parametrize(
    "boxes",
    [
        [(100.0, 100.0, 140.0, 180.0)] * 12,
        [(-50.0, -80.0, 10.0, 20.0), (400.0, 380.0, 470.0, 520.0), (900.0, 900.0, 950.0, 999.0)],
        [(140.0, 180.0, 100.0, 100.0), (20.0, 20.0, 20.0, 20.0)],
        [(float("nan"), 0.0, 10.0, 20.0), (0.0, 0.0, float("inf"), 40.0)],
        [(float(x), float(y), x + 15.0, y + 14.0) for x in range(0, 400, 16) for y in range(0, 400, 20)],
    ],
    ids=["duplicates", "outside", "reversed and flat", "no numbers", "five hundred"],
)
def test_strange_boxes_all_get_a_place(boxes: list[Box]) -> None:
    result = arrange(BLANK, boxes)

    assert len(result.places) == len(boxes)
    assert all(1 <= place.shelf <= len(result.shelves) and place.position >= 1 for place in result.places)


def test_tiny_picture_is_no_trouble() -> None:
    result = arrange(np.zeros((1, 1, 3), np.uint8), [(0, 0, 1, 1), (5, 5, 9, 9)])

    assert len(result.places) == 2
