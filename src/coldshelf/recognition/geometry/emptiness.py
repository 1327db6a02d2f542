"""Whether a place looks like wall and wire rather than like a product. Pure."""

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np

from coldshelf.recognition.geometry.parts import Boxes, Floats
from coldshelf.recognition.recogniser import Box, Pixels

_FULL: Final = 0.5
"""Share of the look of the picture's products from which a place is taken for full."""
_ACROSS: Final = 24
_DOWN: Final = 48
_SIDES: Final = 0.15
"""Share of a place's width left out at either side: there its neighbours show."""
_SAMPLE: Final = 40
"""So many products tell the usual look."""


@dataclass(frozen=True, slots=True)
class Looks:
    """A picture and the usual look of its products: strength of flat edges and vividness, shape (2,)."""

    image: Pixels
    usual: Floats

    def is_empty(self, box: Box) -> bool:
        return float((_look(self.image, box) / self.usual).mean()) < _FULL


def usual_looks(image: Pixels, boxes: Boxes) -> Looks:
    """Look at the given products, at most 40 of them; at least one is given."""
    chosen = np.unique(np.linspace(0, len(boxes) - 1, _SAMPLE).round().astype(np.intp))
    sides = zip(boxes.left[chosen], boxes.top[chosen], boxes.right[chosen], boxes.bottom[chosen], strict=True)
    usual = np.median([_look(image, (float(a), float(b), float(c), float(d))) for a, b, c, d in sides], axis=0)
    return Looks(image, np.maximum(usual, 1.0))


def _look(image: Pixels, box: Box) -> Floats:
    """Return the strength of flat edges and the vividness of a box's middle, in grey levels, shape (2,)."""
    small = np.asarray(cv2.resize(_inner(image, box), (_ACROSS, _DOWN), interpolation=cv2.INTER_AREA), np.uint8)
    grey = cv2.cvtColor(small, cv2.COLOR_RGB2GRAY).astype(np.float64)
    vivid = small.max(2).astype(np.float64) - small.min(2)
    return np.array([np.abs(np.diff(grey, axis=0)).mean(), vivid.mean()])


def _inner(image: Pixels, box: Box) -> Pixels:
    """Return the middle of the part of a box that lies in the picture, at least one pixel."""
    height, width = image.shape[:2]
    inset = _SIDES * (box[2] - box[0])
    left = min(max(round(box[0] + inset), 0), width - 1)
    top = min(max(round(box[1]), 0), height - 1)
    right, bottom = min(max(round(box[2] - inset), left + 1), width), min(max(round(box[3]), top + 1), height)
    return image[top:bottom, left:right]
