"""A cooler and what stands in it, in millimetres."""

from dataclasses import dataclass
from enum import StrEnum

from coldshelf.pictures.rendering.designs import ProductDesign
from coldshelf.pictures.rendering.paint import Box, Colour


class CoolerKind(StrEnum):
    SHELF = "shelf"
    """A cooler's inside from near: no door, hardly any frame."""
    OPEN_DOOR = "open-door"
    """A cooler with its door open at one side."""
    GLASS_DOOR = "glass-door"
    """A cooler behind its closed glass door."""
    MULTI_DOOR = "multi-door"
    """Two or three closed glass doors with frames between them."""
    OPEN_RACK = "open-rack"
    """A rack without walls; the room shows through."""


@dataclass(frozen=True, slots=True)
class Column:
    """A place of a shelf: products one behind the other, `stack` on top of each other; without a design a gap.

    `x` is its middle. The foremost product stands `set_back` products behind the edge; `deep` stand behind each other.
    """

    x: float
    width: float
    design: ProductDesign | None
    stack: int = 1
    set_back: int = 0
    deep: int = 1
    turn: float = 0.0

    @property
    def fill_level(self) -> int:
        """Percent of the column that is filled: 100 at the edge, 25 less for each product missing in front."""
        return max(100 - 25 * self.set_back, 25)


@dataclass(frozen=True, slots=True)
class StockedShelf:
    """A shelf: products stand at y = `foot`, and the space above them ends at `ceiling`."""

    foot: float
    ceiling: float
    columns: tuple[Column, ...]

    @property
    def tallest(self) -> float:
        return max((each.design.form.height_mm for each in self.columns if each.design), default=130.0)


@dataclass(frozen=True, slots=True)
class Look:
    """Colours and fittings of a cooler."""

    word: str
    body: Colour
    ink: Colour
    strip: Colour
    wall: Colour
    strip_height: float
    is_fenced: bool
    has_tags: bool
    header: float
    frame: float
    base: float
    lamps: tuple[bool, bool]
    has_dotted_lamps: bool
    has_fan: bool
    door_side: int
    """1: handle or open door at the right, -1: at the left."""


@dataclass(frozen=True, slots=True)
class Cooler:
    """A cooler whose interior is `width` x `height` x `depth` mm; x, y and z as in `viewpoint`."""

    kind: CoolerKind
    width: float
    height: float
    depth: float
    shelves: tuple[StockedShelf, ...]
    look: Look
    doors: int = 1

    @property
    def outline(self) -> Box:
        """Return the front of the whole cooler, frame, header and base included."""
        look = self.look
        return -look.frame, -look.frame - look.header, self.width + look.frame, self.height + look.frame + look.base

    def door_of(self, x: float) -> int:
        """Return the door that a place lies behind, from 1 at the left."""
        return min(max(int(x / self.width * self.doors), 0), self.doors - 1) + 1

    @property
    def frame_middles(self) -> tuple[float, ...]:
        """Return x of the frames between the doors."""
        return tuple(self.width * number / self.doors for number in range(1, self.doors))
