"""What must not change the arrangement, and what must change it by exactly one place."""

import cv2
import numpy as np
import pytest

from coldshelf.recognition.geometry import Arrangement, arrange
from coldshelf.recognition.recogniser import Box
from tests.recognition.geometry.layouts import cooler, picture_of, turned, without

BOXES = without(cooler(rows=4, count=8), 3, 17, 24)


def numbers(result: Arrangement) -> tuple[list[tuple[int, int, int, int | None, int]], list[tuple[int, int]]]:
    places = [(each.shelf, each.position, each.stack_index, each.fill_level, each.door) for each in result.places]
    return places, [(gap.shelf, gap.position) for gap in result.gaps]


EXPECTED = numbers(arrange(picture_of(BOXES), BOXES))


def test_layout_has_gaps_to_lose() -> None:
    assert EXPECTED[1] == [(1, 4), (3, 2), (4, 1)]


@pytest.mark.parametrize(("aside", "down"), [(30, 0), (-40, 10), (17, 23)])
def test_shifting_changes_nothing(aside: int, down: int) -> None:
    moved = [(a + aside, b + down, c + aside, d + down) for a, b, c, d in BOXES]

    assert numbers(arrange(picture_of(moved), moved)) == EXPECTED


@pytest.mark.parametrize("factor", [0.6, 2.0, 6.5])
def test_scaling_changes_nothing(factor: float) -> None:
    size = round(416 * factor), round(416 * factor)
    image = np.asarray(cv2.resize(picture_of(BOXES), size, interpolation=cv2.INTER_AREA), np.uint8)
    scaled: list[Box] = [(a * factor, b * factor, c * factor, d * factor) for a, b, c, d in BOXES]

    assert numbers(arrange(image, scaled)) == EXPECTED


@pytest.mark.parametrize("slope", [-0.12, -0.03, 0.03, 0.12])
def test_tilt_changes_nothing(slope: float) -> None:
    tilted = turned(BOXES, slope)

    assert numbers(arrange(picture_of(tilted), tilted)) == EXPECTED


@pytest.mark.parametrize("seed", range(5))
def test_loose_boxes_change_nothing(seed: int) -> None:
    rng = np.random.default_rng(seed)
    loose = [
        (a + float(j[0]), b + float(j[1]), c + float(j[2]), d + float(j[3]))
        for (a, b, c, d), j in zip(BOXES, rng.uniform(-1.5, 1.5, (len(BOXES), 4)), strict=True)
    ]

    assert numbers(arrange(picture_of(BOXES), loose)) == EXPECTED


def test_same_input_gives_the_same_result() -> None:
    image = picture_of(BOXES)

    assert arrange(image, BOXES) == arrange(image, BOXES)


@pytest.mark.parametrize("number", range(0, 32, 5))
def test_one_more_facing_inserts_one_position(number: int) -> None:
    full = cooler(rows=4, count=8)
    fewer = without(full, number)
    image = picture_of(full)

    before, after = arrange(image, fewer).places, arrange(image, full).places

    added = after[number]
    for old, new in zip(before, [*after[:number], *after[number + 1 :]], strict=True):
        is_behind = new.shelf == added.shelf and new.position > added.position
        assert (new.shelf, new.position) == (old.shelf, old.position + is_behind)
