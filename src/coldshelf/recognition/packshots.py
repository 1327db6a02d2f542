"""Makes reference pictures comparable with crops of a cooler: no margin, no white ground. Pure."""

from typing import Final

import cv2
import numpy as np

from coldshelf.recognition.recogniser import Pixels

_LIGHT_GROUND: Final = 200
_TOLERANCE: Final = 14
"""Grey levels by which the ground of a packshot varies (JPEG, soft shadows)."""
_SHADE: Final = (72, 72, 76)
"""Stands in for what is seen beside a bottle's neck: mostly further products in the shade."""
_MAX_SIDE: Final = 128


def prepare_reference(reference: Pixels) -> Pixels | None:
    """Return the product alone: shrunk, white ground trimmed and darkened; None when nothing is left to see."""
    if reference.ndim != 3 or reference.shape[2] != 3 or min(reference.shape[:2]) < 4:
        return None
    picture = shrunk(np.ascontiguousarray(reference), _MAX_SIDE)
    ground = _ground_of(picture)
    if ground is None:
        return picture
    rows, columns = np.nonzero(~ground)
    if len(rows) < ground.size // 20:
        return picture
    box = np.s_[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1]
    darkened = np.where(ground[..., None], np.array(_SHADE, np.uint8), picture)[box]
    return np.ascontiguousarray(darkened) if min(darkened.shape[:2]) >= 4 else None


def shrunk(picture: Pixels, long_side: int) -> Pixels:
    """Return the picture with at most so many pixels on its long side."""
    scale = long_side / max(picture.shape[:2])
    if scale >= 1:
        return picture
    size = (max(4, round(picture.shape[1] * scale)), max(4, round(picture.shape[0] * scale)))
    return np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.uint8)


def _ground_of(picture: Pixels) -> np.ndarray[tuple[int, ...], np.dtype[np.bool_]] | None:
    """Return the mask of a light, even ground that reaches all four corners, or None."""
    height, width = picture.shape[:2]
    corners = ((0, 0), (width - 1, 0), (0, height - 1), (width - 1, height - 1))
    colours = np.array([picture[y, x] for x, y in corners], np.int16)
    if colours.min() < _LIGHT_GROUND or np.ptp(colours, axis=0).max() > _TOLERANCE:
        return None
    mask = np.zeros((height + 2, width + 2), np.uint8)
    reach = (_TOLERANCE,) * 3
    flags = 4 | (1 << 8) | cv2.FLOODFILL_MASK_ONLY | cv2.FLOODFILL_FIXED_RANGE
    for corner in corners:
        cv2.floodFill(picture.copy(), mask, corner, (0, 0, 0), reach, reach, flags)
    return np.asarray(mask[1:-1, 1:-1] > 0, np.bool_)
