"""What the rest of the picture and the planogram say about a facing. Pure.

All scores are logits: logarithms of likelihoods up to a constant, shape (facings, products); `unknown` has the logit 0.
Products that look alike within one picture are the same product seen several times, so their opinions are joined; that
needs no name and works for products nobody trained on. The planogram speaks only where the picture is unsure.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from coldshelf.recognition.recogniser import PlannedFacing, ProductId

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Weights:
    """How much context counts; fixed on pictures that no figure is given for."""

    temperature: float
    """Cosine per unit of logit."""
    unknown: float
    """Cosine at which a facing is as likely to be none of the products as the nearest one."""
    agreement: float
    """Share of the opinion that facings of the same look in the same picture give, from 0 to 1."""
    alike: float
    """Cosine from which two facings of a picture have the same look."""
    beside: float
    """How much more a neighbour on the shelf counts than another facing of the same look."""
    planned: float
    """Logit that a planned product gains at most."""


def logits_of(likeness: Floats, weights: Weights) -> Floats:
    """Return logits relative to `unknown`, which has 0, shape as `likeness` (facings, products)."""
    return np.asarray((likeness - weights.unknown) / weights.temperature, np.float32)


def agreed(logits: Floats, points: Floats, weights: Weights, places: Sequence[tuple[int, int]] = ()) -> Floats:
    """Join the opinions of facings that look alike.

    `points` are unit vectors (facings, dimensions); `places` are shelf and position of each, when they are known.
    """
    if len(logits) < 2 or not weights.agreement:
        return logits
    alike = np.clip((points @ points.T - weights.alike) / (1 - weights.alike), 0, None) ** 2
    np.fill_diagonal(alike, 0)
    if places:
        alike *= 1 + weights.beside * _beside(places)
    total = alike.sum(1, keepdims=True)
    others = (alike @ logits) / np.maximum(total, 1e-6)
    share = weights.agreement * np.minimum(total, 1)
    return np.asarray((1 - share) * logits + share * others, np.float32)


def _beside(places: Sequence[tuple[int, int]]) -> Floats:
    """Return 1 where two facings stand side by side, shape (facings, facings)."""
    shelf, position = np.array(places, np.float32).reshape(-1, 2).T
    apart = np.abs(position[:, None] - position[None])
    return np.asarray((shelf[:, None] == shelf[None]) & (apart == 1), np.float32)


def shares(logits: Floats) -> Floats:
    """Return likelihoods of the products, shape as `logits`; what a row lacks to 1 is the likelihood of `unknown`."""
    highest = np.maximum(logits.max(1, keepdims=True, initial=0.0), 0)
    raised = np.exp(logits - highest)
    return np.asarray(raised / (raised.sum(1, keepdims=True) + np.exp(-highest)), np.float32)


def with_plan(
    logits: Floats,
    products: Sequence[ProductId],
    places: Sequence[tuple[int, int]],
    planogram: Sequence[PlannedFacing],
    weights: Weights,
) -> Floats:
    """Raise the products that are planned at a facing's place, the less the surer the picture is.

    A facing's place in the plan is found by aligning shelves by what is seen on them, since a shelf may be missed.
    """
    if not planogram or not len(logits):
        return logits
    expected = _expected(shares(logits), products, places, planogram)
    unsure = 1 - shares(logits).max(1, keepdims=True)
    return np.asarray(logits + weights.planned * unsure * expected, np.float32)


_ON_SHELF: Final = 0.5
_NEAR: Final = 1.5
"""Positions within which a planned facing counts fully; elsewhere on its shelf it counts half."""


def _expected(
    seen: Floats, products: Sequence[ProductId], places: Sequence[tuple[int, int]], planogram: Sequence[PlannedFacing]
) -> Floats:
    """Return how much each product is expected at each facing, from 0 to 1, shape (facings, products)."""
    number = {product: n for n, product in enumerate(products)}
    planned = [item for item in planogram if item.product_id in number]
    found_shelves = sorted({shelf for shelf, _ in places})
    plan_shelves = sorted({item.shelf for item in planned})
    rows = {shelf: [n for n, place in enumerate(places) if place[0] == shelf] for shelf in found_shelves}
    wanted = {shelf: [number[item.product_id] for item in planned if item.shelf == shelf] for shelf in plan_shelves}
    gain = np.array([[_overlap(seen[rows[a]], wanted[b]) for b in plan_shelves] for a in found_shelves], np.float32)
    expected = np.zeros_like(seen)
    for a, b in aligned(gain.reshape(len(found_shelves), len(plan_shelves))):
        shelf = [item for item in planned if item.shelf == plan_shelves[b]]
        last = max(places[n][1] for n in rows[found_shelves[a]])
        stretch = max(item.position for item in shelf) / last
        for n in rows[found_shelves[a]]:
            for item in shelf:
                near = abs(item.position - places[n][1] * stretch) <= _NEAR
                column = number[item.product_id]
                expected[n, column] = max(expected[n, column], 1.0 if near else _ON_SHELF)
    return expected


def _overlap(seen: Floats, wanted: Sequence[int]) -> float:
    """Return how many facings are likely to show a product of a planned shelf."""
    return float(seen[:, sorted(set(wanted))].sum())


def aligned(gain: Floats) -> list[tuple[int, int]]:
    """Pair rows and columns in order so that the gain is largest; shape (found shelves, planned shelves)."""
    height, width = gain.shape
    best = np.zeros((height + 1, width + 1), np.float32)
    for i in range(height):
        for j in range(width):
            best[i + 1, j + 1] = max(best[i, j] + gain[i, j], best[i, j + 1], best[i + 1, j])
    pairs: list[tuple[int, int]] = []
    i, j = height, width
    while i and j:
        if best[i, j] == best[i - 1, j]:
            i -= 1
        elif best[i, j] == best[i, j - 1]:
            j -= 1
        else:
            i, j = i - 1, j - 1
            pairs.append((i, j))
    return pairs[::-1]
