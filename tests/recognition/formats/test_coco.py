"""COCO files of what was seen: their numbers fit together, and COCO's own tool reads and rates them."""

import contextlib
import io
import json
from pathlib import Path

import pytest

from coldshelf.recognition.formats.coco import Categories, LabelledBox, SeenPicture, dataset, results, truth
from coldshelf.recognition.recogniser import Corners, Detections, Facing, ProductId

SKUS = {ProductId(4): "tea", ProductId(9): "cola"}
CATEGORIES = Categories([*SKUS.values(), "water"], {"tea": "Leaf"})
SLANTED: Corners = ((10.0, 5.0), (12.0, 45.0), (32.0, 45.0), (30.0, 5.0))


def facing(product: int | None, corners: Corners = SLANTED) -> Facing:
    number = None if product is None else ProductId(product)
    return Facing(2, 3, corners, number, 0.8, found_score=0.5, stack_index=1)


PICTURES = [
    SeenPicture("a.jpg", 200, 100, Detections((), (facing(4),), ())),
    SeenPicture("b.jpg", 640, 480, Detections((), (facing(9), facing(None)), ())),
]


def test_categories_are_skus_in_order_and_unknown_behind_them():
    assert CATEGORIES.listed() == [
        {"id": 1, "name": "cola", "supercategory": "product"},
        {"id": 2, "name": "tea", "supercategory": "Leaf"},
        {"id": 3, "name": "water", "supercategory": "product"},
        {"id": 4, "name": "unknown", "supercategory": "product"},
    ]
    assert [CATEGORIES.number(sku) for sku in ("tea", None, "never heard of")] == [2, 4, 4]


def test_the_file_holds_pictures_boxes_and_places():
    document = dataset(PICTURES, SKUS, CATEGORIES)

    assert document["images"][1] == {"id": 2, "file_name": "b.jpg", "width": 640, "height": 480}
    assert document["annotations"][0] == {
        "id": 1,
        "image_id": 1,
        "category_id": 2,
        "bbox": [10.0, 5.0, 22.0, 40.0],
        "area": 880.0,
        "segmentation": [[10.0, 5.0, 12.0, 45.0, 32.0, 45.0, 30.0, 5.0]],
        "iscrowd": 0,
        "score": 0.8,
        "shelf": 2,
        "position": 3,
        "stack_index": 1,
    }
    assert [(each["id"], each["image_id"], each["category_id"]) for each in document["annotations"]] == [
        (1, 1, 2),
        (2, 2, 1),
        (3, 2, 4),
    ]


def test_results_name_the_same_numbers_and_rank_by_both_scores():
    assert results(PICTURES, SKUS, CATEGORIES)[2] == {
        "image_id": 2,
        "category_id": 4,
        "bbox": [10.0, 5.0, 22.0, 40.0],
        "score": 0.4,
    }


def test_ignored_regions_are_crowds():
    document = truth(PICTURES, [[], [LabelledBox((0, 0, 9, 9), None, is_ignored=True)]], CATEGORIES)

    assert document["annotations"] == [
        {
            "id": 1,
            "image_id": 2,
            "category_id": 4,
            "bbox": [0, 0, 9, 9],
            "area": 81,
            "iscrowd": 1,
        }
    ]


def test_cocos_own_tool_reads_and_rates_the_files(tmp_path: Path):
    tools = pytest.importorskip("pycocotools.coco", reason="pycocotools is not installed")
    rating = pytest.importorskip("pycocotools.cocoeval", reason="pycocotools is not installed")
    labels = [[LabelledBox((10, 5, 32, 45), "tea")], [LabelledBox((10, 5, 32, 45), "cola")]]
    for name, document in (
        ("truth", truth(PICTURES, labels, CATEGORIES)),
        ("results", results(PICTURES, SKUS, CATEGORIES)),
        ("seen", dataset(PICTURES, SKUS, CATEGORIES)),
    ):
        (tmp_path / f"{name}.json").write_text(json.dumps(document))

    with contextlib.redirect_stdout(io.StringIO()):
        true = tools.COCO(str(tmp_path / "truth.json"))
        rated = rating.COCOeval(true, true.loadRes(str(tmp_path / "results.json")), "bbox")
        rated.evaluate()
        rated.accumulate()
        rated.summarize()
        seen = tools.COCO(str(tmp_path / "seen.json"))

    assert rated.stats[0] == pytest.approx(1.0)  # mean over categories that have true boxes
    assert len(seen.getAnnIds()) == 3
