"""Finds facings with the trained detector, on pictures of any size.

The network was trained on products some 20 to 55 pixels wide. A first look at a small copy of the picture tells how
large the products are; where they are much smaller or larger than that, a second look takes the picture at the fitting
size, in tiles when it is large.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from coldshelf.recognition.networks.session import Session, open_session
from coldshelf.recognition.recogniser import Pixels

Floats = NDArray[np.float32]

STRIDE: Final = 4
_SIDES: Final = 32
"""The network takes sides that are multiples of this."""
_FIRST_LOOKS: Final = (448, 896)
"""Long sides of the copies that are looked at first."""
_LARGE: Final = 1200
"""Long side above which the second of them is looked at as well: the cooler may be a small part of the picture."""
_USUAL_HEIGHT: Final = 62.0
"""Height of products in pixels at which the network sees best."""
_GOOD_HEIGHTS: Final = (38.0, 95.0)
_LARGEST: Final = 2048
_TILE: Final = 768
_OVERLAP: Final = 160
_DOUBTFUL: Final = 0.05
_SAME: Final = 0.5
"""Intersection over union from which two boxes show the same facing."""
_INSIDE: Final = 0.75
"""Share of a box inside a better one from which it shows a part of the same facing."""
_SURE: Final = 0.3
_SMALLEST_SIDE: Final = 32


@dataclass(frozen=True, slots=True)
class Found:
    """Boxes xyxy in pixels of the picture, shape (n, 4), with scores from 0 to 1, shape (n,), best first."""

    boxes: Floats
    scores: Floats


NOTHING: Final = Found(np.zeros((0, 4), np.float32), np.zeros(0, np.float32))


class FacingDetector:
    """The detector of a model folder."""

    def __init__(self, file: Path) -> None:
        self._session: Session = open_session(file)

    def find(self, image: Pixels) -> Found:
        """Return boxes with a score of at least 0.05; none on pictures too small to see anything."""
        if image.ndim != 3 or image.shape[2] != 3 or min(image.shape[:2]) < _SMALLEST_SIDE:
            return NOTHING
        long_side = max(image.shape[:2])
        looks = [
            self._fitted(image, side / long_side)
            for side in _FIRST_LOOKS
            if side == _FIRST_LOOKS[0] or long_side > _LARGE
        ]
        return max(looks, key=_evidence)

    def _fitted(self, image: Pixels, scale: float) -> Found:
        """Look at the picture at a scale, and again at the scale that fits what was seen."""
        first = self._look(image, scale)
        fitting = _fitting_scale(first, scale, max(image.shape[:2]))
        return first if fitting is None else self._look(image, fitting)

    def _look(self, image: Pixels, scale: float) -> Found:
        """Find facings in the picture at a scale."""
        size = (max(1, round(image.shape[1] * scale)), max(1, round(image.shape[0] * scale)))
        method = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
        picture = np.asarray(cv2.resize(image, size, interpolation=method), np.uint8)
        parts = [self._tile(picture[top:bottom, left:right], left, top) for left, top, right, bottom in _tiles(*size)]
        boxes = np.concatenate([part.boxes for part in parts])
        scores = np.concatenate([part.scores for part in parts])
        kept = suppress(boxes, scores)
        shrink = np.array([image.shape[1] / size[0], image.shape[0] / size[1]] * 2, np.float32)
        return Found(boxes[kept] * shrink, scores[kept])

    def _tile(self, part: Pixels, left: int, top: int) -> Found:
        """Look at a part as it is and mirrored, and join both opinions."""
        height, width = part.shape[:2]
        padded = np.full((-(-height // _SIDES) * _SIDES, -(-width // _SIDES) * _SIDES, 3), 114, np.float32)
        padded[:height, :width] = part
        heat, distances = self._run(padded)
        other_heat, other_distances = self._run(padded[:, ::-1])
        found = decode(_mean(heat, other_heat[:, ::-1]), _mean(distances, other_distances[[2, 1, 0, 3], :, ::-1]))
        return Found(found.boxes + np.array([left, top, left, top], np.float32), found.scores)

    def _run(self, picture: Floats) -> tuple[Floats, Floats]:
        """Return the likelihood of centres (h, w) and the distances to the sides (4, h, w)."""
        pixels = np.ascontiguousarray(picture.transpose(2, 0, 1)[None], np.float32)
        centre, distance = self._session.run(None, {"image": pixels})
        return 1 / (1 + np.exp(-centre[0, 0])), distance[0]


def _mean(one: Floats, other: Floats) -> Floats:
    return np.asarray((one + other) / 2, np.float32)


def _evidence(found: Found) -> float:
    """Return how many facings are told, doubtful ones counting less."""
    return float(found.scores[found.scores >= _SURE].sum())


def _fitting_scale(first: Found, scale: float, long_side: int) -> float | None:
    """Return the scale at which the products have their usual size, None when they have it already."""
    sure = first.scores >= _SURE
    if not sure.any():
        return None
    height = float(np.median(first.boxes[sure, 3] - first.boxes[sure, 1])) * scale
    if _GOOD_HEIGHTS[0] <= height <= _GOOD_HEIGHTS[1]:
        return None
    fitting = min(scale * _USUAL_HEIGHT / height, _LARGEST / long_side)
    return fitting if abs(np.log(fitting / scale)) > np.log(1.2) else None


def _tiles(width: int, height: int) -> Iterator[tuple[int, int, int, int]]:
    """Cut a picture into overlapping parts (left, top, right, bottom)."""
    for top in _starts(height):
        for left in _starts(width):
            yield left, top, min(left + _TILE, width), min(top + _TILE, height)


def _starts(length: int) -> list[int]:
    if length <= _TILE:
        return [0]
    count = -(-(length - _OVERLAP) // (_TILE - _OVERLAP))
    return [round(n * (length - _TILE) / (count - 1)) for n in range(count)]


def decode(heat: Floats, distances: Floats) -> Found:
    """Turn the network's maps into boxes: at each peak, the mean of what the cells around it say."""
    peaks = (heat >= cv2.dilate(heat, np.ones((3, 3), np.uint8)) - 1e-6) & (heat >= _DOUBTFUL)
    rows, columns = np.nonzero(peaks)
    if not len(rows):
        return NOTHING
    boxes = _smoothed(_all_boxes(distances), heat)[rows, columns]
    scores = heat[rows, columns].astype(np.float32)
    kept = suppress(boxes, scores)
    return Found(boxes[kept], scores[kept])


def _all_boxes(distances: Floats) -> Floats:
    """Return the box that each cell tells, shape (h, w, 4)."""
    height, width = distances.shape[1:]
    x = ((np.arange(width) + 0.5) * STRIDE)[None]
    y = ((np.arange(height) + 0.5) * STRIDE)[:, None]
    left, top, right, bottom = distances
    return np.stack([x - left, y - top, x + right, y + bottom], 2).astype(np.float32)


def _smoothed(boxes: Floats, heat: Floats) -> Floats:
    weight = (heat**2)[..., None].astype(np.float32)
    total = cv2.blur(boxes * weight, (3, 3), borderType=cv2.BORDER_CONSTANT)
    share = cv2.blur(weight, (3, 3), borderType=cv2.BORDER_CONSTANT)
    return np.asarray(total / np.maximum(share[..., None] if share.ndim == 2 else share, 1e-9), np.float32)


def suppress(boxes: Floats, scores: Floats) -> NDArray[np.intp]:
    """Return the indices of boxes, best first, that no better box covers."""
    order = np.argsort(-scores, kind="stable")
    sorted_boxes = boxes[order]
    common, areas = _common(sorted_boxes, sorted_boxes), _areas(sorted_boxes)
    union = areas[:, None] + areas[None] - common
    covers = (common >= _SAME * union) | (common >= _INSIDE * areas[None])
    kept: list[int] = []
    gone = np.zeros(len(order), np.bool_)
    for n in range(len(order)):
        if not gone[n]:
            kept.append(n)
            gone |= covers[n]
    return order[kept]


def intersection_over_union(one: Floats, other: Floats) -> Floats:
    """Return the overlaps of boxes (n, 4) and (m, 4), shape (n, m)."""
    common = _common(one, other)
    return np.asarray(common / np.maximum(_areas(one)[:, None] + _areas(other)[None] - common, 1e-6), np.float32)


def _common(one: Floats, other: Floats) -> Floats:
    low, high = np.maximum(one[:, None, :2], other[None, :, :2]), np.minimum(one[:, None, 2:], other[None, :, 2:])
    return np.asarray(np.clip(high - low, 0, None).prod(-1), np.float32)


def _areas(boxes: Floats) -> Floats:
    return np.asarray((boxes[:, 2:] - boxes[:, :2]).prod(1), np.float32)
