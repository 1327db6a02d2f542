"""The trained recogniser: a detector that knows no product, and an embedding that names what resembles a reference.

A product is named from its reference pictures at once, also when no training saw it. `docs/recognition.md` says what
it reaches on real coolers, `MODEL_CARD.md` beside the networks how they were made.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from coldshelf.recognition.context import Weights, agreed, logits_of, shares, with_plan
from coldshelf.recognition.geometry import Arrangement, arrange
from coldshelf.recognition.networks.crops import Floats
from coldshelf.recognition.networks.detector import FacingDetector
from coldshelf.recognition.networks.embedding import CropEmbedder
from coldshelf.recognition.networks.gallery import Gallery, GalleryKeeper
from coldshelf.recognition.networks.models import DETECTOR, EMBEDDING, SHIPPED, Model, read_model
from coldshelf.recognition.recogniser import (
    Box,
    Candidate,
    CatalogueProduct,
    Corners,
    Detections,
    Facing,
    FoundBox,
    Pixels,
    PlannedFacing,
)

_BEST: Final = 5
_CLEAR_ROW: Final = 0.6
_CLEAR: Final = 0.4
"""Score of the detector from which a box is a facing whatever is in it."""


class NeuralRecogniser:
    """Runs the networks of a model folder, by default the shipped one; they are opened at first use."""

    name = "neural"

    def __init__(self, folder: Path = SHIPPED) -> None:
        self._folder = folder

    @property
    def version(self) -> str:
        return self._model.version

    @cached_property
    def _model(self) -> Model:
        return read_model(self._folder)

    @cached_property
    def _detector(self) -> FacingDetector:
        return FacingDetector(self._folder / DETECTOR)

    @cached_property
    def _embedder(self) -> CropEmbedder:
        return CropEmbedder(self._folder / EMBEDDING)

    @cached_property
    def _keeper(self) -> GalleryKeeper:
        return GalleryKeeper(self._embedder)

    def recognise(
        self, image: Pixels, catalogue: Sequence[CatalogueProduct], planogram: Sequence[PlannedFacing] | None = None
    ) -> Detections:
        """Return what stands in the picture; without reference pictures all of it is unknown."""
        found = self._detector.find(image)
        sure = found.scores >= self._model.sure
        gallery = self._keeper.gallery(catalogue)
        seen = self._seen(image, found.boxes[sure], found.scores[sure], gallery)
        if not len(seen.boxes):
            return Detections((), (), ())
        order = arrange(image, [_box(box) for box in seen.boxes])
        writing = _writing(seen, order)
        if writing.any():
            seen = seen.only(~writing)
            order = arrange(image, [_box(box) for box in seen.boxes])
        likely = self._joined(seen, gallery, [(place.shelf, place.position) for place in order.places], planogram or ())
        facings = tuple(_facing(order, seen, likely, n, gallery) for n in range(len(seen.boxes)))
        return Detections(order.shelves, tuple(sorted(facings, key=_place)), order.gaps)

    def find(self, image: Pixels, catalogue: Sequence[CatalogueProduct]) -> list[FoundBox]:
        found = self._detector.find(image)
        return [FoundBox(_box(box), float(score)) for box, score in zip(found.boxes, found.scores, strict=True)]

    def identify(
        self, image: Pixels, boxes: Sequence[Box], catalogue: Sequence[CatalogueProduct]
    ) -> list[tuple[Candidate, ...]]:
        gallery = self._keeper.gallery(catalogue)
        if not boxes:
            return []
        points = self._embedder.embed_boxes(image, np.array(boxes, np.float32))
        weights = self._model.weights
        likely = shares(agreed(logits_of(gallery.likeness(points), weights), points, weights))
        return [_best(row, gallery) for row in likely]

    def _seen(self, image: Pixels, boxes: Floats, scores: Floats, gallery: Gallery) -> "_Seen":
        """Look at the products in the boxes; what hardly looks like a facing and like no product is neither."""
        weights = self._model.weights
        points = self._embedder.embed_boxes(image, boxes)
        alone = logits_of(gallery.likeness(points), weights)
        kept = scores >= (_CLEAR if gallery.products else 0)
        if gallery.products and len(boxes):
            kept |= agreed(alone, points, weights).max(1) > 0
        return _Seen(boxes[kept], scores[kept], points[kept], alone[kept])

    def _joined(
        self, seen: "_Seen", gallery: Gallery, places: Sequence[tuple[int, int]], planogram: Sequence[PlannedFacing]
    ) -> Floats:
        """Return the likelihoods of the products with neighbours and planogram, shape (facings, products)."""
        weights: Weights = self._model.weights
        logits = agreed(seen.logits, seen.points, weights, places)
        return shares(with_plan(logits, gallery.products, places, planogram, weights))


@dataclass(frozen=True, slots=True)
class _Seen:
    """Boxes (n, 4), scores of the detector (n,), points (n, dimensions), logits by looks alone (n, products)."""

    boxes: Floats
    scores: Floats
    points: Floats
    logits: Floats

    def only(self, kept: NDArray[np.bool_]) -> "_Seen":
        return _Seen(self.boxes[kept], self.scores[kept], self.points[kept], self.logits[kept])


def _writing(seen: _Seen, order: Arrangement) -> NDArray[np.bool_]:
    """Return which boxes are letters of a cooler's header, shape (n,): a doubtful topmost row of small things."""
    top = np.array([place.shelf for place in order.places]) == min(place.shelf for place in order.places)
    heights = seen.boxes[:, 3] - seen.boxes[:, 1]
    if top.all() or seen.scores[top].mean() >= _CLEAR_ROW or np.median(heights[top]) >= np.median(heights[~top]) / 2:
        return np.zeros(len(top), np.bool_)
    return np.asarray(top, np.bool_)


def _facing(order: Arrangement, seen: _Seen, likely: Floats, number: int, gallery: Gallery) -> Facing:
    """Name a facing when some product is likelier than none; the confidence of an unknown one is that of none."""
    place, candidates = order.places[number], _best(likely[number], gallery)
    nothing = _rest(likely[number])
    named = bool(candidates) and candidates[0].score > nothing
    alone = shares(seen.logits[number : number + 1])[0]
    return Facing(
        shelf=place.shelf,
        position=place.position,
        corners=_corners(seen.boxes[number]),
        product_id=candidates[0].product_id if named else None,
        confidence=candidates[0].score if named else nothing,
        alternatives=candidates,
        seen_confidence=float(alone[likely[number].argmax()]) if named else _rest(alone),
        found_score=float(seen.scores[number]),
        stack_index=place.stack_index,
        fill_level=place.fill_level,
        door=place.door,
    )


def _rest(likely: Floats) -> float:
    """Return the likelihood that it is none of the products, from 0 to 1."""
    return min(max(1 - float(likely.sum()), 0.0), 1.0)


def _best(row: Floats, gallery: Gallery) -> tuple[Candidate, ...]:
    order = np.argsort(-row, kind="stable")[:_BEST]
    return tuple(Candidate(gallery.products[n], float(row[n])) for n in order)


def _place(facing: Facing) -> tuple[int, int, int]:
    return facing.shelf, facing.position, facing.stack_index


def _box(box: Floats) -> Box:
    left, top, right, bottom = (float(side) for side in box)
    return left, top, right, bottom


def _corners(box: Floats) -> Corners:
    left, top, right, bottom = _box(box)
    return (left, top), (left, bottom), (right, bottom), (right, top)
