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
