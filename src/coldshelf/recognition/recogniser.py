"""The contract of every recogniser: a picture and a catalogue in, shelves, facings and gaps out.

Pixels are counted from the top left corner of the picture that was given. Corners come in the order of the
published recognition JSON: top-left, bottom-left, bottom-right, top-right. Shelves count from 1 at the top,
positions from 1 at the left.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NewType, Protocol

import numpy as np
from numpy.typing import NDArray

ProductId = NewType("ProductId", int)
Pixels = NDArray[np.uint8]
"""RGB picture, shape (height, width, 3)."""
Corner = tuple[float, float]
Corners = tuple[Corner, Corner, Corner, Corner]


@dataclass(frozen=True, slots=True)
class CatalogueProduct:
    """A product that may be seen, with its reference pictures."""

    product_id: ProductId
    sku: str
    name: str
    is_foreign: bool
    references: tuple[Pixels, ...]


@dataclass(frozen=True, slots=True)
class PlannedFacing:
    """A place of the planogram."""

    shelf: int
    position: int
    product_id: ProductId


@dataclass(frozen=True, slots=True)
class Candidate:
    """A product that a facing may show; score from 0 to 1."""

    product_id: ProductId
    score: float


@dataclass(frozen=True, slots=True)
class Facing:
    """One front-row product; `product_id` is None when the product is unknown.

    `confidence` runs from 0 to 1. `alternatives` are sorted best first and begin with the best candidate, even
    when it was too doubtful to be named.
    """

    shelf: int
    position: int
    corners: Corners
    product_id: ProductId | None
    confidence: float
    alternatives: tuple[Candidate, ...] = ()


@dataclass(frozen=True, slots=True)
class Gap:
    """An empty place on a shelf, wide enough for a product."""

    shelf: int
    position: int
    corners: Corners


@dataclass(frozen=True, slots=True)
class Shelf:
    """A shelf of the cooler, empty or not."""

    number: int
    corners: Corners


@dataclass(frozen=True, slots=True)
class Detections:
    """What a recogniser saw in one picture.

    Positions of facings and gaps of a shelf share one count: a gap between facings 2 and 4 has position 3.
    """

    shelves: tuple[Shelf, ...]
    facings: tuple[Facing, ...]
    gaps: tuple[Gap, ...]


class Recogniser(Protocol):
    """Finds and names what stands in a cooler. Pure: no database, no network; called off the event loop."""

    name: str
    version: str

    def recognise(
        self, image: Pixels, catalogue: Sequence[CatalogueProduct], planogram: Sequence[PlannedFacing] | None = None
    ) -> Detections: ...
