"""From a picture and the boxes of front-row facings to shelves, positions and gaps. Pure."""

from collections.abc import Sequence

import numpy as np

from coldshelf.recognition.geometry.borders import Borders, find_borders
from coldshelf.recognition.geometry.counting import count_places
from coldshelf.recognition.geometry.emptiness import usual_looks
from coldshelf.recognition.geometry.gaps import find_gaps
from coldshelf.recognition.geometry.levels import Bodies, level_out
from coldshelf.recognition.geometry.parts import Arrangement, Boxes
from coldshelf.recognition.geometry.rows import Row, find_rows
from coldshelf.recognition.geometry.slant import Slant, estimate_slant
from coldshelf.recognition.recogniser import Box, Corners, Pixels, Shelf


def arrange(image: Pixels, boxes: Sequence[Box]) -> Arrangement:
    """Say of each box where it stands, and where the picture shows free places.

    Boxes may come in any order, lie partly outside the picture and be wrong; each gets a place. Without boxes there
    are no shelves. The same input gives the same result.
    """
    if not len(boxes):
        return Arrangement((), (), ())
    seen = Boxes.of(boxes)
    slant = estimate_slant(seen)
    bodies = level_out(seen, slant)
    rows, supports = find_rows(seen, bodies, slant)
    borders, looks = find_borders(rows, bodies, slant), usual_looks(image, seen)
    gaps = [find_gaps(row, bodies, slant, sides=borders.at(_level(row, bodies)), looks=looks) for row in rows]
    shelves = tuple(_shelf(number, row, bodies, slant, borders) for number, row in enumerate(rows, start=1))
    places, found = count_places(rows, gaps, bodies=bodies, slant=slant, supports=supports)
    return Arrangement(shelves, places, found)


def _level(row: Row, bodies: Bodies) -> float:
    return float(np.median(bodies.foot[row.floor]))


def _shelf(number: int, row: Row, bodies: Bodies, slant: Slant, borders: Borders) -> Shelf:
    """Return the space above a shelf's front edge as high as its tallest product, from side to side."""
    left, right = borders.at(_level(row, bodies))
    left, right = min(left, float(bodies.left[row.floor].min())), max(right, float(bodies.right[row.floor].max()))
    inside = np.concatenate((row.floor, row.stacked))
    height = float((row.foot(bodies.centre[inside]) - bodies.head[inside]).max())
    feet = [float(slant.y(float(row.foot(x)), x)) for x in (left, right)]
    corners: Corners = (left, feet[0] - height), (left, feet[0]), (right, feet[1]), (right, feet[1] - height)
    return Shelf(number, corners)
