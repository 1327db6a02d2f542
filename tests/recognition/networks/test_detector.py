"""Promises of the detector: exact boxes from the network's maps, and the same facings whatever the picture's size."""

from itertools import pairwise

import cv2
import numpy as np
import pytest

from coldshelf.pictures.rendering import generate_designs, random_spec, render_cooler
from coldshelf.recognition.networks.detector import (
    NOTHING,
    STRIDE,
    FacingDetector,
    Found,
    _fitting_scale,
    _tiles,
    decode,
    intersection_over_union,
    suppress,
)
from coldshelf.recognition.networks.models import DETECTOR, SHIPPED
from tests.recognition.scenes import three_shelves

SURE = 0.3


def boxes(*rows):
    return np.array(rows, np.float32).reshape(-1, 4)


def maps(*told, cells=(20, 30)):
    """Heat and distances in which cell (row, column) tells a box with a likelihood."""
    heat = np.zeros(cells, np.float32)
    distances = np.full((4, *cells), 7.0, np.float32)
    for (row, column), likelihood, (left, top, right, bottom) in told:
        x, y = (column + 0.5) * STRIDE, (row + 0.5) * STRIDE
        heat[row, column] = likelihood
        distances[:, row, column] = x - left, y - top, right - x, bottom - y
    return heat, distances


def test_peaks_become_the_boxes_they_tell_best_first():
    found = decode(*maps(((5, 5), 0.6, (10, 8, 34, 40)), ((12, 20), 0.9, (70, 30, 95, 75))))

    assert found.boxes == pytest.approx(boxes((70, 30, 95, 75), (10, 8, 34, 40)), abs=1e-3)
    assert found.scores == pytest.approx([0.9, 0.6])


def test_cells_around_a_peak_have_a_say_by_the_square_of_their_heat():
    found = decode(*maps(((5, 5), 0.8, (10, 10, 30, 40)), ((5, 6), 0.4, (15, 10, 40, 40))))

    assert found.boxes == pytest.approx(boxes((11, 10, 32, 40)), abs=1e-3)
    assert found.scores == pytest.approx([0.8])


def test_peak_at_the_edge_of_the_map_keeps_its_box():
    found = decode(*maps(((0, 0), 0.7, (-3, -2, 9, 14)), ((19, 29), 0.5, (110, 60, 121, 82))))

    assert found.boxes == pytest.approx(boxes((-3, -2, 9, 14), (110, 60, 121, 82)), abs=1e-3)


def test_faint_heat_is_nothing():
    found = decode(*maps(((5, 5), 0.04, (10, 8, 34, 40))))

    assert found is NOTHING


def test_worse_box_of_the_same_facing_goes():
    kept = suppress(boxes((0, 0, 20, 40), (2, 0, 22, 40), (100, 0, 120, 40)), np.array([0.5, 0.9, 0.7], np.float32))

    assert kept.tolist() == [1, 2]


def test_part_inside_a_better_box_goes_and_a_better_part_stays():
    label, whole = (4, 20, 16, 36), (0, 0, 20, 40)
    scores = np.array([0.4, 0.8], np.float32)

    assert suppress(boxes(label, whole), scores).tolist() == [1]
    assert suppress(boxes(whole, label), scores).tolist() == [1, 0]


def test_neighbours_stay_though_they_touch_or_overlap_a_little():
    row = boxes((0, 0, 20, 40), (20, 0, 40, 40), (35, 0, 55, 40), (0, 42, 20, 82))

    kept = suppress(row, np.array([0.9, 0.8, 0.7, 0.6], np.float32))

    assert kept.tolist() == [0, 1, 2, 3]


def test_no_boxes_are_suppressed_to_none():
    assert suppress(NOTHING.boxes, NOTHING.scores).tolist() == []


def test_overlaps_are_intersection_over_union():
    overlaps = intersection_over_union(boxes((0, 0, 10, 10), (50, 50, 60, 60)), boxes((0, 0, 10, 10), (5, 0, 15, 10)))

    assert overlaps == pytest.approx(np.array([[1, 1 / 3], [0, 0]], np.float32))


@pytest.mark.parametrize("size", [(448, 300), (768, 768), (769, 500), (1376, 1377), (2048, 2048), (2000, 31)])
def test_tiles_cover_every_pixel_and_overlap(size):
    width, height = size

    tiles = list(_tiles(width, height))

    seen = np.zeros((height, width), np.uint8)
    for left, top, right, bottom in tiles:
        assert 0 <= left < right <= width
        assert 0 <= top < bottom <= height
        assert max(right - left, bottom - top) <= 768
        seen[top:bottom, left:right] += 1
    assert seen.min() == 1
    for low, high in ((0, 2), (1, 3)):
        spans = sorted({(tile[low], tile[high]) for tile in tiles})
        assert all(end - start >= 160 for (_, end), (start, _) in pairwise(spans))


def of_height(height, score=0.9):
    return Found(boxes(*[(40 * n, 0, 40 * n + 20, height) for n in range(5)]), np.full(5, score, np.float32))


def test_second_look_brings_products_to_their_usual_height():
    scale = 0.25

    assert _fitting_scale(of_height(62 / scale), scale, 1800) is None
    assert _fitting_scale(of_height(20 / scale), scale, 1800) == pytest.approx(scale * 62 / 20)
    assert _fitting_scale(of_height(200 / scale), scale, 1800) == pytest.approx(scale * 62 / 200)


def test_second_look_never_takes_a_picture_larger_than_the_limit():
    assert _fitting_scale(of_height(20), 0.1, 4480) == pytest.approx(2048 / 4480)


def test_doubtful_boxes_ask_for_no_second_look():
    assert _fitting_scale(of_height(20, score=0.2), 1.0, 448) is None
    assert _fitting_scale(NOTHING, 1.0, 448) is None


@pytest.fixture(scope="module")
def detector():
    return FacingDetector(SHIPPED / DETECTOR)


@pytest.fixture(scope="module")
def scene():
    return three_shelves()


def sure_boxes(found):
    return found.boxes[found.scores >= SURE]


def met(wanted, found, *, overlap):
    """Share of boxes that another set has as well."""
    return float((intersection_over_union(wanted, found).max(1, initial=0) >= overlap).mean())


@pytest.mark.parametrize("long_side", [416, 1600, 3000])
def test_same_facings_are_found_at_every_size_of_the_picture(detector, scene, long_side):
    factor = long_side / max(scene.image.shape[:2])
    method = cv2.INTER_AREA if factor < 1 else cv2.INTER_LINEAR
    other = cv2.resize(scene.image, None, fx=factor, fy=factor, interpolation=method)

    as_drawn, resized = sure_boxes(detector.find(scene.image)), sure_boxes(detector.find(other)) / factor

    assert met(as_drawn, resized, overlap=0.7) >= 0.85
    assert met(resized, as_drawn, overlap=0.7) >= 0.85
    assert abs(len(as_drawn) - len(resized)) <= 2


def test_cooler_far_away_in_a_large_picture_is_looked_at_closer(detector):
    """Products are 24 pixels high when the whole room is seen at 448 pixels; the closer look takes four tiles."""
    cooler = render_cooler(random_spec(11, 2, generate_designs(12, seed=5), size=(960, 960)))
    room = np.full((2000, 2000, 3), 150, np.uint8)
    room[500:1460, 400:1360] = cooler.image

    found = sure_boxes(detector.find(room))

    inside = found - np.array([400, 500, 400, 500], np.float32)
    assert met(boxes(*[true.box for true in cooler.facings]), inside, overlap=0.5) >= 0.75
    assert len(found) <= 1.4 * len(cooler.facings)


def test_found_boxes_come_best_first_with_scores_down_to_doubtful_ones(detector, scene):
    found = detector.find(scene.image)

    assert found.boxes.shape == (len(found.scores), 4)
    assert (np.diff(found.scores) <= 0).all()
    assert 0.05 <= found.scores.min() < found.scores.max() <= 1


@pytest.mark.parametrize("shape", [(31, 500, 3), (500, 31, 3), (1, 1, 3), (500, 500), (500, 500, 4)])
def test_picture_too_small_or_not_in_colours_gives_nothing(detector, shape):
    assert detector.find(np.full(shape, 90, np.uint8)) is NOTHING
