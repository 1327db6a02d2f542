"""What a phone's camera makes of a scene: glare, haze, exposure, colour, blur, noise, JPEG."""

import io
from dataclasses import dataclass

import cv2
import numpy as np
from PIL import Image

from coldshelf.pictures.rendering.paint import Floats, Pixels, encode_jpeg


@dataclass(frozen=True, slots=True)
class Film:
    """How the picture is taken.

    `exposure` is a factor, `gamma` below 1 lifts the shadows, `tint` factors of red, green and blue, `glare` and `haze`
    shares of 255 that bright lamps and mist add, `softness` and `motion` lengths in pixels, `noise` in grey levels,
    `detail` the share of the picture's size at which the camera resolved it, `sharpening` the share of the fine
    contrast that its software adds.
    """

    exposure: float = 1.0
    gamma: float = 1.0
    tint: tuple[float, float, float] = (1.0, 1.0, 1.0)
    saturation: float = 1.0
    glare: float = 0.0
    haze: float = 0.0
    vignette: float = 0.0
    softness: float = 0.0
    motion: float = 0.0
    motion_degrees: float = 0.0
    noise: float = 0.0
    detail: float = 1.0
    sharpening: float = 0.0
    jpeg_quality: int | None = None


def expose(seen: Pixels, film: Film, rng: np.random.Generator) -> Pixels:
    """Take the picture: RGB of the same size."""
    picture = seen.astype(np.float32)
    if film.glare > 0:
        picture = _with_glare(picture, film.glare)
    if film.haze > 0:
        picture = _with_haze(picture, film.haze, rng)
    picture = _toned(picture, film)
    if film.vignette > 0:
        picture *= _vignette(picture.shape[0], picture.shape[1], film.vignette)
    picture = _sharpened(_blurred(picture, film), film.sharpening)
    if film.noise > 0:
        picture = picture + _grain(picture.shape[0], picture.shape[1], film.noise, rng)
    taken: Pixels = np.clip(picture + np.float32(0.5), 0, 255).astype(np.uint8)
    if film.jpeg_quality is None:
        return taken
    return np.array(Image.open(io.BytesIO(encode_jpeg(taken, film.jpeg_quality))).convert("RGB"), dtype=np.uint8)


def _with_glare(picture: Floats, glare: float) -> Floats:
    """Let light spill from what is nearly white."""
    height, width = picture.shape[:2]
    bright = np.clip(picture.min(axis=2) - 215, 0, 40) / np.float32(40)
    small = cv2.resize(bright, (max(width // 8, 1), max(height // 8, 1)), interpolation=cv2.INTER_AREA)
    spread = cv2.GaussianBlur(small, (0, 0), 1.2) + cv2.GaussianBlur(small, (0, 0), max(width / 90, 1.5))
    wide = np.asarray(cv2.resize(spread, (width, height), interpolation=cv2.INTER_LINEAR), dtype=np.float32)
    return np.asarray(picture + (wide * np.float32(255 * glare))[..., None], dtype=np.float32)


def _with_haze(picture: Floats, haze: float, rng: np.random.Generator) -> Floats:
    """Veil the picture unevenly, as a fogged lens or glass does."""
    height, width = picture.shape[:2]
    coarse = rng.uniform(0.2, 1, (3, 3)).astype(np.float32) * np.float32(haze)
    veil = np.asarray(cv2.resize(coarse, (width, height), interpolation=cv2.INTER_LINEAR), dtype=np.float32)[..., None]
    return np.asarray(picture * (1 - veil) + np.float32(228) * veil, dtype=np.float32)


def _toned(picture: Floats, film: Film) -> Floats:
    toned = picture * (np.array(film.tint, dtype=np.float32) * np.float32(film.exposure))
    if film.saturation != 1:
        grey = toned.mean(axis=2, keepdims=True)
        toned = grey + (toned - grey) * np.float32(film.saturation)
    if film.gamma != 1:
        toned = 255 * (np.clip(toned, 0, 255) / np.float32(255)) ** np.float32(film.gamma)
    return np.asarray(np.clip(toned, 0, 255), dtype=np.float32)


def _vignette(height: int, width: int, strength: float) -> Floats:
    y, x = np.linspace(-1, 1, height, dtype=np.float32), np.linspace(-1, 1, width, dtype=np.float32)
    radius = (y**2)[:, None] + (x**2)[None, :]
    return np.asarray(1 - np.float32(strength / 2) * radius, dtype=np.float32)[..., None]


def _blurred(picture: Floats, film: Film) -> Floats:
    height, width = picture.shape[:2]
    if film.detail < 1:
        small = cv2.resize(
            picture,
            (max(round(width * film.detail), 1), max(round(height * film.detail), 1)),
            interpolation=cv2.INTER_AREA,
        )
        picture = np.asarray(cv2.resize(small, (width, height), interpolation=cv2.INTER_CUBIC), dtype=np.float32)
    if film.softness > 0.2:
        picture = np.asarray(cv2.GaussianBlur(picture, (0, 0), film.softness), dtype=np.float32)
    if film.motion > 1:
        picture = np.asarray(cv2.filter2D(picture, -1, _smear(film.motion, film.motion_degrees)), dtype=np.float32)
    return picture


def _sharpened(picture: Floats, strength: float) -> Floats:
    if strength <= 0:
        return picture
    soft = np.asarray(cv2.GaussianBlur(picture, (0, 0), 1.0), dtype=np.float32)
    return np.asarray(picture + (picture - soft) * np.float32(strength), dtype=np.float32)


def _smear(length: float, degrees: float) -> Floats:
    size = 2 * int(np.ceil(length / 2)) + 1
    kernel = np.zeros((size, size), dtype=np.float32)
    middle, half = size / 2 - 0.5, length / 2
    dx, dy = half * np.cos(np.radians(degrees)), half * np.sin(np.radians(degrees))
    start, end = (round(middle - dx), round(middle - dy)), (round(middle + dx), round(middle + dy))
    cv2.line(kernel, (int(start[0]), int(start[1])), (int(end[0]), int(end[1])), 1.0)
    return np.asarray(kernel / kernel.sum(), dtype=np.float32)


def _grain(height: int, width: int, noise: float, rng: np.random.Generator) -> Floats:
    """Return noise of brightness, fine, and of colour, in blotches as cheap phones make it, (height, width, 3)."""
    fine = rng.standard_normal((height, width, 1), dtype=np.float32) * np.float32(noise)
    coarse = rng.standard_normal((max(height // 3, 1), max(width // 3, 1), 3), dtype=np.float32)
    blotches = np.asarray(cv2.resize(coarse, (width, height), interpolation=cv2.INTER_LINEAR), dtype=np.float32)
    return np.asarray(fine + blotches * np.float32(0.6 * noise), dtype=np.float32)
