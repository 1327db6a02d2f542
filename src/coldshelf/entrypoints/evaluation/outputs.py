"""Writes an evaluation to files: annotated pictures, the page, COCO."""

import json
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path, PurePosixPath
from typing import Any, Final

from coldshelf.kit.errors import InputInvalid
from coldshelf.pictures.imaging.encode import encode_jpeg
from coldshelf.recognition.evaluation.drawing import draw_outcome
from coldshelf.recognition.evaluation.exhibits import RatedPicture, confusions, rate
from coldshelf.recognition.evaluation.measuring import Outcome, read_upright
from coldshelf.recognition.evaluation.page import ShownPicture, page
from coldshelf.recognition.evaluation.report import Evaluation
from coldshelf.recognition.formats.coco import Categories, LabelledBox, SeenPicture, dataset, results, truth

Json = dict[str, Any]  # a JSON document
Follow = Callable[[Iterable[RatedPicture]], Iterable[RatedPicture]]
WORST: Final = 24
"""Pictures that are put into the page."""
COMMONEST: Final = 24
"""Confusions that are put into the page."""


def write_file(path: Path, content: bytes) -> None:
    """Write a file and the folders above it; raise InputInvalid when it cannot be written there."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    except OSError as fault:
        raise InputInvalid(f"{path} cannot be written: {fault.strerror}", cure="Name another place.") from fault


def write_report(out: Path, evaluation: Evaluation, found: Json, follow: Follow) -> Path:
    """Write `pictures/`, `report.json` and `report.html`; return the page's path."""
    names = _file_names(evaluation.runs[0])
    known = {product.sku for product in evaluation.catalogue}
    shown: list[ShownPicture] = []
    for rated in follow(rate(evaluation)):
        drawing = draw_outcome(read_upright(rated.outcome.picture), rated.outcome, known)
        write_file(out / names[rated.number], encode_jpeg(drawing))
        if len(shown) < WORST:
            shown.append(ShownPicture(rated, drawing, names[rated.number]))
    taken = confusions(evaluation, found["confusions"][:COMMONEST])
    write_file(out / "report.json", json.dumps(found, indent=1).encode())
    write_file(out / "report.html", page(found, shown, taken).encode())
    return out / "report.html"


def _file_names(outcomes: Sequence[Outcome]) -> list[str]:
    """Name a drawing for each picture, by the picture's name where that is not taken."""
    stems = [PurePosixPath(outcome.picture.name).stem for outcome in outcomes]
    return [
        f"pictures/{stem}.jpg" if stems.count(stem) == 1 else f"pictures/{number}_{stem}.jpg"
        for number, stem in enumerate(stems)
    ]


def write_coco(path: Path, evaluation: Evaluation) -> None:
    """Write what was seen as a COCO file, and beside it its results and the truth, for COCO's tools."""
    seen = [
        (SeenPicture(outcome.picture.name, *outcome.size, outcome.detections), _labels(outcome))
        for outcome in evaluation.runs[0]
        if outcome.detections is not None
    ]
    if not seen:
        raise InputInvalid("No picture was recognised, so there is nothing to write as COCO", cure="Leave out --only.")
    pictures, labels = [picture for picture, _ in seen], [boxes for _, boxes in seen]
    skus = {product.product_id: product.sku for product in evaluation.catalogue}
    named = {label.sku for boxes in labels for label in boxes if label.sku is not None}
    categories = Categories(named | {*skus.values()}, evaluation.brands)
    write_file(path, json.dumps(dataset(pictures, skus, categories)).encode())
    write_file(beside(path, "results"), json.dumps(results(pictures, skus, categories)).encode())
    write_file(beside(path, "truth"), json.dumps(truth(pictures, labels, categories)).encode())


def beside(path: Path, what: str) -> Path:
    """Name a file beside another: found.json and found_results.json."""
    return path.with_name(f"{path.stem}_{what}.json")


def _labels(outcome: Outcome) -> list[LabelledBox]:
    regions = [LabelledBox(box, None, is_ignored=True) for box in outcome.picture.ignored]
    return [LabelledBox(true.box, true.sku) for true in outcome.true] + regions
