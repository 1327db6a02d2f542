"""Holds the product rows of a result against a planogram of any use. Pure.

Rows that are stacked on others are no facings: they are neither compared nor compliant.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from coldshelf.compliance.categories import match_categories, stand_at_categories
from coldshelf.compliance.matching import Found, Match, Planned, match, stand_at
from coldshelf.compliance.priorogram import match_priorities
from coldshelf.masterdata.models import PlanogramUse
from coldshelf.recognition.models import Row


@dataclass(frozen=True, slots=True)
class Plan:
    """What a picture is compared with. `categories` (by product id) are needed by a planogram of categories only."""

    use: PlanogramUse = PlanogramUse.LAYOUT
    places: tuple[Planned, ...] = ()
    categories: Mapping[int, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Comparison:
    """A match with the row that it is about; none where a planned product is missing."""

    match: Match
    row: Row | None

    @property
    def place(self) -> tuple[int, int]:
        """Give the planned (shelf, position), else the place where it was found."""
        if self.match.planned:
            return self.match.planned.shelf, self.match.planned.position
        return (self.row.shelf, self.row.position) if self.row else (0, 0)


def compare_rows(rows: Sequence[Row], plan: Plan) -> list[Comparison]:
    """Compare the rows of a result, in the order of the places; without planned places nothing is compared."""
    if not plan.places:
        return []
    found = found_of(rows)
    if plan.use is PlanogramUse.PRIORITY:
        matches = match_priorities(found, plan.places)
    elif plan.use is PlanogramUse.CATEGORY:
        matches = match_categories(found, plan.places, plan.categories)
    else:
        matches = match(found, plan.places)
    return [Comparison(item, None if item.found_key is None else rows[item.found_key]) for item in matches]


def standing_rows(rows: Sequence[Row], plan: Plan) -> dict[Planned, Row]:
    """Give the row that stands at each planned place, whatever it shows; a missing place has none.

    Of a Priorogram: the row that serves each wanted facing.
    """
    found = found_of(rows)
    if plan.use is PlanogramUse.PRIORITY:
        pairs = {item.planned: item.found_key for item in match_priorities(found, plan.places)}
        return {place: rows[key] for place, key in pairs.items() if place is not None and key is not None}
    if plan.use is PlanogramUse.CATEGORY:
        standing = stand_at_categories(found, plan.places, plan.categories)
    else:
        standing = stand_at(found, plan.places)
    return {place: rows[key] for place, key in standing.items()}


def found_of(rows: Sequence[Row]) -> list[Found]:
    """Give the facings and gaps of a result; keys are places in `rows`."""
    return [
        Found(key, row.shelf, row.position, None if row.is_unknown or row.is_empty else row.product_id, row.is_empty)
        for key, row in enumerate(rows)
        if not row.stack_index
    ]
