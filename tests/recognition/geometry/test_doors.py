from coldshelf.recognition.geometry import arrange
from coldshelf.recognition.recogniser import Box
from tests.recognition.geometry.layouts import picture_of, row, with_frame, without

FEET = (100, 190, 280, 370)
TWO_DOORS = [box for foot in FEET for left in (40, 220) for box in row(foot=foot, left=left, count=4)]
FRAME = (186, 214)


def doors_of(boxes: list[Box]) -> list[int]:
    return [place.door for place in arrange(with_frame(picture_of(boxes), *FRAME), boxes).places]


def test_doors_count_from_the_left_and_shelves_run_through() -> None:
    result = arrange(with_frame(picture_of(TWO_DOORS), *FRAME), TWO_DOORS)

    assert [place.door for place in result.places] == [1, 1, 1, 1, 2, 2, 2, 2] * 4
    assert [place.position for place in result.places] == [1, 2, 3, 4, 5, 6, 7, 8] * 4
    assert len(result.shelves) == 4


def test_frame_between_doors_is_no_gap() -> None:
    assert arrange(with_frame(picture_of(TWO_DOORS), *FRAME), TWO_DOORS).gaps == ()


def test_gap_beside_a_frame_is_behind_its_door() -> None:
    boxes = without(TWO_DOORS, 12)

    (gap,) = arrange(with_frame(picture_of(boxes), *FRAME), boxes).gaps

    assert (gap.shelf, gap.position, gap.door) == (2, 5, 2)


def test_column_that_is_sold_out_on_all_shelves_is_no_frame() -> None:
    boxes = [box for foot in FEET for box in without(row(foot=foot), 4)]

    result = arrange(picture_of(boxes), boxes)

    assert {place.door for place in result.places} == {1}
    assert [(gap.shelf, gap.position) for gap in result.gaps] == [(1, 5), (2, 5), (3, 5), (4, 5)]


def test_one_row_has_one_door() -> None:
    assert set(doors_of(TWO_DOORS[:8])) == {1}
