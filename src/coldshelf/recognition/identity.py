"""Names crops by the reference pictures they resemble most. Pure, training-free."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from coldshelf.recognition.appearance import Floats, aspect, describe
from coldshelf.recognition.packshots import prepare_reference
from coldshelf.recognition.recogniser import Box, Candidate, CatalogueProduct, Pixels, ProductId

_ASPECT_PRICE: Final = 0.02
_TEMPERATURE: Final = 0.03
_UNLIKE: Final = 0.71
"""Likeness at which a crop is as likely to be none of the products as the best of them."""
_BEST: Final = 5
_JITTER: Final = 0.07
_MOVES: Final = (
    (0.0, 0.0, 0.0, 0.0),
    (_JITTER, _JITTER, -_JITTER, 0.0),
    (-_JITTER, 0.0, -_JITTER, 0.0),
    (_JITTER, 0.0, _JITTER, 0.0),
)
"""Shares of width and height by which the sides of a box are moved, the best counts: found boxes are loose."""


@dataclass(frozen=True, slots=True)
class Gallery:
    """Descriptors of all reference pictures; `owners` says for each row which of `products` it shows."""

    products: tuple[ProductId, ...]
    owners: NDArray[np.intp]
    descriptors: Floats
    """Shape (references, dimensions)."""
    aspects: Floats
    """Logarithm of height / width, shape (references,)."""
    crops: tuple[Pixels, ...]


def build_gallery(catalogue: Sequence[CatalogueProduct]) -> Gallery:
    """Describe the usable reference pictures of a catalogue."""
    shown = [product for product in catalogue if product.references]
    usable = [
        (number, crop)
        for number, product in enumerate(shown)
        for reference in product.references
        if (crop := prepare_reference(reference)) is not None
    ]
    crops = [crop for _, crop in usable]
    return Gallery(
        products=tuple(product.product_id for product in shown),
        owners=np.array([number for number, _ in usable], np.intp),
        descriptors=describe(crops),
        aspects=np.array([aspect(crop) for crop in crops], np.float32),
        crops=tuple(crops),
    )


def rank(image: Pixels, boxes: Sequence[Box], gallery: Gallery, prior: Floats) -> list[tuple[Candidate, ...]]:
    """Return the best five products of each box, best first; scores add up to less than 1, the rest is `unknown`.

    `prior` has the shape (products,) and is added to the logits.
    """
    if not gallery.crops:
        return [() for _ in boxes]
    looks = [_likeness([_cut(image, _moved(box, move)) for box in boxes], gallery) for move in _MOVES]
    shares = _shares(np.maximum.reduce(looks), prior)
    return [_best(row, gallery) for row in shares]


def best_shares(image: Pixels, boxes: Sequence[Box], gallery: Gallery) -> Floats:
    """Return the score of the best product of each box, quicker and rougher than `rank`, shape (boxes,)."""
    likeness = _likeness([_cut(image, box) for box in boxes], gallery)
    return np.asarray(_shares(likeness, np.zeros(len(gallery.products), np.float32)).max(1), np.float32)


def _moved(box: Box, move: Box) -> tuple[float, ...]:
    width, height = box[2] - box[0], box[3] - box[1]
    return tuple(side + share * size for side, share, size in zip(box, move, (width, height) * 2, strict=True))


def _cut(image: Pixels, box: Sequence[float]) -> Pixels:
    """Return the pixels of a box, at least 2 x 2 of them."""
    height, width = image.shape[:2]
    left, top = min(max(round(box[0]), 0), width - 2), min(max(round(box[1]), 0), height - 2)
    right, bottom = min(max(round(box[2]), left + 2), width), min(max(round(box[3]), top + 2), height)
    return image[top:bottom, left:right]


def _likeness(crops: list[Pixels], gallery: Gallery) -> Floats:
    """Return the likeness of each crop to the best reference of each product, shape (crops, products)."""
    if not crops:
        return np.zeros((0, len(gallery.products)), np.float32)
    aspects = np.array([aspect(crop) for crop in crops], np.float32)
    likeness = describe(crops) @ gallery.descriptors.T
    likeness -= _ASPECT_PRICE * np.abs(aspects[:, None] - gallery.aspects)
    best = np.full((len(gallery.products), len(crops)), -1, np.float32)
    # The maximum over references: a mean would punish a product for having been seen from many sides.
    np.maximum.at(best, gallery.owners, likeness.T)
    return best.T


def _shares(likeness: Floats, prior: Floats) -> Floats:
    """Return the softmax over products and `unknown`, without the column of `unknown`, shape as `likeness`."""
    logits = likeness / _TEMPERATURE + prior
    unknown = np.float32(_UNLIKE / _TEMPERATURE)
    highest = np.maximum(logits.max(1, keepdims=True), unknown)
    weights = np.exp(logits - highest)
    return np.asarray(weights / (weights.sum(1, keepdims=True) + np.exp(unknown - highest)), np.float32)


def _best(shares: Floats, gallery: Gallery) -> tuple[Candidate, ...]:
    order = np.argsort(-shares, kind="stable")[:_BEST]
    return tuple(Candidate(gallery.products[i], float(shares[i])) for i in order)
