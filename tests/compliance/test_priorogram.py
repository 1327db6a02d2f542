"""Cases are written as in test_matching: shelves of letters seen, and priorities of letters wanted."""

import random
from collections import Counter

import pytest

from coldshelf.compliance.matching import Match, MatchStatus, Planned
from coldshelf.compliance.priorogram import ListedProduct, listed_products, match_priorities, weighted_availability
from tests.compliance.test_matching import LETTERS, plan, random_rows, seen

MATCHED, MISSING, EXTRA, EMPTY = MatchStatus.MATCHED, MatchStatus.MISSING, MatchStatus.EXTRA, MatchStatus.EMPTY


def test_a_listed_product_is_right_wherever_it_stands() -> None:
    matches = match_priorities(seen("xc", "ba"), plan("a", "b", "c"))

    assert matches == (
        Match(MATCHED, 4, Planned(1, 1, ord("a"))),
        Match(MATCHED, 3, Planned(2, 1, ord("b"))),
        Match(MATCHED, 2, Planned(3, 1, ord("c"))),
        Match(EXTRA, 1, None),
    )


def test_a_product_that_wants_more_facings_than_it_has_misses_the_rest() -> None:
    matches = match_priorities(seen("ab"), plan("aaa", "b"))

    assert [item.status for item in matches] == [MATCHED, MISSING, MISSING, MATCHED]


def test_facings_beyond_the_wanted_ones_are_extra_and_the_first_of_them_count() -> None:
    matches = match_priorities(seen("ab", "aa"), plan("aa"))

    assert [(item.status, item.found_key) for item in matches] == [(MATCHED, 1), (MATCHED, 3), (EXTRA, 2), (EXTRA, 4)]


def test_gaps_are_empty_and_unknown_products_doubtful_extras() -> None:
    matches = match_priorities(seen("_?"), plan("a"))

    assert matches == (
        Match(MISSING, None, Planned(1, 1, ord("a"))),
        Match(EMPTY, 1, None),
        Match(EXTRA, 2, None, is_doubtful=True),
    )


def test_an_empty_list_and_an_empty_cooler_have_nothing_to_match() -> None:
    assert match_priorities([], []) == ()
    assert [item.status for item in match_priorities([], plan("ab"))] == [MISSING, MISSING]
    assert [item.status for item in match_priorities(seen("a"), [])] == [EXTRA]


def test_every_facing_is_in_exactly_one_match_and_the_order_of_the_input_changes_nothing() -> None:
    chance = random.Random(17)
    for _ in range(300):
        found, planned = seen(*random_rows(chance, LETTERS + "_?")), plan(*random_rows(chance, LETTERS))
        matches = match_priorities(found, planned)

        assert sorted(key for item in matches if (key := item.found_key) is not None) == [item.key for item in found]
        assert Counter(item.planned for item in matches if item.planned) == Counter(planned)
        wanted, there = Counter(p.product_id for p in planned), Counter(f.product_id for f in found if f.product_id)
        assert sum(item.is_compliant for item in matches) == (wanted & there).total()
        chance.shuffle(found)
        chance.shuffle(planned)
        assert match_priorities(found, planned) == matches


def test_each_listed_product_tells_its_facings_the_highest_priority_first() -> None:
    products = listed_products(seen("ab_", "aax?"), plan("cc", "a", "b"))

    assert products == (
        ListedProduct(ord("c"), priority=1, wanted=2, found=0),
        ListedProduct(ord("a"), priority=2, wanted=1, found=3),
        ListedProduct(ord("b"), priority=3, wanted=1, found=1),
    )
    assert [item.is_available for item in products] == [False, True, True]


@pytest.mark.parametrize(
    ("cooler", "share"), [("abc", 100.0), ("ac", 72.7272), ("bc", 45.4545), ("a", 54.5454), ("x_", 0.0)]
)
def test_a_high_priority_weighs_more_in_the_availability(cooler: str, share: float) -> None:
    found = weighted_availability(listed_products(seen(cooler), plan("a", "b", "c")))

    assert found == pytest.approx(share, abs=1e-3)


def test_no_list_has_no_availability() -> None:
    assert weighted_availability(()) is None
