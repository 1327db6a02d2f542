from coldshelf.recognition.geometry import arrange
from coldshelf.recognition.recogniser import Box
from tests.recognition.geometry.layouts import picture_of, row


def places_of(boxes: list[Box]) -> list[tuple[int, int, int]]:
    places = arrange(picture_of(boxes), boxes).places
    return [(place.shelf, place.position, place.stack_index) for place in places]


def test_stacked_cans_have_the_position_of_their_base() -> None:
    above, base = row(foot=100), row(foot=300, height=45)
    second, third = row(foot=254, height=45, count=3), row(foot=208, height=45, count=1)

    places = places_of([*above, *base, *second, *third])

    assert places[16:] == [(2, 1, 1), (2, 2, 1), (2, 3, 1), (2, 1, 2)]
    assert {index for _, _, index in places[:16]} == {0}


def test_tall_bottle_that_reaches_the_shelf_above_bears_nothing() -> None:
    above, below = row(foot=100), row(foot=190)
    below[3] = (below[3][0], 102, below[3][2], 190)

    assert {index for _, _, index in places_of([*above, *below])} == {0}


def test_full_shelf_close_above_another_is_no_stack() -> None:
    places = places_of([*row(foot=100), *row(foot=166, height=60)])

    assert {index for _, _, index in places} == {0}
    assert [shelf for shelf, _, _ in places] == [1] * 8 + [2] * 8
