"""A recogniser without training: rows of windows that look like the reference pictures, named by colour layout.

It needs reference pictures, best from the same kind of cooler, and sees nothing without them. Measured on the 58
coolers of `cooler_pepsico_vn` and all 121 references: facings found with precision 0.64 and recall 0.59, true boxes
named right 0.69 at the first guess and 0.95 among five, both together F1 0.40; with one reference a product 0.48 (F1),
0.52, 0.86 and 0.26. Rendered scenes: F1 0.86. One core takes 0.9 s. It
misses rows of dark, hazy or strongly slanted coolers, mistakes reflections and neighbouring coolers for shelves, and
does not see an empty shelf above the first or below the last filled one.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import cv2
import numpy as np

from coldshelf.recognition.appearance import Floats
from coldshelf.recognition.finding import PlacedRow, find_places
from coldshelf.recognition.identity import Gallery, best_shares, build_gallery, rank
from coldshelf.recognition.recogniser import (
    Box,
    Candidate,
    CatalogueProduct,
    Corners,
    Detections,
    Facing,
    Gap,
    Pixels,
    PlannedFacing,
    ProductId,
    Shelf,
)
from coldshelf.recognition.shelving import FoundShelf, PlaceKind, arrange, corners_of
from coldshelf.recognition.templates import make_templates

_LONG_SIDE: Final = 1280
_DOUBTFUL: Final = 0.35
"""Below this share the best candidate is not named; about a third of such candidates would be right."""
_HEIGHTS: Final = (1.0, 0.85, 0.7, 0.58)
"""Shares of the box's height at which a doubtful product is looked at again."""
_FITS: Final = 0.6
"""Score from which the lower box is taken."""
_PLAN_BONUS: Final = 0.5
"""Added to the logit of products planned on the shelf. Weak: a bonus of 2 hides planted deviations."""
_CLUTTER: Final = 0.07
"""A row whose median best share is lower shows something else than products."""


class ColourRecogniser:
    """Finds rows by likeness to the references, and names products by colour layout."""

    name = "colour"
    version = "1"

    def __init__(self) -> None:
        self._last: _Prepared | None = None

    def recognise(
        self, image: Pixels, catalogue: Sequence[CatalogueProduct], planogram: Sequence[PlannedFacing] | None = None
    ) -> Detections:
        """Return what stands in the picture; nothing on pictures too small, too narrow or without products."""
        prepared = self._prepare(catalogue)
        gallery = prepared.gallery
        if image.ndim != 3 or image.shape[2] != 3 or min(image.shape[:2]) < 2 or not gallery.crops:
            return Detections((), (), ())
        picture, scale = _bounded(image)
        rows = find_places(picture, prepared.templates)
        shelves = arrange(picture, [row for row in rows if _shows_products(picture, row, gallery)])
        shelves = [_with_fitted_heights(picture, shelf, gallery) for shelf in shelves]
        priors = [_prior(gallery, planogram or (), number) for number in range(1, len(shelves) + 1)]
        return _describe(picture, shelves, gallery, priors, scale)

    def identify(
        self, image: Pixels, boxes: Sequence[Box], catalogue: Sequence[CatalogueProduct]
    ) -> list[tuple[Candidate, ...]]:
        gallery = self._prepare(catalogue).gallery
        return rank(image, boxes, gallery, np.zeros(len(gallery.products), np.float32))

    def _prepare(self, catalogue: Sequence[CatalogueProduct]) -> "_Prepared":
        """Describe the references, once for pictures in a row with the very same ones."""
        last = self._last
        references = tuple((product.product_id, picture) for product in catalogue for picture in product.references)
        if last is not None and _are_same(references, last.references):
            return last
        gallery = build_gallery(catalogue)
        self._last = last = _Prepared(references, gallery, make_templates(list(gallery.crops)))
        return last


@dataclass(frozen=True, slots=True)
class _Prepared:
    references: tuple[tuple[ProductId, Pixels], ...]
    gallery: Gallery
    templates: Floats


def _are_same(one: tuple[tuple[ProductId, Pixels], ...], other: tuple[tuple[ProductId, Pixels], ...]) -> bool:
    return len(one) == len(other) and all(a[0] == b[0] and a[1] is b[1] for a, b in zip(one, other, strict=True))


def _bounded(image: Pixels) -> tuple[Pixels, float]:
    """Return the picture with a long side of at most 1280 pixels, and given pixels per pixel of it."""
    scale = max(1.0, max(image.shape[:2]) / _LONG_SIDE)
    if scale == 1.0:
        return np.ascontiguousarray(image), scale
    size = (max(1, round(image.shape[1] / scale)), max(1, round(image.shape[0] / scale)))
    return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8), scale


def _shows_products(image: Pixels, row: PlacedRow, gallery: Gallery) -> bool:
    return float(np.median(best_shares(image, [place.box for place in row.places], gallery))) >= _CLUTTER


def _with_fitted_heights(image: Pixels, shelf: FoundShelf, gallery: Gallery) -> FoundShelf:
    """Lower doubtful boxes to the product that stands in them: a can among bottles."""
    lower = [[_lowered(place.box, share) for place in shelf.places] for share in _HEIGHTS]
    shares = np.stack([best_shares(image, boxes, gallery) for boxes in lower])
    best = shares.argmax(0)
    places = tuple(
        replace(place, box=lower[best[n]][n])
        if place.kind is not PlaceKind.EMPTY and shares[0, n] < _DOUBTFUL and shares[best[n], n] >= _FITS
        else place
        for n, place in enumerate(shelf.places)
    )
    return replace(shelf, places=places)


def _lowered(box: Box, share: float) -> Box:
    left, top, right, bottom = box
    return left, bottom - (bottom - top) * share, right, bottom


def _prior(gallery: Gallery, planogram: Sequence[PlannedFacing], shelf: int) -> Floats:
    planned = {place.product_id for place in planogram if place.shelf == shelf}
    return np.array([_PLAN_BONUS if product in planned else 0.0 for product in gallery.products], np.float32)


def _describe(
    image: Pixels, shelves: Sequence[FoundShelf], gallery: Gallery, priors: Sequence[Floats], scale: float
) -> Detections:
    seen: list[Shelf] = []
    facings: list[Facing] = []
    gaps: list[Gap] = []
    for number, (shelf, prior) in enumerate(zip(shelves, priors, strict=True), start=1):
        seen.append(Shelf(number, _scaled(shelf.corners, scale)))
        ranked = rank(image, [place.box for place in shelf.places], gallery, prior)
        for position, (place, candidates) in enumerate(zip(shelf.places, ranked, strict=True), start=1):
            corners = _scaled(corners_of(place.box), scale)
            if place.kind is PlaceKind.EMPTY:
                gaps.append(Gap(number, position, corners))
            else:
                facings.append(_facing(number, position, corners, candidates))
    return Detections(tuple(seen), tuple(facings), tuple(gaps))


def _facing(shelf: int, position: int, corners: Corners, candidates: tuple[Candidate, ...]) -> Facing:
    """Name a facing; the confidence of an unknown one is how sure it is that no candidate fits."""
    best = candidates[0]
    if best.score >= _DOUBTFUL:
        return Facing(shelf, position, corners, best.product_id, best.score, candidates)
    return Facing(shelf, position, corners, None, 1 - best.score, candidates)


def _scaled(corners: Corners, scale: float) -> Corners:
    (ax, ay), (bx, by), (cx, cy), (dx, dy) = corners
    return (ax * scale, ay * scale), (bx * scale, by * scale), (cx * scale, cy * scale), (dx * scale, dy * scale)
