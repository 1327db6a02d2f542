"""Runs a recogniser over pictures with truth and keeps what it said about each."""

import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from coldshelf.kit.errors import InputInvalid
from coldshelf.recognition.evaluation.pairing import (
    MATCHES,
    ScoredHits,
    box_of,
    covered,
    pair_up,
    score_hits,
)
from coldshelf.recognition.evaluation.truth import DeviationKind, PlanCase, TrueBox, TruePicture
from coldshelf.recognition.formats.references import read_pixels
from coldshelf.recognition.recogniser import (
    Box,
    CatalogueProduct,
    Detections,
    Facing,
    Finder,
    Identifier,
    Pixels,
    PlannedFacing,
    ProductId,
    Recogniser,
)

STRICT_MATCH = 0.75


class Part(StrEnum):
    """What is run on each picture."""

    RECOGNITION = "recognition"
    IDENTIFICATION = "identification"
    PLANOGRAM = "planogram"


@dataclass(frozen=True, slots=True)
class CaseOutcome:
    """Of a plan: the kinds of planted deviations that were found and missed, and of those reported for nothing."""

    found: tuple[DeviationKind, ...]
    missed: tuple[DeviationKind, ...]
    wrong: tuple[DeviationKind, ...]


CaseJudge = Callable[[Detections, PlanCase, Mapping[str, ProductId]], CaseOutcome]
"""Holds detections against the plan of a case; SKUs without a number are not in the catalogue."""


@dataclass(frozen=True, slots=True)
class Bench:
    """What is measured, against which catalogue; `judge` is None where plans are not held against pictures."""

    recogniser: Recogniser
    catalogue: Sequence[CatalogueProduct]
    parts: Collection[Part] = frozenset(Part)
    judge: CaseJudge | None = None

    @property
    def skus(self) -> dict[ProductId, str]:
        return {product.product_id: product.sku for product in self.catalogue}


@dataclass(frozen=True, slots=True)
class NamedFacing:
    """A found facing, and the number of the true box it stands for; its SKU is None when it is unknown."""

    facing: Facing
    box: Box
    sku: str | None
    true: int | None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What was said about a picture. None where that part was not run or is not offered."""

    picture: TruePicture
    size: tuple[int, int]
    """Width and height of the picture."""
    detections: Detections | None = None
    facings: tuple[NamedFacing, ...] = ()
    """Without those in ignored regions."""
    curve: ScoredHits | None = None
    strict_curve: ScoredHits | None = None
    ranked: tuple[tuple[TrueBox, tuple[str, ...]], ...] | None = None
    """Best five SKUs of each true box of a product that the catalogue knows; detector left out."""
    cases: tuple[tuple[PlanCase, CaseOutcome], ...] = ()
    seconds: float | None = None

    @property
    def true(self) -> tuple[TrueBox, ...]:
        return self.picture.boxes or ()


def measure(pictures: Iterable[TruePicture], bench: Bench) -> Iterator[Outcome]:
    """Run the recogniser over pictures, one after the other; pictures are not kept."""
    for picture in pictures:
        yield _measure(picture, read_upright(picture), bench)


def read_upright(picture: TruePicture) -> Pixels:
    """Decode a picture; raise InputInvalid when it has not the size that its boxes belong to."""
    image = read_pixels(picture.path)
    size = image.shape[1], image.shape[0]
    if picture.size is not None and picture.size != size:
        raise InputInvalid(
            f"{picture.path} is {size[0]} x {size[1]}, its truth belongs to {picture.size[0]} x {picture.size[1]}",
            cure="Take the picture that was labelled, upright.",
        )
    return image


def _measure(picture: TruePicture, image: Pixels, bench: Bench) -> Outcome:
    detections, seconds = None, None
    facings: tuple[NamedFacing, ...] = ()
    curves: tuple[ScoredHits | None, ScoredHits | None] = (None, None)
    if Part.RECOGNITION in bench.parts:
        start = time.perf_counter()
        detections = bench.recogniser.recognise(image, bench.catalogue)
        seconds = time.perf_counter() - start
        facings = name_facings(detections, picture, bench.skus)
        curves = _curves(picture, image, detections, bench)
    return Outcome(
        picture=picture,
        size=(image.shape[1], image.shape[0]),
        detections=detections,
        facings=facings,
        curve=curves[0],
        strict_curve=curves[1],
        ranked=_rank(picture, image, bench) if Part.IDENTIFICATION in bench.parts else None,
        cases=_judge(picture, image, bench) if Part.PLANOGRAM in bench.parts else (),
        seconds=seconds,
    )


def name_facings(
    detections: Detections, picture: TruePicture, skus: Mapping[ProductId, str]
) -> tuple[NamedFacing, ...]:
    """Pair facings with true boxes; those that stand for none and lie in an ignored region are left out."""
    boxes = [box_of(facing.corners) for facing in detections.facings]
    true_of = dict(pair_up(boxes, [true.box for true in picture.boxes or ()]))
    hidden = covered(boxes, picture.ignored)
    return tuple(
        NamedFacing(facing, box, None if facing.product_id is None else skus.get(facing.product_id), true_of.get(n))
        for n, (facing, box) in enumerate(zip(detections.facings, boxes, strict=True))
        if n in true_of or not hidden[n]
    )


def _curves(
    picture: TruePicture, image: Pixels, detections: Detections, bench: Bench
) -> tuple[ScoredHits | None, ScoredHits | None]:
    """Return the hits at both overlaps: of all boxes down to doubtful ones where they are offered, else of facings."""
    if picture.boxes is None:
        return None, None
    if isinstance(bench.recogniser, Finder):
        found = [(each.box, each.score) for each in bench.recogniser.find(image, bench.catalogue)]
    else:
        found = [(box_of(facing.corners), facing.found_score) for facing in detections.facings]
    boxes, scores = [box for box, _ in found], [score for _, score in found]
    true = [each.box for each in picture.boxes]
    first, second = (
        score_hits(boxes, scores, true, at_least=overlap, ignored=picture.ignored)
        for overlap in (MATCHES, STRICT_MATCH)
    )
    return first, second


def _rank(picture: TruePicture, image: Pixels, bench: Bench) -> tuple[tuple[TrueBox, tuple[str, ...]], ...] | None:
    if not isinstance(bench.recogniser, Identifier):
        return None
    skus = bench.skus
    known = [true for true in _asked(picture, image) if true.sku in skus.values()]
    ranked = bench.recogniser.identify(image, [true.box for true in known], bench.catalogue) if known else []
    return tuple(
        (true, tuple(skus[candidate.product_id] for candidate in candidates))
        for true, candidates in zip(known, ranked, strict=True)
    )


def _asked(picture: TruePicture, image: Pixels) -> Sequence[TrueBox]:
    if picture.whole is None:
        return picture.boxes or ()
    return (TrueBox((0.0, 0.0, float(image.shape[1]), float(image.shape[0])), picture.whole),)


def _judge(picture: TruePicture, image: Pixels, bench: Bench) -> tuple[tuple[PlanCase, CaseOutcome], ...]:
    """Recognise the picture once for each plan: as in use, the plan is known to the recogniser."""
    if bench.judge is None or not bench.catalogue:
        return ()
    numbers = {sku: number for number, sku in bench.skus.items()}
    outcomes = []
    for case in picture.cases:
        planned = [
            PlannedFacing(shelf, position, numbers[sku])
            for shelf, row in enumerate(case.rows, start=1)
            for position, sku in enumerate(row, start=1)
            if sku in numbers
        ]
        found = bench.recogniser.recognise(image, bench.catalogue, planned)
        outcomes.append((case, bench.judge(_as_far_as_planned(found, picture), case, numbers)))
    return tuple(outcomes)


def _as_far_as_planned(found: Detections, picture: TruePicture) -> Detections:
    """Leave out what stands there truly, or may, though the plan cannot know it: corrections came after the plan."""
    if not picture.ignored and not any(true.is_added for true in picture.boxes or ()):
        return found
    kept = tuple(
        named.facing
        for named in name_facings(found, picture, {})
        if named.true is None or not (picture.boxes or ())[named.true].is_added
    )
    return replace(found, facings=kept)
