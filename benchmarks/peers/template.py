"""Template matching: each reference in several sizes, normalised correlation in colour, the best places."""

from collections.abc import Iterator, Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from coldshelf.recognition.recogniser import Box, Candidate, CatalogueProduct, Pixels
from peers.search import Hit, best_five, cut, resized

LONG_SIDE = 416
"""Pictures are shrunk to it: correlation in full size takes minutes a picture."""
HEIGHTS = (0.10, 0.13, 0.16, 0.20, 0.25)
"""Of a product, as shares of the picture's height."""
LOWEST = 0.45
"""Correlation of places that are kept; facings have a higher threshold."""
MOST_PLACES = 30
CROP = (32, 64)


class TemplateSearcher:
    """Finds references by correlation."""

    def hits(self, image: Pixels, catalogue: Sequence[CatalogueProduct]) -> Iterator[list[Hit]]:
        scale = min(1.0, LONG_SIDE / max(image.shape[:2]))
        small = resized(image, scale)
        for product in catalogue:
            for reference in product.references:
                yield [
                    Hit(box, score, product.product_id)
                    for share in HEIGHTS
                    for box, score in _places(small, reference, round(share * small.shape[0]), scale)
                ]

    def rank(
        self, image: Pixels, boxes: Sequence[Box], catalogue: Sequence[CatalogueProduct]
    ) -> list[tuple[Candidate, ...]]:
        """Rank products by the correlation of crops brought to one size, the best reference counts."""
        owners = [product.product_id for product in catalogue for _ in product.references]
        known = np.array([_flat(picture) for product in catalogue for picture in product.references])
        ranked = []
        for box in boxes:
            scores = {product.product_id: 0.0 for product in catalogue}
            for owner, likeness in zip(owners, known @ _flat(cut(image, box)), strict=True):
                scores[owner] = max(scores[owner], float(likeness))
            ranked.append(best_five(scores))
        return ranked


def _places(image: Pixels, reference: Pixels, height: int, scale: float) -> list[tuple[Box, float]]:
    """Return boxes in pixels of the given picture, with their correlation."""
    width = round(height * reference.shape[1] / reference.shape[0])
    if min(width, height) < 6 or height > image.shape[0] or width > image.shape[1]:
        return []
    template = cv2.resize(reference, (width, height), interpolation=cv2.INTER_AREA)
    likeness = cv2.matchTemplate(image, template, cv2.TM_CCOEFF_NORMED)
    around = cv2.dilate(likeness, np.ones((max(3, height // 2), max(3, width // 2)), np.uint8))
    rows, columns = np.nonzero((likeness >= around) & (likeness >= LOWEST) & (likeness <= 1))
    best = np.argsort(-likeness[rows, columns])[:MOST_PLACES]
    return [
        (
            (float(x / scale), float(y / scale), float((x + width) / scale), float((y + height) / scale)),
            float(likeness[y, x]),
        )
        for y, x in zip(rows[best], columns[best], strict=True)
    ]


def _flat(picture: Pixels) -> NDArray[np.float32]:
    """Return a picture as one vector of mean 0 and length 1, so that products are correlations."""
    vector = cv2.resize(picture, CROP, interpolation=cv2.INTER_AREA).astype(np.float32).ravel()
    vector -= vector.mean()
    return np.asarray(vector / max(float(np.linalg.norm(vector)), 1e-6), np.float32)
