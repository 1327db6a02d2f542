"""The contract of every recogniser: a picture and a catalogue in, shelves, facings and gaps out.

Pixels are counted from the top left corner of the picture that was given. Corners come in the order of the
published recognition JSON: top-left, bottom-left, bottom-right, top-right. Shelves count from 1 at the top,
positions from 1 at the left.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NewType, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

ProductId = NewType("ProductId", int)
Pixels = NDArray[np.uint8]
"""RGB picture, shape (height, width, 3)."""
Corner = tuple[float, float]
Corners = tuple[Corner, Corner, Corner, Corner]
Box = tuple[float, float, float, float]
"""Left, top, right, bottom in pixels."""


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
    seen_confidence: float | None = None
    """Confidence in `product_id` by its looks alone, before neighbours and planogram had a say; None: the same."""
    found_score: float = 1.0
    """How sure the detector is that a product stands here, from 0 to 1."""
    stack_index: int = 0
    """0 stands on the shelf; 1, 2 … stand on top of the facing with the same shelf and position, and do not count."""
    fill_level: int | None = None
    """How full the column behind is, in steps of 25 percent; None where the picture does not show it."""
    door: int = 1
    """Doors count from 1 at the left; a shelf runs through all of them."""


@dataclass(frozen=True, slots=True)
class Gap:
    """An empty place on a shelf, wide enough for a product."""

    shelf: int
    position: int
    corners: Corners
    door: int = 1


@dataclass(frozen=True, slots=True)
class Shelf:
    """A shelf of the cooler, empty or not."""

    number: int
    corners: Corners


@dataclass(frozen=True, slots=True)
class Detections:
    """What a recogniser saw in one picture.

    Positions of facings and gaps of a shelf share one count: a gap between facings 2 and 4 has position 3. A stacked
    facing has the position of the one it stands on.
    """

    shelves: tuple[Shelf, ...]
    facings: tuple[Facing, ...]
    gaps: tuple[Gap, ...]


class Recogniser(Protocol):
    """Finds and names what stands in a cooler. Pure: no database, no network; called off the event loop."""

    @property
    def name(self) -> str: ...

    @property
    def version(self) -> str: ...

    def recognise(
        self, image: Pixels, catalogue: Sequence[CatalogueProduct], planogram: Sequence[PlannedFacing] | None = None
    ) -> Detections: ...


@dataclass(frozen=True, slots=True)
class FoundBox:
    """A box around something that may be a front-row product; score from 0 to 1."""

    box: Box
    score: float


@runtime_checkable
class Finder(Protocol):
    """What a recogniser offers besides when it can say where products stand apart from which they are."""

    def find(self, image: Pixels, catalogue: Sequence[CatalogueProduct]) -> list[FoundBox]:
        """Return boxes down to very doubtful ones, best first: the whole curve of precision over recall."""
        ...


@runtime_checkable
class Identifier(Protocol):
    """What a recogniser offers besides when it can name given boxes."""

    def identify(
        self, image: Pixels, boxes: Sequence[Box], catalogue: Sequence[CatalogueProduct]
    ) -> list[tuple[Candidate, ...]]:
        """Return the best five products of each box, best first, by looks alone.

        Scores are calibrated: they add up to less than 1, the rest is the likelihood that it is none of them.
        """
        ...
