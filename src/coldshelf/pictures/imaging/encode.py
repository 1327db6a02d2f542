"""From pixels to a JPEG without a word about camera, place or person, and to a smaller picture."""

from io import BytesIO

import cv2
import numpy as np
from PIL import Image

from coldshelf.pictures.imaging.errors import PictureCorrupt
from coldshelf.pictures.imaging.pixels import Pixels

SMALLEST_WIDTH = 16
LARGEST_WIDTH = 4096
"""Limits of `maxWidth` of the preview."""

DEFAULT_QUALITY = 85


def encode_jpeg(image: Pixels, *, quality: int = DEFAULT_QUALITY) -> bytes:
    """Write a JPEG with no metadata at all: pixels came in, so EXIF and GPS cannot go out."""
    done, encoded = cv2.imencode(".jpg", cv2.cvtColor(image, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, quality])
    if not done:
        raise PictureCorrupt
    return encoded.tobytes()


def clamp_width(max_width: int) -> int:
    """Bring a wished width into the published limits."""
    return min(max(max_width, SMALLEST_WIDTH), LARGEST_WIDTH)


def shrink(image: Pixels, max_width: int) -> Pixels:
    """Scale down to at most this width (16 to 4096 after clamping); a narrower picture comes back as it is."""
    height, width = image.shape[:2]
    target = clamp_width(max_width)
    if width <= target:
        return image
    size = target, max(1, round(height * target / width))
    return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)


def shrink_jpeg(jpeg: bytes, max_width: int, *, quality: int = DEFAULT_QUALITY) -> bytes:
    """Scale a JPEG of our own (a rendition) down; a narrow one comes back byte for byte."""
    target = clamp_width(max_width)
    with Image.open(BytesIO(jpeg), formats=["JPEG"]) as picture:
        width, height = picture.size
        if width <= target:
            return jpeg
        # the decoder drops to 1/2, 1/4 or 1/8 by itself, but never below the size asked for here
        picture.draft("RGB", (target, max(1, round(height * target / width))))
        pixels = np.asarray(picture.convert("RGB"))
    return encode_jpeg(shrink(pixels, target), quality=quality)
