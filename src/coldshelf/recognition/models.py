"""The shapes that results have inside the house."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Row:
    """A row of a result: a facing, or a gap with the pseudo-product Empty. Corners in pixels, top-left first."""

    product_id: int
    product_name: str
    sku: str
    is_foreign: bool
    is_empty: bool
    is_unknown: bool
    shelf: int
    position: int
    confidence: float | None
    corners: tuple[tuple[float, float], ...]
    alternatives: str = "[]"
    id: int = 0


@dataclass(frozen=True, slots=True)
class Result:
    """The served result of a picture; `shelves` is JSON text of the shelves' numbers and corners."""

    id: int
    number: int
    model_version: str
    shelves: str
    rows: tuple[Row, ...]
