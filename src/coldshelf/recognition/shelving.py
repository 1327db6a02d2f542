"""Turns rows of found products into shelves with counted positions, and finds what lies between: gaps. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise
from typing import Final

import cv2
import numpy as np

from coldshelf.recognition.appearance import Floats
from coldshelf.recognition.finding import PlacedRow
from coldshelf.recognition.recogniser import Box, Corners, Pixels

_ROOM_BETWEEN: Final = 0.6
_ROOM_AT_END: Final = 0.85
"""Free stretch that counts as one place, in widths of the row's median product."""
_ROUNDING: Final = 0.35
_FULL: Final = 0.5
"""Share of the look of the row's products from which a free stretch is taken for an unfound product. On rendered
scenes nine of ten gaps lie under 0.41 and nine of ten products over 0.7."""
_SKIPPED_SHELF: Final = 1.65
"""Distance of two rows, in median distances, from which a shelf is missing between them."""


class PlaceKind(StrEnum):
    """What stands at a place of a shelf."""

    FOUND = "found"
    UNFOUND = "unfound"
    """Something stands there that resembles no reference picture."""
    EMPTY = "empty"


@dataclass(frozen=True, slots=True)
class ShelfPlace:
    """A place on a shelf, in pixels of the picture."""

    box: Box
    kind: PlaceKind


@dataclass(frozen=True, slots=True)
class FoundShelf:
    """A shelf from left to right; without places when its row was not seen."""

    corners: Corners
    places: tuple[ShelfPlace, ...]


def arrange(image: Pixels, rows: Sequence[PlacedRow]) -> list[FoundShelf]:
    """Return shelves from top to bottom with their places, free ones included."""
    filled = [[place.box for place in row.places] for row in rows if row.places]
    if not filled:
        return []
    left = float(np.median([boxes[0][0] for boxes in filled]))
    right = float(np.median([boxes[-1][2] for boxes in filled]))
    shelves = [_with_free_places(image, boxes, left, right) for boxes in filled]
    return _with_skipped_shelves(image, shelves)


def corners_of(box: Box) -> Corners:
    """Return top-left, bottom-left, bottom-right, top-right."""
    left, top, right, bottom = box
    return (left, top), (left, bottom), (right, bottom), (right, top)


def _with_free_places(image: Pixels, boxes: list[Box], left: float, right: float) -> FoundShelf:
    width = float(np.median([box[2] - box[0] for box in boxes]))
    edges = [(left, boxes[0][0], _ROOM_AT_END)]
    edges += [(one[2], other[0], _ROOM_BETWEEN) for one, other in pairwise(boxes)]
    edges += [(boxes[-1][2], right, _ROOM_AT_END)]
    usual = _usual_look(image, boxes)
    places = [ShelfPlace(box, PlaceKind.FOUND) for box in boxes]
    for start, end, room in edges:
        for box in _split(start, end, width, room, boxes):
            kind = PlaceKind.UNFOUND if _fullness(image, box, usual) >= _FULL else PlaceKind.EMPTY
            places.append(ShelfPlace(box, kind))
    places.sort(key=lambda place: place.box[0] + place.box[2])
    return FoundShelf(_outline([place.box for place in places]), tuple(places))


def _split(start: float, end: float, width: float, room: float, boxes: list[Box]) -> list[Box]:
    """Cut a free stretch into places; top and bottom follow the row's slant."""
    if end - start < room * width:
        return []
    count = max(1, int((end - start) / width + _ROUNDING))
    middles = [(box[0] + box[2]) / 2 for box in boxes]
    tops, bottoms = [box[1] for box in boxes], [box[3] for box in boxes]
    places = []
    for number in range(count):
        x0 = start + (end - start) * number / count
        x1 = start + (end - start) * (number + 1) / count
        middle = (x0 + x1) / 2
        bottom = float(np.interp(middle, middles, bottoms))
        places.append((x0, bottom - float(np.median(np.subtract(bottoms, tops))), x1, bottom))
    return places


def _with_skipped_shelves(image: Pixels, shelves: list[FoundShelf]) -> list[FoundShelf]:
    """Put shelves where the distance of two rows is a multiple of the usual one."""
    feet = [_foot(shelf) for shelf in shelves]
    steps = np.diff(feet)
    if len(steps) < 2:
        return shelves
    usual = float(np.median(steps))
    complete = [shelves[0]]
    for (above, below), step in zip(pairwise(shelves), steps, strict=True):
        skipped = max(1, round(float(step) / usual) - 1) if step >= _SKIPPED_SHELF * usual else 0
        drops = [float(step) * number / (skipped + 1) for number in range(1, skipped + 1)]
        complete += [_unseen_shelf(image, above, drop) for drop in drops]
        complete.append(below)
    return complete


def _unseen_shelf(image: Pixels, above: FoundShelf, drop: float) -> FoundShelf:
    """Return the shelf a distance below another: with free places where it looks empty, else without places."""
    seen = [place.box for place in above.places]
    lowered = [(box[0], box[1] + drop, box[2], box[3] + drop) for box in seen]
    width = float(np.median([box[2] - box[0] for box in seen]))
    boxes = _split(seen[0][0], seen[-1][2], width, 0.0, lowered)
    usual = _usual_look(image, seen)
    empty = all(_fullness(image, box, usual) < _FULL for box in boxes)
    places = tuple(ShelfPlace(box, PlaceKind.EMPTY) for box in boxes) if empty else ()
    return FoundShelf(_outline(boxes), places)


def _foot(shelf: FoundShelf) -> float:
    return (shelf.corners[1][1] + shelf.corners[2][1]) / 2


def _outline(boxes: Sequence[Box]) -> Corners:
    """Return the corners around a row; the long sides run through its first and last box."""
    first, last = boxes[0], boxes[-1]
    height = max(box[3] - box[1] for box in boxes)
    return (first[0], first[3] - height), (first[0], first[3]), (last[2], last[3]), (last[2], last[3] - height)


def _fullness(image: Pixels, box: Box, usual: Floats) -> float:
    """Return how much a box looks like a product rather than like wall and wire, 1 for the usual product."""
    return float((_look(image, box) / usual).mean())


def _usual_look(image: Pixels, boxes: Sequence[Box]) -> Floats:
    return np.asarray(np.maximum(np.median([_look(image, box) for box in boxes], axis=0), 1.0), np.float32)


def _look(image: Pixels, box: Box) -> Floats:
    """Return the strength of flat edges and the vividness of a box's middle, in grey levels, shape (2,)."""
    small = np.asarray(cv2.resize(_inner(image, box), (24, 48), interpolation=cv2.INTER_AREA), np.uint8)
    grey = cv2.cvtColor(small, cv2.COLOR_RGB2GRAY).astype(np.float32)
    vivid = small.max(2).astype(np.float32) - small.min(2)
    return np.array([np.abs(np.diff(grey, axis=0)).mean(), vivid.mean()], np.float32)


def _inner(image: Pixels, box: Box) -> Pixels:
    """Return the middle of a box, at least 2 x 2 pixels: its borders show the neighbours."""
    height, width = image.shape[:2]
    inset = 0.15 * (box[2] - box[0])
    left = min(max(round(box[0] + inset), 0), width - 2)
    top = min(max(round(box[1]), 0), height - 2)
    right, bottom = min(max(round(box[2] - inset), left + 2), width), min(max(round(box[3]), top + 2), height)
    return image[top:bottom, left:right]
