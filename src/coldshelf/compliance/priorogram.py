"""Holds found facings against a Priorogram (contract 6.4): products by priority, wherever they stand. Pure.

The planned facings are those of a planogram whose shelves are priorities, the highest first; a product that wants
several facings is planned as often. Facings beyond that are extra, as are products that are not listed.
"""

from collections import defaultdict, deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from coldshelf.compliance.matching import Found, Match, MatchStatus, Planned


@dataclass(frozen=True, slots=True)
class ListedProduct:
    """A product of the list: its priority from 1 (the highest), its facings that are wanted and that are there."""

    product_id: int
    priority: int
    wanted: int
    found: int

    @property
    def is_available(self) -> bool:
        """One facing is enough for shoppers to find the product."""
        return self.found > 0


def match_priorities(found: Iterable[Found], planned: Iterable[Planned]) -> tuple[Match, ...]:
    """Match every facing: wanted ones in the order of the list, then what else was seen, in the order of its places.

    A wanted facing is matched or missing, another one extra, a gap empty: nothing is wrong or has moved, because every
    place is right.
    """
    rest = sorted(found, key=lambda facing: (facing.shelf, facing.position, facing.key))
    waiting: defaultdict[int | None, deque[Found]] = defaultdict(deque)
    for facing in rest:
        waiting[None if facing.is_gap else facing.product_id].append(facing)
    matches = []
    taken = set()
    for place in sorted(planned, key=lambda place: (place.shelf, place.position, place.product_id)):
        facing_here = waiting[place.product_id].popleft() if waiting[place.product_id] else None
        if facing_here is None:
            matches.append(Match(MatchStatus.MISSING, None, place))
        else:
            taken.add(facing_here.key)
            matches.append(Match(MatchStatus.MATCHED, facing_here.key, place))
    matches += [_unplanned(facing) for facing in rest if facing.key not in taken]
    return tuple(matches)


def _unplanned(facing: Found) -> Match:
    if facing.is_gap:
        return Match(MatchStatus.EMPTY, facing.key, None)
    return Match(MatchStatus.EXTRA, facing.key, None, is_doubtful=facing.product_id is None)


def listed_products(found: Iterable[Found], planned: Iterable[Planned]) -> tuple[ListedProduct, ...]:
    """Count the wanted and the found facings of each product of the list, the highest priority first."""
    wanted: defaultdict[tuple[int, int], int] = defaultdict(int)
    for place in planned:
        wanted[place.shelf, place.product_id] += 1
    there: defaultdict[int | None, int] = defaultdict(int)
    for facing in found:
        if not facing.is_gap:
            there[facing.product_id] += 1
    return tuple(
        ListedProduct(product_id, priority, count, there[product_id])
        for (priority, product_id), count in sorted(wanted.items())
    )


def weighted_availability(products: Sequence[ListedProduct]) -> float | None:
    """Give how much of the list is available, in percent, a product of priority n weighing 1 / n; None without a list.

    Our addition. Example: priorities 1, 2 and 3, the second one is not there: (1 + 1/3) / (1 + 1/2 + 1/3) = 72.73 %.
    """
    whole = sum(1 / product.priority for product in products)
    there = sum(1 / product.priority for product in products if product.is_available)
    return there / whole * 100 if whole else None
