"""Chooses what a reader of a report should look at: the worst pictures, and who is taken for whom."""

from collections import Counter as Counts
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from coldshelf.recognition.evaluation.drawing import Verdict, cut, judge_facing, missed_boxes
from coldshelf.recognition.evaluation.measuring import Outcome, read_upright
from coldshelf.recognition.evaluation.report import Evaluation, named_places
from coldshelf.recognition.evaluation.tallies import Counter, figures
from coldshelf.recognition.recogniser import Pixels

CROPS = 3


@dataclass(frozen=True, slots=True)
class RatedPicture:
    """A picture, its number in the run, how good the answer was (None: without truth), and the counts of verdicts."""

    number: int
    outcome: Outcome
    f1: float | None
    verdicts: Mapping[Verdict, int]


@dataclass(frozen=True, slots=True)
class Confusion:
    """A product that was taken for another: how often, how it looked there, and a reference of each."""

    true: str
    said: str
    count: int
    crops: tuple[Pixels, ...]
    true_reference: Pixels | None
    said_reference: Pixels | None


def rate(evaluation: Evaluation) -> list[RatedPicture]:
    """Rate the pictures of the first run, the worst first."""
    known = {product.sku for product in evaluation.catalogue}
    counter = Counter(sorted(known), evaluation.brands)
    rated = []
    for number, outcome in enumerate(evaluation.runs[0]):
        verdicts = Counts(judge_facing(outcome, named, known) for named in outcome.facings)
        verdicts[Verdict.MISSED] = len(missed_boxes(outcome)) if outcome.detections is not None else 0
        rated.append(RatedPicture(number, outcome, _goodness(counter, outcome), verdicts))
    return sorted(rated, key=lambda each: (1.0 if each.f1 is None else each.f1, each.number))


def _goodness(counter: Counter, outcome: Outcome) -> float | None:
    """Return F1 end to end; without products that of the boxes, without boxes whether the picture was named right."""
    found = figures(counter.count(outcome))
    values = (found["end_to_end"]["f1"], found["detection"]["f1"], found["identification"]["top1"])
    return next((value for value in values if value is not None), None)


def confusions(evaluation: Evaluation, listed: Sequence[Mapping[str, object]]) -> list[Confusion]:
    """Fetch crops and references of the confusions that a report lists; pictures are read again."""
    references = {product.sku: product.references[0] for product in evaluation.catalogue if product.references}
    wanted = {(str(each["true"]), str(each["named"])): int(str(each["count"])) for each in listed}
    crops = _crops(evaluation.runs[0], wanted)
    return [
        Confusion(true, said, count, tuple(crops[true, said]), references.get(true), references.get(said))
        for (true, said), count in wanted.items()
    ]


def _crops(
    outcomes: Sequence[Outcome], wanted: Mapping[tuple[str, str], int]
) -> defaultdict[tuple[str, str], list[Pixels]]:
    crops: defaultdict[tuple[str, str], list[Pixels]] = defaultdict(list)
    for outcome in outcomes:
        places = [(pair, box) for pair, box in named_places(outcome) if pair in wanted and len(crops[pair]) < CROPS]
        image = read_upright(outcome.picture) if places else None
        for pair, box in places:
            if image is not None and len(crops[pair]) < CROPS:
                crops[pair].append(cut(image, box).copy())
    return crops
