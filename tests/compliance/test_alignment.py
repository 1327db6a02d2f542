"""One known change to a cooler that stood as planned changes exactly the places that it should, whatever the plan.

Plans are random rows of letters, few enough that products repeat. `SOAK=1` runs more of them from a new seed.
"""

import os
import random
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

import pytest

from coldshelf.compliance.matching import Found, Match, MatchStatus, Planned, match, stand_at
from tests.compliance.test_matching import plan, seen

SEED, CASES = (int(time.time()), 2000) if os.environ.get("SOAK") else (20260714, 100)
MATCHED, WRONG, MISSING = MatchStatus.MATCHED, MatchStatus.WRONG_PRODUCT, MatchStatus.MISSING
EXTRA, MOVED, EMPTY = MatchStatus.EXTRA, MatchStatus.MOVED, MatchStatus.EMPTY
REPEATS = "abcdef"
DISTINCT = "".join(chr(0x4E00 + n) for n in range(60))
"""Enough letters that no product stands twice."""


@pytest.fixture(params=["repeats", "distinct"])
def plans(request: pytest.FixtureRequest) -> Iterator[tuple[random.Random, list[str]]]:
    """Random plans of two to six shelves with three to nine places each."""
    print(f"seed {SEED}")
    chance = random.Random(SEED)
    return ((chance, random_plan(chance, distinct=request.param == "distinct")) for _ in range(CASES))


def random_plan(chance: random.Random, *, distinct: bool) -> list[str]:
    sizes = [chance.randint(3, 9) for _ in range(chance.randint(2, 6))]
    letters = iter(chance.sample(DISTINCT, sum(sizes)))
    return ["".join(next(letters) if distinct else chance.choice(REPEATS) for _ in range(size)) for size in sizes]


def places_of(rows: Sequence[str]) -> list[tuple[int, int]]:
    return [(shelf, n) for shelf, row in enumerate(rows, 1) for n in range(1, len(row) + 1)]


def letter(item: Match) -> str:
    return chr(item.planned.product_id) if item.planned else ""


def others(matches: Sequence[Match]) -> list[Match]:
    return [item for item in matches if item.status is not MATCHED]


def with_row(rows: Sequence[str], shelf: int, row: str) -> list[str]:
    return [row if n == shelf else old for n, old in enumerate(rows, 1)]


def test_a_removed_facing_is_missing_and_nothing_else_changes(plans: Iterator[tuple[random.Random, list[str]]]) -> None:
    for chance, rows in plans:
        shelf, n = chance.choice(places_of(rows))
        row = rows[shelf - 1]

        (wrong,) = others(match(seen(*with_row(rows, shelf, without(row, n))), plan(*rows)))

        assert (wrong.status, letter(wrong), wrong.found_key) == (MISSING, row[n - 1], None), (rows, shelf, n)
        assert wrong.planned is not None
        assert wrong.planned.shelf == shelf, (rows, n)
        # Of equal neighbours nobody can tell which one went.
        assert without(row, wrong.planned.position) == without(row, n), (rows, shelf, n)


def without(row: str, place: int) -> str:
    return row[: place - 1] + row[place:]


def test_a_facing_put_in_is_extra_where_it_stands(plans: Iterator[tuple[random.Random, list[str]]]) -> None:
    for chance, rows in plans:
        shelf, n = chance.choice(places_of(rows))
        row = rows[shelf - 1]
        found = seen(*with_row(rows, shelf, row[: n - 1] + "z" + row[n - 1 :]))

        (wrong,) = others(match(found, plan(*rows)))

        stray = next(facing for facing in found if facing.product_id == ord("z"))
        assert wrong == Match(EXTRA, stray.key, None), (rows, shelf, n)


def test_a_replaced_facing_is_a_wrong_product_at_its_place(plans: Iterator[tuple[random.Random, list[str]]]) -> None:
    for chance, rows in plans:
        shelf, n = chance.choice(places_of(rows))
        row = rows[shelf - 1]
        found = seen(*with_row(rows, shelf, row[: n - 1] + "z" + row[n:]))

        (wrong,) = others(match(found, plan(*rows)))

        stray = next(facing for facing in found if facing.product_id == ord("z"))
        assert wrong == Match(WRONG, stray.key, Planned(shelf, n, ord(row[n - 1]))), (rows, shelf, n)


def test_a_sold_out_facing_is_empty_at_its_place(plans: Iterator[tuple[random.Random, list[str]]]) -> None:
    for chance, rows in plans:
        shelf, n = chance.choice(places_of(rows))
        row = rows[shelf - 1]
        found = seen(*with_row(rows, shelf, row[: n - 1] + "_" + row[n:]))

        (wrong,) = others(match(found, plan(*rows)))

        gap = next(facing for facing in found if facing.is_gap)
        assert wrong == Match(EMPTY, gap.key, Planned(shelf, n, ord(row[n - 1]))), (rows, shelf, n)


def test_two_facings_that_changed_places_have_moved_and_nothing_else_changes(
    plans: Iterator[tuple[random.Random, list[str]]],
) -> None:
    for chance, rows in plans:
        first, second = chance.sample(places_of(rows), 2)
        swapped = swap(rows, first, second)
        if swapped == list(rows):
            continue

        wrong = others(match(seen(*swapped), plan(*rows)))

        # One product that went past a run of equal ones explains such a swap with a single move.
        assert {item.status for item in wrong} == {MOVED}, (rows, first, second)
        assert len(wrong) <= 2, (rows, first, second)
        if len({*"".join(rows)}) == sum(map(len, rows)):
            assert {(m.planned.shelf, m.planned.position) for m in wrong if m.planned} == {first, second}


def swap(rows: Sequence[str], first: tuple[int, int], second: tuple[int, int]) -> list[str]:
    letters = [list(row) for row in rows]
    (a, b), (c, d) = first, second
    letters[a - 1][b - 1], letters[c - 1][d - 1] = letters[c - 1][d - 1], letters[a - 1][b - 1]
    return ["".join(row) for row in letters]


def test_one_change_on_each_shelf_changes_each_shelf_by_itself(
    plans: Iterator[tuple[random.Random, list[str]]],
) -> None:
    changes: dict[str, Callable[[str, int], str]] = {
        "missing": lambda row, n: row[: n - 1] + row[n:],
        "extra": lambda row, n: row[: n - 1] + "z" + row[n - 1 :],
        "wrong_product": lambda row, n: row[: n - 1] + "z" + row[n:],
        "empty": lambda row, n: row[: n - 1] + "_" + row[n:],
    }
    for chance, rows in plans:
        if len(set("".join(rows))) < sum(map(len, rows)):
            continue  # with repeats a product that is extra here would have moved to where it is missing
        kinds = chance.choices([*changes], k=len(rows))
        changed = [changes[kind](row, chance.randint(1, len(row))) for kind, row in zip(kinds, rows, strict=True)]

        wrong = others(match(seen(*changed), plan(*rows)))

        assert Counter(item.status.value for item in wrong) == Counter(kinds), (rows, changed)


def test_a_missed_shelf_is_missing_and_the_others_are_matched(
    plans: Iterator[tuple[random.Random, list[str]]],
) -> None:
    for chance, rows in plans:
        gone = chance.randint(1, len(rows))
        found = [facing for facing in seen(*rows) if facing.shelf != gone]
        renumbered = seen(*(row for n, row in enumerate(rows, 1) if n != gone))

        for given in (found, renumbered):
            wrong = others(match(given, plan(*rows)))

            assert {item.status for item in wrong} == {MISSING}, (rows, gone)
            assert Counter(map(letter, wrong)) == Counter(rows[gone - 1]), (rows, gone)


def test_a_shelf_seen_twice_is_extra_once_and_everything_planned_is_matched(
    plans: Iterator[tuple[random.Random, list[str]]],
) -> None:
    for chance, rows in plans:
        twice = chance.randint(1, len(rows))
        doubled = [*rows[:twice], rows[twice - 1], *rows[twice:]]

        matches = match(seen(*doubled), plan(*rows))

        assert Counter(item.status for item in matches) == {MATCHED: len("".join(rows)), EXTRA: len(rows[twice - 1])}


def test_a_shelf_seen_as_two_halves_is_matched_when_products_tell(
    plans: Iterator[tuple[random.Random, list[str]]],
) -> None:
    for chance, rows in plans:
        if len(set("".join(rows))) < sum(map(len, rows)):
            continue
        split = chance.randint(1, len(rows))
        row = rows[split - 1]
        if len(row) < 5:
            continue
        middle = chance.randint(2, len(row) - 2)
        halved = [*rows[: split - 1], row[:middle], row[middle:], *rows[split:]]

        assert others(match(seen(*halved), plan(*rows))) == [], (rows, split, middle)


@pytest.mark.parametrize("offset", [-1, 1, 10, 100])
def test_it_does_not_matter_from_which_number_shelves_and_places_are_counted(
    plans: Iterator[tuple[random.Random, list[str]]], offset: int
) -> None:
    for chance, rows in plans:
        shelf, n = chance.choice(places_of(rows))
        row = rows[shelf - 1]
        found = seen(*with_row(rows, shelf, row[: n - 1] + "z" + row[n:]))
        shifted = [replace(facing, shelf=facing.shelf + offset, position=facing.position + offset) for facing in found]

        assert match(shifted, plan(*rows)) == match(found, plan(*rows)), (rows, shelf, n)


def test_the_numbers_of_what_was_seen_may_have_holes(plans: Iterator[tuple[random.Random, list[str]]]) -> None:
    for chance, rows in plans:
        shelves = sorted(chance.sample(range(1, 40), len(rows)))
        positions = sorted(chance.sample(range(1, 40), 9))
        found = [
            replace(facing, shelf=shelves[facing.shelf - 1], position=positions[facing.position - 1])
            for facing in seen(*rows)
        ]

        assert others(match(found, plan(*rows))) == [], rows


def test_what_stands_at_a_place_is_what_was_seen_there_and_the_same_answer_comes_twice(
    plans: Iterator[tuple[random.Random, list[str]]],
) -> None:
    for chance, rows in plans:
        swapped = swap(rows, *chance.sample(places_of(rows), 2))
        found, planned = seen(*swapped), plan(*rows)

        standing = stand_at(found, planned)

        assert match(found, planned) == match(found, planned)
        assert stand_at(found, planned) == standing
        assert len(set(standing.values())) == len(standing)
        settled = [m for m in match(found, planned) if m.status in {MATCHED, WRONG} and m.planned]
        assert all(standing[m.planned] == m.found_key for m in settled if m.planned)


# Several doors: a shelf runs through all of them


def test_a_product_behind_another_door_than_planned_has_moved() -> None:
    matches = match(seen("abcd" + "efgx", "mnop" + "qrst"), plan("abcd" + "efgh", "mnxp" + "qrst"))

    assert [(m.status, m.found_key, letter(m)) for m in others(matches)] == [
        (MISSING, None, "h"),
        (MOVED, 8, "x"),
        (EXTRA, 11, ""),
    ]


def test_a_door_that_was_not_seen_leaves_the_other_one_matched() -> None:
    matches = match(seen("efgh", "qrst"), plan("abcd" + "efgh", "mnop" + "qrst"))

    assert Counter(item.status for item in matches) == {MATCHED: 8, MISSING: 8}
    assert "".join(map(letter, others(matches))) == "abcdmnop"


def test_fifty_shelves_of_fifty_places_with_errors_take_seconds_at_most() -> None:
    chance = random.Random(SEED)
    rows = [[chance.randint(1, 200) for _ in range(50)] for _ in range(50)]
    planned = [Planned(s, n, p) for s, row in enumerate(rows, 1) for n, p in enumerate(row, 1)]
    found = [
        Found(key, place.shelf, place.position, chance.choice((place.product_id, None, 999)), is_gap=False)
        for key, place in enumerate(planned)
        if chance.random() > 0.05
    ]

    started = time.perf_counter()
    matches = match(found, planned)

    assert sum(item.planned is not None for item in matches) == 2500
    assert time.perf_counter() - started < 10  # about half a second on a quiet core
