"""Whether a place looks like wall and wire rather than like a product. Pure."""

from typing import Final

import cv2
import numpy as np

from coldshelf.recognition.geometry.parts import Boxes, Ints
from coldshelf.recognition.recogniser import Box, Pixels

_FAINT: Final = 0.2
"""Quantile of the looks around: a dark or clear bottle shows less than its neighbours and is still one."""
_AROUND: Final = 6
_FEWEST_AROUND: Final = 3
_WEIGHTS: Final = (0.6, 0.4)
"""Of the two parts of a look, from a logistic fit on rendered and real coolers."""
_ACROSS: Final = 16
_DOWN: Final = 32
_SIDES: Final = 0.2
"""Share of a place's width left out at either side: there its neighbours show."""
_FOOT: Final = 0.08
"""Share of its height left out at the foot: there the price rail shows."""
_SAMPLE: Final = 24
"""So many products tell the look where a row has hardly any."""
_FAINTEST: Final = 0.5
"""Grey levels; less is noise."""


class Looks:
    """A picture and how much its products look like products; each is looked at once, when it is needed."""

    def __init__(self, image: Pixels, boxes: Boxes) -> None:
        self._image = image
        self._boxes = boxes
        self._sample = np.unique(np.linspace(0, len(boxes) - 1, _SAMPLE).round().astype(np.intp))
        self._known: dict[int, float] = {}

    def fullness(self, place: Box, row: Ints) -> float:
        """Return how much a place looks like a product: 1 as the faintest of its row, or of the picture without one."""
        middle = (place[0] + place[2]) / 2
        near = row[np.argsort(np.abs(self._boxes.centre[row] - middle), kind="stable")[:_AROUND]]
        around = near if len(near) >= _FEWEST_AROUND else self._sample
        faint = float(np.quantile([self._product(int(box)) for box in around], _FAINT))
        return float(np.exp(_look(self._image, place) - faint))

    def _product(self, box: int) -> float:
        if box not in self._known:
            sides = self._boxes.left, self._boxes.top, self._boxes.right, self._boxes.bottom
            left, top, right, bottom = (float(side[box]) for side in sides)
            self._known[box] = _look(self._image, (left, top, right, bottom))
        return self._known[box]


def _look(image: Pixels, box: Box) -> float:
    """Return the logarithm of the strength of flat edges and of the spread of vividness in a box's middle, weighted.

    Wall and wire may be bright, dark or coloured, but they are so evenly; a package has lids and labels.
    """
    small = np.asarray(cv2.resize(_inner(image, box), (_ACROSS, _DOWN), interpolation=cv2.INTER_AREA), np.uint8)
    grey = cv2.GaussianBlur(cv2.cvtColor(small, cv2.COLOR_RGB2GRAY).astype(np.float32), (0, 0), 1.0)
    vivid = small.max(2).astype(np.float64) - small.min(2)
    parts = np.array([np.abs(np.diff(grey, axis=0)).mean(), vivid.std()])
    return float(np.log(np.maximum(parts, _FAINTEST)) @ np.array(_WEIGHTS))


def _inner(image: Pixels, box: Box) -> Pixels:
    """Return the middle of the part of a box that lies in the picture, at least one pixel."""
    height, width = image.shape[:2]
    inset, low = _SIDES * (box[2] - box[0]), box[3] - _FOOT * (box[3] - box[1])
    left = min(max(round(box[0] + inset), 0), width - 1)
    top = min(max(round(box[1]), 0), height - 1)
    right, bottom = min(max(round(box[2] - inset), left + 1), width), min(max(round(low), top + 1), height)
    return image[top:bottom, left:right]
