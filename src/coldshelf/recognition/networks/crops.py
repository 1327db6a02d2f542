"""Cuts products out of pictures, the same way in training and at work. Pure."""

from collections.abc import Sequence
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from coldshelf.recognition.recogniser import Pixels

Floats = NDArray[np.float32]

CROP: Final = (48, 96)
"""Width and height of a crop."""
MARGIN: Final = 0.06
"""Share of the box that a crop shows around it."""
_SHRINKS: Final = 1.4
"""Pixels of the picture per pixel of the crop from which plain interpolation would skip pixels."""


def cut(image: Pixels, box: Sequence[float] | Floats) -> tuple[Pixels, float]:
    """Return a crop of a box (xyxy pixels) at the size the network takes, and log(height / width) of the box.

    What lies outside of the picture repeats its border.
    """
    left, top, right, bottom = (float(side) for side in box)
    width, height = max(right - left, 1.0), max(bottom - top, 1.0)
    wide = (left - MARGIN * width, top - MARGIN * height, left + (1 + MARGIN) * width, top + (1 + MARGIN) * height)
    return _resampled(image, wide), float(np.log(height / width))


def cut_alone(image: Pixels, box: Sequence[float] | Floats) -> tuple[Pixels, float]:
    """Return the crop of a box as `cut` makes it of a picture that shows nothing but the box."""
    height, width = image.shape[:2]
    left, top = min(max(round(float(box[0])), 0), width - 2), min(max(round(float(box[1])), 0), height - 2)
    right, bottom = min(max(round(float(box[2])), left + 2), width), min(max(round(float(box[3])), top + 2), height)
    part = image[top:bottom, left:right]
    return cut(part, (0, 0, part.shape[1], part.shape[0]))


def _resampled(image: Pixels, box: tuple[float, float, float, float]) -> Pixels:
    left, top, right, bottom = box
    across, down = (right - left) / CROP[0], (bottom - top) / CROP[1]
    if max(across, down) > _SHRINKS:
        image, left, top, shrunk = _shrunk(image, box, max(across, down))
        across, down = across / shrunk, down / shrunk
    matrix = np.array([[across, 0, left + across / 2 - 0.5], [0, down, top + down / 2 - 0.5]])
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    return np.asarray(cv2.warpAffine(image, matrix, CROP, flags=flags, borderMode=cv2.BORDER_REPLICATE), np.uint8)


def _shrunk(image: Pixels, box: tuple[float, float, float, float], factor: float) -> tuple[Pixels, float, float, float]:
    """Average the part around a box down; return it, the box's left and top in it, and the factor."""
    height, width = image.shape[:2]
    left, top = min(max(int(box[0]), 0), width - 1), min(max(int(box[1]), 0), height - 1)
    right, bottom = min(max(int(box[2]) + 1, left + 1), width), min(max(int(box[3]) + 1, top + 1), height)
    size = (max(1, round((right - left) / factor)), max(1, round((bottom - top) / factor)))
    part = np.asarray(cv2.resize(image[top:bottom, left:right], size, interpolation=cv2.INTER_AREA), np.uint8)
    return part, (box[0] - left) / factor, (box[1] - top) / factor, factor
