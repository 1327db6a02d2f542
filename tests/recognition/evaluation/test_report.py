"""What is counted, on pictures and answers small enough to count by hand."""

from pathlib import Path

import pytest

from coldshelf.entrypoints.evaluation.run import Request, evaluate
from coldshelf.kit.errors import InputInvalid
from coldshelf.recognition.evaluation.measuring import Part
from tests.recognition.evaluation.told import PlainRecogniser, Said, ToldRecogniser, column, true, write_folder


@pytest.fixture
def shelf(tmp_path: Path) -> Path:
    """One shelf: cola, cola bottle, tea, a product without a reference, one that nobody could name."""
    skus = ("cola", "cola-chai", "tea", "strange", None)
    brands = ("C", "C", "T", None, None)
    objects = [true(column(n), sku, (0, n), brand) for n, (sku, brand) in enumerate(zip(skus, brands, strict=True))]
    return write_folder(tmp_path / "shelf", {"objects": objects})


ANSWER = (
    Said(column(0), "cola", position=1, score=0.9),
    Said(column(1), "cola", position=2, score=0.8),
    Said(column(3), None, position=3, score=0.6),
    Said(column(4), "tea", position=4, score=0.5),
    Said(column(8), None, position=5, score=0.7),
)
"""Right, wrong container, tea missed, unknown rightly, one beyond judgement, one box on nothing."""


def test_detection_counts_boxes_of_any_product(shelf: Path):
    _, found = evaluate(Request(shelf), PlainRecogniser(ANSWER))

    # 4 hits of 5 found and 5 true; the false box has the third highest score
    assert found["detection"] == {
        "precision": 0.8,
        "recall": 0.8,
        "ap50": round((1 + 1 + 0.8 + 0.8) / 5, 4),
        "f1": 0.8,
        "ap75": round((1 + 1 + 0.8 + 0.8) / 5, 4),
    }
    assert (found["pictures"], found["boxes"], found["products"]) == (1, 5, 3)


def test_a_recogniser_that_finds_apart_is_rated_by_all_its_boxes(shelf: Path):
    told = ToldRecogniser(ANSWER, boxes=[(column(n), 0.9 - n / 10) for n in range(5)])

    _, found = evaluate(Request(shelf), told)

    assert found["detection"]["ap50"] == 1.0
    assert found["detection"]["recall"] == 0.8


def test_loose_boxes_count_at_half_overlap_and_not_at_three_quarters(shelf: Path):
    left, top, right, bottom = column(0)
    loose = Said((left, top, right, bottom - 15), "cola")  # overlap 25/40

    _, found = evaluate(Request(shelf), PlainRecogniser([loose]))

    assert found["detection"]["recall"] == 0.2
    assert (found["detection"]["ap50"], found["detection"]["ap75"]) == (0.2, 0.0)


def test_end_to_end_needs_the_right_product_and_leaves_out_what_nobody_could_name(shelf: Path):
    _, found = evaluate(Request(shelf), PlainRecogniser(ANSWER))

    # right: cola, and the strange one called unknown; of 4 facings judged and 4 true products with a name
    assert found["end_to_end"] == {"precision": 0.5, "recall": 0.5, "f1": 0.5, "right_of_named": 0.5}


def test_unknown_counts_products_without_a_reference(shelf: Path):
    _, found = evaluate(Request(shelf), PlainRecogniser(ANSWER))

    assert found["unknown"] == {"precision": 0.5, "recall": 1.0, "known_lost": 0.0}


def test_a_product_left_out_must_be_called_unknown(shelf: Path):
    told = PlainRecogniser([Said(column(2), None), Said(column(1), None), Said(column(0), "cola")])

    _, found = evaluate(Request(shelf, leave_out=("tea",)), told)

    assert found["products"] == 2
    # tea rightly unknown, the bottle lost, the strange one not found
    assert found["unknown"] == {"precision": 0.5, "recall": 0.5, "known_lost": 0.5}
    assert found["end_to_end"]["recall"] == 0.5


def test_identification_asks_for_true_boxes_of_products_with_references(shelf: Path):
    told = ToldRecogniser(names=("cola", "tea"))

    _, found = evaluate(Request(shelf), told)

    assert told.asked == [[column(0), column(1), column(2)]]
    assert found["identification"] == {
        "references": 1,
        "top1": 0.3333,
        "top5": 0.6667,
        "can_bottle": 0.5,  # the can is right, the bottle of the same drink is called a can, tea has no twin
    }


def test_identification_is_left_out_when_it_is_not_offered(shelf: Path):
    assert evaluate(Request(shelf), PlainRecogniser(ANSWER))[1]["identification"] is None


def test_a_picture_of_one_product_is_identified_as_a_whole(tmp_path: Path):
    folder = write_folder(tmp_path / "one", {"class": "tea"}, {"class": "cola"})
    told = ToldRecogniser(names=("tea", "cola"))

    _, found = evaluate(Request(folder), told)

    assert told.asked == [[(0.0, 0.0, 200.0, 100.0)]] * 2
    assert (found["identification"]["top1"], found["identification"]["top5"]) == (0.5, 1.0)
    assert [found[part] for part in ("detection", "end_to_end", "unknown", "rows", "share_of_shelf")] == [None] * 5
    assert found["confusions"] == [{"true": "cola", "named": "tea", "count": 1}]


def test_rows_compare_places_numbered_among_the_products_found(tmp_path: Path):
    objects = [true(column(n), "cola", (0, n)) for n in range(3)] + [true(column(0, row=1), "tea", (2, 5))]
    folder = write_folder(tmp_path / "rows", {"objects": objects})
    straight = [Said(column(0), "cola", shelf=2, position=1), Said(column(2), "cola", shelf=2, position=4)]
    below = Said(column(0, row=1), "tea", shelf=4, position=2)
    swapped = [Said(column(0), "cola", shelf=2, position=3), Said(column(2), "cola", shelf=2, position=1)]

    assert evaluate(Request(folder), PlainRecogniser([*straight, below]))[1]["rows"] == {"agreement": 1.0}
    assert evaluate(Request(folder), PlainRecogniser([*swapped, below]))[1]["rows"] == {"agreement": 0.3333}


def test_share_of_shelf_is_compared_by_brand_without_what_nobody_could_name(shelf: Path):
    _, found = evaluate(Request(shelf), PlainRecogniser(ANSWER))

    # true: C 2 of 4, T 1 of 4; found: C 2 of 4, T none; own: 3 of 4 against 2 of 4
    assert found["share_of_shelf"] == {"mean_abs_error": 12.5, "own_mean_abs_error": 25.0}


def test_names_are_held_against_their_confidence(shelf: Path):
    _, found = evaluate(Request(shelf), PlainRecogniser(ANSWER))

    assert found["calibration"]["bins"][9] == {
        "low": 0.9,
        "high": 1.0,
        "count": 2,
        "confidence": 0.9,
        "accuracy": 0.5,
    }
    assert found["calibration"]["error"] == 0.4
    assert found["confusions"] == [{"true": "cola-chai", "named": "cola", "count": 1}]


def test_intervals_stand_beside_the_figures(tmp_path: Path):
    seen = {"objects": [true(column(0), "cola")]}
    folder = write_folder(tmp_path / "two", seen, {"objects": [true(column(5), "cola")]})

    _, found = evaluate(Request(folder, bootstrap=200, seed=1), PlainRecogniser([Said(column(0), "cola")]))

    assert found["detection"]["recall"] == 0.5
    assert found["intervals"]["detection"]["recall"] == (0.0, 1.0)
    assert found["intervals"]["planogram"] is None
    assert (found["intervals"]["level"], found["intervals"]["draws"], found["intervals"]["seed"]) == (0.95, 200, 1)


def test_draws_of_references_give_mean_and_spread(shelf: Path):
    for number in range(1, 4):
        copy = (shelf / "references/tea/ref_0.jpg").read_bytes()
        (shelf / f"references/tea/ref_{number}.jpg").write_bytes(copy)

    evaluation, found = evaluate(Request(shelf, references=1, draws=3, seed=5), ToldRecogniser(names=("tea",)))

    assert len(evaluation.runs) == 3
    assert found["pictures"] == 1
    assert found["draws"]["number"] == 3
    assert found["draws"]["identification"]["top1"] == {"mean": 0.3333, "sd": 0.0, "lowest": 0.3333, "highest": 0.3333}
    assert found["identification"]["top1"] == 0.3333


def test_only_what_was_asked_for_is_measured(shelf: Path):
    told = ToldRecogniser(ANSWER, names=("tea",))

    _, found = evaluate(Request(shelf, parts={Part.IDENTIFICATION}), told)

    assert told.plans == []
    assert found["detection"] is None
    assert found["identification"]["top1"] == 0.3333
    assert found["seconds_per_picture"] is None


def test_a_folder_without_references_still_measures_boxes(tmp_path: Path):
    folder = write_folder(tmp_path / "bare", {"objects": [true(column(0), "cola")]}, references=())

    _, found = evaluate(Request(folder), PlainRecogniser([Said(column(0), None)]))

    assert found["detection"]["recall"] == 1.0
    assert [found[part] for part in ("identification", "end_to_end", "unknown", "share_of_shelf")] == [None] * 4


def test_a_picture_of_another_size_than_its_truth_is_refused(shelf: Path):
    text = (shelf / "ground_truth.json").read_text()
    (shelf / "ground_truth.json").write_text(text.replace('"width": 200', '"width": 300'))

    with pytest.raises(InputInvalid, match=r"is 200 x 100, its truth belongs to 300 x 100"):
        evaluate(Request(shelf), PlainRecogniser())
