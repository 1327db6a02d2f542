"""The published recognition JSON (contract 4.1), made of the rows of a result. Pure.

`confidence` keeps the two scales of the published example (contract 11 no. 10): 100 for a named product, 0 to 1 for an
unknown one; the product rows of the list carry 0 to 100 throughout. Gaps are products named Empty with open capacity 1.
"""

from collections.abc import Sequence
from typing import Any

from coldshelf.recognition.models import Row

UNKNOWN = "-1000"
NAMED_CONFIDENCE = 100

Json = dict[str, Any]  # a JSON document


def recognition_json(rows: Sequence[Row], shelves: Sequence[int]) -> Json:
    """Write shelves from the top, products from the left; a shelf without products is an empty list."""
    numbers = sorted({*shelves, *(row.shelf for row in rows)})
    return {
        "shelf": [
            {"products": [_product(row) for row in sorted(rows, key=_position) if row.shelf == number]}
            for number in numbers
        ]
    }


def _position(row: Row) -> int:
    return row.position


def _product(row: Row) -> Json:
    return {
        "product": UNKNOWN if row.is_unknown else row.product_name,
        "sku": [UNKNOWN if row.is_unknown else row.sku],
        "confidence": (row.confidence or 0.0) / 100 if row.is_unknown else NAMED_CONFIDENCE,
        "data": [[round(x), round(y)] for x, y in row.corners],
        "position": row.position,
        "capacity": 1 if row.is_empty else 0,
        "stacked": None,
        "stackSize": 0,
    }
