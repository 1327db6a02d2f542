"""Boxes go where the pixels go."""

import numpy as np
import pytest

from coldshelf.recognition.training.augment import (
    PERMUTATIONS,
    Labelled,
    degraded,
    hide,
    mosaic,
    move_boxes,
    random_view,
    recoloured,
)

SIZE = 128


def painted(*boxes: tuple[int, int, int, int], size: int = SIZE, ignored: bool = False) -> Labelled:
    """Grey pictures with one white rectangle for each box."""
    image = np.full((size, size, 3), 40, np.uint8)
    for left, top, right, bottom in boxes:
        image[top:bottom, left:right] = 255
    return Labelled(image, np.array(boxes, np.float32).reshape(-1, 4), np.full(len(boxes), ignored))


def white_part(image: np.ndarray) -> tuple[float, float, float, float]:
    rows, columns = np.nonzero(image[..., 0] > 190)
    return float(columns.min()), float(rows.min()), float(columns.max() + 1), float(rows.max() + 1)


@pytest.mark.parametrize("seed", range(12))
def test_a_view_moves_boxes_with_the_pixels(seed: int) -> None:
    sample = painted((52, 44, 76, 84))

    seen = random_view(sample, SIZE, np.random.default_rng(seed), zoom=(0.8, 1.2))

    assert len(seen.boxes) == 1
    # A rectangle turned by up to six degrees fills a box that is larger by some of its other side.
    assert np.abs(np.array(white_part(seen.image)) - seen.boxes[0]).max() < 5
    assert seen.image.shape == (SIZE, SIZE, 3)


def test_a_mirrored_box_lies_on_the_other_side() -> None:
    mirror = np.array([[-1.0, 0, 100], [0, 1, 0], [0, 0, 1]])

    moved = move_boxes(np.array([[10, 20, 30, 60]], np.float32), mirror)

    assert moved.tolist() == [[70, 20, 90, 60]]


def test_no_boxes_stay_no_boxes() -> None:
    nothing = np.zeros((0, 4), np.float32)

    assert move_boxes(nothing, np.eye(3)).shape == (0, 4)
    assert random_view(painted(), SIZE, np.random.default_rng(0), zoom=(1, 1)).boxes.shape == (0, 4)


def test_a_mosaic_shifts_boxes_into_their_quarter() -> None:
    parts = [painted((2, 2, 12, 22)), painted((2, 2, 12, 22)), painted(), painted()]

    joined = mosaic(parts, SIZE, np.random.default_rng(1))

    assert joined.image.shape == (SIZE, SIZE, 3)
    assert len(joined.boxes) == 2
    for left, top, right, bottom in joined.boxes.astype(int):
        assert (joined.image[top:bottom, left:right] == 255).all()


def test_boxes_cut_by_the_edge_are_ignored_or_dropped() -> None:
    parts = [painted((0, 0, 10, 20), (70, 0, 126, 20), (100, 0, 126, 20)), painted(), painted(), painted()]
    joined = mosaic(parts, SIZE, _middle())

    assert joined.boxes.tolist() == [[0, 0, 10, 20]]

    parts[0] = painted((44, 0, 104, 20))
    cut = mosaic(parts, SIZE, _middle())

    assert cut.boxes.tolist() == [[44, 0, 64, 20]]
    assert cut.ignored.tolist() == [True]


class _Middle:
    def uniform(self, low: float, high: float) -> float:
        return (low + high) / 2


def _middle() -> np.random.Generator:
    return _Middle()  # type: ignore[return-value]  # the one method that a mosaic asks


def test_hidden_products_cannot_be_seen_and_count_for_nothing() -> None:
    sample = painted((10, 10, 30, 50), (60, 10, 80, 50))

    hidden = hide(sample, np.array([True, False]), np.random.default_rng(0))

    assert hidden.ignored.tolist() == [True, False]
    assert hidden.image[10:50, 10:30].max() < 170
    assert (hidden.image[10:50, 60:80] == 255).all()
    assert (sample.image[10:50, 10:30] == 255).all(), "the picture as it was stays"


def test_other_light_never_swaps_colours() -> None:
    image = np.zeros((8, 8, 3), np.uint8)
    image[...] = (200, 90, 30)

    seen = [recoloured(image, np.random.default_rng(seed), strength=0.5)[0, 0] for seed in range(30)]

    assert all(red > green > blue for red, green, blue in seen)
    assert len({tuple(pixel) for pixel in seen}) > 20


def test_a_worse_picture_keeps_its_size_and_repeats_with_its_seed() -> None:
    image = np.random.default_rng(0).integers(0, 255, (60, 40, 3)).astype(np.uint8)

    for seed in range(20):
        once, twice = (degraded(image, np.random.default_rng(seed)) for _ in range(2))

        assert once.shape == image.shape
        assert once.dtype == np.uint8
        assert np.array_equal(once, twice)


def test_orders_of_colours_are_all_six() -> None:
    assert PERMUTATIONS[0] == (0, 1, 2)
    assert len(set(PERMUTATIONS)) == 6
