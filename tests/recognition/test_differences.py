"""Two results of one picture: every facing has exactly one fate."""

import random
from collections import Counter
from dataclasses import replace

from coldshelf.recognition.differences import Change, Comparison, compare
from coldshelf.recognition.models import Row
from tests.compliance.cooler import square

LETTERS = "abcd"


def row(letter: str, shelf: int = 1, position: int = 1, **changes: object) -> Row:
    values = {
        "product_id": LETTERS.find(letter) + 1 if letter in LETTERS else 99,
        "product_name": letter,
        "sku": letter,
        "is_foreign": False,
        "is_empty": letter == "_",
        "is_unknown": letter == "?",
        "shelf": shelf,
        "position": position,
        "confidence": 90.0,
        "corners": square(shelf, position),
    } | changes
    return Row(**values)  # type: ignore[arg-type]


def shelf(letters: str) -> list[Row]:
    return [row(letter, 1, position) for position, letter in enumerate(letters, 1) if letter != " "]


def told(comparison: Comparison) -> list[tuple[str, str, str]]:
    """Give change, product before, product after."""
    return [
        (
            item.change.value,
            item.before.product_name if item.before else "",
            item.after.product_name if item.after else "",
        )
        for item in comparison.differences
    ]


def test_equal_results_do_not_differ() -> None:
    comparison = compare(shelf("abc_"), [replace(one, confidence=10.0) for one in shelf("abc_")])

    assert (comparison.differences, comparison.same) == ((), 4)


def test_another_product_at_the_same_place_is_renamed_with_both_confidences() -> None:
    comparison = compare(shelf("abc"), [*shelf("ab"), row("d", 1, 3, confidence=55.5)])

    (difference,) = comparison.differences
    assert told(comparison) == [("renamed", "c", "d")]
    assert comparison.same == 2
    assert difference.as_json() == {
        "change": "renamed",
        "before": {
            "Shelf": 1,
            "Position": 3,
            "StackIndex": 0,
            "ProductId": 3,
            "Product": "c",
            "SKU": "c",
            "Confidence": 90.0,
        },
        "after": {
            "Shelf": 1,
            "Position": 3,
            "StackIndex": 0,
            "ProductId": 4,
            "Product": "d",
            "SKU": "d",
            "Confidence": 55.5,
        },
    }


def test_what_is_seen_on_one_side_only_is_added_or_gone() -> None:
    comparison = compare(shelf("ab c"), shelf("a bc"))

    assert told(comparison) == [("gone", "b", ""), ("added", "", "b")]
    assert [item.as_json()["before"] is None for item in comparison.differences] == [False, True]


def test_the_same_facing_counted_as_another_place_is_moved() -> None:
    inserted = [row("d", 1, 1, corners=square(1, 0)), *(replace(one, position=one.position + 1) for one in shelf("ab"))]

    comparison = compare(shelf("ab"), inserted)

    assert told(comparison) == [("added", "", "d"), ("moved", "a", "a"), ("moved", "b", "b")]


def test_a_gap_that_is_a_product_now_is_renamed() -> None:
    assert told(compare(shelf("a_"), shelf("ab"))) == [("renamed", "_", "b")]


def test_a_product_that_stands_on_another_now_is_moved() -> None:
    comparison = compare(shelf("ab"), [row("a"), row("b", 1, 1, stack_index=1, corners=square(1, 2))])

    assert told(comparison) == [("moved", "b", "b")]


def test_boxes_that_overlap_by_less_than_half_are_other_places() -> None:
    x0, y0 = square(1, 1)[0]
    near = ((x0 + 3, y0), (x0 + 3, y0 + 9), (x0 + 12, y0 + 9), (x0 + 12, y0))
    half = ((x0 + 3.1, y0), (x0 + 3.1, y0 + 9), (x0 + 12.1, y0 + 9), (x0 + 12.1, y0))

    assert compare(shelf("a"), [row("a", corners=near)]).same == 1
    assert told(compare(shelf("a"), [row("a", corners=half)])) == [("added", "", "a"), ("gone", "a", "")]


def test_of_two_boxes_the_closer_one_is_the_partner() -> None:
    x0, y0 = square(1, 1)[0]
    shifted = ((x0 + 2, y0), (x0 + 2, y0 + 9), (x0 + 11, y0 + 9), (x0 + 11, y0))

    comparison = compare(shelf("a"), [row("b", corners=shifted), row("c", 1, 2, corners=square(1, 1))])

    assert told(comparison) == [("added", "", "b"), ("renamed", "a", "c")]


def test_nothing_against_something() -> None:
    assert told(compare([], shelf("ab"))) == [("added", "", "a"), ("added", "", "b")]
    assert told(compare(shelf("ab"), [])) == [("gone", "a", ""), ("gone", "b", "")]
    assert compare([], []).differences == ()


def test_every_facing_has_one_fate_and_both_directions_agree() -> None:
    chance = random.Random(20261126)
    mirrored = {Change.ADDED: Change.GONE, Change.GONE: Change.ADDED}
    for _ in range(200):
        before = shelf("".join(chance.choices("abcd_? ", k=12)))
        after = shelf("".join(chance.choices("abcd_? ", k=12)))

        there, back = compare(before, after), compare(after, before)

        count = there.count
        assert len(before) == there.same + count(Change.GONE) + count(Change.RENAMED) + count(Change.MOVED)
        assert len(after) == there.same + count(Change.ADDED) + count(Change.RENAMED) + count(Change.MOVED)
        fates = Counter(mirrored.get(item.change, item.change) for item in back.differences)
        assert Counter(item.change for item in there.differences) == fates
