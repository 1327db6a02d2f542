"""Fixes how sure is sure enough, on pictures that were kept apart from training. Pure but for the networks."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from coldshelf.recognition.context import Weights, agreed, logits_of, shares
from coldshelf.recognition.networks.crops import Floats, cut_alone
from coldshelf.recognition.networks.embedding import CropEmbedder
from coldshelf.recognition.networks.models import EMBEDDING, Model
from coldshelf.recognition.training.samples import UNKNOWN, Sample

SURE: Final = 0.3
"""Score of the detector from which a box is a facing: a constant, since the truths of real pictures are incomplete and
would draw a fitted threshold up or down with what they lack."""
KNOWN_LOST: Final = 0.04
"""Share of known products that may be called unknown."""
_AGREEMENTS: Final = (0.0, 0.5, 0.7, 0.9)
_ALIKE: Final = (0.5, 0.6, 0.7, 0.8)
_TEMPERATURES: Final = (0.03, 0.04, 0.05, 0.06, 0.08, 0.1, 0.13)
_REFERENCES: Final = (1, 4)
_DRAWS: Final = 5
_START: Final = Weights(temperature=0.06, unknown=0.3, agreement=0.0, alike=0.6, beside=1.0, planned=1.5)


@dataclass(frozen=True, slots=True)
class _Seen:
    """The facings of one picture.

    `points` (n, dimensions), `likeness` to each product (n, products), and as `truth` which product each shows, -1 for
    those that no reference shows (n,).
    """

    points: Floats
    likeness: Floats
    truth: NDArray[np.intp]


def fix_model(folder: Path, *, kept: Sequence[Sample], references: Sequence[Sample], version: str, seed: int) -> Model:
    """Fix the weights for the networks of a folder and write its `model.json`.

    References are drawn from pictures of the training, facings to name from those kept apart.
    """
    embedder = CropEmbedder(folder / EMBEDDING)
    pictures = _draw_all(embedder, kept, references, np.random.default_rng(seed))
    agreement, alike = max(
        product(_AGREEMENTS, _ALIKE),
        key=lambda pair: _right(pictures, replace(_START, agreement=pair[0], alike=pair[1])),
    )
    weights = replace(_START, agreement=agreement, alike=alike)
    weights = replace(weights, unknown=_unknown(pictures, weights))
    weights = min(
        (replace(weights, temperature=temperature) for temperature in _TEMPERATURES),
        key=lambda choice: _surprise(pictures, choice),
    )
    model = Model(folder, version, SURE, weights)
    model.write()
    return model


def _draw_all(
    embedder: CropEmbedder, kept: Sequence[Sample], references: Sequence[Sample], rng: np.random.Generator
) -> list[_Seen]:
    """Look at every kept picture with several draws of references."""
    skus = sorted({label for sample in references for label in _shown(sample)[1]} - {UNKNOWN})
    galleries = [_gallery(embedder, references, skus, count, rng) for count in _REFERENCES for _ in range(_DRAWS)]
    number = {sku: n for n, sku in enumerate(skus)}
    seen = []
    for sample in kept:
        boxes, labels = _shown(sample)
        points = embedder.embed_boxes(sample.picture.image, boxes)
        truth = np.array([number.get(label, -1) for label in labels], np.intp)
        for owners, references_points in galleries:
            likeness = np.full((len(skus), len(points)), -1, np.float32)
            np.maximum.at(likeness, owners, references_points @ points.T)
            seen.append(_Seen(points, likeness.T, truth))
    return seen


def _gallery(
    embedder: CropEmbedder, samples: Sequence[Sample], skus: Sequence[str], count: int, rng: np.random.Generator
) -> tuple[NDArray[np.intp], Floats]:
    """Draw `count` references of each SKU; return their owners (m,) and points (m, dimensions)."""
    places = [(sample, box, label) for sample in samples for box, label in zip(*_shown(sample), strict=True)]
    owners: list[int] = []
    crops = []
    for number, sku in enumerate(skus):
        where = [(sample, box) for sample, box, label in places if label == sku]
        for index in rng.permutation(len(where))[:count]:
            sample, box = where[int(index)]
            owners.append(number)
            crops.append(cut_alone(sample.picture.image, box))
    return np.array(owners, np.intp), embedder.embed(crops)


def _shown(sample: Sample) -> tuple[Floats, list[str]]:
    """Return boxes (n, 4) and labels of what can be seen: not of what was painted over."""
    shown = ~sample.picture.ignored
    return sample.picture.boxes[shown], [label for label, kept in zip(sample.labels, shown, strict=True) if kept]


def _joined(seen: _Seen, weights: Weights) -> Floats:
    return agreed(logits_of(seen.likeness, weights), seen.points, weights)


def _right(pictures: Sequence[_Seen], weights: Weights) -> float:
    """Return the share of known facings that are named right."""
    right = [(_joined(seen, weights).argmax(1) == seen.truth)[seen.truth >= 0] for seen in pictures]
    return float(np.concatenate(right).mean())


def _unknown(pictures: Sequence[_Seen], weights: Weights) -> float:
    """Return the cosine that the best product of a known facing falls short of in few cases."""
    plain = replace(weights, temperature=1.0, unknown=0.0)
    best = np.concatenate([_joined(seen, plain).max(1)[seen.truth >= 0] for seen in pictures])
    return round(float(np.quantile(best, KNOWN_LOST)), 4)


def _surprise(pictures: Sequence[_Seen], weights: Weights) -> float:
    """Return the mean negative logarithm of the likelihood that the true answer got."""
    lost = []
    for seen in pictures:
        likely = shares(_joined(seen, weights))
        rest = 1 - likely.sum(1, keepdims=True)
        answers = np.concatenate([likely, rest], 1)
        lost.append(-np.log(np.maximum(answers[np.arange(len(answers)), seen.truth], 1e-6)))
    return float(np.concatenate(lost).mean())
