import pytest

from coldshelf.recognition.geometry import arrange
from coldshelf.recognition.recogniser import Box
from tests.recognition.geometry.layouts import picture_of, row

UPPER = [box for foot in (70, 140, 210) for box in row(foot=foot, height=50)]


def fill_levels(boxes: list[Box]) -> list[int | None]:
    return [place.fill_level for place in arrange(picture_of(boxes), boxes).places]


def with_last_row_set_back(rise: float) -> list[Box]:
    last = row(foot=370, height=50)
    left, top, right, bottom = last[3]
    last[3] = (left + 1, top - rise * 0.9, right - 1, bottom - rise)
    return [*UPPER, *last]


def test_nothing_is_said_of_facings_at_the_edge() -> None:
    assert set(fill_levels([*UPPER, *row(foot=370, height=50)])) == {None}


@pytest.mark.parametrize(("rise", "level"), [(11, 75), (20, 50), (31, 25)])
def test_facing_that_stands_back_tells_how_full_its_column_is(rise: float, level: int) -> None:
    levels = fill_levels(with_last_row_set_back(rise))

    assert levels[27] == level
    assert set(levels[:27]) == {None}


def test_facing_that_stands_back_keeps_its_shelf_and_position() -> None:
    boxes = with_last_row_set_back(28)

    place = arrange(picture_of(boxes), boxes).places[27]

    assert (place.shelf, place.position) == (4, 4)


def test_nothing_is_said_where_the_camera_is_level_with_the_shelf() -> None:
    boxes = [*UPPER, *row(foot=370, height=50)]
    left, top, right, bottom = boxes[8]
    boxes[8] = (left, top - 6, right, bottom - 6)

    assert set(fill_levels(boxes)) == {None}


def test_box_that_shows_between_two_facings_heads_no_column() -> None:
    boxes = [*UPPER, *row(foot=370, height=50), (78.0, 305.0, 110.0, 350.0)]

    assert set(fill_levels(boxes)) == {None}
