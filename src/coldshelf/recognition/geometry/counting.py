"""Gives facings and gaps their shelf and position, shelf by shelf from the left. Pure."""

from collections.abc import Sequence

from coldshelf.recognition.geometry.gaps import Span
from coldshelf.recognition.geometry.levels import Bodies
from coldshelf.recognition.geometry.parts import Ints, Placed
from coldshelf.recognition.geometry.tiers import Cabinet, Tier
from coldshelf.recognition.recogniser import Gap


def count_places(
    tiers: Sequence[Tier], bodies: Bodies, cabinet: Cabinet, *, supports: Ints, fill_levels: Sequence[int | None]
) -> tuple[tuple[Placed, ...], tuple[Gap, ...]]:
    """Return a place for each box, in the order of the boxes, and the gaps by shelf and position."""
    places: dict[int, Placed] = {}
    found: list[Gap] = []
    for number, tier in enumerate(tiers, start=1):
        for position, (x, box, span) in enumerate(_from_left(tier, bodies), start=1):
            door = cabinet.door(x, tier.foot)
            if span is None:
                places[box] = Placed(number, position, door, fill_level=fill_levels[box])
            else:
                found.append(Gap(number, position, span.corners(cabinet.slant), door))
    return tuple(_place(box, places, supports) for box in range(len(supports))), tuple(found)


def _from_left(tier: Tier, bodies: Bodies) -> list[tuple[float, int, Span | None]]:
    """Return what takes part in a shelf's count: middle and index of boxes, middle and span of gaps."""
    entries: list[tuple[float, int, Span | None]] = [(span.centre, -1, span) for span in tier.gaps]
    if tier.row is not None:
        entries += [(float(bodies.centre[box]), int(box), None) for box in tier.row.floor]
    return sorted(entries, key=lambda entry: entry[:2])


def _place(box: int, places: dict[int, Placed], supports: Ints) -> Placed:
    """Return the place of a box; a stacked one has its support's."""
    if box not in places:
        under = _place(int(supports[box]), places, supports)
        places[box] = Placed(under.shelf, under.position, under.door, under.stack_index + 1)
    return places[box]
