"""Turns crops into points on a sphere: products that look alike lie close."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np

from coldshelf.recognition.networks.crops import Floats, cut
from coldshelf.recognition.networks.session import Session, open_session
from coldshelf.recognition.recogniser import Pixels

_BATCH: Final = 64


class CropEmbedder:
    """The embedding of a model folder."""

    def __init__(self, file: Path) -> None:
        self._session: Session = open_session(file)

    def embed(self, crops: Sequence[tuple[Pixels, float]]) -> Floats:
        """Return a unit vector for each crop of `cut`, the mean of it and its mirror image, shape (n, dimensions)."""
        parts = [self._run(crops[start : start + _BATCH]) for start in range(0, len(crops), _BATCH)]
        return np.concatenate(parts) if parts else np.zeros((0, 1), np.float32)

    def embed_boxes(self, image: Pixels, boxes: Floats) -> Floats:
        """Return a unit vector for each box (xyxy pixels), shape (n, dimensions)."""
        return self.embed([cut(image, box) for box in boxes])

    def _run(self, crops: Sequence[tuple[Pixels, float]]) -> Floats:
        pixels = np.stack([crop for crop, _ in crops]).transpose(0, 3, 1, 2).astype(np.float32)
        shapes = np.array([shape for _, shape in crops], np.float32)
        both = [
            self._session.run(None, {"crop": np.ascontiguousarray(seen), "shape": shapes})[0]
            for seen in (pixels, pixels[..., ::-1])
        ]
        vectors = both[0] + both[1]
        return np.asarray(vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-9), np.float32)
