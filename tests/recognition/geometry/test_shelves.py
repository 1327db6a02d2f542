from coldshelf.recognition.geometry import arrange
from coldshelf.recognition.recogniser import Pixels
from tests.recognition.geometry.layouts import picture_of, row, with_rails

FEET = [90.0, 180.0, 270.0, 360.0]
STOCKED = [box for foot in (90, 270, 360) for box in row(foot=foot)]


def stocked_picture() -> Pixels:
    return with_rails(picture_of(STOCKED), FEET)


def test_empty_shelf_between_two_rows_is_counted() -> None:
    result = arrange(stocked_picture(), STOCKED)

    assert len(result.shelves) == 4
    assert [place.shelf for place in result.places] == [1] * 8 + [3] * 8 + [4] * 8


def test_empty_shelf_is_all_gaps() -> None:
    result = arrange(stocked_picture(), STOCKED)

    assert [gap.shelf for gap in result.gaps] == [2] * 8
    assert [gap.position for gap in result.gaps] == list(range(1, 9))


def test_shelf_whose_products_were_not_found_has_no_gaps() -> None:
    everything = [box for foot in FEET for box in row(foot=foot)]

    result = arrange(with_rails(picture_of(everything), FEET), STOCKED)

    assert len(result.shelves) == 4
    assert result.gaps == ()


def test_much_air_above_a_row_is_no_shelf() -> None:
    result = arrange(with_rails(picture_of(STOCKED), [90, 270, 360]), STOCKED)

    assert len(result.shelves) == 3


def test_shelves_lie_where_their_products_stand() -> None:
    shelf = arrange(stocked_picture(), STOCKED).shelves[0]

    (left, top), (_, bottom), (right, _), _ = shelf.corners
    assert shelf.number == 1
    assert abs(left - 60) <= 2
    assert abs(right - 344) <= 2
    assert abs(top - 30) <= 2
    assert abs(bottom - 90) <= 2


def test_single_box_on_a_rail_is_a_shelf_of_its_own() -> None:
    boxes = [*STOCKED, (200.0, 120.0, 232.0, 180.0)]

    assert arrange(with_rails(picture_of(boxes), FEET), boxes).places[-1].shelf == 2


def test_single_box_in_mid_air_makes_no_shelf() -> None:
    boxes = [*STOCKED, (200.0, 110.0, 232.0, 170.0)]

    result = arrange(with_rails(picture_of(STOCKED), [90, 270, 360]), boxes)

    assert len(result.shelves) == 3
    assert result.places[-1].shelf == 2


def test_single_box_is_a_shelf_where_no_rails_are_known() -> None:
    boxes = [*row(foot=100), (60.0, 200.0, 92.0, 260.0)]

    assert arrange(picture_of(boxes), boxes).places[-1].shelf == 2
