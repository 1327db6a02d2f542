"""A new model is taken only if it is better."""

import pytest

from coldshelf.recognition.training.card import Facts, card
from coldshelf.recognition.training.comparison import RULE, judge


def found(f1: float | None, ap50: float | None) -> dict[str, object]:
    return {
        "recogniser": "neural 1",
        "detection": {"ap50": ap50, "precision": 0.9, "recall": 0.8},
        "identification": {"top1": 0.7, "top5": 0.9},
        "end_to_end": None if f1 is None else {"f1": f1},
        "unknown": None,
    }


@pytest.mark.parametrize(
    ("new", "in_use", "better"),
    [
        ((0.81, 0.95), (0.80, 0.95), True),
        ((0.81, 0.95), (0.80, 0.96), True),
        ((0.81, 0.9499), (0.80, 0.96), False),
        ((0.80, 0.99), (0.80, 0.90), False),
        ((0.79, 0.99), (0.80, 0.90), False),
        ((0.10, 0.50), (0.0, None), True),
        ((0.0, 0.50), (0.0, 0.40), False),
        ((None, 0.50), (None, 0.40), False),
    ],
)
def test_better_is_a_higher_f1_at_hardly_a_lower_ap50(
    new: tuple[float | None, float | None], in_use: tuple[float | None, float | None], better: bool
) -> None:
    assert judge(found(*new), found(*in_use)).better is better


def test_the_reason_names_the_figures() -> None:
    lower = judge(found(0.7, 0.9), found(0.8, 0.9))
    looser = judge(found(0.9, 0.8), found(0.8, 0.9))

    assert lower.why == "End-to-end F1 0.7 is not higher than 0.8."
    assert looser.why == "AP50 0.8 is more than 0.01 below 0.9, though end-to-end F1 0.9 is higher."


def test_the_card_says_where_a_model_comes_from_and_how_good_it_is() -> None:
    recipe = {"steps": 5, "batch": 8, "rate": 0.002, "rendered": 0.25}
    facts = Facts(
        version="own-12345678",
        folders=["coolers"],
        labels="source",
        trained=20,
        kept=5,
        boxes=300,
        skus=7,
        recipe={"leave_out": ["7up"], "rendered": 40, "seed": 3, "detector": recipe, "embedding": None},
        versions={"torch": "2.9"},
        new=found(0.8, 0.9),
        in_use=found(0.7, 0.9),
        verdict=judge(found(0.8, 0.9), found(0.7, 0.9)),
    )

    text = card(facts)

    assert "own-12345678" in text
    assert "Pictures trained on: 20; kept apart for thresholds, weights and the comparison: 5" in text
    assert "left out of training: 7up" in text
    assert "| detector | 5 | 8 | 0.002 | 0.25 |" in text
    assert "| embedding | taken from the model in use" in text
    assert "| end_to_end.f1 | 0.8 | 0.7 |" in text
    assert "| unknown.recall | - | - |" in text
    assert RULE in text
    assert "Seed 3; torch 2.9." in text
