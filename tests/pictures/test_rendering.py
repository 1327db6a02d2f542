"""Promises of the renderer: what it draws is where its truth says, and everybody can tell the products apart."""

import io
import itertools

import cv2
import numpy as np
import pytest
from PIL import Image

from coldshelf.pictures.rendering import (
    CATALOGUE,
    Packaging,
    PlannedProduct,
    ProductDesign,
    SceneSpec,
    encode_jpeg,
    reference_pictures,
    render_planogram,
    render_product,
    render_scene,
)

COLA, ZERO, LEMON = "NP-1001", "NP-1002", "NP-1101"
ONE_OF_EACH_PACKAGING = [
    next(design for design in CATALOGUE if design.packaging is packaging) for packaging in Packaging
]
PLAIN = {"noise": 0.0, "softness": 0.0, "jpeg_quality": None, "depth_rows": 0, "size": (480, 640)}
SLANTED = {"rotation_degrees": 3.0, "perspective": (0.06, -0.04)}


def inside(corners, shape, *, margin=0):
    """Mask of the pixels inside a quad, widened by a margin in pixels."""
    mask = np.zeros(shape[:2], np.uint8)
    cv2.fillPoly(mask, [np.round(corners).astype(np.int32)], 1)
    return cv2.dilate(mask, np.ones((2 * margin + 1, 2 * margin + 1), np.uint8)).astype(bool)


def changed(one, other):
    return np.abs(one.astype(int) - other.astype(int)).max(axis=2) > 6


def thumbnail(picture):
    return cv2.resize(picture, (24, 56), interpolation=cv2.INTER_AREA).astype(float)


def colour_shares(picture):
    counts = np.histogramdd(picture.reshape(-1, 3), bins=(6, 6, 6), range=[(0, 256)] * 3)[0]
    return counts / counts.sum()


def on_plain_ground(sprite):
    share = sprite[..., 3:] / 255
    return (sprite[..., :3] * share + 245 * (1 - share)).astype(np.uint8)


def test_catalogue_has_own_and_foreign_brands_in_every_packaging():
    skus = [design.sku for design in CATALOGUE]

    assert len(skus) >= 12
    assert len(set(skus)) == len(skus)
    assert {design.packaging for design in CATALOGUE} == set(Packaging)
    assert len({design.brand for design in CATALOGUE if design.is_foreign}) >= 3
    assert len({design.brand for design in CATALOGUE if not design.is_foreign}) >= 3
    assert len({design.manufacturer for design in CATALOGUE if not design.is_foreign}) == 1
    assert all(design.name.startswith(design.brand) for design in CATALOGUE)


@pytest.mark.parametrize("design", CATALOGUE, ids=lambda design: design.sku)
def test_every_design_renders_as_a_sprite_in_its_proportions(design: ProductDesign):
    sprite = render_product(design, height_px=120)

    height, width, channels = sprite.shape
    assert (height, channels, sprite.dtype) == (120, 4, np.uint8)
    assert abs(width - 120 * design.form.width_mm / design.form.height_mm) <= 0.5
    assert sprite[0, 0, 3] == 0  # beside the cap one looks past the package
    assert sprite[60, width // 2, 3] == 255
    assert sprite[..., 3].any(axis=1).all()
    assert sprite[..., 3].any(axis=0).all()


def test_same_chance_draws_the_same_package_and_other_chance_another():
    first, again, other = (render_product(CATALOGUE[0], height_px=90, rng=np.random.default_rng(s)) for s in (7, 7, 8))

    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


@pytest.mark.parametrize("count", [1, 2, 3, 5])
def test_reference_pictures_are_tight_packshots_from_other_angles(count: int):
    for design in ONE_OF_EACH_PACKAGING:
        pictures = reference_pictures(design, count)

        assert len(pictures) == count
        for picture in pictures:
            assert picture.shape[0] == 240
            filled = np.abs(picture.astype(int) - picture[0, 0]).max(axis=2) > 12
            rows, columns = np.flatnonzero(filled.any(axis=1)), np.flatnonzero(filled.any(axis=0))
            assert max(rows[0], 239 - rows[-1], columns[0], picture.shape[1] - 1 - columns[-1]) <= 8
        assert all(not np.array_equal(a, b) for a, b in itertools.combinations(pictures, 2))


def test_reference_pictures_differ_in_colours_from_design_to_design():
    shares = {design.sku: colour_shares(reference_pictures(design, 1)[0]) for design in CATALOGUE}

    for (_, one), (_, other) in itertools.combinations(shares.items(), 2):
        assert np.abs(one - other).sum() / 2 > 0.2


def test_products_sixty_pixels_high_are_nearest_to_their_own_references():
    references = [(d.sku, thumbnail(picture)) for d in CATALOGUE for picture in reference_pictures(d)]

    for design in CATALOGUE:
        for chance in range(3):
            seen = thumbnail(on_plain_ground(render_product(design, height_px=60, rng=np.random.default_rng(chance))))
            nearest = min(references, key=lambda reference: np.abs(seen - reference[1]).mean())
            assert nearest[0] == design.sku


def test_same_spec_gives_the_same_scene_and_another_seed_another_picture_of_the_same_stock():
    rows = ((COLA, None, ZERO), (LEMON, LEMON, COLA))
    first, again, other = (render_scene(SceneSpec(rows, size=(240, 320), seed=seed)) for seed in (4, 4, 5))

    assert np.array_equal(first.image, again.image)
    assert (first.facings, first.gaps, first.shelves) == (again.facings, again.gaps, again.shelves)
    assert not np.array_equal(first.image, other.image)
    assert [(f.shelf, f.position, f.sku) for f in first.facings] == [
        (f.shelf, f.position, f.sku) for f in other.facings
    ]


@pytest.mark.parametrize("bend", [{}, SLANTED], ids=["straight", "slanted"])
@pytest.mark.parametrize("design", ONE_OF_EACH_PACKAGING, ids=lambda design: design.packaging)
def test_taking_a_product_out_changes_pixels_inside_its_corners_and_nowhere_else(design: ProductDesign, bend):
    sku = design.sku
    full = render_scene(SceneSpec(((COLA,) * 6, (sku,) * 5), **PLAIN, **bend))
    without = render_scene(SceneSpec(((COLA,) * 6, (sku, sku, None, sku, sku)), **PLAIN, **bend))

    facing = next(f for f in full.facings if (f.shelf, f.position) == (2, 3))
    difference = changed(full.image, without.image)

    assert facing.sku == sku
    assert not difference[~inside(facing.corners, difference.shape, margin=5)].any()  # its soft shadow reaches so far
    quad = inside(facing.corners, difference.shape)
    assert difference[quad].mean() > 0.5  # bottles are slim at the top
    ys, xs = np.nonzero(difference & quad)
    corners = np.array(facing.corners)
    assert np.allclose([xs.min(), ys.min()], corners.min(axis=0), atol=8)
    assert np.allclose([xs.max(), ys.max()], corners.max(axis=0), atol=8)


def test_products_behind_the_front_row_are_drawn_but_not_counted():
    rows = ((COLA,) * 5, (LEMON,) * 5)
    alone, stocked = (render_scene(SceneSpec(rows, **{**PLAIN, "depth_rows": depth})) for depth in (0, 2))

    assert stocked.facings == alone.facings
    assert changed(alone.image, stocked.image).mean() > 0.005


def test_facings_and_gaps_share_one_count_from_the_left():
    scene = render_scene(SceneSpec(((None, COLA, None, None, ZERO), (), (LEMON, COLA, None)), **PLAIN))

    assert [(f.shelf, f.position, f.sku) for f in scene.facings] == [
        (1, 2, COLA),
        (1, 5, ZERO),
        (3, 1, LEMON),
        (3, 2, COLA),
    ]
    assert [(g.shelf, g.position) for g in scene.gaps] == [(1, 1), (1, 3), (1, 4), (3, 3)]
    assert [shelf.number for shelf in scene.shelves] == [1, 2, 3]


def test_gaps_are_as_wide_as_products_and_lie_between_them():
    scene = render_scene(SceneSpec(((COLA, None, COLA, ZERO), (LEMON,) * 4), **PLAIN, **SLANTED))
    gap = inside(scene.gaps[0].corners, scene.image.shape)

    for facing in scene.facings:
        place = inside(facing.corners, scene.image.shape)
        assert (gap & place).sum() < 0.06 * gap.sum()
        if facing.shelf == 1:
            assert 0.8 < gap.sum() / place.sum() < 1.25


@pytest.mark.parametrize("bend", [{}, SLANTED, {"rotation_degrees": -5.0, "perspective": (-0.1, 0.1)}])
def test_corners_run_from_top_left_against_the_clock_and_stay_in_the_picture(bend):
    scene = render_scene(SceneSpec(((COLA, None, ZERO, LEMON), ("NP-1003",) * 4), **PLAIN, **bend))

    for found in (*scene.facings, *scene.gaps, *scene.shelves):
        top_left, bottom_left, bottom_right, top_right = found.corners
        assert top_left[1] < bottom_left[1]
        assert top_right[1] < bottom_right[1]
        assert top_left[0] < top_right[0]
        assert bottom_left[0] < bottom_right[0]
        assert all(0 <= x <= 480 and 0 <= y <= 640 for x, y in found.corners)


def test_facings_lie_inside_the_shelf_that_they_name():
    scene = render_scene(SceneSpec(((COLA, ZERO), ("NP-1003", "NP-1202"), ("NP-1501",) * 3), **PLAIN, **SLANTED))
    shelves = {
        shelf.number: inside(shelf.corners, scene.image.shape, margin=2)  # corners are rounded to whole pixels
        for shelf in scene.shelves
    }

    for facing in scene.facings:
        assert shelves[facing.shelf][inside(facing.corners, scene.image.shape)].all()


def test_brightness_noise_and_jpeg_change_the_picture_but_not_the_truth():
    rows = ((COLA, ZERO, LEMON),)
    plain = render_scene(SceneSpec(rows, **PLAIN))
    dark = render_scene(SceneSpec(rows, **{**PLAIN, "brightness": 0.5}))
    noisy = render_scene(SceneSpec(rows, **{**PLAIN, "noise": 8.0}))
    packed = render_scene(SceneSpec(rows, **{**PLAIN, "jpeg_quality": 40}))

    assert dark.image.mean() == pytest.approx(plain.image.mean() / 2, abs=2)
    assert (noisy.image.astype(float) - plain.image).std() == pytest.approx(8, abs=1.5)
    assert 0 < np.abs(packed.image.astype(float) - plain.image).mean() < 6
    assert plain.facings == dark.facings == noisy.facings == packed.facings


@pytest.mark.parametrize(
    ("rows", "size"),
    [
        ((), (960, 1280)),
        (((),), (480, 640)),
        (((None,),), (480, 640)),
        (((COLA,),), (640, 480)),
        (((COLA,) * 30,) * 12, (480, 640)),
        (((COLA, ZERO),) * 3, (96, 128)),
    ],
)
def test_unusual_coolers_are_drawn_whole(rows, size):
    scene = render_scene(SceneSpec(rows, size=size))

    assert scene.image.shape == (size[1], size[0], 3)
    assert scene.image.dtype == np.uint8
    assert len(scene.facings) + len(scene.gaps) == sum(len(row) for row in rows)


def test_unknown_sku_is_refused_with_the_known_ones():
    with pytest.raises(LookupError, match=r"'NP-9999'.*NP-1001"):
        render_scene(SceneSpec((("NP-9999",),)))


def test_jpeg_bytes_decode_to_a_picture_near_the_original():
    picture = reference_pictures(CATALOGUE[0], 1)[0]

    decoded = np.asarray(Image.open(io.BytesIO(encode_jpeg(picture, 92))))

    assert decoded.shape == picture.shape
    assert np.abs(decoded.astype(int) - picture).mean() < 4


RED, BLUE = (220, 20, 30), (20, 40, 210)


def pixels_of(drawing, colour):
    return (drawing == colour).all(axis=2)


@pytest.mark.parametrize("width", [60, 320, 960, 1501])
def test_planogram_is_exactly_as_wide_as_asked(width: int):
    drawing = render_planogram([[PlannedProduct("Tea")] * 9, []], width=width, title="Kiosk")

    assert drawing.shape[1:] == (width, 3)
    assert drawing.dtype == np.uint8


def test_planogram_without_shelves_still_says_so():
    drawing = render_planogram([])

    assert drawing.shape[0] > 50
    assert len(np.unique(drawing.reshape(-1, 3), axis=0)) > 2  # a sentence on paper


def test_planogram_shows_the_picture_where_there_is_one_and_a_block_where_there_is_none():
    picture = np.full((120, 50, 3), RED, np.uint8)
    drawing = render_planogram([[PlannedProduct("Cola", picture=picture), PlannedProduct("Tea", colour=BLUE)]])

    ys, xs = np.nonzero(pixels_of(drawing, RED))
    blue_columns = np.nonzero(pixels_of(drawing, BLUE))[1]
    assert np.ptp(ys) / np.ptp(xs) == pytest.approx(120 / 50, rel=0.05)
    assert pixels_of(drawing, RED)[ys.min() : ys.max(), xs.min() : xs.max()].all()
    assert xs.max() < blue_columns.min()


def test_block_without_a_colour_keeps_its_own_from_drawing_to_drawing():
    drawings = [render_planogram([[PlannedProduct(name)]]) for name in ("Tea", "Tea", "Cola")]

    assert np.array_equal(drawings[0], drawings[1])
    middle = drawings[0].shape[0] // 3
    assert tuple(drawings[0][middle, 60]) != tuple(drawings[2][middle, 60])


@pytest.mark.parametrize(
    "name", ["Cola", "An unusually long product name " * 8, "Donaudampfschifffahrt" * 6, "Nước ngọt", "Кола", ""]
)
@pytest.mark.parametrize("places", [3, 50])
def test_names_stay_inside_their_own_block(name: str, places: int):
    others = [PlannedProduct("x", colour=RED)] * (places - 1)
    named, blank = (render_planogram([[PlannedProduct(text, colour=BLUE), *others]], width=1000) for text in (name, ""))

    assert named.shape == blank.shape
    difference = np.flatnonzero(changed(named, blank).any(axis=0))
    ends = np.flatnonzero(pixels_of(blank, BLUE).any(axis=0))
    assert not difference.size or (ends[0] <= difference[0] and difference[-1] <= ends[-1])
    assert bool(difference.size) == bool(name)


def test_fifty_positions_are_drawn_one_beside_the_other():
    colours = [(i * 5, 255 - i * 5, 90) for i in range(50)]
    drawing = render_planogram([[PlannedProduct("Cola", colour=colour) for colour in colours]])

    columns = [np.nonzero(pixels_of(drawing, colour))[1] for colour in colours]
    assert all(each.size for each in columns)
    assert all(left.max() < right.min() for left, right in itertools.pairwise(columns))


def test_stacked_products_are_drawn_on_top_of_each_other_with_their_number():
    picture = np.full((60, 50, 3), RED, np.uint8)
    picture[:6] = BLUE  # its lid
    single, stacked, tower = (
        render_planogram([[PlannedProduct("Cola", picture=picture, stack=stack)]]) for stack in (1, 3, 40)
    )

    assert lids(single) == 1
    assert lids(stacked) == 3
    assert single.shape == tower.shape
    assert not np.array_equal(stacked, tower)


def lids(drawing):
    is_lid = pixels_of(drawing, BLUE).any(axis=1).astype(int)
    return int((np.diff(is_lid) == 1).sum())


def test_place_left_empty_keeps_its_position():
    tea = PlannedProduct("Tea", colour=BLUE)
    full, holed = (render_planogram([[tea, middle, tea]]) for middle in (tea, None))

    columns = np.flatnonzero(pixels_of(holed, BLUE).any(axis=0))
    assert columns[0] == np.flatnonzero(pixels_of(full, BLUE).any(axis=0))[0]
    assert columns[-1] == np.flatnonzero(pixels_of(full, BLUE).any(axis=0))[-1]
    assert np.diff(columns).max() > 100
