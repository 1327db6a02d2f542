"""What the parts of the geometry share: boxes as arrays, and what comes out."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from coldshelf.recognition.recogniser import Box, Gap, Shelf

Floats = NDArray[np.float64]
Ints = NDArray[np.intp]
Flags = NDArray[np.bool_]

_FARTHEST = 1e6
"""Pixels; a detector's slip (infinite, not a number) becomes a box at the picture's corner."""


@dataclass(frozen=True, slots=True)
class Placed:
    """Where a given box stands; the fields mean what they mean in `Facing`."""

    shelf: int
    position: int
    door: int = 1
    stack_index: int = 0
    fill_level: int | None = None


@dataclass(frozen=True, slots=True)
class Arrangement:
    """Shelves from the top, empty ones included; one place for each given box in the given order; gaps by place."""

    shelves: tuple[Shelf, ...]
    places: tuple[Placed, ...]
    gaps: tuple[Gap, ...]


@dataclass(frozen=True, slots=True)
class Boxes:
    """Boxes as arrays of shape (n,), in pixels of the picture."""

    left: Floats
    top: Floats
    right: Floats
    bottom: Floats

    @classmethod
    def of(cls, boxes: Sequence[Box]) -> Self:
        """Take any four numbers: sides in the wrong order are swapped, none is thinner than a pixel."""
        sides = np.asarray(boxes, np.float64).reshape(-1, 4)
        sides = np.clip(np.nan_to_num(sides, nan=0.0, posinf=_FARTHEST, neginf=-_FARTHEST), -_FARTHEST, _FARTHEST)
        left, right = np.minimum(sides[:, 0], sides[:, 2]), np.maximum(sides[:, 0], sides[:, 2])
        top, bottom = np.minimum(sides[:, 1], sides[:, 3]), np.maximum(sides[:, 1], sides[:, 3])
        return cls(left, top, np.maximum(right, left + 1), np.maximum(bottom, top + 1))

    def __len__(self) -> int:
        return len(self.left)

    def __getitem__(self, chosen: Ints | NDArray[np.bool_]) -> "Boxes":
        return Boxes(self.left[chosen], self.top[chosen], self.right[chosen], self.bottom[chosen])

    @property
    def centre(self) -> Floats:
        return (self.left + self.right) / 2

    @property
    def width(self) -> Floats:
        return self.right - self.left

    @property
    def height(self) -> Floats:
        return self.bottom - self.top
