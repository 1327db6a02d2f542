"""Says what of a drawn cooler the picture shows: a product counts when at least half of it is seen."""

from dataclasses import dataclass
from itertools import groupby

import cv2
import numpy as np

from coldshelf.pictures.rendering.camera import Corners, seen_corners
from coldshelf.pictures.rendering.cooler import Column, Cooler, StockedShelf
from coldshelf.pictures.rendering.paint import Box
from coldshelf.pictures.rendering.stage import Owners
from coldshelf.pictures.rendering.stocking import Standing
from coldshelf.pictures.rendering.truth import TrueFacing, TrueGap, TrueShelf, box_around
from coldshelf.pictures.rendering.viewpoint import Viewpoint

_LEAST_SEEN = 0.5
_LEAST_SHELF = 0.3
_LEAST_PIXELS = 4
"""A product less wide or high in the picture is no facing."""
_DOOR_FRAME = 34.0  # mm a gap's middle must be away from the middle of a frame between doors


@dataclass(frozen=True, slots=True)
class _Seen:
    """A facing or a gap of a column, in the picture."""

    shelf: int
    column: int
    corners: Corners
    standing: Standing | None = None
    box: Box | None = None


def testify(
    cooler: Cooler, view: Viewpoint, standing: list[Standing], owners: Owners
) -> tuple[tuple[TrueShelf, ...], tuple[TrueFacing, ...], tuple[TrueGap, ...]]:
    """Return shelves, facings and gaps in pixels of the picture; `owners` is (height, width) of the picture.

    Shelves and positions count what the picture shows, from 1.
    """
    counts = np.bincount(owners.ravel(), minlength=len(standing) + 1)
    seen = [each for each in (_facing(one, view, owners, int(counts[one.owner])) for one in standing) if each]
    seen += _gaps(cooler, view)
    numbers = _numbered_shelves(cooler, view, {each.shelf for each in seen})
    shelves = tuple(
        TrueShelf(number, _clipped(_shelf_corners(cooler, cooler.shelves[index], view), view))
        for index, number in numbers.items()
    )
    facings, gaps = _positioned(cooler, seen, numbers)
    return shelves, facings, gaps


def _facing(one: Standing, view: Viewpoint, owners: Owners, count: int) -> _Seen | None:
    whole = one.pixels * _magnification(view, one.box)
    if count < _LEAST_SEEN * whole:
        return None
    corners = seen_corners(one.box, view.to_picture)
    box = _tight(owners, one.owner, box_around(corners))
    if box is None or min(box[2] - box[0], box[3] - box[1]) < _LEAST_PIXELS:
        return None
    return _Seen(one.shelf, one.column, _clipped(corners, view), one, box)


def _magnification(view: Viewpoint, box: Box) -> float:
    """Return how many pixels of the picture a canvas pixel in the middle of the box becomes."""
    middle = np.array([(box[0] + box[2]) / 2, (box[1] + box[3]) / 2, 1.0])
    depth = float(view.to_picture[2] @ middle)
    return float(abs(np.linalg.det(view.to_picture)) / abs(depth) ** 3)


def _tight(owners: Owners, owner: int, around: Box) -> Box | None:
    height, width = owners.shape
    x0, y0 = max(int(around[0]) - 3, 0), max(int(around[1]) - 3, 0)
    x1, y1 = min(int(around[2]) + 4, width), min(int(around[3]) + 4, height)
    mask = owners[y0:y1, x0:x1] == owner
    columns, rows = np.flatnonzero(mask.any(axis=0)), np.flatnonzero(mask.any(axis=1))
    if not columns.size:
        return None
    return float(x0 + columns[0]), float(y0 + rows[0]), float(x0 + columns[-1] + 1), float(y0 + rows[-1] + 1)


def _gaps(cooler: Cooler, view: Viewpoint) -> list[_Seen]:
    gaps = []
    for number, shelf in enumerate(cooler.shelves):
        for index, column in enumerate(shelf.columns):
            if column.design is not None or _is_behind_frame(cooler, column):
                continue
            corners = _projected(
                view, (column.x - column.width / 2, shelf.foot - shelf.tallest, column.x + column.width / 2, shelf.foot)
            )
            if _share_inside(corners, view) >= _LEAST_SEEN:
                gaps.append(_Seen(number, index, _clipped(corners, view)))
    return gaps


def _is_behind_frame(cooler: Cooler, column: Column) -> bool:
    return any(abs(column.x - middle) < _DOOR_FRAME for middle in cooler.frame_middles)


def _projected(view: Viewpoint, box: Box) -> Corners:
    (x0, y0), (x1, y1) = view.at(box[0], box[1]), view.at(box[2], box[3])
    return seen_corners((x0, y0, x1, y1), view.to_picture)


def _shelf_corners(cooler: Cooler, shelf: StockedShelf, view: Viewpoint) -> Corners:
    return _projected(view, (0, shelf.ceiling, cooler.width, shelf.foot))


def _numbered_shelves(cooler: Cooler, view: Viewpoint, used: set[int]) -> dict[int, int]:
    """Return the number, from 1 at the top, of each shelf that the picture shows."""
    shown = [
        index
        for index, shelf in enumerate(cooler.shelves)
        if index in used or _share_inside(_shelf_corners(cooler, shelf, view), view) >= _LEAST_SHELF
    ]
    return {index: number for number, index in enumerate(shown, start=1)}


def _positioned(
    cooler: Cooler, seen: list[_Seen], numbers: dict[int, int]
) -> tuple[tuple[TrueFacing, ...], tuple[TrueGap, ...]]:
    """Count what is seen of each shelf from the left; what is stacked shares the position below it."""
    facings: list[TrueFacing] = []
    gaps: list[TrueGap] = []
    position, last_shelf = 0, -1
    for (shelf, index), group in groupby(sorted(seen, key=_order), key=lambda each: (each.shelf, each.column)):
        position = position + 1 if shelf == last_shelf else 1
        last_shelf = shelf
        column = cooler.shelves[shelf].columns[index]
        for each in group:
            if column.design is None:
                gaps.append(TrueGap(numbers[shelf], position, each.corners, cooler.door_of(column.x)))
            elif each.standing is not None and each.box is not None:
                facings.append(
                    TrueFacing(
                        shelf=numbers[shelf],
                        position=position,
                        sku=column.design.sku,
                        corners=each.corners,
                        box=each.box,
                        stack_index=each.standing.stack_index,
                        fill_level=column.fill_level,
                        door=cooler.door_of(column.x),
                        number=each.standing.owner,
                    )
                )
    return tuple(facings), tuple(gaps)


def _order(each: _Seen) -> tuple[int, int, int]:
    return each.shelf, each.column, each.standing.stack_index if each.standing else 0


def _clipped(corners: Corners, view: Viewpoint) -> Corners:
    width, height = view.size
    tl, bl, br, tr = ((min(max(x, 0.0), float(width)), min(max(y, 0.0), float(height))) for x, y in corners)
    return tl, bl, br, tr


def _share_inside(corners: Corners, view: Viewpoint) -> float:
    """Return which share of a quad lies inside the picture."""
    width, height = view.size
    quad = np.array(corners, dtype=np.float32)
    frame = np.array([(0, 0), (0, height), (width, height), (width, 0)], dtype=np.float32)
    area = abs(float(cv2.contourArea(quad)))
    if area <= 0:
        return 0.0
    inside, _ = cv2.intersectConvexConvex(quad, frame)
    return float(inside) / area
