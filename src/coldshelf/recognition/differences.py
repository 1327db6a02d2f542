"""How two results of one picture differ, facing by facing. Pure.

A facing of the one result and a facing of the other are the same place in the picture when their boxes overlap by at
least half (intersection over union); each has at most one partner, the best overlaps first.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from coldshelf.recognition.models import Row

SAME_PLACE = 0.5

Json = dict[str, Any]  # a JSON document
Box = tuple[float, float, float, float]


class Change(StrEnum):
    """What became of a facing. A renamed one may have another place as well; a moved one kept its name."""

    ADDED = "added"
    GONE = "gone"
    RENAMED = "renamed"
    MOVED = "moved"


@dataclass(frozen=True, slots=True)
class Difference:
    """One facing or gap before and after; None where there is none."""

    change: Change
    before: Row | None
    after: Row | None

    def as_json(self) -> Json:
        return {"change": self.change.value, "before": _shown(self.before), "after": _shown(self.after)}


@dataclass(frozen=True, slots=True)
class Comparison:
    """The differences in the order of their places, and how many facings are the same."""

    differences: tuple[Difference, ...]
    same: int

    def count(self, change: Change) -> int:
        return sum(difference.change is change for difference in self.differences)


def compare(before: Sequence[Row], after: Sequence[Row]) -> Comparison:
    """Say what became of each facing and gap of the one result in the other."""
    pairs = _pairs(before, after)
    partners = {new: old for old, new in pairs.items()}
    changes = [_change(row, after[pairs[n]] if n in pairs else None) for n, row in enumerate(before)]
    changes += [Difference(Change.ADDED, None, row) for n, row in enumerate(after) if n not in partners]
    differences = [change for change in changes if change is not None]
    return Comparison(tuple(sorted(differences, key=_place)), changes.count(None))


def _change(before: Row, after: Row | None) -> Difference | None:
    if after is None:
        return Difference(Change.GONE, before, None)
    if after.product_id != before.product_id:
        return Difference(Change.RENAMED, before, after)
    stands = (before.shelf, before.position, before.stack_index) == (after.shelf, after.position, after.stack_index)
    return None if stands else Difference(Change.MOVED, before, after)


def _pairs(before: Sequence[Row], after: Sequence[Row]) -> dict[int, int]:
    """Pair rows by number, the best overlap first; of equal ones the same product first, then the order of rows."""
    old_boxes, new_boxes = [_box(row) for row in before], [_box(row) for row in after]
    rated = [
        (-overlap, before[old].product_id != after[new].product_id, old, new)
        for old, old_box in enumerate(old_boxes)
        for new, new_box in enumerate(new_boxes)
        if (overlap := _overlap(old_box, new_box)) >= SAME_PLACE
    ]
    pairs: dict[int, int] = {}
    taken: set[int] = set()
    for _, _, old, new in sorted(rated):
        if old not in pairs and new not in taken:
            pairs[old] = new
            taken.add(new)
    return pairs


def _box(row: Row) -> Box:
    xs, ys = zip(*row.corners, strict=True)
    return min(xs), min(ys), max(xs), max(ys)


def _overlap(one: Box, other: Box) -> float:
    """Give intersection over union."""
    width = min(one[2], other[2]) - max(one[0], other[0])
    height = min(one[3], other[3]) - max(one[1], other[1])
    if width <= 0 or height <= 0:
        return 0.0
    both = sum((box[2] - box[0]) * (box[3] - box[1]) for box in (one, other))
    return width * height / (both - width * height)


def _place(difference: Difference) -> tuple[int, int, int, str]:
    row = difference.after or difference.before
    return (row.shelf, row.position, row.stack_index, difference.change) if row else (0, 0, 0, "")


def _shown(row: Row | None) -> Json | None:
    if row is None:
        return None
    return {
        "Shelf": row.shelf,
        "Position": row.position,
        "StackIndex": row.stack_index,
        "ProductId": row.product_id,
        "Product": row.product_name,
        "SKU": row.sku,
        "Confidence": row.confidence,
    }
