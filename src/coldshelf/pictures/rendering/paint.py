"""What every picture here is drawn with: text, pasting, resizing, JPEG."""

import io
import unicodedata
from functools import cache

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

Pixels = NDArray[np.uint8]
"""RGB picture (height, width, 3), or RGBA (height, width, 4) where the name says sprite."""
Floats = NDArray[np.float32]
Mask = NDArray[np.bool_]
Colour = tuple[int, int, int]
"""Red, green, blue from 0 to 255."""
Font = ImageFont.FreeTypeFont | ImageFont.ImageFont
Box = tuple[float, float, float, float]
"""Left, top, right, bottom in pixels."""

# Letters that Unicode does not take apart into a base letter and a mark, but readers do.
_BASE_LETTERS = str.maketrans("đĐøØłŁıßæÆœŒ", "dDoOlLisaAoO")


@cache
def font(size: int) -> Font:
    return ImageFont.load_default(size=max(size, 4))


@cache
def _is_drawable(letter: str) -> bool:
    """Whether the built-in font has the letter: missing ones all get the picture of an unassigned one."""
    drawn, missing = (font(24).getmask(character) for character in (letter, "\uffff"))
    return letter == " " or (drawn.size, bytes(drawn)) != (missing.size, bytes(missing))


def legible(text: str) -> str:
    """Replace letters that the built-in font lacks by their base letter, or by a dot when there is none."""
    return "".join(letter if _is_drawable(letter) else _base_letter(letter) for letter in text)


def _base_letter(letter: str) -> str:
    base = unicodedata.normalize("NFKD", letter)[0].translate(_BASE_LETTERS)
    return base if _is_drawable(base) else "·"


def text_width(text: str, face: Font) -> float:
    return float(face.getlength(text))


def fitted_font(text: str, *, width: float, height: float) -> Font:
    """Choose the largest size at which one line of text fits into width x height pixels."""
    left, top, right, bottom = font(100).getbbox(text or "x", anchor="ls")
    return font(int(100 * min(width / max(right - left, 1), height / max(bottom - top, 1))))


def draw_word(draw: ImageDraw.ImageDraw, word: str, *, box: Box, fill: Colour, bold: float = 0.0) -> None:
    """Write one word as large as the box allows, centred; `bold` thickens strokes by that share of the height."""
    left, top, right, bottom = box
    face = fitted_font(word, width=(right - left) * (1 - bold), height=(bottom - top) * (1 - bold))
    ink = face.getbbox(word)
    stroke = bold * (ink[3] - ink[1])
    x = (left + right - ink[0] - ink[2]) / 2
    y = (top + bottom - ink[1] - ink[3]) / 2
    draw.text((x, y), word, font=face, fill=fill, stroke_width=stroke)


def tinted(colour: Colour, factor: float) -> Colour:
    """Darken (factor below 1) or lighten towards white (above 1)."""
    if factor <= 1:
        red, green, blue = (round(part * factor) for part in colour)
    else:
        red, green, blue = (round(part + (255 - part) * min(factor - 1, 1)) for part in colour)
    return red, green, blue


def resized(image: Pixels, *, width: int, height: int) -> Pixels:
    shrinks = height * width < image.shape[0] * image.shape[1]
    method = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(image, (max(width, 1), max(height, 1)), interpolation=method), dtype=np.uint8)


def paste(canvas: Pixels, sprite: Pixels, *, left: int, top: int, light: float = 1.0) -> None:
    """Lay an RGBA sprite on an RGB canvas in place; what hangs over the border is cut off."""
    height, width = canvas.shape[:2]
    x0, y0 = max(left, 0), max(top, 0)
    x1, y1 = min(left + sprite.shape[1], width), min(top + sprite.shape[0], height)
    if x0 >= x1 or y0 >= y1:
        return
    part = sprite[y0 - top : y1 - top, x0 - left : x1 - left].astype(np.float32)
    share = part[..., 3:] / np.float32(255)
    below = canvas[y0:y1, x0:x1].astype(np.float32)
    mixed = below + (part[..., :3] * np.float32(light) - below) * share
    canvas[y0:y1, x0:x1] = np.clip(mixed + np.float32(0.5), 0, 255).astype(np.uint8)


def encode_jpeg(image: Pixels, quality: int = 90) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(image).save(stream, format="JPEG", quality=quality)
    return stream.getvalue()
