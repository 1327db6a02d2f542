"""Holds found facings against planned facings: pure, no database, the same answer for the same input.

Shelves are aligned first, then the places of each shelf, so that one missed or doubled shelf or product does not make
everything behind it wrong. Every found and every planned facing is in exactly one match.

A shelf runs through every door, and so do its places: a facing on its shelf behind another door than planned has moved
like any other. Products stacked on others are no facings and are not given here.
"""

from collections import Counter, defaultdict, deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import groupby
from typing import NamedTuple


class MatchStatus(StrEnum):
    """What became of a place.

    `moved`: the planned product stands elsewhere; the match names the facing there and the place where it belongs.
    `empty`: a gap; without a planned facing when the plan wants nothing there or its product stands elsewhere.
    """

    MATCHED = "matched"
    WRONG_PRODUCT = "wrong_product"
    MISSING = "missing"
    EXTRA = "extra"
    MOVED = "moved"
    EMPTY = "empty"


@dataclass(frozen=True, slots=True)
class Found:
    """A facing or gap that was seen. `product_id` is None for an unknown product, which matches no planned one."""

    key: int
    shelf: int
    position: int
    product_id: int | None
    is_gap: bool


@dataclass(frozen=True, slots=True)
class Planned:
    """A facing that the planogram wants; shelves from the top, positions from the left."""

    shelf: int
    position: int
    product_id: int


@dataclass(frozen=True, slots=True)
class Match:
    """One found facing, one planned facing, or both.

    `is_doubtful`: the facing could not be named, so that a wrong product may be the right one and an extra one wanted.
    """

    status: MatchStatus
    found_key: int | None
    planned: Planned | None
    is_doubtful: bool = False

    @property
    def is_compliant(self) -> bool:
        """Only a product at its planned place is compliant."""
        return self.status is MatchStatus.MATCHED


# Costs in tenths of one wrong place. A gap is cheaper than a wrong product, and so is an unknown one: it may be right.
# Two neighbours that changed places cost less than taking one out and putting it back in.
WRONG = 10
UNKNOWN = 9
GAP = 8
LEFT_OVER = 10
GAP_LEFT_OVER = 3
CHANGED_PLACES = 15
SHELF_LEFT_OVER = 5
SHELF_DIVIDED = 35
"""Each facing that speaks for a divided shelf saves one missing and one left over; it takes two of them."""

# Among equal costs more matches win, then the smaller differences of position (each below 100).
TENTH = 10_000_000
MATCH_BONUS = 10_000


class Pair(NamedTuple):
    """A found and a planned facing of the same place; one of them may lack."""

    found: Found | None
    planned: Planned | None

    @property
    def is_doubtful(self) -> bool:
        return self.found is not None and not self.found.is_gap and self.found.product_id is None

    @property
    def status(self) -> MatchStatus:
        if self.found is None:
            return MatchStatus.MISSING
        if self.found.is_gap:
            return MatchStatus.EMPTY
        if self.planned is None:
            return MatchStatus.EXTRA
        same = self.found.product_id == self.planned.product_id
        return MatchStatus.MATCHED if same else MatchStatus.WRONG_PRODUCT


class Step(NamedTuple):
    """The cheapest way to a cell of an alignment: how many of each side its last step takes."""

    cost: int
    found: int
    planned: int


def match(found: Iterable[Found], planned: Iterable[Planned]) -> tuple[Match, ...]:
    """Match every facing, in the order of the places.

    An ordinary cooler takes about a millisecond, 50 shelves of 50 places a fraction of a second.
    """
    settled = _settle(_hold_against(found, planned))
    return tuple(_match(status, pair) for status, pair in sorted(settled, key=lambda item: _place(item[1])))


def stand_at(found: Iterable[Found], planned: Iterable[Planned]) -> dict[Planned, int]:
    """Give the key of the facing or gap that stands at each planned place, whatever it shows; a missing one has none.

    Where `match` says that a planned product has moved, this says what took its place.
    """
    pairs = [pair for shelf in _hold_against(found, planned) for pair in shelf]
    return {pair.planned: pair.found.key for pair in pairs if pair.planned and pair.found}


def _hold_against(found: Iterable[Found], planned: Iterable[Planned]) -> list[list[Pair]]:
    seen = sorted(found, key=lambda facing: (facing.shelf, facing.position, facing.key))
    plan = sorted(planned, key=lambda place: (place.shelf, place.position, place.product_id))
    groups = _align_shelves(
        [list(shelf) for _, shelf in groupby(seen, key=lambda facing: facing.shelf)],
        [list(shelf) for _, shelf in groupby(plan, key=lambda place: place.shelf)],
    )
    return [_pair_up(*group) for group in groups]


def _match(status: MatchStatus, pair: Pair) -> Match:
    return Match(status, pair.found.key if pair.found else None, pair.planned, pair.is_doubtful)


def _place(pair: Pair) -> tuple[int, int, bool, int]:
    key = pair.found.key if pair.found else 0
    if pair.planned is None:
        return (pair.found.shelf, pair.found.position, True, key) if pair.found else (0, 0, True, key)
    return pair.planned.shelf, pair.planned.position, False, key


# Shelves


Group = tuple[Sequence[Sequence[Found]], Sequence[Sequence[Planned]]]
SHELF_STEPS = ((1, 1), (1, 0), (0, 1), (2, 1), (1, 2))
"""Shelves taken together, found and planned: a pair, a doubled one, a missed one, one split in two, two seen as one."""


def _align_shelves(seen: Sequence[Sequence[Found]], plan: Sequence[Sequence[Planned]]) -> list[Group]:
    """Choose which found shelf is which planned one, by the products that they have in common."""
    shelves = _Shelves(seen, plan)
    best = [[Step(0, 0, 0)] * (len(plan) + 1) for _ in range(len(seen) + 1)]
    for i in range(len(seen) + 1):
        for j in range(len(plan) + 1):
            steps = [(a, b) for a, b in SHELF_STEPS if a <= i and b <= j]
            if steps:
                best[i][j] = min(
                    (Step(best[i - a][j - b].cost + shelves.cost((i - a, i), (j - b, j)), a, b) for a, b in steps),
                    key=lambda step: step.cost,
                )
    groups: list[Group] = []
    i, j = len(seen), len(plan)
    while i or j:
        step = best[i][j]
        groups.append((seen[i - step.found : i], plan[j - step.planned : j]))
        i, j = i - step.found, j - step.planned
    return groups[::-1]


class _Shelves:
    """Estimates what it costs to hold found shelves against planned ones, without aligning their places."""

    def __init__(self, seen: Sequence[Sequence[Found]], plan: Sequence[Sequence[Planned]]) -> None:
        self.products = [[f.product_id for f in shelf if not f.is_gap] for shelf in seen]
        self.gaps = [sum(f.is_gap for f in shelf) for shelf in seen]
        self.planned: list[list[int | None]] = [[p.product_id for p in shelf] for shelf in plan]
        self.numbers = [shelf[0].shelf for shelf in seen], [shelf[0].shelf for shelf in plan]
        self.seen_counts = [Counter(products) for products in self.products]
        self.plan_counts = [Counter(products) for products in self.planned]
        self.common = [[longest_common(products, wanted) for wanted in self.planned] for products in self.products]

    def cost(self, seen: tuple[int, int], plan: tuple[int, int]) -> int:
        """Give the cost of the shelves `seen` (first, end) against `plan`; the shelf's number only breaks ties."""
        seen_shelves, plan_shelves = range(*seen), range(*plan)
        found = sum(len(self.products[i]) for i in seen_shelves)
        planned = sum(len(self.planned[j]) for j in plan_shelves)
        if not plan_shelves:
            gaps = sum(self.gaps[i] for i in seen_shelves)
            return (found * LEFT_OVER + gaps * GAP_LEFT_OVER + SHELF_LEFT_OVER) * TENTH
        if not seen_shelves:
            return (planned * LEFT_OVER + SHELF_LEFT_OVER) * TENTH
        common = sum(self.common[i][j] for i in seen_shelves for j in plan_shelves)
        if len(seen_shelves) == len(plan_shelves):
            offset = min(abs(self.numbers[0][seen[0]] - self.numbers[1][plan[0]]), 99)
            return (max(found, planned) - common) * WRONG * TENTH + offset
        counts = sum((self.seen_counts[i] for i in seen_shelves), Counter[int | None]())
        wanted = sum((self.plan_counts[j] for j in plan_shelves), Counter[int | None]())
        common = min(common, (counts & wanted).total())
        return ((max(found, planned) - common) * WRONG + SHELF_DIVIDED) * TENTH


def longest_common(found: Sequence[int | None], planned: Sequence[int | None]) -> int:
    """Give the length of the longest common subsequence, with one bit for each planned place.

    Hyyrö's bit-parallel method: a zero bit marks a place up to which the common length grows.
    """
    places: defaultdict[int | None, int] = defaultdict(int)
    for n, product_id in enumerate(planned):
        places[product_id] |= 1 << n
    full = (1 << len(planned)) - 1
    row = full
    for product in found:
        hits = row & places.get(product, 0)
        row = ((row + hits) | (row - hits)) & full
    return len(planned) - row.bit_count()


def _pair_up(seen: Sequence[Sequence[Found]], plan: Sequence[Sequence[Planned]]) -> list[Pair]:
    if not plan:
        return [Pair(facing, None) for shelf in seen for facing in shelf]
    if not seen:
        return [Pair(None, place) for shelf in plan for place in shelf]
    if len(seen) == 2:
        halves = (_join_split(seen[a], seen[b], plan[0]) for a, b in ((0, 1), (1, 0)))
        return max(halves, key=_matched)
    if len(plan) == 2:
        halves = (_join_merged(seen[0], plan[a], plan[b]) for a, b in ((0, 1), (1, 0)))
        return max(halves, key=_matched)
    return align(seen[0], plan[0])


def _matched(pairs: Sequence[Pair]) -> int:
    return sum(pair.status is MatchStatus.MATCHED for pair in pairs)


OPEN = (MatchStatus.MISSING, MatchStatus.EMPTY)


def _join_split(first: Sequence[Found], second: Sequence[Found], plan: Sequence[Planned]) -> list[Pair]:
    """Pair the facings of two found shelves with one planned one; the second takes what the first left open."""
    pairs = align(first, plan)
    open_places = [pair.planned for pair in pairs if pair.status in OPEN and pair.planned]
    closed = [pair for pair in pairs if pair.status not in OPEN]
    gaps = [Pair(pair.found, None) for pair in pairs if pair.status in OPEN and pair.found]
    return closed + gaps + align(second, open_places)


def _join_merged(seen: Sequence[Found], first: Sequence[Planned], second: Sequence[Planned]) -> list[Pair]:
    """Pair the facings of one found shelf with two planned ones; the second takes what is left over of the first."""
    pairs = align(seen, first)
    closed = [pair for pair in pairs if pair.planned]
    return closed + align([pair.found for pair in pairs if pair.found and not pair.planned], second)


# Places of a shelf


def align(found: Sequence[Found], planned: Sequence[Planned]) -> list[Pair]:
    """Pair the places of one shelf from left to right, at the least cost."""
    best = [[Step(0, 0, 0)] * (len(planned) + 1) for _ in range(len(found) + 1)]
    for j in range(1, len(planned) + 1):
        best[0][j] = Step(j * LEFT_OVER * TENTH, 0, 1)
    for i, facing in enumerate(found, 1):
        row, above = best[i], best[i - 1]
        alone = (GAP_LEFT_OVER if facing.is_gap else LEFT_OVER) * TENTH
        row[0] = Step(above[0].cost + alone, 1, 0)
        for j, place in enumerate(planned, 1):
            step = Step(above[j - 1].cost + _cost(facing, place), 1, 1)
            if above[j].cost + alone < step.cost:
                step = Step(above[j].cost + alone, 1, 0)
            if row[j - 1].cost + LEFT_OVER * TENTH < step.cost:
                step = Step(row[j - 1].cost + LEFT_OVER * TENTH, 0, 1)
            if i > 1 and j > 1 and _changed_places(found[i - 2], facing, planned[j - 2], place):
                crossed = best[i - 2][j - 2].cost + CHANGED_PLACES * TENTH
                step = Step(crossed, 2, 2) if crossed < step.cost else step
            row[j] = step
    return _walk_back(best, found, planned)


def _walk_back(best: Sequence[Sequence[Step]], found: Sequence[Found], planned: Sequence[Planned]) -> list[Pair]:
    pairs: list[Pair] = []
    i, j = len(found), len(planned)
    while i or j:
        step = best[i][j]
        pairs += [
            Pair(found[i - back] if step.found else None, planned[j - back] if step.planned else None)
            for back in range(1, max(step.found, step.planned) + 1)
        ]
        i, j = i - step.found, j - step.planned
    return pairs[::-1]


def _cost(found: Found, planned: Planned) -> int:
    away = min(abs(found.position - planned.position), 99)
    if found.is_gap:
        return GAP * TENTH + away
    if found.product_id == planned.product_id:
        return away - MATCH_BONUS
    return (UNKNOWN if found.product_id is None else WRONG) * TENTH + away


def _changed_places(left: Found, right: Found, planned_left: Planned, planned_right: Planned) -> bool:
    if left.is_gap or right.is_gap or left.product_id == right.product_id:
        return False
    return left.product_id == planned_right.product_id and right.product_id == planned_left.product_id


# Products that stand elsewhere


def _settle(shelves: Sequence[Sequence[Pair]]) -> Iterator[tuple[MatchStatus, Pair]]:
    """Give every pair its status; a stray product and the place that lacks it become one `moved` pair."""
    pairs = [pair for shelf in shelves for pair in shelf]
    stray_of = _find_moved(pairs, [number for number, shelf in enumerate(shelves) for _ in shelf])
    gone = set(stray_of.values())
    for n, pair in enumerate(pairs):
        if n in stray_of:
            yield MatchStatus.MOVED, Pair(pairs[stray_of[n]].found, pair.planned)
        rest = Pair(None if n in gone else pair.found, None if n in stray_of else pair.planned)
        if rest.found or rest.planned:
            yield rest.status, rest


VACANCIES = (MatchStatus.MISSING, MatchStatus.WRONG_PRODUCT, MatchStatus.EMPTY)
"""Which places get a stray product first: those with nothing, then those with another product, then gaps."""
STRAYS = (MatchStatus.EXTRA, MatchStatus.WRONG_PRODUCT)


def _find_moved(pairs: Sequence[Pair], shelf_of: Sequence[int]) -> dict[int, int]:
    """Choose a stray facing for each place that lacks its product, as numbers of pairs.

    Strays of the same shelf come first, then those of anywhere; both in the order of the places.
    """
    by_status = {status: [n for n, pair in enumerate(pairs) if pair.status is status] for status in MatchStatus}
    vacant = [n for status in VACANCIES for n in by_status[status]]
    strays = sorted(n for status in STRAYS for n in by_status[status])
    moved: dict[int, int] = {}
    for near in (True, False):
        taken = set(moved.values())
        waiting: defaultdict[tuple[int | None, int], deque[int]] = defaultdict(deque)
        for n in strays:
            found = pairs[n].found
            if found and n not in taken:
                waiting[found.product_id, shelf_of[n] if near else 0].append(n)
        for n in vacant:
            planned = pairs[n].planned
            if planned and n not in moved and waiting[planned.product_id, shelf_of[n] if near else 0]:
                moved[n] = waiting[planned.product_id, shelf_of[n] if near else 0].popleft()
    return moved
