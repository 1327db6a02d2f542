"""Promises of the coolers drawn by chance: what the truth says is what the pixels show."""

import itertools
from dataclasses import replace

import numpy as np
import pytest

from coldshelf.pictures.rendering import (
    CoolerKind,
    Film,
    generate_designs,
    random_scenes,
    random_spec,
    render_cooler,
)

DESIGNS = generate_designs(60)


def test_generator_invents_as_many_distinct_drinks_as_wanted():
    designs = generate_designs(1000)

    assert len({each.sku for each in designs}) == 1000
    assert len({(each.brand, each.flavour, each.packaging) for each in designs}) == 1000
    assert generate_designs(40) == designs[:40]
    assert generate_designs(40, seed=1) != designs[:40]


def test_generator_makes_flavour_families_and_the_same_drink_in_can_and_bottle():
    designs = generate_designs(200)
    one_drink = [
        (one.packaging, other.packaging)
        for one, other in itertools.combinations(designs, 2)
        if (one.brand, one.flavour) == (other.brand, other.flavour)
    ]
    flavours = [
        (one, other)
        for one, other in itertools.combinations(designs, 2)
        if (one.brand, one.packaging, one.style, one.variant)
        == (other.brand, other.packaging, other.style, other.variant)
    ]

    assert any({str(a), str(b)} == {"can", "pet"} for a, b in one_drink)
    assert len(flavours) > 100
    assert all(one.ground != other.ground or one.accent != other.accent for one, other in flavours)


def test_same_seed_gives_the_same_pictures_and_truth():
    first, again = (list(random_scenes(3, 3, designs=DESIGNS)) for _ in range(2))

    for one, other in zip(first, again, strict=True):
        assert np.array_equal(one.image, other.image)
        assert (one.facings, one.gaps, one.shelves) == (other.facings, other.gaps, other.shelves)
    assert not np.array_equal(first[0].image, first[1].image)


@pytest.mark.parametrize("kind", list(CoolerKind))
def test_every_kind_is_drawn_with_its_truth_inside_the_picture(kind: CoolerKind):
    for scene in random_scenes(5, 6, designs=DESIGNS, size=(320, 240), kind=kind):
        assert scene.image.shape == (240, 320, 3)
        assert scene.facings
        for found in (*scene.facings, *scene.gaps, *scene.shelves):
            assert all(0 <= x <= 320 and 0 <= y <= 240 for x, y in found.corners)
        for facing in scene.facings:
            x0, y0, x1, y1 = facing.box
            assert 0 <= x0 < x1 <= 320
            assert 0 <= y0 < y1 <= 240
        assert {each.shelf for each in (*scene.facings, *scene.gaps)} <= {shelf.number for shelf in scene.shelves}


def painted(design, sku, colour):
    return replace(design, sku=sku, ground=colour, accent=colour, ink=colour, cap=colour, contents=colour)


@pytest.mark.parametrize("kind", [CoolerKind.SHELF, CoolerKind.GLASS_DOOR, CoolerKind.OPEN_RACK])
def test_box_bounds_the_pixels_that_change_with_the_product_s_colour(kind: CoolerKind):
    checked = 0
    for number in range(8):
        spec = random_spec(1, number, DESIGNS, kind=kind)
        one, other = (with_one_in(spec, colour) for colour in ((255, 0, 255), (0, 255, 0)))
        assert one.facings == other.facings
        ys, xs = np.nonzero(np.abs(one.image.astype(int) - other.image).max(axis=2) > 40)
        for facing in one.facings:
            if facing.sku == "P":
                assert np.allclose(facing.box, (xs.min(), ys.min(), xs.max() + 1, ys.max() + 1), atol=2)
                checked += 1
    assert checked >= 4


def with_one_in(spec, colour):
    """Draw the cooler sharp, the product in the middle of its first shelf in one colour and with nothing behind."""
    shelf = spec.cooler.shelves[0]
    columns = list(shelf.columns)
    middle = len(columns) // 2
    design = painted(columns[middle].design or spec.clutter[0], "P", colour)
    columns[middle] = replace(columns[middle], design=design, deep=1, stack=1, set_back=0)
    shelves = (replace(shelf, columns=tuple(columns)), *spec.cooler.shelves[1:])
    return render_cooler(replace(spec, cooler=replace(spec.cooler, shelves=shelves), film=Film()))
