"""What a drawn picture shows, as a recogniser should say it."""

from dataclasses import dataclass

from coldshelf.pictures.rendering.camera import Corners, Homography
from coldshelf.pictures.rendering.paint import Box, Pixels


@dataclass(frozen=True, slots=True)
class TrueShelf:
    """A shelf and the space above it; the first is the topmost."""

    number: int
    corners: Corners


@dataclass(frozen=True, slots=True)
class TrueFacing:
    """A front-row product; shelf and position count from 1, gaps take part in the count.

    `corners` bound the whole package, `box` what is seen of it, tight to the pixel. `stack_index` is 0 on the shelf and
    1, 2 … on top of the facing with the same position. `fill_level` is the percentage of the column that is filled, 100
    where the product stands at the edge. Doors count from 1 at the left. `number` names the facing, from 1, in every
    picture of the same cooler.
    """

    shelf: int
    position: int
    sku: str
    corners: Corners
    box: Box
    stack_index: int = 0
    fill_level: int = 100
    door: int = 1
    number: int = 0


@dataclass(frozen=True, slots=True)
class TrueGap:
    """An empty place, as wide as the product that belongs there and as high as the tallest of its shelf."""

    shelf: int
    position: int
    corners: Corners
    door: int = 1


@dataclass(frozen=True, slots=True, eq=False)
class RenderedScene:
    """A picture, RGB (height, width, 3), and its truth in pixels of that picture.

    `front_to_picture` maps the plane of the shelves' front edges to the picture: from millimetres for a cooler in
    space, from pixels of the straight drawing for a plain scene.
    """

    image: Pixels
    shelves: tuple[TrueShelf, ...]
    facings: tuple[TrueFacing, ...]
    gaps: tuple[TrueGap, ...]
    front_to_picture: Homography


def box_around(corners: Corners) -> Box:
    xs, ys = [x for x, _ in corners], [y for _, y in corners]
    return min(xs), min(ys), max(xs), max(ys)
