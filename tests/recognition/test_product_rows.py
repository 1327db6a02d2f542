"""Detections become product rows and grids; what the picture does not show stays empty."""

from coldshelf.masterdata.service import Product
from coldshelf.recognition.models import Row
from coldshelf.recognition.product_rows import depth_status, purity_status, rows_of
from coldshelf.recognition.recogniser import Candidate, Detections, Facing, Gap, ProductId

SQUARE = ((0.0, 0.0), (0.0, 9.0), (9.0, 9.0), (9.0, 0.0))


def product(number: int, **marks: bool) -> Product:
    values = {"is_foreign": False, "is_empty": False, "is_unknown": False} | marks
    return Product(number, f"S{number}", f"Product {number}", f"P{number}", object_keys=(), **values)


PRODUCTS = (product(1), product(2, is_foreign=True), product(8, is_unknown=True), product(9, is_empty=True))


def facing(shelf: int, position: int, product_id: int | None = 1, **changes: object) -> Facing:
    identity = None if product_id is None else ProductId(product_id)
    values = {"confidence": 0.5} | changes
    return Facing(shelf, position, SQUARE, identity, **values)  # type: ignore[arg-type]


def rows(*places: Facing | Gap, items: int | None = None) -> tuple[Row, ...]:
    facings = tuple(place for place in places if isinstance(place, Facing))
    gaps = tuple(place for place in places if isinstance(place, Gap))
    return rows_of(Detections((), facings, gaps), PRODUCTS, items)


def test_a_row_carries_what_was_seen() -> None:
    (row,) = rows(
        facing(
            1,
            2,
            2,
            confidence=0.91239,
            seen_confidence=0.5,
            alternatives=(Candidate(ProductId(2), 0.91239),),
            fill_level=75,
            door=2,
        )
    )

    assert (row.product_id, row.is_foreign, row.shelf, row.position, row.door) == (2, True, 1, 2, 2)
    assert (row.confidence, row.seen_confidence, row.fill_level) == (91.24, 50.0, 75)
    assert row.alternatives == '[{"ProductId":2,"Score":0.9124}]'


def test_looks_alone_are_the_confidence_when_nothing_else_had_a_say() -> None:
    (row,) = rows(facing(1, 1, confidence=0.7))

    assert row.seen_confidence == row.confidence == 70.0


def test_unknown_products_and_gaps_are_rows_of_their_pseudo_products() -> None:
    unknown, gone, gap = rows(facing(1, 1, None), facing(1, 2, 777), Gap(1, 3, SQUARE, door=2))

    assert (unknown.product_id, unknown.is_unknown, unknown.confidence) == (8, True, 50.0)
    assert (gone.product_id, gone.is_unknown) == (8, True)
    assert (gap.product_id, gap.is_empty, gap.confidence, gap.seen_confidence, gap.door) == (9, True, None, None, 2)


def test_a_stack_is_written_from_its_base_upwards_and_the_base_knows_its_size() -> None:
    found = rows(facing(1, 1, 2, stack_index=2), facing(1, 1, 1, stack_index=1), facing(1, 1), facing(1, 2))

    assert [(row.position, row.stack_index, row.stack_size) for row in found] == [
        (1, 0, 2),
        (1, 1, 0),
        (1, 2, 0),
        (2, 0, 0),
    ]


def test_capacity_is_known_for_gaps_and_where_the_level_is_seen() -> None:
    places = (facing(1, 1, fill_level=50), facing(1, 2), facing(1, 1, stack_index=1), Gap(1, 3, SQUARE))

    assert [row.capacity for row in rows(*places, items=8)] == [4, 0, 0, 8]
    assert [row.capacity for row in rows(*places)] == [0, 0, 0, 1]


def test_grids_ignore_stacked_products_and_have_a_place_for_each_column() -> None:
    found = rows(
        facing(1, 1, fill_level=75),
        facing(1, 1, 2, stack_index=1, fill_level=100),
        Gap(1, 2, SQUARE),
        facing(2, 1, None, fill_level=0),
        facing(2, 2, 2),
    )

    assert purity_status(found, 3) == "1,9,0,0,2,0"
    assert depth_status(found, 3, 8) == "6,0,0,1,0,0"
    assert depth_status(found, 3, None) == "0,0,0,0,0,0"


def test_a_depth_is_at_most_twenty() -> None:
    assert depth_status(rows(facing(1, 1, fill_level=100)), 1, 60) == "20"
