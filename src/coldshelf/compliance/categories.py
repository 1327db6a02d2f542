"""Holds found facings against a planogram of categories: each place wants any product of a category. Pure.

A place names its category by one of its products. A product without a category stands for itself alone.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace

from coldshelf.compliance.matching import Found, Match, Planned, match, stand_at


def match_categories(
    found: Iterable[Found], planned: Iterable[Planned], categories: Mapping[int, str]
) -> tuple[Match, ...]:
    """Match as `match` does, with products of one category alike; `categories` by product id, in any letter case."""
    alike, places = _Alike(categories), list(planned)
    original = {(place.shelf, place.position): place for place in places}
    matches = match(alike.found(found), alike.planned(places))
    return tuple(
        replace(item, planned=original[item.planned.shelf, item.planned.position]) if item.planned else item
        for item in matches
    )


def stand_at_categories(
    found: Iterable[Found], planned: Iterable[Planned], categories: Mapping[int, str]
) -> dict[Planned, int]:
    """Give what stands at each planned place, as `stand_at` does, with products of one category alike."""
    alike, places = _Alike(categories), list(planned)
    original = {(place.shelf, place.position): place for place in places}
    standing = stand_at(alike.found(found), alike.planned(places))
    return {original[place.shelf, place.position]: key for place, key in standing.items()}


class _Alike:
    """Gives all products of a category one number, and every other product a number of its own."""

    def __init__(self, categories: Mapping[int, str]) -> None:
        self._categories = categories
        self._numbers: dict[tuple[str, int], int] = {}

    def number(self, product_id: int) -> int:
        category = self._categories.get(product_id, "").strip().casefold()
        return self._numbers.setdefault((category, 0 if category else product_id), len(self._numbers))

    def found(self, facings: Iterable[Found]) -> list[Found]:
        return [
            item if item.product_id is None else replace(item, product_id=self.number(item.product_id))
            for item in facings
        ]

    def planned(self, places: Iterable[Planned]) -> list[Planned]:
        return [replace(place, product_id=self.number(place.product_id)) for place in places]
