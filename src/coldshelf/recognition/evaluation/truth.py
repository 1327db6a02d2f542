"""The truth about pictures, whatever file it was read from."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from coldshelf.recognition.recogniser import Box


@dataclass(frozen=True, slots=True)
class TrueBox:
    """A front-row product. Without a SKU it counts as a box only: nobody could say what it is."""

    box: Box
    sku: str | None
    brand: str | None = None
    place: tuple[int, int] | None = None
    """Row from the top and position from the left, counted from any number."""
    is_added: bool = False
    """Labelled by a correction: plans made from the source's labels do not know it."""


class DeviationKind(StrEnum):
    """How a picture was made to differ from its plan."""

    POSITION = "position"
    MISSING_FACING = "missing_facing"
    WRONG_SKU = "wrong_sku"
    EXTRA = "extra"


@dataclass(frozen=True, slots=True)
class Deviation:
    """A planted difference; `row` and `positions` count from 1 and name places of the plan.

    `skus` are: of the two places that were swapped; of the product that lacks; of the plan and of the picture for a
    wrong product; of the product that is too much.
    """

    kind: DeviationKind
    row: int
    positions: tuple[int, ...]
    skus: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PlanCase:
    """A plan, shelves from the top with SKUs from the left, and how the picture differs from it."""

    name: str
    rows: tuple[tuple[str, ...], ...]
    deviations: tuple[Deviation, ...]


@dataclass(frozen=True, slots=True)
class TruePicture:
    """A picture and what is known about it: boxes, or the one product that the whole picture shows."""

    name: str
    path: Path
    size: tuple[int, int] | None = None
    """Width and height that the boxes belong to."""
    boxes: tuple[TrueBox, ...] | None = None
    whole: str | None = None
    ignored: tuple[Box, ...] = ()
    """Regions where nobody can say what stands there: boxes found in them are neither right nor wrong."""
    cases: tuple[PlanCase, ...] = ()


@dataclass(frozen=True, slots=True)
class Truth:
    """Pictures with truth; `labels` says in words where the truth comes from."""

    pictures: tuple[TruePicture, ...]
    labels: str
    folder: Path
    brands: Mapping[str, str]
    """Brand of each SKU, as far as the truth names it."""


def brands_of(pictures: tuple[TruePicture, ...]) -> dict[str, str]:
    """Return the brand of each SKU; the first one named counts."""
    brands: dict[str, str] = {}
    for picture in pictures:
        for true in picture.boxes or ():
            if true.sku is not None and true.brand is not None:
                brands.setdefault(true.sku, true.brand)
    return brands
