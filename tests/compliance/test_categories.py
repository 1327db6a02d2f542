"""Cases are written as in test_matching; a to c are of one category, d and e of another one, x has none."""

from coldshelf.compliance.categories import match_categories, stand_at_categories
from coldshelf.compliance.matching import Match, MatchStatus, Planned, match
from tests.compliance.test_matching import plan, seen

CATEGORIES = {ord(letter): name for letter, name in zip("abcde", ("Cola", "cola ", "COLA", "Tea", "Tea"), strict=True)}


def test_any_product_of_the_category_is_right_at_its_place() -> None:
    matches = match_categories(seen("bca", "e"), plan("aaa", "d"), CATEGORIES)

    assert [item.status for item in matches] == [MatchStatus.MATCHED] * 4
    assert [item.planned for item in matches] == plan("aaa", "d")


def test_a_product_of_another_category_is_wrong_and_one_of_an_own_place_has_moved() -> None:
    matches = match_categories(seen("axc", "dee"), plan("aaa", "dd"), CATEGORIES)

    assert [(item.status, item.found_key) for item in matches if not item.is_compliant] == [
        (MatchStatus.WRONG_PRODUCT, 2),
        (MatchStatus.EXTRA, 6),
    ]
    assert MatchStatus.MOVED in {item.status for item in match_categories(seen("dab"), plan("aad"), CATEGORIES)}


def test_a_product_without_a_category_stands_for_itself_alone() -> None:
    matches = match_categories(seen("xy"), plan("yx"), {})

    assert matches == match(seen("xy"), plan("yx"))


def test_gaps_and_unknown_products_are_of_no_category() -> None:
    matches = match_categories(seen("_?"), plan("ab"), CATEGORIES)

    assert matches == (
        Match(MatchStatus.EMPTY, 1, Planned(1, 1, ord("a"))),
        Match(MatchStatus.WRONG_PRODUCT, 2, Planned(1, 2, ord("b")), is_doubtful=True),
    )


def test_what_stands_at_a_place_is_told_with_the_planned_product() -> None:
    standing = stand_at_categories(seen("bx"), plan("aad"), CATEGORIES)

    assert set(standing) <= set(plan("aad"))
    assert standing[Planned(1, 1, ord("a"))] == 1
