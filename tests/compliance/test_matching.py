"""Cases are written as shelves of letters: a letter is a product, `_` a gap, `?` an unknown product."""

import json
import os
import random
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from coldshelf.compliance.matching import Found, Match, MatchStatus, Planned, longest_common, match

MATCHED, WRONG, MISSING = MatchStatus.MATCHED, MatchStatus.WRONG_PRODUCT, MatchStatus.MISSING
EXTRA, MOVED, EMPTY = MatchStatus.EXTRA, MatchStatus.MOVED, MatchStatus.EMPTY


def seen(*shelves: str) -> list[Found]:
    places = [(shelf, n, letter) for shelf, row in enumerate(shelves, 1) for n, letter in enumerate(row, 1)]
    return [
        Found(key, shelf, n, None if letter in "_?" else ord(letter), letter == "_")
        for key, (shelf, n, letter) in enumerate(places, 1)
    ]


def plan(*shelves: str) -> list[Planned]:
    return [Planned(shelf, n, ord(p)) for shelf, row in enumerate(shelves, 1) for n, p in enumerate(row, 1)]


def statuses(found: Sequence[Found], planned: Sequence[Planned]) -> dict[str, int]:
    return dict(Counter(item.status.value for item in match(found, planned)))


def keys(matches: Sequence[Match], status: MatchStatus) -> list[int | None]:
    return [item.found_key for item in matches if item.status is status]


def lacking(matches: Sequence[Match], status: MatchStatus) -> list[tuple[int, int]]:
    return [(m.planned.shelf, m.planned.position) for m in matches if m.status is status and m.planned]


# One shelf


def test_a_shelf_as_planned_is_matched_everywhere() -> None:
    assert statuses(seen("abc", "de"), plan("abc", "de")) == {"matched": 5}


def test_a_missing_product_leaves_everything_right_of_it_matched() -> None:
    matches = match(seen("acdef"), plan("abcdef"))

    assert lacking(matches, MISSING) == [(1, 2)]
    assert keys(matches, MATCHED) == [1, 2, 3, 4, 5]


def test_an_inserted_product_leaves_everything_right_of_it_matched() -> None:
    matches = match(seen("axbcdef"), plan("abcdef"))

    assert keys(matches, EXTRA) == [2]
    assert keys(matches, MATCHED) == [1, 3, 4, 5, 6, 7]


def test_another_product_at_a_place_is_a_wrong_product_there() -> None:
    matches = match(seen("axc"), plan("abc"))

    assert matches[1] == Match(WRONG, 2, Planned(1, 2, ord("b")))
    assert keys(matches, MATCHED) == [1, 3]


def test_an_unknown_product_is_a_wrong_product_and_never_compliant() -> None:
    matches = match(seen("a?c"), plan("abc"))

    assert keys(matches, WRONG) == [2]
    assert [item.is_compliant for item in matches] == [True, False, True]
    assert [item.is_doubtful for item in matches] == [False, True, False]


def test_a_wrong_product_with_a_name_and_a_gap_are_not_doubtful_and_an_unknown_extra_is() -> None:
    matches = match(seen("x_c?"), plan("abc"))

    assert [(m.status, m.is_doubtful) for m in matches] == [
        (WRONG, False),
        (EMPTY, False),
        (MATCHED, False),
        (EXTRA, True),
    ]


def test_a_gap_at_a_planned_place_is_empty_and_not_missing() -> None:
    matches = match(seen("a_c"), plan("abc"))

    assert matches[1] == Match(EMPTY, 2, Planned(1, 2, ord("b")))
    assert lacking(matches, MISSING) == []


def test_a_gap_where_nothing_is_planned_is_empty_without_a_plan() -> None:
    matches = match(seen("ab_"), plan("ab"))

    assert matches[2] == Match(EMPTY, 3, None)


def test_too_few_facings_of_a_product_are_missing_and_not_wrong() -> None:
    assert statuses(seen("abbc"), plan("aabbbc")) == {"matched": 4, "missing": 2}


def test_too_many_facings_of_a_product_are_extra() -> None:
    assert statuses(seen("aaab"), plan("ab")) == {"matched": 2, "extra": 2}


# Products that stand elsewhere


def test_two_neighbours_that_changed_places_have_both_moved() -> None:
    matches = match(seen("acbd"), plan("abcd"))

    assert statuses(seen("acbd"), plan("abcd")) == {"matched": 2, "moved": 2}
    assert matches[1] == Match(MOVED, 3, Planned(1, 2, ord("b")))
    assert matches[2] == Match(MOVED, 2, Planned(1, 3, ord("c")))


def test_a_product_on_another_shelf_has_moved_there() -> None:
    matches = match(seen("abcx", "def"), plan("abc", "defx"))

    assert keys(matches, MOVED) == [4]
    assert lacking(matches, MOVED) == [(2, 4)]
    assert statuses(seen("abcx", "def"), plan("abc", "defx")) == {"matched": 6, "moved": 1}


def test_a_moved_product_leaves_the_place_that_it_took_missing() -> None:
    matches = match(seen("abcx", "def"), plan("abcg", "defx"))

    assert keys(matches, MOVED) == [4]
    assert lacking(matches, MISSING) == [(1, 4)]


def test_a_product_that_left_a_gap_behind_has_moved_and_the_gap_stays_a_gap() -> None:
    matches = match(seen("a_c", "dbe"), plan("abc", "de"))

    assert keys(matches, MOVED) == [5]
    assert lacking(matches, MOVED) == [(1, 2)]
    assert keys(matches, EMPTY) == [2]


def test_more_strays_than_vacancies_are_extra() -> None:
    assert statuses(seen("abxx", "cd"), plan("ab", "cdx")) == {"matched": 4, "moved": 1, "extra": 1}


def test_an_unknown_product_never_moves() -> None:
    assert statuses(seen("ab?", "cd"), plan("ab", "cdx")) == {"matched": 4, "extra": 1, "missing": 1}


# Shelves


def test_a_missed_shelf_leaves_the_others_matched() -> None:
    matches = match(seen("abc", "ghi"), plan("abc", "def", "ghi"))

    assert lacking(matches, MISSING) == [(2, 1), (2, 2), (2, 3)]
    assert len(keys(matches, MATCHED)) == 6


def test_a_shelf_detected_twice_leaves_the_others_matched() -> None:
    assert statuses(seen("abcd", "abcd", "efgh"), plan("abcd", "efgh")) == {"matched": 8, "extra": 4}


@pytest.mark.parametrize("halves", [("ab", "cd"), ("cd", "ab"), ("ac", "bd"), ("bd", "ac")])
def test_a_shelf_split_in_two_is_put_together_again(halves: tuple[str, str]) -> None:
    found = seen("wxyz", *halves, "efgh")

    assert statuses(found, plan("wxyz", "abcd", "efgh")) == {"matched": 12}


def test_gaps_seen_where_the_other_half_of_a_shelf_stands_are_gaps_without_a_plan() -> None:
    assert statuses(seen("ab__", "cd", "efgh"), plan("abcd", "efgh")) == {"matched": 8, "empty": 2}


def test_two_shelves_seen_as_one_are_taken_apart_again() -> None:
    assert statuses(seen("aebfcgdh", "wxyz"), plan("abcd", "efgh", "wxyz")) == {"matched": 12}


def test_a_single_facing_is_no_evidence_for_a_divided_shelf() -> None:
    assert statuses(seen("abc", "d", "efgh"), plan("abcd", "efgh")) == {"matched": 7, "moved": 1}


def test_shelves_that_changed_places_are_not_matched() -> None:
    assert statuses(seen("efgh", "abcd"), plan("abcd", "efgh")) == {"moved": 8}


def test_an_empty_shelf_is_empty_and_the_others_are_matched() -> None:
    assert statuses(seen("abc", "___", "ghi"), plan("abc", "def", "ghi")) == {"matched": 6, "empty": 3}


def test_a_shelf_of_other_products_is_held_against_the_shelf_that_it_stands_for() -> None:
    assert statuses(seen("abc", "xyz", "ghi"), plan("abc", "def", "ghi")) == {"matched": 6, "wrong_product": 3}


def test_equal_shelves_are_told_apart_by_their_numbers() -> None:
    found = [facing for facing in seen("aaa", "aaa", "aaa") if facing.shelf != 2]

    matches = match(found, plan("aaa", "aaa", "aaa"))

    assert lacking(matches, MISSING) == [(2, 1), (2, 2), (2, 3)]


def test_nothing_seen_is_all_missing_and_nothing_planned_all_extra() -> None:
    assert statuses([], plan("ab")) == {"missing": 2}
    assert statuses(seen("a_"), []) == {"extra": 1, "empty": 1}
    assert match([], []) == ()


# Whatever the input


LETTERS = "abcdef"


def random_rows(chance: random.Random, letters: str) -> list[str]:
    shelves = chance.randint(0, 5)
    return ["".join(chance.choices(letters, k=chance.randint(1, 8))) for _ in range(shelves)]


def random_cases() -> Iterator[tuple[list[Found], list[Planned]]]:
    chance = random.Random(20260714)
    for _ in range(3000 if os.environ.get("SOAK") else 300):
        yield seen(*random_rows(chance, LETTERS + "_?")), plan(*random_rows(chance, LETTERS))


def test_every_facing_is_in_exactly_one_match_whatever_was_seen() -> None:
    for found, planned in random_cases():
        matches = match(found, planned)

        assert sorted(key for m in matches if (key := m.found_key) is not None) == [item.key for item in found]
        assert Counter(m.planned for m in matches if m.planned) == Counter(planned)


def test_every_status_means_what_it_says_whatever_was_seen() -> None:
    for found, planned in random_cases():
        by_key = {facing.key: facing for facing in found}
        for item in match(found, planned):
            facing = by_key[item.found_key] if item.found_key is not None else None
            product_id = facing.product_id if facing else None
            meanings = {
                MATCHED: bool(item.planned) and product_id == (item.planned and item.planned.product_id),
                MOVED: bool(item.planned) and product_id == (item.planned and item.planned.product_id),
                WRONG: facing is not None
                and bool(item.planned)
                and product_id != (item.planned and item.planned.product_id)
                and not facing.is_gap,
                EXTRA: facing is not None and not facing.is_gap and item.planned is None,
                EMPTY: facing is not None and facing.is_gap,
                MISSING: facing is None and item.planned is not None,
            }
            assert meanings[item.status], item


def test_no_product_is_extra_while_its_place_is_open() -> None:
    for found, planned in random_cases():
        by_key = {facing.key: facing for facing in found}
        matches = match(found, planned)
        extra = {by_key[key].product_id for key in keys(matches, EXTRA) if key}
        open_places = {m.planned.product_id for m in matches if m.status in {MISSING, EMPTY} and m.planned}

        assert not (extra - {None}) & open_places


def test_the_order_of_the_input_changes_nothing() -> None:
    chance = random.Random(7)
    for found, planned in random_cases():
        expected = match(found, planned)
        chance.shuffle(found)
        chance.shuffle(planned)

        assert match(found, planned) == expected


def test_the_plan_itself_is_always_fully_compliant() -> None:
    chance = random.Random(11)
    for _ in range(200):
        rows = random_rows(chance, LETTERS)

        assert all(item.is_compliant for item in match(seen(*rows), plan(*rows)))


@pytest.mark.parametrize("change", ["remove", "insert"])
def test_one_change_costs_one_facing_whatever_the_plan(change: str) -> None:
    chance = random.Random(13)
    for _ in range(200):
        rows = [row for row in random_rows(chance, LETTERS) if len(row) > 2] or ["abc"]
        changed = list(rows)
        shelf = chance.randrange(len(rows))
        place = chance.randrange(len(rows[shelf]))
        rest = rows[shelf][place + 1 :] if change == "remove" else "x" + rows[shelf][place:]
        changed[shelf] = rows[shelf][:place] + rest
        expected = {"missing": 1} if change == "remove" else {"extra": 1}
        kept = sum(map(len, rows)) - (change == "remove")

        assert statuses(seen(*changed), plan(*rows)) == {"matched": kept, **expected}, (rows, changed)


def test_the_common_length_is_that_of_the_textbook() -> None:
    chance = random.Random(5)
    for _ in range(200):
        left, right = (chance.choices(range(4), k=chance.randint(0, 70)) for _ in range(2))

        assert longest_common(left, right) == textbook_common(left, right)


def textbook_common(left: Sequence[int], right: Sequence[int]) -> int:
    row = [0] * (len(right) + 1)
    for item in left:
        before = row[:]
        for j, other in enumerate(right, 1):
            row[j] = before[j - 1] + 1 if item == other else max(before[j], row[j - 1])
    return row[-1]


@pytest.mark.parametrize(
    "product",
    [lambda _chance, _n: 1, lambda _chance, n: n, lambda chance, _n: chance.randint(1, 40)],
    ids=["one product", "all different", "random"],
)
def test_fifty_shelves_of_fifty_places_take_seconds_at_most(product: Callable[[random.Random, int], int]) -> None:
    chance = random.Random(3)
    places = [(shelf, position) for shelf in range(1, 51) for position in range(1, 51)]
    found = [Found(n, *place, product(chance, n), is_gap=False) for n, place in enumerate(places)]
    planned = [Planned(*place, product(chance, n)) for n, place in enumerate(places)]

    started = time.perf_counter()
    matches = match(found, planned)

    assert len(matches) >= 2500
    assert time.perf_counter() - started < 10  # half a second on a quiet core


# Pictures of real coolers: plans made from the pictures' own labels and changed in one known way


def test_known_deviations_of_real_coolers_are_found_and_no_others(samples: Path) -> None:
    """Precision and recall of 50 of 50: each of the 40 changed plans has its one deviation, a swap counts twice."""
    folder = samples / "cooler_pepsico_vn"
    pictures = {item["file"]: item for item in json.loads((folder / "ground_truth.json").read_text())["images"]}
    cases = json.loads((folder / "planogram_cases.json").read_text())["cases"]
    hits = reported = wanted = 0

    for case in cases:
        expected = expected_deviations(case)
        got = deviations(pictures[case["image"]]["objects"], case["planogram_rows"])
        hits += (expected & got).total()
        reported += got.total()
        wanted += expected.total()

    assert len(cases) == 50
    assert (hits, reported, wanted) == (50, 50, 50)


Deviation = tuple[str, int, str]


def expected_deviations(case: dict[str, Any]) -> Counter[Deviation]:
    """Name each deviation by kind, row and product; a swap is two."""
    found: Counter[Deviation] = Counter()
    for item in case["deviations_of_the_picture_from_the_plan"]:
        if item["kind"] == "position":
            found.update(("moved", item["row"], sku) for sku in item["skus"])
        elif item["kind"] == "wrong_sku":
            found["wrong_product", item["row"], f"{item['seen']} for {item['planned']}"] += 1
        else:
            kind = "missing" if item["kind"] == "missing_facing" else "extra"
            found[kind, item["row"], item["sku"]] += 1
    return found


def deviations(objects: Sequence[dict[str, Any]], rows: Sequence[Sequence[str]]) -> Counter[Deviation]:
    skus = sorted({item["sku"] for item in objects} | {sku for row in rows for sku in row})
    found = [
        Found(key, item["row_auto"], item["pos_auto"], skus.index(item["sku"]), is_gap=False)
        for key, item in enumerate(objects)
    ]
    planned = [Planned(row, n, skus.index(sku)) for row, skus_of in enumerate(rows) for n, sku in enumerate(skus_of)]
    return Counter(
        _deviation(item, objects, skus) for item in match(found, planned) if item.status is not MatchStatus.MATCHED
    )


def _deviation(item: Match, objects: Sequence[dict[str, Any]], skus: Sequence[str]) -> Deviation:
    facing = objects[item.found_key] if item.found_key is not None else None
    planned = skus[item.planned.product_id] if item.planned else ""
    row = facing["row_auto"] if facing else item.planned.shelf if item.planned else -1
    name = f"{facing['sku']} for {planned}" if facing and item.status is WRONG else facing["sku"] if facing else planned
    return item.status.value, row, name
