from coldshelf.recognition.geometry import arrange
from coldshelf.recognition.recogniser import Box
from tests.recognition.geometry.layouts import cooler, picture_of, without

BOXES = cooler(rows=3, count=8)


def gaps_of(boxes: list[Box], drawn: list[Box]) -> list[tuple[int, int]]:
    return [(gap.shelf, gap.position) for gap in arrange(picture_of(drawn), boxes).gaps]


def test_full_cooler_has_no_gaps() -> None:
    assert gaps_of(BOXES, BOXES) == []


def test_gap_takes_part_in_the_count() -> None:
    boxes = without(BOXES, 10)

    result = arrange(picture_of(boxes), boxes)

    assert [(gap.shelf, gap.position) for gap in result.gaps] == [(2, 3)]
    assert [place.position for place in result.places if place.shelf == 2] == [1, 2, 4, 5, 6, 7, 8]


def test_gaps_at_both_ends_are_found_from_the_other_rows() -> None:
    boxes = without(BOXES, 8, 15)

    assert gaps_of(boxes, boxes) == [(2, 1), (2, 8)]


def test_two_free_places_side_by_side_are_two_gaps() -> None:
    boxes = without(BOXES, 10, 11)

    assert gaps_of(boxes, boxes) == [(2, 3), (2, 4)]


def test_product_that_was_not_found_is_no_gap() -> None:
    assert gaps_of(without(BOXES, 10), BOXES) == []


def test_gap_lies_where_the_product_was() -> None:
    boxes = without(BOXES, 10)

    (gap,) = arrange(picture_of(boxes), boxes).gaps

    left, top, right, bottom = BOXES[10]
    (x0, y0), (_, y1), (x1, _), _ = gap.corners
    assert abs(x0 - left) <= 6
    assert abs(x1 - right) <= 6
    assert abs(y0 - top) <= 2
    assert abs(y1 - bottom) <= 2
