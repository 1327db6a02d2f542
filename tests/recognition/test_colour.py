"""Promises of the colour recogniser: what it finds in clean scenes, and that it says nothing where nothing is."""

from dataclasses import replace

import cv2
import numpy as np
import pytest

from coldshelf.pictures.rendering import SceneSpec, render_scene
from coldshelf.recognition.appearance import describe
from coldshelf.recognition.levelling import Levelling, estimate_levelling
from coldshelf.recognition.packshots import prepare_reference
from coldshelf.recognition.recogniser import PlannedFacing, ProductId
from coldshelf.recognition.recognisers.colour import ColourRecogniser
from coldshelf.recognition.templates import likeness, make_templates
from tests.recognition.scenes import PRODUCTS, SKUS, best_at, box_of, found_share, overlap, right_share, three_shelves


@pytest.fixture(scope="module")
def scene():
    return three_shelves()


@pytest.fixture(scope="module")
def result(scene):
    return ColourRecogniser().recognise(scene.image, PRODUCTS)


def test_clean_scene_is_found_and_named(scene, result):
    assert len(result.shelves) == 3
    assert found_share(scene, result) >= 0.9
    assert right_share(scene, result) >= 0.9
    assert len(result.facings) <= len(scene.facings) + 1


def test_facings_stand_on_their_shelf_from_left_to_right(scene, result):
    for true in scene.facings:
        seen = best_at(true.corners, result.facings)
        if seen is not None:
            assert seen.shelf == true.shelf
    for shelf in result.shelves:
        row = sorted((f for f in result.facings if f.shelf == shelf.number), key=lambda f: f.position)
        middles = [box_of(f.corners)[0] for f in row]
        assert middles == sorted(middles)


def test_gap_between_products_is_seen_and_takes_a_position(scene, result):
    (true,) = scene.gaps

    near = [gap for gap in result.gaps if overlap(box_of(gap.corners), box_of(true.corners)) > 0.3]

    assert [(gap.shelf, gap.position) for gap in near] == [(true.shelf, true.position)]
    assert (true.shelf, true.position) not in {(f.shelf, f.position) for f in result.facings}


def test_slanted_picture_is_read_as_well():
    bottles = ("NP-1003", "NP-1103", "NP-1201", "NP-1202", "NP-1301", "NP-1003")
    slanted = render_scene(
        SceneSpec(
            rows=(bottles, bottles[::-1], bottles), size=(720, 960), rotation_degrees=2.5, perspective=(0.05, 0.0)
        )
    )

    seen = ColourRecogniser().recognise(slanted.image, PRODUCTS)

    assert right_share(slanted, seen) >= 0.85


def test_large_picture_gives_corners_in_its_own_pixels(scene):
    large = cv2.resize(scene.image, None, fx=3, fy=3, interpolation=cv2.INTER_LINEAR)

    seen = ColourRecogniser().recognise(large, PRODUCTS)

    assert max(x for facing in seen.facings for x, _ in facing.corners) > scene.image.shape[1]
    small = [replace(f, corners=tuple((x / 3, y / 3) for x, y in f.corners)) for f in seen.facings]
    assert found_share(scene, replace(seen, facings=tuple(small))) >= 0.85


def test_product_without_reference_is_not_named_as_another(scene):
    hidden = "NP-1202"
    known = [replace(p, references=()) if p.sku == hidden else p for p in PRODUCTS]

    seen = ColourRecogniser().recognise(scene.image, known)

    at_hidden = [best_at(true.corners, seen.facings) for true in scene.facings if true.sku == hidden]
    assert all(facing is None or facing.product_id is None for facing in at_hidden)
    assert {SKUS[f.product_id] for f in seen.facings if f.product_id is not None}.isdisjoint({hidden})


def test_unknown_facing_still_carries_candidates(scene):
    known = [p for p in PRODUCTS if p.sku in {"NP-1003", "NP-1103", "NP-1301"}]

    seen = ColourRecogniser().recognise(scene.image, known)

    unknown = [f for f in seen.facings if f.product_id is None]
    assert unknown
    assert all(f.alternatives and f.confidence == pytest.approx(1 - f.alternatives[0].score) for f in unknown)


def test_plan_does_not_hide_a_deviation(scene, result):
    elsewhere = next(p.product_id for p in PRODUCTS if p.sku == "NP-1301")
    wrong_plan = [PlannedFacing(shelf, position, elsewhere) for shelf in (1, 2) for position in range(1, 7)]

    seen = ColourRecogniser().recognise(scene.image, PRODUCTS, wrong_plan)

    assert right_share(scene, seen) >= right_share(scene, result) - 0.06


@pytest.mark.parametrize("catalogue", [[], [replace(p, references=()) for p in PRODUCTS]], ids=["empty", "no pictures"])
def test_without_references_nothing_is_claimed(scene, catalogue):
    seen = ColourRecogniser().recognise(scene.image, catalogue)

    assert (seen.shelves, seen.facings, seen.gaps) == ((), (), ())


def test_wall_without_products_is_empty():
    wall = np.full((600, 450, 3), (196, 178, 150), np.uint8)
    wall += np.random.default_rng(1).integers(0, 6, wall.shape, dtype=np.uint8)

    seen = ColourRecogniser().recognise(wall, PRODUCTS)

    assert seen.facings == ()


def test_changed_catalogue_is_described_anew(scene, result):
    recogniser = ColourRecogniser()

    few = recogniser.recognise(scene.image, PRODUCTS[:1])
    all_again = recogniser.recognise(scene.image, PRODUCTS)

    assert {f.product_id for f in few.facings} <= {PRODUCTS[0].product_id, None}
    assert all_again == result


def test_hand_drawn_boxes_are_found():
    """Own scene, drawn with rectangles: 2 rows of 5 in three colours on dark boards."""
    red, blue, green = (200, 30, 30), (30, 60, 200), (40, 160, 60)
    image = np.full((400, 400, 3), 70, np.uint8)
    truth = []
    for row, top in enumerate((60, 220)):
        cv2.rectangle(image, (20, top + 104), (380, top + 116), (225, 225, 225), -1)
        for column, colour in enumerate((red, red, blue, green, blue)):
            left = 40 + column * 66
            image[top : top + 104, left : left + 52] = drawn(colour)
            truth.append((row + 1, colour, (left, top, left + 52, top + 104)))
    products = [
        replace(PRODUCTS[n], product_id=ProductId(n + 1), references=(drawn(colour),))
        for n, colour in enumerate((red, blue, green))
    ]
    ids = {red: 1, blue: 2, green: 3}

    seen = ColourRecogniser().recognise(image, products)

    right = sum(
        any(
            f.shelf == shelf and f.product_id == ids[colour] and overlap(box_of(f.corners), box) >= 0.5
            for f in seen.facings
        )
        for shelf, colour, box in truth
    )
    assert right >= 9
    assert len(seen.shelves) == 2


def drawn(colour):
    """A box of 104 x 52 with cap, label and shaded sides."""
    picture = np.full((104, 52, 3), colour, np.float32)
    picture[:10] = 235
    picture[40:70, 6:46] = 245
    picture[48:62, 14:38] = np.array(colour) * 0.4
    picture *= (0.55 + 0.45 * np.sin(np.linspace(0.3, np.pi - 0.3, 52)))[None, :, None]
    return picture.astype(np.uint8)


def test_levelling_finds_the_slope_of_the_shelves():
    image = np.full((300, 400, 3), 60, np.uint8)
    for y in (60, 130, 200, 270):
        cv2.line(image, (0, y - 12), (400, y + 12), (230, 230, 230), 5)

    found = estimate_levelling(image)

    assert found.slope == pytest.approx(0.06, abs=0.011)
    assert found.lift(400, 150) - found.lift(0, 150) == pytest.approx(24, abs=8)


def test_level_picture_is_left_alone(scene):
    level = Levelling(0.0, 0.0, scene.image.shape[1], scene.image.shape[0])

    assert (level.level(scene.image) == scene.image).all()
    assert level.lift(17.0, 5.0) == 5.0


def test_white_ground_of_a_packshot_is_cut_off_and_darkened():
    packshot = np.full((200, 200, 3), 252, np.uint8)
    packshot[40:180, 80:120] = (200, 20, 20)
    packshot[40:60, 80:90] = 252

    prepared = prepare_reference(packshot)

    assert prepared is not None
    assert abs(prepared.shape[0] / prepared.shape[1] - 140 / 40) < 0.3
    assert prepared[0, 0].max() < 100  # beside the neck one looks into the shade


@pytest.mark.parametrize("shape", [(1, 1, 3), (3, 200, 3), (40, 40)])
def test_useless_reference_is_left_out(shape):
    assert prepare_reference(np.zeros(shape, np.uint8)) is None


def test_descriptors_have_unit_length_and_prefer_the_same_product():
    one, other = PRODUCTS[0], PRODUCTS[5]

    rows = describe([one.references[0], one.references[1], other.references[0]])

    assert np.linalg.norm(rows, axis=1) == pytest.approx(1.0, abs=1e-3)
    assert rows[0] @ rows[1] > rows[0] @ rows[2] + 0.1


def test_template_finds_its_own_window_and_no_flat_one():
    """The folded weights give the cosine of the transformed patch: best at the product, near nothing on the wall."""
    small = np.full((30, 30, 5), 0, np.float32)
    small[..., 0] = 60
    rng = np.random.default_rng(5)
    patch = rng.uniform(0, 90, (10, 6, 5)).astype(np.float32)
    small[7:17, 11:17] = patch
    crop = prepare_reference(PRODUCTS[0].references[0])
    assert crop is not None

    score = likeness(small, make_templates([crop]))

    assert score.shape == (21, 25)
    assert abs(float(score[0, 0])) < 0.05
    assert float(score.max()) <= 1.0
