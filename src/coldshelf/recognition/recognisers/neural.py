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
        boxes, scores = found.boxes[sure], found.scores[sure]
        if not len(boxes):
            return Detections((), (), ())
        order = arrange(image, [_box(box) for box in boxes])
        look = self._look(image, boxes, self._keeper.gallery(catalogue), order, planogram or ())
        facings = tuple(_facing(order, look, n, boxes[n], float(scores[n])) for n in range(len(boxes)))
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

    def _look(
        self, image: Pixels, boxes: Floats, gallery: Gallery, order: Arrangement, planogram: Sequence[PlannedFacing]
    ) -> "_Look":
        weights: Weights = self._model.weights
        points = self._embedder.embed_boxes(image, boxes)
        places = [(place.shelf, place.position) for place in order.places]
        alone = logits_of(gallery.likeness(points), weights)
        joined = with_plan(agreed(alone, points, weights, places), gallery.products, places, planogram, weights)
        return _Look(gallery, shares(alone), shares(joined))


@dataclass(frozen=True, slots=True)
class _Look:
    """Likelihoods of the products (facings, products), by looks alone and with context."""

    gallery: Gallery
    alone: Floats
    joined: Floats


def _facing(order: Arrangement, look: _Look, number: int, box: Floats, score: float) -> Facing:
    """Name a facing when some product is likelier than none; the confidence of an unknown one is that of none."""
    place, candidates = order.places[number], _best(look.joined[number], look.gallery)
    nothing = _rest(look.joined[number])
    named = bool(candidates) and candidates[0].score > nothing
    alone = look.alone[number]
    return Facing(
        shelf=place.shelf,
        position=place.position,
        corners=_corners(box),
        product_id=candidates[0].product_id if named else None,
        confidence=candidates[0].score if named else nothing,
        alternatives=candidates,
        seen_confidence=float(alone[look.joined[number].argmax()]) if named else _rest(alone),
        found_score=score,
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
