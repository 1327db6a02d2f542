"""The report's pictures and page."""

import json
import re
from collections.abc import Iterable
from pathlib import Path
from typing import TypeVar

import numpy as np
import pytest

from coldshelf.entrypoints.evaluation.outputs import write_coco, write_report
from coldshelf.entrypoints.evaluation.run import Request, evaluate
from coldshelf.kit.errors import InputInvalid
from coldshelf.recognition.evaluation.charts import reliability_svg
from coldshelf.recognition.evaluation.drawing import COLOURS, Verdict, draw_outcome
from coldshelf.recognition.evaluation.exhibits import rate
from coldshelf.recognition.evaluation.measuring import Part, read_upright
from coldshelf.recognition.evaluation.report import Evaluation
from tests.recognition.evaluation.told import Json, PlainRecogniser, Said, column, true, write_folder

T = TypeVar("T")
SAID = (Said(column(0), "cola"), Said(column(1), "cola"), Said(column(8), None))


def quietly(items: Iterable[T]) -> Iterable[T]:
    return items


@pytest.fixture
def evaluated(tmp_path: Path) -> tuple[Evaluation, Json]:
    """A picture where everything is right beside one with a wrong name, a false box and a miss."""
    right = {"objects": [true(column(n), sku) for n, sku in ((0, "cola"), (1, "cola"), (8, "<strange>"))]}
    wrong = {"objects": [true(column(n), sku) for n, sku in ((0, "cola"), (1, "tea"), (4, "tea"))]}
    folder = write_folder(tmp_path / "two", right, wrong)
    return evaluate(Request(folder, bootstrap=20), PlainRecogniser(SAID))


def colours_of(evaluation: Evaluation, number: int) -> set[tuple[int, ...]]:
    outcome = evaluation.runs[0][number]
    drawn = draw_outcome(read_upright(outcome.picture), outcome, {"cola", "tea"})
    above = drawn[: 2 * outcome.size[1]]  # small pictures are drawn at twice their size, above the legend
    return {tuple(map(int, colour)) for colour in np.unique(above.reshape(-1, 3), axis=0)}


def test_each_verdict_has_its_colour(evaluated: tuple[Evaluation, Json]):
    first, second = (colours_of(evaluated[0], number) for number in (0, 1))

    bad = {COLOURS[verdict] for verdict in (Verdict.WRONG_NAME, Verdict.FALSE, Verdict.MISSED)}
    assert COLOURS[Verdict.RIGHT] in first & second
    assert not bad & first
    assert bad <= second


def test_worst_pictures_come_first(evaluated: tuple[Evaluation, Json]):
    rated = rate(evaluated[0])

    assert [(each.number, each.f1) for each in rated] == [(1, 0.3333), (0, 1.0)]
    assert rated[0].verdicts == {Verdict.RIGHT: 1, Verdict.WRONG_NAME: 1, Verdict.FALSE: 1, Verdict.MISSED: 1}


def test_the_report_holds_a_picture_of_each_input_and_a_page_that_needs_nothing_else(
    tmp_path: Path, evaluated: tuple[Evaluation, Json]
):
    page = write_report(tmp_path / "out", *evaluated, quietly)

    text = page.read_text()
    assert sorted(path.name for path in (tmp_path / "out/pictures").iterdir()) == ["0.jpg", "1.jpg"]
    assert json.loads((tmp_path / "out/report.json").read_text())["pictures"] == 2
    assert text.index("images/1.jpg") < text.index("images/0.jpg")
    assert "tea → cola" in text
    assert not re.search(r"(src|href)=['\"]?(https?:)?//", text)
    assert all(source.startswith("data:image/jpeg;base64,") for source in re.findall(r"src='([^']*)'", text))


def test_names_from_outside_are_written_as_text(tmp_path: Path):
    folder = write_folder(tmp_path / "one", {"objects": [true(column(0), "<b>cola")]}, references=("<b>cola", "tea"))
    evaluation, found = evaluate(Request(folder), PlainRecogniser([Said(column(0), "tea")]))

    text = write_report(tmp_path / "out", evaluation, found, quietly).read_text()

    assert "&lt;b&gt;cola → tea" in text
    assert "<b>cola" not in text


def test_the_chart_draws_a_bar_for_each_bin_with_names():
    bins = [
        {"low": 0.4, "high": 0.5, "count": 2, "confidence": 0.45, "accuracy": 0.5},
        {"low": 0.5, "high": 0.6, "count": 0, "confidence": None, "accuracy": None},
    ]

    chart = reliability_svg(bins)

    assert chart.count('class="bar"') == 1
    assert "0.4 to 0.5: 2 names, 50% right" in chart


def test_coco_files_lie_beside_each_other(tmp_path: Path, evaluated: tuple[Evaluation, Json]):
    write_coco(tmp_path / "out/seen.json", evaluated[0])

    names = ("seen.json", "seen_results.json", "seen_truth.json")
    seen, results, truth = (json.loads((tmp_path / "out" / name).read_text()) for name in names)
    skus = {each["id"]: each["name"] for each in seen["categories"]}
    assert [skus[each["category_id"]] for each in results] == ["cola", "cola", "unknown"] * 2
    assert [skus[each["category_id"]] for each in truth["annotations"]] == [
        "cola",
        "cola",
        "<strange>",
        "cola",
        "tea",
        "tea",
    ]
    assert seen["images"] == truth["images"]


def test_nothing_recognised_is_nothing_to_write(tmp_path: Path):
    folder = write_folder(tmp_path / "one", {"class": "tea"})
    evaluation, _ = evaluate(Request(folder, parts={Part.IDENTIFICATION}), PlainRecogniser())

    with pytest.raises(InputInvalid, match=r"nothing to write"):
        write_coco(tmp_path / "seen.json", evaluation)
