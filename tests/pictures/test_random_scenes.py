"""Promises of the coolers drawn by chance: what the truth says is what the pixels show."""

import itertools
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from coldshelf.pictures.rendering import (
    Column,
    Cooler,
    CoolerKind,
    Film,
    Framing,
    StockedShelf,
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


def stocked(kind, columns, *, doors=1):
    """Draw a cooler of 600 mm with one shelf of given columns, straight on."""
    spec = random_spec(2, 0, DESIGNS, kind=kind)
    look = replace(spec.cooler.look, lamps=(False, False))
    shelf = StockedShelf(foot=320.0, ceiling=0.0, columns=tuple(columns))
    cooler = Cooler(kind, 600.0, 360.0, 400.0, (shelf,), look, doors)
    framing = Framing(eye=(300.0, 150.0), distance=900.0, frame=(-30.0, -30.0, 630.0, 390.0), aspect=1.0)
    return render_cooler(replace(spec, cooler=cooler, framing=framing, film=Film()))


CAN = next(design for design in DESIGNS if design.packaging == "can")


def column(x, **changes):
    return Column(x=x, width=75.0, **{"design": CAN, **changes})


def test_stacked_products_share_the_position_below_and_do_not_move_the_next():
    scene = stocked(CoolerKind.SHELF, [column(100), column(200, stack=2), column(300)])

    places = [(each.position, each.stack_index) for each in scene.facings]
    lower, upper = (next(f for f in scene.facings if (f.position, f.stack_index) == (2, level)) for level in (0, 1))
    assert places == [(1, 0), (2, 0), (2, 1), (3, 0)]
    assert abs(upper.box[3] - lower.box[1]) < 10
    assert upper.box[0] == pytest.approx(lower.box[0], abs=3)


def test_gaps_take_part_in_the_count_and_lie_where_nothing_stands():
    scene = stocked(CoolerKind.SHELF, [column(100), column(200, design=None), column(300)])

    assert [each.position for each in scene.facings] == [1, 3]
    assert [gap.position for gap in scene.gaps] == [2]
    xs = [x for x, _ in scene.gaps[0].corners]
    assert scene.facings[0].box[2] <= min(xs) + 5
    assert max(xs) <= scene.facings[1].box[0] + 5


def test_column_that_stands_back_is_smaller_higher_and_less_full():
    scene = stocked(CoolerKind.SHELF, [column(200 + 100 * back, set_back=back) for back in range(4)])

    assert [each.fill_level for each in scene.facings] == [100, 75, 50, 25]
    heights = [each.box[3] - each.box[1] for each in scene.facings]
    feet = [each.box[3] for each in scene.facings]
    assert heights == sorted(heights, reverse=True)
    assert feet == sorted(feet, reverse=True)


def test_products_behind_the_front_row_are_not_listed():
    one, deep = (stocked(CoolerKind.SHELF, [column(x, deep=n) for x in (100, 200, 300)]) for n in (1, 4))

    assert len(one.facings) == len(deep.facings) == 3
    assert not np.array_equal(one.image, deep.image)


def test_doors_are_counted_and_what_a_frame_hides_is_no_facing():
    columns = [column(x) for x in (100, 200, 300, 400, 500)]
    open_cooler, closed = stocked(CoolerKind.SHELF, columns), stocked(CoolerKind.MULTI_DOOR, columns, doors=2)

    assert [each.door for each in open_cooler.facings] == [1] * 5
    assert [each.door for each in closed.facings] == [1, 1, 2, 2]  # the middle one stands behind the frame


def test_product_that_the_border_cuts_counts_while_half_of_it_is_seen():
    spec = random_spec(2, 0, DESIGNS, kind=CoolerKind.OPEN_RACK)
    shelf = StockedShelf(foot=320.0, ceiling=0.0, columns=tuple(column(x) for x in range(60, 600, 80)))
    cooler = Cooler(CoolerKind.OPEN_RACK, 600.0, 360.0, 400.0, (shelf,), spec.cooler.look)
    counts = Counter()
    for left in range(0, 140, 10):
        framing = Framing(eye=(left + 300.0, 300.0), distance=900.0, frame=(left, 0.0, left + 600.0, 600.0), aspect=1.0)
        scene = render_cooler(replace(spec, cooler=cooler, framing=framing, film=Film()))
        widths = [each.box[2] - each.box[0] for each in scene.facings]
        counts[len(widths)] += 1
        assert min(widths) > 0.45 * max(widths)
    assert counts.keys() == {6, 7}
