"""The published recognition JSON (contract 4.1), made of the rows of a result. Pure.

`confidence` keeps the two scales of the published example (contract 11 no. 10): 100 for a named product, 0 to 1 for an
unknown one; the product rows of the list carry 0 to 100 throughout. Gaps are products named Empty. `capacity` is open
capacity: what fits into a gap, or behind a facing whose fill level can be seen; 0 where that is not known.
"""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from coldshelf.recognition.models import Row

UNKNOWN = "-1000"
NAMED_CONFIDENCE = 100

Json = dict[str, Any]  # a JSON document


def recognition_json(rows: Sequence[Row], shelves: Sequence[int]) -> Json:
    """Write shelves from the top, products from the left; a shelf without products is an empty list.

    What is stacked stands under its base and has a count of its own, from 1 upwards.
    """
    numbers = sorted({*shelves, *(row.shelf for row in rows)})
    standing = sorted((row for row in rows if not row.stack_index), key=lambda row: row.position)
    stacked: defaultdict[tuple[int, int], list[Row]] = defaultdict(list)
    for row in sorted((row for row in rows if row.stack_index), key=lambda row: row.stack_index):
        stacked[row.shelf, row.position].append(row)
    return {
        "shelf": [
            {"products": [_base(row, stacked[row.shelf, row.position]) for row in standing if row.shelf == number]}
            for number in numbers
        ]
    }


def _base(row: Row, stacked: Sequence[Row]) -> Json:
    skus = dict.fromkeys(_sku(one) for one in (row, *stacked))
    return {
        **_product(row, row.position),
        "sku": list(skus),
        "stacked": [_product(one, place) for place, one in enumerate(stacked, 1)] or None,
        "stackSize": len(stacked),
    }


def _product(row: Row, position: int) -> Json:
    return {
        "product": UNKNOWN if row.is_unknown else row.product_name,
        "sku": [_sku(row)],
        "confidence": (row.confidence or 0.0) / 100 if row.is_unknown else NAMED_CONFIDENCE,
        "data": [[round(x), round(y)] for x, y in row.corners],
        "position": position,
        "capacity": row.capacity,
        "stacked": None,
        "stackSize": 0,
    }


def _sku(row: Row) -> str:
    return UNKNOWN if row.is_unknown else row.sku


def _product_schema(stacked: Json) -> Json:
    texts: Json = {"type": "array", "items": {"type": "string"}}
    point: Json = {"type": "array", "items": {"type": "integer"}}
    properties: Json = {
        "product": {"type": "string", "description": f"Name of the product; {UNKNOWN}: unknown"},
        "sku": {**texts, "description": "Its SKU, and those stacked on it"},
        "confidence": {"type": "number", "description": "100 for a named product, 0 to 1 for an unknown one"},
        "data": {"type": "array", "items": point, "description": "Corners, x and y in pixels"},
        "position": {"type": "integer", "description": "From the left, or upwards in a stack; from 1"},
        "capacity": {"type": ["integer", "null"], "description": "How many more fit"},
        "stacked": stacked,
        "stackSize": {"type": "integer", "description": "How many are stacked on it"},
    }
    return {"type": "object", "properties": properties, "required": list(properties)}


RECOGNITION_SCHEMA: Json = {
    "type": "object",
    "description": "Recognition of the picture",
    "properties": {
        "shelf": {
            "type": "array",
            "description": "Shelves from the top",
            "items": {
                "type": "object",
                "properties": {
                    "products": {
                        "type": "array",
                        "description": "Products from the left",
                        "items": _product_schema(
                            {"type": ["array", "null"], "items": _product_schema({"type": "null"})}
                        ),
                    }
                },
                "required": ["products"],
            },
        }
    },
    "required": ["shelf"],
}
RECOGNITION_SAMPLE: Json = {
    "shelf": [
        {
            "products": [
                {
                    "product": "Cola 500 ml",
                    "sku": ["COLA-500"],
                    "confidence": 100,
                    "data": [[10, 20], [60, 20], [60, 180], [10, 180]],
                    "position": 1,
                    "capacity": 0,
                    "stacked": None,
                    "stackSize": 0,
                }
            ]
        }
    ]
}
