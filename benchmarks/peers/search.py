"""What both peers share: they look for every reference, keep the best of what overlaps, and arrange it."""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

import cv2
import numpy as np

from coldshelf.recognition.evaluation.pairing import overlaps
from coldshelf.recognition.geometry import arrange
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
    ProductId,
)

OVERLAP = 0.3
"""Of two hits that overlap more, the better one stays."""


@dataclass(frozen=True, slots=True)
class Hit:
    """A reference found in a picture; score from 0 to 1."""

    box: Box
    score: float
    product_id: ProductId


class Searcher(Protocol):
    """Looks for one reference after the other, so that a search can end when its time is up."""

    def hits(self, image: Pixels, catalogue: Sequence[CatalogueProduct]) -> Iterator[list[Hit]]: ...

    def rank(
        self, image: Pixels, boxes: Sequence[Box], catalogue: Sequence[CatalogueProduct]
    ) -> list[tuple[Candidate, ...]]: ...


class PeerRecogniser:
    """A searcher behind the contract. What it finds it names; it never says unknown, and takes no plan."""

    version = "1"

    def __init__(self, name: str, searcher: Searcher, *, threshold: float, seconds: float) -> None:
        self.name = name
        self.ended_early = 0
        """Pictures whose search was ended by the limit of `seconds` before all references were looked for."""
        self._searcher = searcher
        self._threshold = threshold
        self._seconds = seconds
        self._last: tuple[Pixels, list[Hit]] | None = None

    def recognise(
        self, image: Pixels, catalogue: Sequence[CatalogueProduct], planogram: Sequence[PlannedFacing] | None = None
    ) -> Detections:
        kept = [hit for hit in self._search(image, catalogue) if hit.score >= self._threshold]
        order = arrange(image, [hit.box for hit in kept])
        facings = [
            Facing(
                place.shelf,
                place.position,
                _corners(hit.box),
                hit.product_id,
                hit.score,
                found_score=hit.score,
                stack_index=place.stack_index,
                door=place.door,
            )
            for hit, place in zip(kept, order.places, strict=True)
        ]
        return Detections(order.shelves, tuple(facings), order.gaps)

    def find(self, image: Pixels, catalogue: Sequence[CatalogueProduct]) -> list[FoundBox]:
        return [FoundBox(hit.box, hit.score) for hit in self._search(image, catalogue)]

    def identify(
        self, image: Pixels, boxes: Sequence[Box], catalogue: Sequence[CatalogueProduct]
    ) -> list[tuple[Candidate, ...]]:
        return self._searcher.rank(image, boxes, catalogue)

    def _search(self, image: Pixels, catalogue: Sequence[CatalogueProduct]) -> list[Hit]:
        """Search once for a picture, though boxes and facings are asked for one after the other."""
        if self._last is not None and self._last[0] is image:
            return self._last[1]
        found: list[Hit] = []
        end = time.perf_counter() + self._seconds
        for hits in self._searcher.hits(image, catalogue):
            found += hits
            if time.perf_counter() > end:
                self.ended_early += 1
                break
        self._last = image, _without_overlaps(found)
        return self._last[1]


def _without_overlaps(hits: Sequence[Hit]) -> list[Hit]:
    """Keep the best of what overlaps (non-maximum suppression), best first."""
    left = sorted(hits, key=lambda hit: -hit.score)
    kept: list[Hit] = []
    while left:
        kept.append(left[0])
        shares = overlaps([left[0].box], [hit.box for hit in left])[0]
        left = [hit for hit, share in zip(left[1:], shares[1:], strict=True) if share <= OVERLAP]
    return kept


def best_five(scores: dict[ProductId, float]) -> tuple[Candidate, ...]:
    """Return the best five products; scores become shares that add up to less than 1."""
    whole = sum(scores.values()) + 1e-6
    best = sorted(scores.items(), key=lambda item: -item[1])[:5]
    return tuple(Candidate(product_id, score / whole) for product_id, score in best)


def cut(image: Pixels, box: Box) -> Pixels:
    """Return the pixels of a box, at least 8 x 8 of them where the picture has so many."""
    height, width = image.shape[:2]
    left, top = min(max(round(box[0]), 0), max(width - 8, 0)), min(max(round(box[1]), 0), max(height - 8, 0))
    return image[top : max(round(box[3]), top + 8), left : max(round(box[2]), left + 8)]


def resized(image: Pixels, scale: float) -> Pixels:
    """Scale a picture, never below 4 x 4 pixels."""
    size = max(4, round(image.shape[1] * scale)), max(4, round(image.shape[0] * scale))
    way = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(image, size, interpolation=way), np.uint8)


def _corners(box: Box) -> Corners:
    left, top, right, bottom = box
    return (left, top), (left, bottom), (right, bottom), (right, top)
