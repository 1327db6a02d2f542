"""What a camera does to the straight drawing: slant, exposure, noise, JPEG."""

import io
import math

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from coldshelf.pictures.rendering.paint import Pixels, encode_jpeg

Homography = NDArray[np.float64]
"""3 x 3, from the straight drawing to the picture."""
Corner = tuple[float, float]
Corners = tuple[Corner, Corner, Corner, Corner]
"""Top-left, bottom-left, bottom-right, top-right, x and y in pixels of the picture."""


def slant(width: int, height: int, *, rotation_degrees: float, perspective: tuple[float, float]) -> Homography:
    """Find the homography that turns and slants a picture and keeps all of it in the frame.

    `perspective` is by which share the right (below zero: left) and the lower (below zero: upper) edge shrinks.
    """
    shrink_right, shrink_left = (0.5 * max(sign * perspective[0], 0) * height for sign in (1, -1))
    shrink_bottom, shrink_top = (0.5 * max(sign * perspective[1], 0) * width for sign in (1, -1))
    flat = np.array([(0, 0), (0, height), (width, height), (width, 0)], dtype=np.float32)
    inward = np.array(
        [
            (shrink_top, shrink_left),
            (shrink_bottom, -shrink_left),
            (-shrink_bottom, -shrink_right),
            (-shrink_top, shrink_right),
        ],
        dtype=np.float32,
    )
    keystone = np.asarray(cv2.getPerspectiveTransform(flat, flat + inward), dtype=np.float64)
    return _rotation(width, height, rotation_degrees) @ keystone


def _rotation(width: int, height: int, degrees: float) -> Homography:
    sine, cosine = abs(math.sin(math.radians(degrees))), abs(math.cos(math.radians(degrees)))
    fits = min(width / (width * cosine + height * sine), height / (width * sine + height * cosine))
    turned = cv2.getRotationMatrix2D((width / 2, height / 2), degrees, fits)
    return np.vstack([np.asarray(turned, dtype=np.float64), [0.0, 0.0, 1.0]])


def seen_corners(box: tuple[float, float, float, float], homography: Homography) -> Corners:
    """Map a box of the straight drawing to the four corners it has in the picture."""
    left, top, right, bottom = box
    points = np.array([(left, top, 1), (left, bottom, 1), (right, bottom, 1), (right, top, 1)], dtype=np.float64)
    mapped = points @ homography.T
    tl, bl, br, tr = ((float(x / w), float(y / w)) for x, y, w in mapped)
    return tl, bl, br, tr


def photograph(
    drawing: Pixels,
    homography: Homography,
    *,
    softness: float,
    brightness: float,
    noise: float,
    jpeg_quality: int | None,
    rng: np.random.Generator,
) -> Pixels:
    """Take the picture: RGB of the drawing's size.

    `softness` is the lens's blur in pixels, `noise` is in grey levels; without a quality no JPEG is made.
    """
    seen = drawing if np.allclose(homography, np.eye(3)) else _warped(drawing, homography)
    if softness > 0:
        seen = np.asarray(cv2.GaussianBlur(seen, (0, 0), softness), dtype=np.uint8)
    exposed = seen.astype(np.float32) * np.float32(brightness)
    if noise > 0:
        exposed += rng.standard_normal(exposed.shape, dtype=np.float32) * np.float32(noise)
    picture: Pixels = np.clip(exposed + np.float32(0.5), 0, 255).astype(np.uint8)
    if jpeg_quality is None:
        return picture
    return np.array(Image.open(io.BytesIO(encode_jpeg(picture, jpeg_quality))).convert("RGB"), dtype=np.uint8)


def _warped(drawing: Pixels, homography: Homography) -> Pixels:
    height, width = drawing.shape[:2]
    # Pixel centres lie at half pixels in our coordinates and at whole ones in OpenCV's.
    in_opencv = _shift(-0.5) @ homography @ _shift(0.5)
    # The wall and the floor go on beyond the border; a mirrored border would show a second cooler.
    warped = cv2.warpPerspective(drawing, in_opencv, (width, height), borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(warped, dtype=np.uint8)


def _shift(by: float) -> Homography:
    return np.array([(1, 0, by), (0, 1, by), (0, 0, 1)], dtype=np.float64)
