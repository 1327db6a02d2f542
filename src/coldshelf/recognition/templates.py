"""Likeness of every window of a picture to any of many small templates. Pure, training-free.

A template is a product shrunk to 6 x 10 cells with five channels: L*a*b* and the strength of edges across and down.
The likeness is a cosine with two changes: mean lightness and part of the mean tint are taken out, and flat windows
(walls, doors) are damped. Taking out and damping are linear or box sums, so the patches need no change of their own.
"""

from typing import Final

import cv2
import numpy as np

from coldshelf.recognition.appearance import TINY_HEIGHT, TINY_WIDTH, Floats, middle_weights, to_lab
from coldshelf.recognition.recogniser import Pixels

_LIGHTNESS: Final = 0.5
_TINT_REMOVED: Final = 0.55
_EDGE: Final = 5.0
_DAMPING: Final = 14.0
"""Added to the length of a window's vector (L*a*b* units), so that flat ones score low; a product has 40 to 300.
These four were tuned on `cooler_pepsico_vn_train`.
"""
_SEEN_HEIGHT: Final = 56
_CELLS: Final = TINY_WIDTH * TINY_HEIGHT
_MAX_TEMPLATES: Final = 160
"""Bounds the work for large catalogues; beyond it the most different templates are kept."""


def channels_of(image: Pixels) -> tuple[Floats, Floats]:
    """Return L*a*b* (height, width, 3) and the roots of edge strength across and down (height, width, 2)."""
    lab = to_lab(image)
    grey = np.sqrt(np.clip(lab[..., 0], 0, 100) * 100).astype(np.float32)
    across, down = cv2.Sobel(grey, cv2.CV_32F, 1, 0), cv2.Sobel(grey, cv2.CV_32F, 0, 1)
    return lab, np.sqrt(np.abs(np.dstack([across, down])) / 4).astype(np.float32)


def shrink(channels: tuple[Floats, Floats], *, width: int, height: int) -> Floats:
    """Return the five channels at another size, shape (height, width, 5)."""
    parts = [cv2.resize(part, (width, height), interpolation=cv2.INTER_AREA) for part in channels]
    return np.concatenate(parts, 2).astype(np.float32)


def make_templates(crops: list[Pixels]) -> Floats:
    """Return the templates of some crops as folded weights, shape (templates, 5 * 60), at most 160 of them."""
    small = [shrink(channels_of(_as_seen(crop)), width=TINY_WIDTH, height=TINY_HEIGHT) for crop in crops]
    if not small:
        return np.zeros((0, 5 * _CELLS), np.float32)
    patches = np.stack(small).transpose(0, 3, 1, 2)
    vectors = _transform(patches).reshape(len(small), -1)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True) + 1e-6
    kept = _most_different(vectors)
    return _fold(vectors[kept].reshape(-1, 5, TINY_HEIGHT, TINY_WIDTH)).reshape(len(kept), -1)


def _as_seen(crop: Pixels) -> Pixels:
    """Shrink a crop to the size products have in a working picture, since edges weaken with size."""
    scale = _SEEN_HEIGHT / crop.shape[0]
    if scale >= 1:
        return crop
    size = (max(TINY_WIDTH, round(crop.shape[1] * scale)), _SEEN_HEIGHT)
    return np.asarray(cv2.resize(crop, size, interpolation=cv2.INTER_AREA), np.uint8)


def likeness(small: Floats, templates: Floats) -> Floats:
    """Return the best likeness of each 6 x 10 window of `small` (rows, columns, 5), shape (rows - 9, columns - 5)."""
    windows = np.lib.stride_tricks.sliding_window_view(small, (TINY_HEIGHT, TINY_WIDTH), axis=(0, 1))
    rows, columns = windows.shape[:2]
    products = windows.reshape(rows * columns, -1) @ templates.T
    best = np.asarray(products.max(1).reshape(rows, columns), np.float32)
    return np.asarray(best / (_lengths(small)[:rows, :columns] + _DAMPING), np.float32)


def _transform(patches: Floats) -> Floats:
    """Take means out and weigh, on patches of shape (n, 5, 10, 6)."""
    mean = patches[:, :3].mean((2, 3), keepdims=True)
    out = patches.copy()
    out[:, :1] = (out[:, :1] - mean[:, :1]) * _LIGHTNESS
    out[:, 1:3] -= mean[:, 1:3] * _TINT_REMOVED
    out[:, :3] *= middle_weights()
    out[:, 3:] *= _EDGE
    return out


def _fold(vectors: Floats) -> Floats:
    """Return weights w so that w . patch equals vector . _transform(patch): the transform's transpose."""
    out = vectors.copy()
    out[:, :3] *= middle_weights()
    mean = out[:, :3].mean((2, 3), keepdims=True)
    out[:, :1] = (out[:, :1] - mean[:, :1]) * _LIGHTNESS
    out[:, 1:3] -= mean[:, 1:3] * _TINT_REMOVED
    out[:, 3:] *= _EDGE
    return out


def _lengths(small: Floats) -> Floats:
    """Return the length of the transformed window that starts at each cell, shape as `small` without channels."""
    squared = middle_weights() ** 2
    plain = np.ones(TINY_WIDTH, np.float32)
    lab = small[..., :3]
    mean = np.dstack([_window_sum(lab[..., i], plain) for i in range(3)]) / _CELLS
    mean *= np.array([1.0, _TINT_REMOVED, _TINT_REMOVED], np.float32)
    linear = np.dstack([_window_sum(lab[..., i], squared) for i in range(3)])
    quadratic = np.dstack([_window_sum(lab[..., i] ** 2, squared) for i in range(3)])
    deviation = quadratic - 2 * mean * linear + mean**2 * float(squared.sum() * TINY_HEIGHT)
    colour = deviation[..., 0] * _LIGHTNESS**2 + deviation[..., 1] + deviation[..., 2]
    edges = _window_sum((small[..., 3:] ** 2).sum(2), plain) * _EDGE**2
    return np.sqrt(np.maximum(colour + edges, 0)).astype(np.float32)


def _window_sum(values: Floats, across: Floats) -> Floats:
    down = np.ones(TINY_HEIGHT, np.float32)
    return np.asarray(
        cv2.sepFilter2D(np.ascontiguousarray(values), cv2.CV_32F, across, down, anchor=(0, 0)), np.float32
    )


def _most_different(vectors: Floats) -> list[int]:
    """Return indices of at most 160 vectors, each time the one least like those already taken."""
    if len(vectors) <= _MAX_TEMPLATES:
        return list(range(len(vectors)))
    kept, nearest = [0], vectors @ vectors[0]
    while len(kept) < _MAX_TEMPLATES:
        kept.append(int(nearest.argmin()))
        nearest = np.maximum(nearest, vectors @ vectors[kept[-1]])
    return kept
