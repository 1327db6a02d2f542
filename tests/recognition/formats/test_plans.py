"""Plans as JSON."""

from pathlib import Path

import pytest

from coldshelf.kit.errors import InputInvalid, NotFound
from coldshelf.recognition.formats.plans import read_plan
from coldshelf.recognition.recogniser import PlannedFacing, ProductId
from tests.recognition.evaluation.told import catalogue

CATALOGUE = catalogue("cola", "tea")


def test_a_plan_lists_shelves_from_the_top_and_products_from_the_left(tmp_path: Path):
    path = tmp_path / "plan.json"
    path.write_text('[["tea", "cola"], [], ["cola"]]')

    assert read_plan(path, CATALOGUE) == [
        PlannedFacing(1, 1, ProductId(2)),
        PlannedFacing(1, 2, ProductId(1)),
        PlannedFacing(3, 1, ProductId(1)),
    ]


@pytest.mark.parametrize("text", ["", "{}", '["cola"]', "[[1]]"])
def test_what_is_no_plan_is_refused(tmp_path: Path, text: str):
    path = tmp_path / "plan.json"
    path.write_text(text)

    with pytest.raises(InputInvalid, match=r"plan.json is no list of shelves"):
        read_plan(path, CATALOGUE)


def test_a_plan_with_a_product_without_pictures_names_its_place(tmp_path: Path):
    path = tmp_path / "plan.json"
    path.write_text('[["cola"], ["cola", "water"]]')

    with pytest.raises(InputInvalid, match=r"shelf 2, position 2: 'water'"):
        read_plan(path, CATALOGUE)


def test_a_plan_that_is_not_there_is_named(tmp_path: Path):
    with pytest.raises(NotFound, match=r"plan.json is not there"):
        read_plan(tmp_path / "plan.json", CATALOGUE)
