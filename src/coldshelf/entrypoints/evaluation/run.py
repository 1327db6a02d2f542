"""Puts an evaluation together from what a person asked for."""

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from coldshelf.entrypoints.evaluation.planograms import judge
from coldshelf.kit.errors import InputInvalid
from coldshelf.recognition.evaluation.corrections import correct
from coldshelf.recognition.evaluation.measuring import Bench, Outcome, Part, measure
from coldshelf.recognition.evaluation.references import has_references, read_references
from coldshelf.recognition.evaluation.report import Evaluation, report, spread
from coldshelf.recognition.evaluation.sources import read_source
from coldshelf.recognition.evaluation.truth import TruePicture, Truth
from coldshelf.recognition.formats.references import References, load_catalogue
from coldshelf.recognition.recogniser import Recogniser

Json = dict[str, Any]  # a JSON document
Follow = Callable[[Iterable[TruePicture]], Iterable[TruePicture]]
"""Hands pictures on one by one and shows how far they are."""


@dataclass(frozen=True, slots=True)
class Request:
    """What is to be measured. `draws` is 0 for the first references, else how often they are drawn at random."""

    folder: Path
    references: int | None = None
    references_from: Path | None = None
    leave_out: tuple[str, ...] = ()
    corrections: Path | None = None
    every: int = 1
    parts: Collection[Part] = frozenset(Part)
    draws: int = 0
    bootstrap: int = 0
    seed: int = 0


def as_given(pictures: Iterable[TruePicture]) -> Iterable[TruePicture]:
    """Show nothing."""
    return pictures


def evaluate(request: Request, recogniser: Recogniser, follow: Follow = as_given) -> tuple[Evaluation, Json]:
    """Measure a recogniser; return what it said about every picture and the report.

    Raise NotFound or InputInvalid when the folder, the references or the corrections cannot be used.
    """
    truth = read_truth(request)
    references = _references(request, truth)
    rng = np.random.default_rng(request.seed) if request.draws else None
    singles = [_run_once(request, truth, references, recogniser, follow, rng=rng) for _ in range(max(1, request.draws))]
    pooled = replace(singles[0], runs=[run for single in singles for run in single.runs])
    found = report(pooled, bootstrap=request.bootstrap, seed=request.seed)
    if request.draws:
        found["draws"] = {"number": request.draws, "seed": request.seed, **spread(singles)}
    return pooled, found


def read_truth(request: Request) -> Truth:
    """Read pictures and truth, corrected when a file of corrections is named."""
    truth = read_source(request.folder)
    if request.corrections is not None:
        truth = correct(truth, request.corrections)
    return replace(truth, pictures=truth.pictures[:: request.every])


def _references(request: Request, truth: Truth) -> References:
    if request.references_from is not None:
        return read_references(request.references_from)
    if has_references(truth.folder):
        return read_references(truth.folder)
    if request.leave_out:
        raise InputInvalid(f"{truth.folder} has no references to leave out", cure="Name some by --references-from.")
    return References({}, {})


def _run_once(
    request: Request,
    truth: Truth,
    references: References,
    recogniser: Recogniser,
    follow: Follow,
    *,
    rng: np.random.Generator | None,
) -> Evaluation:
    catalogue = load_catalogue(references, count=request.references, rng=rng, without=request.leave_out)
    bench = Bench(recogniser, catalogue, request.parts, judge)
    outcomes: Sequence[Outcome] = tuple(measure(follow(truth.pictures), bench))
    return Evaluation(
        recogniser=f"{recogniser.name} {recogniser.version}",
        labels=truth.labels,
        references=max((len(product.references) for product in catalogue), default=0),
        catalogue=catalogue,
        brands={sku: brand for sku in references.files if (brand := _brand(sku, references, truth)) is not None},
        runs=(outcomes,),
    )


def _brand(sku: str, references: References, truth: Truth) -> str | None:
    return references.brands.get(sku, truth.brands.get(sku))
