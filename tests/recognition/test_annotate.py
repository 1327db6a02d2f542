"""Promises of the annotated picture: nothing hidden, readable, and the legend counts right."""

import numpy as np
import pytest

from coldshelf.recognition.annotate import Mark, MarkKind, annotate
from coldshelf.recognition.shelving import corners_of

GREEN, ORANGE, GREY, RED = (64, 222, 106), (255, 159, 28), (190, 194, 203), (255, 59, 48)


def grey_picture(width=900, height=1200):
    return np.full((height, width, 3), 100, np.uint8)


def mark(box, label="NP-1001", kind=MarkKind.OWN, confidence=0.87):
    return Mark(corners_of(box), label, kind, confidence)


def has(picture, colour):
    return bool((picture == colour).all(axis=2).any())


def changed_box(before, after):
    """Left, top, right, bottom of what differs."""
    ys, xs = np.nonzero((before != after[: before.shape[0]]).any(axis=2))
    return xs.min(), ys.min(), xs.max(), ys.max()


def test_large_picture_keeps_its_size_above_the_legend():
    drawn = annotate(grey_picture(), [])

    assert drawn.shape[1] == 900
    assert 1200 < drawn.shape[0] < 1280
    assert (drawn[:1200] == 100).all()
    assert drawn.dtype == np.uint8


def test_small_picture_is_drawn_at_twice_its_size():
    drawn = annotate(grey_picture(416, 416), [mark((100, 100, 140, 180))])

    assert drawn.shape[1] == 832
    assert drawn[832:].shape[0] < 100
    assert tuple(drawn[240, 200]) == GREEN  # the left side of the box, twice as far out


@pytest.mark.parametrize(
    ("kind", "colour"), [(MarkKind.OWN, GREEN), (MarkKind.FOREIGN, ORANGE), (MarkKind.UNKNOWN, GREY)]
)
def test_box_has_the_colour_of_its_kind(kind, colour):
    drawn = annotate(grey_picture(), [mark((200, 200, 400, 700), kind=kind)])

    assert tuple(drawn[450, 400]) == colour
    others = {GREEN, ORANGE, GREY} - {colour}
    assert not any(has(drawn[:1200], other) for other in others)


def test_gap_is_a_dashed_red_frame():
    drawn = annotate(grey_picture(), [], [corners_of((200, 200, 400, 700))])

    side = drawn[200:700, 200]
    red = (side == RED).all(axis=1)
    assert 0.3 < red.mean() < 0.7
    assert np.diff(red.astype(int)).any()
    assert (drawn[210:690, 210:390] == 100).all()


@pytest.mark.parametrize(
    "box", [(200, 200, 230, 300), (200, 200, 420, 300), (200, 200, 206, 214), (200, 200, 212, 900)]
)
def test_label_stays_in_its_own_box(box):
    before = grey_picture()

    drawn = annotate(before, [mark(box, label="A very long name of a product that nobody can read")])

    left, top, right, bottom = changed_box(before, drawn)
    assert left >= box[0] - 2
    assert top >= box[1] - 2
    assert right <= box[2] + 2
    assert bottom <= box[3] + 2


def test_label_is_written_along_the_foot_of_wide_boxes_and_upwards_in_narrow_ones():
    before = grey_picture()

    wide = annotate(before, [mark((100, 100, 400, 300))])
    narrow = annotate(before, [mark((100, 100, 130, 300))])

    assert (wide[110:270, 110:390] == 100).all()
    assert (narrow[110:290, 120:127] == 100).all()  # right of the upright words
    assert (narrow[220:290, 104:112] != 100).any()


def test_legend_counts_every_kind():
    """The legend changes with the counts and only there."""
    few = annotate(grey_picture(), [])
    with_gap = annotate(grey_picture(), [], [corners_of((10, 10, 60, 60))])

    assert few.shape == with_gap.shape
    assert all(has(few[1200:], colour) for colour in (GREEN, ORANGE, GREY, RED))
    assert (few[1200:] != with_gap[1200:]).any()


@pytest.mark.parametrize("shape", [(1, 1), (3, 900), (900, 3), (40, 40)])
def test_odd_picture_is_drawn_as_well(shape):
    drawn = annotate(np.zeros((*shape, 3), np.uint8), [mark((-5.0, -5.0, 2000.0, 3.0))], [corners_of((0, 0, 1, 1))])

    assert drawn.shape[0] > shape[0]


def test_given_picture_is_left_alone():
    picture = grey_picture()

    annotate(picture, [mark((100, 100, 200, 300))])

    assert (picture == 100).all()


@pytest.mark.parametrize("label", ["", "Trà Ô Long", "可乐 500", "x"])
def test_any_label_can_be_written(label):
    drawn = annotate(grey_picture(), [mark((100, 100, 300, 300), label=label)])

    assert has(drawn[:1200], GREEN)
