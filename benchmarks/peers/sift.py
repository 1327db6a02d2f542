"""Plain SIFT: the keypoints of each reference, ratio test, a homography by RANSAC, again for the next of its kind.

Matches go from the picture to the reference: the other way round, the ratio test fails on shelves, where the next best
place is the same product beside it (Lowe 2004, 7.1).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from coldshelf.recognition.recogniser import Box, Candidate, CatalogueProduct, Pixels, ProductId
from peers.search import Hit, best_five, cut, resized

RATIO = 0.8
"""Nearest against second nearest distance (Lowe 2004)."""
REPROJECTION = 4.0
"""Pixels by which an inlier may be off."""
FEWEST = 6
"""Inliers of a product that counts as found."""
MOST_INSTANCES = 12
SMALL_SIDE, SMALL_REFERENCE = 1000, 200
"""Pictures with shorter long sides are enlarged to these, else hardly a keypoint is found in them."""


@dataclass(frozen=True, slots=True)
class Keypoints:
    """Places (n, 2) in pixels and descriptors (n, 128)."""

    places: NDArray[np.float32]
    descriptors: NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Reference:
    """A reference's keypoints and its size, width and height."""

    product_id: ProductId
    keypoints: Keypoints
    size: tuple[int, int]


class SiftSearcher:
    """Finds references by local features."""

    def __init__(self) -> None:
        self._sift = cv2.SIFT.create()
        self._matcher = cv2.BFMatcher(cv2.NORM_L2)
        self._last: tuple[Sequence[CatalogueProduct], list[Reference]] | None = None

    def hits(self, image: Pixels, catalogue: Sequence[CatalogueProduct]) -> Iterator[list[Hit]]:
        scale = max(1.0, SMALL_SIDE / max(image.shape[:2]))
        seen = self._keypoints(resized(image, scale))
        for reference in self._references(catalogue):
            yield [_scaled(hit, 1 / scale) for hit in self._instances(seen, reference)]

    def rank(
        self, image: Pixels, boxes: Sequence[Box], catalogue: Sequence[CatalogueProduct]
    ) -> list[tuple[Candidate, ...]]:
        """Rank products by the share of a crop's keypoints that pass the ratio test, the best reference counts."""
        ranked = []
        for box in boxes:
            crop = cut(image, box)
            seen = self._keypoints(resized(crop, max(1.0, SMALL_REFERENCE / max(crop.shape[:2]))))
            scores = {product.product_id: 0.0 for product in catalogue}
            for reference in self._references(catalogue):
                share = len(self._matches(seen, reference.keypoints)) / max(1, len(seen.places))
                scores[reference.product_id] = max(scores[reference.product_id], share)
            ranked.append(best_five(scores))
        return ranked

    def _references(self, catalogue: Sequence[CatalogueProduct]) -> list[Reference]:
        if self._last is None or self._last[0] is not catalogue:
            self._last = (
                catalogue,
                [self._reference(product, picture) for product in catalogue for picture in product.references],
            )
        return self._last[1]

    def _reference(self, product: CatalogueProduct, picture: Pixels) -> Reference:
        large = resized(picture, SMALL_REFERENCE / max(picture.shape[:2]))
        return Reference(product.product_id, self._keypoints(large), (large.shape[1], large.shape[0]))

    def _keypoints(self, image: Pixels) -> Keypoints:
        found, descriptors = self._sift.detectAndCompute(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), None)
        if descriptors is None:
            return Keypoints(  # type: ignore[unreachable]  # OpenCV's types lack None
                np.zeros((0, 2), np.float32), np.zeros((0, 128), np.float32)
            )
        return Keypoints(np.array([point.pt for point in found], np.float32), np.asarray(descriptors, np.float32))

    def _matches(self, seen: Keypoints, wanted: Keypoints) -> list[tuple[int, int]]:
        if len(seen.places) < 1 or len(wanted.places) < 2:
            return []
        pairs = self._matcher.knnMatch(seen.descriptors, wanted.descriptors, k=2)
        return [(one.queryIdx, one.trainIdx) for one, other in pairs if one.distance < RATIO * other.distance]

    def _instances(self, seen: Keypoints, reference: Reference) -> list[Hit]:
        """Find one after the other, each without the keypoints of those before."""
        matches = self._matches(seen, reference.keypoints)
        hits: list[Hit] = []
        while len(matches) >= FEWEST and len(hits) < MOST_INSTANCES:
            there = np.array([seen.places[i] for i, _ in matches])
            here = np.array([reference.keypoints.places[j] for _, j in matches])
            homography, mask = cv2.findHomography(here, there, cv2.RANSAC, REPROJECTION)
            inliers = 0 if mask is None else int(mask.sum())  # type: ignore[redundant-expr]  # OpenCV's types lack None
            if homography is None or inliers < FEWEST:  # type: ignore[redundant-expr]  # same
                break
            box = _projected(homography, reference.size)
            if box is not None:
                hits.append(Hit(box, inliers / (inliers + 10), reference.product_id))
            matches = [match for match, used in zip(matches, mask.ravel(), strict=True) if not used]
        return hits


def _projected(homography: NDArray[Any], size: tuple[int, int]) -> Box | None:
    """Return the box around the reference's corners in the picture; None when the way there is not plausible."""
    width, height = size
    corners = np.array([[[0, 0], [0, height], [width, height], [width, 0]]], np.float32)
    places = cv2.perspectiveTransform(corners, homography)[0]
    if not np.isfinite(places).all() or not cv2.isContourConvex(places.astype(np.float32)):
        return None
    (left, top), (right, bottom) = places.min(0), places.max(0)
    stretch = ((bottom - top) / max(right - left, 1e-6)) / (height / width)
    # upright products, seen from the front: neither lying nor a sliver
    if not 0.5 < stretch < 2 or right - left < 12:
        return None
    return float(left), float(top), float(right), float(bottom)


def _scaled(hit: Hit, scale: float) -> Hit:
    left, top, right, bottom = hit.box
    return Hit((left * scale, top * scale, right * scale, bottom * scale), hit.score, hit.product_id)
