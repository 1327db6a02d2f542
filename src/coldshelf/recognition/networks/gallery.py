"""The reference pictures of a catalogue as points, and how near crops are to them. Pure but for the network.

The index is one matrix product: with 1,000 products of four references and a picture of 30 facings that is 15 million
multiplications, less than a millisecond. What takes time is embedding references, so each is embedded once.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from coldshelf.recognition.networks.crops import Floats, cut
from coldshelf.recognition.networks.embedding import CropEmbedder
from coldshelf.recognition.packshots import prepare_reference
from coldshelf.recognition.recogniser import CatalogueProduct, Pixels, ProductId

_FAR: Final = -1.0
_Known = dict[int, tuple[Pixels, Floats | None]]
"""Pictures by their identity with their points; the picture is kept so that no other one takes its identity."""


@dataclass(frozen=True, slots=True)
class Gallery:
    """All reference pictures; `owners` says for each row of `points` which of `products` it shows."""

    products: tuple[ProductId, ...]
    owners: NDArray[np.intp]
    points: Floats
    """Unit vectors, shape (references, dimensions)."""

    def likeness(self, points: Floats) -> Floats:
        """Return the cosine of each point with the nearest reference of each product, shape (points, products)."""
        best = np.full((len(self.products), len(points)), _FAR, np.float32)
        if len(self.points) and len(points):
            # The nearest and not the mean: a product that was seen from many sides is not to be punished for it.
            np.maximum.at(best, self.owners, self.points @ points.T)
        return best.T


_References = tuple[tuple[ProductId, Pixels], ...]
_CATALOGUES: Final = 4
"""Catalogues whose galleries are kept: a worker serves several clients in turn."""


class GalleryKeeper:
    """Makes galleries, and embeds no reference picture twice as long as catalogues keep handing in the same arrays."""

    def __init__(self, embedder: CropEmbedder) -> None:
        self._embedder = embedder
        self._known: _Known = {}
        self._recent: tuple[tuple[_References, Gallery], ...] = ()

    def gallery(self, catalogue: Sequence[CatalogueProduct]) -> Gallery:
        """Return the gallery of a catalogue; products without a usable reference are not in it."""
        references = tuple((product.product_id, picture) for product in catalogue for picture in product.references)
        recent = self._recent  # other threads may ask for other catalogues meanwhile
        for kept, gallery in recent:
            if _are_same(references, kept):
                return gallery
        known = self._embedded([picture for _, picture in references])
        made = _built(references, known)
        self._recent = ((references, made), *recent)[:_CATALOGUES]
        shown = {id(picture) for kept, _ in self._recent for _, picture in kept}
        self._known = {number: entry for number, entry in known.items() if number in shown}
        return made

    def _embedded(self, pictures: Sequence[Pixels]) -> _Known:
        """Return what is known, with what is new embedded."""
        known = self._known
        new = list({id(picture): picture for picture in pictures if id(picture) not in known}.values())
        prepared = [(picture, prepare_reference(picture)) for picture in new]
        shown = [(picture, alone) for picture, alone in prepared if alone is not None]
        points = self._embedder.embed([cut(alone, (0, 0, alone.shape[1], alone.shape[0])) for _, alone in shown])
        added: _Known = {id(picture): (picture, None) for picture in new}
        added |= {id(picture): (picture, point) for (picture, _), point in zip(shown, points, strict=True)}
        return known | added


def _built(references: Sequence[tuple[ProductId, Pixels]], known: _Known) -> Gallery:
    usable = [(product, point) for product, picture in references if (point := known[id(picture)][1]) is not None]
    products = tuple(dict.fromkeys(product for product, _ in usable))
    number = {product: n for n, product in enumerate(products)}
    return Gallery(
        products,
        np.array([number[product] for product, _ in usable], np.intp),
        np.stack([point for _, point in usable]) if usable else np.zeros((0, 1), np.float32),
    )


def _are_same(one: Sequence[tuple[ProductId, Pixels]], other: Sequence[tuple[ProductId, Pixels]]) -> bool:
    return len(one) == len(other) and all(a[0] == b[0] and a[1] is b[1] for a, b in zip(one, other, strict=True))
