"""From a picture and the boxes of front-row facings to shelves, positions and gaps. Pure."""

from collections.abc import Sequence

import numpy as np

from coldshelf.recognition.geometry.borders import find_borders
from coldshelf.recognition.geometry.counting import count_places
from coldshelf.recognition.geometry.doors import find_frames
from coldshelf.recognition.geometry.emptiness import Looks
from coldshelf.recognition.geometry.filling import fill_levels
from coldshelf.recognition.geometry.levelled import level_picture
from coldshelf.recognition.geometry.levels import level_out
from coldshelf.recognition.geometry.loners import settle_loners
from coldshelf.recognition.geometry.parts import Arrangement, Boxes
from coldshelf.recognition.geometry.rails import find_unseen_shelves
from coldshelf.recognition.geometry.rows import find_floors, rows_of
from coldshelf.recognition.geometry.slant import estimate_slant
from coldshelf.recognition.geometry.tiers import Cabinet, shelf_of, tier_of_row, tier_without_boxes
from coldshelf.recognition.recogniser import Box, Pixels


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
    floors, supports = find_floors(seen, bodies, slant)
    borders, looks = find_borders(floors, bodies, slant), Looks(image, seen)
    levelled = level_picture(image, slant, borders, height=float(np.median(bodies.height)))
    floors, supports = settle_loners(floors, supports, bodies, levelled)
    rows = rows_of(floors, supports, bodies)
    cabinet = Cabinet(borders, tuple(find_frames(rows, bodies, borders, levelled)), slant)
    tiers = [tier_of_row(row, bodies, cabinet, looks) for row in rows]
    unseen = find_unseen_shelves(rows, bodies, levelled)
    tiers += [tier_without_boxes(foot, tiers, bodies, cabinet, looks) for foot in unseen]
    tiers.sort(key=lambda tier: tier.foot)
    places, gaps = count_places(tiers, bodies, cabinet, supports=supports, fill_levels=fill_levels(rows, bodies))
    shelves = tuple(shelf_of(number, tier, bodies, cabinet) for number, tier in enumerate(tiers, start=1))
    return Arrangement(shelves, places, gaps)
