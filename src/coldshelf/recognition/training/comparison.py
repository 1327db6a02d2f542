"""Holds a new model against the one in use, on pictures that were kept apart."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from coldshelf.recognition.evaluation.measuring import Bench, Part, measure
from coldshelf.recognition.evaluation.report import Evaluation, report
from coldshelf.recognition.evaluation.truth import TruePicture
from coldshelf.recognition.recogniser import CatalogueProduct
from coldshelf.recognition.recognisers.neural import NeuralRecogniser

Json = dict[str, Any]  # a JSON document
FIGURES: Final = (
    ("detection", "ap50"),
    ("detection", "precision"),
    ("detection", "recall"),
    ("identification", "top1"),
    ("identification", "top5"),
    ("end_to_end", "f1"),
    ("unknown", "recall"),
    ("unknown", "known_lost"),
)
"""What people are shown, by part and name of the report of `coldshelf evaluate`."""
MAY_LOSE: Final = 0.01
"""AP50 that a new model may lose against the one in use."""
RULE: Final = "A model is better when its end-to-end F1 is higher and its AP50 is not more than 0.01 lower."


@dataclass(frozen=True, slots=True)
class Grounds:
    """What both models are measured on."""

    pictures: Sequence[TruePicture]
    catalogue: Sequence[CatalogueProduct]
    brands: Mapping[str, str]
    labels: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether the new model is better, and why, as a sentence."""

    better: bool
    why: str


def measure_model(folder: Path, grounds: Grounds, told: Callable[[int], None]) -> Json:
    """Return the report of `coldshelf evaluate` for a model folder; `told` hears how many pictures are done."""
    bench = Bench(NeuralRecogniser(folder), grounds.catalogue, {Part.RECOGNITION, Part.IDENTIFICATION})
    outcomes = []
    for outcome in measure(grounds.pictures, bench):
        outcomes.append(outcome)
        told(len(outcomes))
    known = {product.sku for product in grounds.catalogue}
    return report(
        Evaluation(
            recogniser=f"{bench.recogniser.name} {bench.recogniser.version}",
            labels=grounds.labels,
            references=max(len(product.references) for product in grounds.catalogue),
            catalogue=grounds.catalogue,
            brands={sku: brand for sku, brand in grounds.brands.items() if sku in known},
            runs=(outcomes,),
        )
    )


def figure(found: Json, part: str, name: str) -> float | None:
    """Return one figure of a report; None where there was nothing to measure."""
    value: float | None = (found[part] or {}).get(name)
    return value


def judge(new: Json, in_use: Json) -> Verdict:
    """Say by `RULE` whether the new model is better; figures are compared as they are shown, to four digits."""
    right, right_before = figure(new, "end_to_end", "f1") or 0.0, figure(in_use, "end_to_end", "f1") or 0.0
    area, area_before = figure(new, "detection", "ap50") or 0.0, figure(in_use, "detection", "ap50") or 0.0
    if right <= right_before:
        return Verdict(better=False, why=f"End-to-end F1 {right} is not higher than {right_before}.")
    if round(area_before - area, 4) > MAY_LOSE:
        return Verdict(
            better=False,
            why=f"AP50 {area} is more than {MAY_LOSE} below {area_before}, though end-to-end F1 {right} is higher.",
        )
    return Verdict(better=True, why=f"End-to-end F1 {right} against {right_before}, AP50 {area} against {area_before}.")
