"""Changes of pictures that a camera, a light or a shelf could have made. Pure numpy and OpenCV."""

import math
from dataclasses import dataclass, replace
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from coldshelf.recognition.recogniser import Pixels

Floats = NDArray[np.float32]
Matrix = NDArray[np.float64]
"""3 x 3, from the picture as it was to the picture as it becomes."""

_GREY: Final = (114, 114, 114)
_LUMA: Final = np.array([0.299, 0.587, 0.114])
PERMUTATIONS: Final = ((0, 1, 2), (0, 2, 1), (1, 0, 2), (1, 2, 0), (2, 0, 1), (2, 1, 0))
"""Orders of the colour channels; each but the first makes a product that does not exist."""


@dataclass(frozen=True, slots=True)
class Labelled:
    """A picture with true boxes.

    `boxes` are xyxy pixels, shape (n, 4); `ignored` marks boxes that are neither product nor background, shape (n,).
    """

    image: Pixels
    boxes: Floats
    ignored: NDArray[np.bool_]


def random_view(sample: Labelled, size: int, rng: np.random.Generator, *, zoom: tuple[float, float]) -> Labelled:
    """Look at a part of the picture, slightly turned, stretched and maybe mirrored, as a square of `size` pixels."""
    matrix = _random_matrix(sample.image.shape[:2], size, rng, zoom=zoom)
    shrunk = _antialiased(sample.image, matrix)
    image = cv2.warpPerspective(shrunk, matrix, (size, size), flags=cv2.INTER_LINEAR, borderValue=_GREY)
    return _clipped(Labelled(np.asarray(image, np.uint8), move_boxes(sample.boxes, matrix), sample.ignored), size)


def mosaic(parts: list[Labelled], size: int, rng: np.random.Generator) -> Labelled:
    """Join four square pictures at a random point."""
    x, y = (int(rng.uniform(0.35, 0.65) * size) for _ in range(2))
    image = np.empty((size, size, 3), np.uint8)
    boxes, ignored = [], []
    for part, (left, top, right, bottom) in zip(
        parts, ((0, 0, x, y), (x, 0, size, y), (0, y, x, size), (x, y, size, size)), strict=True
    ):
        image[top:bottom, left:right] = part.image[: bottom - top, : right - left]
        cut = _clipped(part, right - left, bottom - top)
        boxes.append(cut.boxes + np.array([left, top, left, top], np.float32))
        ignored.append(cut.ignored)
    return Labelled(image, np.concatenate(boxes), np.concatenate(ignored))


def move_boxes(boxes: Floats, matrix: Matrix) -> Floats:
    """Map boxes by the middles of their sides, which stay tight around upright things when the picture turns."""
    if not len(boxes):
        return boxes
    left, top, right, bottom = boxes.T.astype(np.float64)
    x, y = (left + right) / 2, (top + bottom) / 2
    points = np.stack([np.stack([left, y]), np.stack([right, y]), np.stack([x, top]), np.stack([x, bottom])])
    homogeneous = np.concatenate([points, np.ones_like(points[:, :1])], 1)
    mapped = np.einsum("ij,pjn->pin", matrix, homogeneous)
    xs, ys = mapped[:2, 0] / mapped[:2, 2], mapped[2:, 1] / mapped[2:, 2]
    return np.stack([xs.min(0), ys.min(0), xs.max(0), ys.max(0)], 1).astype(np.float32)


def _random_matrix(shape: tuple[int, int], size: int, rng: np.random.Generator, *, zoom: tuple[float, float]) -> Matrix:
    height, width = shape
    scale = size / max(height, width) * math.exp(rng.uniform(math.log(zoom[0]), math.log(zoom[1])))
    stretch = math.exp(rng.normal(0, 0.12))
    angle = math.radians(float(np.clip(rng.normal(0, 2), -6, 6)))
    mirror = -1 if rng.random() < 0.5 else 1
    lens = np.array([[1, 0, 0], [0, 1, 0], [*(rng.normal(0, 0.05, 2) / max(height, width)), 1]])
    centre = np.array([[1, 0, -width / 2], [0, 1, -height / 2], [0, 0, 1]])
    cosine, sine = math.cos(angle), math.sin(angle)
    turned = np.array([[cosine, -sine, 0], [sine, cosine, 0], [0, 0, 1]])
    sized = np.diag([mirror * scale * stretch, scale / stretch, 1.0])
    free_x = max(width * scale * stretch - size, 0.25 * size) / 2
    free_y = max(height * scale / stretch - size, 0.25 * size) / 2
    place = np.array(
        [[1, 0, size / 2 + rng.uniform(-free_x, free_x)], [0, 1, size / 2 + rng.uniform(-free_y, free_y)], [0, 0, 1]]
    )
    return np.asarray(place @ turned @ sized @ lens @ centre, np.float64)


def _antialiased(image: Pixels, matrix: Matrix) -> Pixels:
    """Blur a picture that will shrink a lot, as a lens would."""
    scale = math.sqrt(abs(float(np.linalg.det(matrix[:2, :2]))))
    return image if scale > 0.7 else np.asarray(cv2.GaussianBlur(image, (0, 0), 0.35 / scale), np.uint8)


def _clipped(sample: Labelled, width: int, height: int | None = None) -> Labelled:
    """Clip boxes to the picture; those seen by less than half are ignored, those hardly seen are dropped."""
    if not len(sample.boxes):
        return sample
    limits = np.array([width, height or width, width, height or width], np.float32)
    clipped = np.clip(sample.boxes, 0, limits)
    before = (sample.boxes[:, 2:] - sample.boxes[:, :2]).prod(1)
    after = (clipped[:, 2:] - clipped[:, :2]).clip(0).prod(1)
    seen = after / np.maximum(before, 1e-6)
    kept = (seen > 0.15) & ((clipped[:, 2:] - clipped[:, :2]).min(1) >= 4)
    return Labelled(sample.image, clipped[kept], (sample.ignored | (seen < 0.5))[kept])


def hide(sample: Labelled, hidden: NDArray[np.bool_], rng: np.random.Generator) -> Labelled:
    """Paint boxes over with noise and ignore them, so that a training never sees those products; shape (n,)."""
    image = sample.image.copy()
    for left, top, right, bottom in sample.boxes[hidden].round().astype(int):
        part = image[max(top - 1, 0) : bottom + 1, max(left - 1, 0) : right + 1]
        part[:] = rng.integers(60, 170, part.shape)
    return replace(sample, image=image, ignored=sample.ignored | hidden)


def recoloured(image: Pixels, rng: np.random.Generator, *, strength: float = 1.0) -> Pixels:
    """Change the light: cast, gamma, contrast, brightness, saturation, hue; never the order of the channels."""
    tables = _tables(rng, strength)
    out = cv2.LUT(image, tables)
    saturation = math.exp(rng.normal(0, 0.25 * strength))
    hue = float(rng.normal(0, 0.06 * strength))
    return np.asarray(cv2.transform(out, _colour_matrix(saturation, hue)), np.uint8)


def _tables(rng: np.random.Generator, strength: float) -> NDArray[np.uint8]:
    levels = np.linspace(0, 1, 256)[:, None]
    cast = np.exp(rng.normal(0, 0.12 * strength, 3))
    gamma = math.exp(rng.normal(0, 0.3 * strength))
    contrast, light = math.exp(rng.normal(0, 0.2 * strength)), rng.normal(0, 0.08 * strength)
    curve = ((levels**gamma - 0.5) * contrast + 0.5 + light) * cast
    return np.asarray(np.clip(curve * 255, 0, 255)[None], np.uint8)


def _colour_matrix(saturation: float, hue: float) -> Floats:
    """Return a turn around the grey axis by `hue` radians and a stretch from it."""
    axis = np.ones(3) / math.sqrt(3)
    cross = np.array([[0, -axis[2], axis[1]], [axis[2], 0, -axis[0]], [-axis[1], axis[0], 0]])
    turn = np.eye(3) * math.cos(hue) + math.sin(hue) * cross + (1 - math.cos(hue)) * np.outer(axis, axis)
    grey = np.tile(_LUMA, (3, 1))
    return np.asarray((saturation * np.eye(3) + (1 - saturation) * grey) @ turn, np.float32)


def degraded(image: Pixels, rng: np.random.Generator) -> Pixels:
    """Make the picture worse, as cheap cameras do: blur, motion, low resolution, uneven light, noise, JPEG."""
    out = image
    if rng.random() < 0.25:
        out = np.asarray(cv2.GaussianBlur(out, (0, 0), rng.uniform(0.4, 1.6)), np.uint8)
    if rng.random() < 0.12:
        out = _moved(out, rng)
    if rng.random() < 0.2:
        out = _coarse(out, rng)
    if rng.random() < 0.25:
        out = _unevenly_lit(out, rng)
    if rng.random() < 0.4:
        noise = rng.normal(0, rng.uniform(1, 10), (*out.shape[:2], 1)) + rng.normal(0, 2, out.shape)
        out = np.asarray(np.clip(out + noise, 0, 255), np.uint8)
    if rng.random() < 0.4:
        done, data = cv2.imencode(".jpg", out, [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(30, 95))])
        out = np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR), np.uint8) if done else out
    return out


def _moved(image: Pixels, rng: np.random.Generator) -> Pixels:
    length = int(rng.integers(3, 8))
    kernel = np.zeros((length, length), np.float32)
    kernel[length // 2] = 1 / length
    turn = cv2.getRotationMatrix2D((length / 2 - 0.5, length / 2 - 0.5), float(rng.uniform(0, 180)), 1)
    kernel = np.asarray(cv2.warpAffine(kernel, turn, (length, length)), np.float32)
    return np.asarray(cv2.filter2D(image, -1, kernel / max(float(kernel.sum()), 1e-6)), np.uint8)


def _coarse(image: Pixels, rng: np.random.Generator) -> Pixels:
    height, width = image.shape[:2]
    scale = rng.uniform(0.4, 0.9)
    small = cv2.resize(image, (max(2, int(width * scale)), max(2, int(height * scale))), interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.resize(small, (width, height), interpolation=cv2.INTER_LINEAR), np.uint8)


def _unevenly_lit(image: Pixels, rng: np.random.Generator) -> Pixels:
    height, width = image.shape[:2]
    corners = rng.uniform(0.55, 1.45, (2, 2)).astype(np.float32)
    light = np.asarray(cv2.resize(corners, (width, height), interpolation=cv2.INTER_LINEAR), np.float32)
    return np.asarray(np.clip(image * light[..., None], 0, 255), np.uint8)
