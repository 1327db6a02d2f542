"""The shapes that results have inside the house."""

from dataclasses import dataclass
from enum import StrEnum


@dataclass(frozen=True, slots=True)
class Row:
    """A row of a result: a facing, or a gap with the pseudo-product Empty. Corners in pixels, top-left first.

    `confidence` and `seen_confidence` (by looks alone) are in percent. A row with a `stack_index` above 0 stands on the
    one with the same shelf and position, whose `stack_size` counts those above it; it is no facing of its own.
    `fill_level` is in percent, None where it cannot be seen; `capacity`: products that still fit in.
    """

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
    seen_confidence: float | None = None
    stack_index: int = 0
    stack_size: int = 0
    fill_level: int | None = None
    capacity: int = 0
    door: int = 1
    id: int = 0


@dataclass(frozen=True, slots=True)
class Result:
    """The served result of a picture; `shelves` is JSON text of the shelves' numbers and corners."""

    id: int
    number: int
    model_version: str
    shelves: str
    rows: tuple[Row, ...]


@dataclass(frozen=True, slots=True)
class Grids:
    """The shelf x column grids of a result as comma lists: product ids, and products one behind the other."""

    purity: str
    depth: str


class CandidateState(StrEnum):
    """How far a picture of a reprocessing run is.

    `waiting` → `recognised` → `ready` (its figures are known as well) → `accepted` → `applied`. Or it ends as
    `discarded`, `stale` (another result was served meanwhile) or `failed`.
    """

    WAITING = "waiting"
    RECOGNISED = "recognised"
    READY = "ready"
    ACCEPTED = "accepted"
    APPLIED = "applied"
    DISCARDED = "discarded"
    STALE = "stale"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Candidate:
    """A picture of a reprocessing run with the result that may replace the served one.

    `base_result_id` is the served result that it was compared with; `recogniser` its name and version, the version
    empty as long as nothing was recognised.
    """

    id: int
    reprocessing_id: int
    picture_id: int
    lane: int
    state: CandidateState
    base_result_id: int | None
    recogniser: tuple[str, str]
    shelves: str
    rows: tuple[Row, ...]
