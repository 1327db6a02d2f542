"""Our average precision beside that of COCO's own tool, on boxes drawn by chance. Skips where it is not installed."""

import contextlib
import io

import numpy as np
import pytest

from coldshelf.recognition.evaluation.metrics import PrecisionRecall
from coldshelf.recognition.evaluation.pairing import score_hits
from coldshelf.recognition.recogniser import Box

COCO = pytest.importorskip("pycocotools.coco", reason="pycocotools is not installed")
RATING = pytest.importorskip("pycocotools.cocoeval", reason="pycocotools is not installed")
PICTURES = 12


def chance_boxes(rng: np.random.Generator, count: int) -> list[Box]:
    corners = rng.uniform(0, 300, (count, 2))
    sizes = rng.uniform(20, 90, (count, 2))
    return [(float(x), float(y), float(x + w), float(y + h)) for (x, y), (w, h) in zip(corners, sizes, strict=True)]


def moved(rng: np.random.Generator, boxes: list[Box]) -> list[Box]:
    found = [tuple(float(side + rng.normal(0, 6)) for side in box) for box in boxes]
    return [box for box in found if box[0] < box[2] and box[1] < box[3]]


def xywh(box: Box) -> list[float]:
    return [box[0], box[1], box[2] - box[0], box[3] - box[1]]


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize(("at_least", "row"), [(0.5, 0), (0.75, 5)])
def test_average_precision_is_that_of_coco(seed: int, at_least: float, row: int):
    rng = np.random.default_rng(seed)
    images, true, found, curves = [], [], [], []
    for number in range(1, PICTURES + 1):
        boxes = chance_boxes(rng, 15)
        regions = chance_boxes(rng, 2)
        seen = moved(rng, boxes) + moved(rng, boxes[:5]) + chance_boxes(rng, 8)
        scores = [float(score) for score in rng.uniform(0, 1, len(seen))]
        images.append({"id": number, "file_name": f"{number}.jpg", "width": 400, "height": 400})
        for box in (*boxes, *regions):
            entry = {"id": len(true) + 1, "image_id": number, "category_id": 1, "bbox": xywh(box)}
            true.append(entry | {"area": entry["bbox"][2] * entry["bbox"][3], "iscrowd": int(box in regions)})
        found += [
            {"image_id": number, "category_id": 1, "bbox": xywh(box), "score": score}
            for box, score in zip(seen, scores, strict=True)
        ]
        curves.append(score_hits(seen, scores, boxes, at_least=at_least, ignored=regions))

    with contextlib.redirect_stdout(io.StringIO()):
        truth = COCO.COCO()
        truth.dataset = {"images": images, "annotations": true, "categories": [{"id": 1, "name": "product"}]}
        truth.createIndex()
        rated = RATING.COCOeval(truth, truth.loadRes(found), "bbox")
        rated.evaluate()
        rated.accumulate()
    theirs = float(rated.eval["precision"][row, :, 0, 0, -1].mean())

    assert 0.05 < theirs < 0.95
    assert PrecisionRecall(curves).area() == pytest.approx(theirs, abs=0.01)  # they sample the curve at 101 recalls
