"""The recognition JSON keeps the published shape (contract 4.1)."""

from dataclasses import fields

import pytest

from coldshelf.recognition.models import Row
from coldshelf.recognition.wire import recognition_json

CORNERS = ((498.4, 702.0), (498.0, 806.0), (595.0, 806.0), (595.0, 702.0))
PUBLISHED_KEYS = {"product", "sku", "confidence", "data", "position", "capacity", "stacked", "stackSize"}


def row(shelf=1, position=1, **changes):
    values = {
        "product_id": 7,
        "product_name": "Boreal Cola can",
        "sku": "NP-1001",
        "is_foreign": False,
        "is_empty": False,
        "is_unknown": False,
        "shelf": shelf,
        "position": position,
        "confidence": 91.5,
        "corners": CORNERS,
        "alternatives": "[]",
    } | changes
    return Row(**{field.name: values[field.name] for field in fields(Row) if field.name in values})


def products(document, shelf=0):
    return document["shelf"][shelf]["products"]


def test_named_product_has_the_published_keys_and_full_confidence():
    (product,) = products(recognition_json([row()], [1]))

    assert set(product) == PUBLISHED_KEYS
    assert product["product"] == "Boreal Cola can"
    assert product["sku"] == ["NP-1001"]
    assert product["confidence"] == 100
    assert product["data"] == [[498, 702], [498, 806], [595, 806], [595, 702]]
    assert (product["position"], product["stacked"], product["stackSize"]) == (1, None, 0)


def test_unknown_product_is_minus_1000_with_a_confidence_from_0_to_1():
    (product,) = products(recognition_json([row(is_unknown=True, confidence=95.15)], [1]))

    assert product["product"] == "-1000"
    assert product["sku"] == ["-1000"]
    assert product["confidence"] == pytest.approx(0.9515)


def test_shelves_run_from_the_top_and_positions_from_the_left():
    rows = [row(2, 1, sku="C"), row(1, 2, sku="B"), row(1, 1, sku="A")]

    document = recognition_json(rows, [2, 1])

    assert [[product["sku"] for product in shelf["products"]] for shelf in document["shelf"]] == [
        [["A"], ["B"]],
        [["C"]],
    ]


def test_shelf_without_products_is_kept():
    document = recognition_json([row(3, 1)], [1, 2, 3])

    assert [len(shelf["products"]) for shelf in document["shelf"]] == [0, 0, 1]


def test_no_shelf_is_an_empty_list():
    assert recognition_json([], []) == {"shelf": []}


def test_stacked_products_stand_under_their_base_with_a_count_of_their_own():
    rows = [
        row(1, 2, stack_index=2, sku="C"),
        row(1, 1, sku="A"),
        row(1, 2, stack_index=1, sku="B", is_unknown=True, confidence=40.0),
        row(1, 2, stack_size=2, sku="C"),
    ]

    first, second = products(recognition_json(rows, [1]))

    assert (first["stacked"], first["stackSize"]) == (None, 0)
    assert (second["position"], second["stackSize"], second["sku"]) == (2, 2, ["C", "-1000"])
    assert [(one["position"], one["sku"], one["confidence"]) for one in second["stacked"]] == [
        (1, ["-1000"], 0.4),
        (2, ["C"], 100),
    ]
    assert {(one["stacked"], one["stackSize"]) for one in second["stacked"]} == {(None, 0)}
    assert set(second["stacked"][0]) == PUBLISHED_KEYS


def test_capacity_is_what_still_fits_in():
    gap, facing = products(recognition_json([row(1, 1, is_empty=True, capacity=4), row(1, 2, capacity=2)], [1]))

    assert (gap["capacity"], facing["capacity"]) == (4, 2)
