"""Several pictures of one cooler as one: side by side in the order the sender gave."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import cv2
import numpy as np

from coldshelf.pictures.imaging.errors import GridOrderMismatch
from coldshelf.pictures.imaging.pixels import MAX_PIXELS, MAX_SIDE, Pixels

Size = tuple[int, int]
"""Width and height in pixels."""


@dataclass(frozen=True, slots=True)
class Placement:
    """Where a picture stands in the combined one, in its pixels: x0, y0 inside, x1, y1 outside."""

    x0: int
    y0: int
    x1: int
    y1: int


@dataclass(frozen=True, slots=True)
class Stitched:
    """The combined picture; the n-th placement is that of the n-th file."""

    image: Pixels
    placements: tuple[Placement, ...]


class Stitcher(Protocol):
    """Makes one picture of several. Pure; a rendition keeps name and version of what made it."""

    name: str
    version: str

    def combine(self, pictures: Sequence[Pixels], order: Sequence[int]) -> Stitched:
        """Combine; the n-th number of `order` is the place, from 1, of the n-th picture."""
        ...


def parse_grid_order(text: str | None, count: int) -> tuple[int, ...]:
    """Read `GridOrder`: the n-th number is the place of the n-th file. Without one the files stand as they came."""
    if text is None or not text.strip():
        return tuple(range(1, count + 1))
    places = {str(place): place for place in range(1, count + 1)}
    order = tuple(places.get(part.strip(), 0) for part in text.split(","))
    _require_permutation(order, count)
    return order


def lay_out(sizes: Sequence[Size], order: Sequence[int]) -> tuple[Placement, ...]:
    """Place pictures of these sizes in one row of the tallest one's height, or less where the row grew too large."""
    _require_permutation(order, len(sizes))
    tallest = max(height for _, height in sizes)
    total = sum(width * tallest / height for width, height in sizes)
    scale = min(1.0, MAX_SIDE / total, MAX_SIDE / tallest, (MAX_PIXELS / (total * tallest)) ** 0.5)
    row_height = max(1, int(tallest * scale))
    # rounded down, so that the limits hold for the sum as well
    widths = [max(1, int(width * tallest / height * scale)) for width, height in sizes]
    placements = {}
    left = 0
    for file in sorted(range(len(sizes)), key=lambda file: order[file]):
        placements[file] = Placement(left, 0, left + widths[file], row_height)
        left += widths[file]
    return tuple(placements[file] for file in range(len(sizes)))


class SideBySide:
    """One row, nothing overlapped and nothing lost: what two pictures both show is there twice."""

    name = "side_by_side"
    version = "1"

    def combine(self, pictures: Sequence[Pixels], order: Sequence[int]) -> Stitched:
        placements = lay_out([(picture.shape[1], picture.shape[0]) for picture in pictures], order)
        row = np.empty((placements[0].y1, max(placement.x1 for placement in placements), 3), np.uint8)
        for picture, placement in zip(pictures, placements, strict=True):
            row[:, placement.x0 : placement.x1] = _scaled(picture, placement)
        return Stitched(row, placements)


def _scaled(picture: Pixels, placement: Placement) -> Pixels:
    size = placement.x1 - placement.x0, placement.y1 - placement.y0
    if size == (picture.shape[1], picture.shape[0]):
        return picture
    method = cv2.INTER_AREA if size[1] < picture.shape[0] else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(picture, size, interpolation=method), np.uint8)


def _require_permutation(order: Sequence[int], count: int) -> None:
    if not count or sorted(order) != list(range(1, count + 1)):
        raise GridOrderMismatch
