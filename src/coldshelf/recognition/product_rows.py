"""From detections to the product rows of a result, and the grids of the image record. Pure."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace

import orjson

from coldshelf.masterdata.service import Product
from coldshelf.recognition.models import Row
from coldshelf.recognition.recogniser import Detections, Facing, Gap

DEEPEST = 20
"""Largest depth that the published grid knows (contract 4.2)."""


def rows_of(found: Detections, products: Sequence[Product], items_per_column: int | None = None) -> tuple[Row, ...]:
    """Turn detections into product rows; an unknown facing and a gap carry their pseudo-products.

    `items_per_column`: how many products stand one behind the other in this model of cooler; None where unknown.
    """
    by_id = {product.id: product for product in products}
    unknown = next(product for product in products if product.is_unknown)
    empty = next(product for product in products if product.is_empty)
    stacked = Counter((facing.shelf, facing.position) for facing in found.facings if facing.stack_index)
    rows = [_facing_row(by_id.get(facing.product_id or 0, unknown), facing) for facing in found.facings]
    rows += [_row(empty, gap) for gap in found.gaps]
    return tuple(
        replace(
            row,
            stack_size=0 if row.stack_index else stacked[row.shelf, row.position],
            capacity=open_capacity(row, items_per_column),
        )
        for row in sorted(rows, key=lambda row: (row.shelf, row.position, row.stack_index))
    )


def depth(row: Row, items_per_column: int | None) -> int:
    """Say how many products stand one behind the other, the front one counted; 0 where that is not known."""
    if row.is_empty or row.fill_level is None or not items_per_column:
        return 0
    return min(DEEPEST, max(1, round(items_per_column * row.fill_level / 100)))


def open_capacity(row: Row, items_per_column: int | None) -> int:
    """Say how many more products fit in at this place: at least one in a gap, 0 where it is not known."""
    if row.stack_index:
        return 0
    if row.is_empty:
        return items_per_column or 1
    known = depth(row, items_per_column)
    return max(0, (items_per_column or 0) - known) if known else 0


def purity_status(rows: Sequence[Row], columns: int) -> str:
    """Write the fixed grid of product ids, row by row; unknown products and places without a row are 0."""
    return _grid(rows, columns, lambda row: 0 if row.is_unknown else row.product_id)


def depth_status(rows: Sequence[Row], columns: int, items_per_column: int | None) -> str:
    """Write the depths at the places of `purity_status`; 0 where the depth is not known."""
    return _grid(rows, columns, lambda row: depth(row, items_per_column))


def _grid(rows: Sequence[Row], columns: int, value: Callable[[Row], int]) -> str:
    standing = [row for row in rows if not row.stack_index]
    shelves = max((row.shelf for row in standing), default=0)
    width = max(columns, max((row.position for row in standing), default=0))
    grid = [0] * (shelves * width)
    for row in standing:
        grid[(row.shelf - 1) * width + row.position - 1] = value(row)
    return ",".join(map(str, grid))


def _facing_row(product: Product, facing: Facing) -> Row:
    alternatives = [{"ProductId": item.product_id, "Score": round(item.score, 4)} for item in facing.alternatives]
    return replace(
        _row(product, facing),
        confidence=_percent(facing.confidence),
        seen_confidence=_percent(facing.confidence if facing.seen_confidence is None else facing.seen_confidence),
        stack_index=facing.stack_index,
        fill_level=facing.fill_level,
        alternatives=orjson.dumps(alternatives).decode(),
    )


def _row(product: Product, place: Facing | Gap) -> Row:
    return Row(
        product_id=product.id,
        product_name=product.name,
        sku=product.sku,
        is_foreign=product.is_foreign,
        is_empty=product.is_empty,
        is_unknown=product.is_unknown,
        shelf=place.shelf,
        position=place.position,
        confidence=None,
        corners=place.corners,
        door=place.door,
    )


def _percent(score: float) -> float:
    return round(score * 100, 2)
