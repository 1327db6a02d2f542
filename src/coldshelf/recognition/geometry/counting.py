"""Gives facings and gaps their shelf and position, shelf by shelf from the left. Pure."""

from collections.abc import Sequence

from coldshelf.recognition.geometry.gaps import Span
from coldshelf.recognition.geometry.levels import Bodies
from coldshelf.recognition.geometry.parts import Ints, Placed
from coldshelf.recognition.geometry.rows import Row
from coldshelf.recognition.geometry.slant import Slant
from coldshelf.recognition.recogniser import Gap


def count_places(
    rows: Sequence[Row], gaps: Sequence[Sequence[Span]], *, bodies: Bodies, slant: Slant, supports: Ints
) -> tuple[tuple[Placed, ...], tuple[Gap, ...]]:
    """Return a place for each box, in the order of the boxes, and the gaps by shelf and position."""
    places: dict[int, Placed] = {}
    found: list[Gap] = []
    for number, (row, spans) in enumerate(zip(rows, gaps, strict=True), start=1):
        entries: list[tuple[float, int, Span | None]] = [
            (float(bodies.centre[box]), int(box), None) for box in row.floor
        ]
        entries += [(span.centre, -1, span) for span in spans]
        entries.sort(key=lambda entry: entry[:2])
        for position, (_, box, span) in enumerate(entries, start=1):
            if span is None:
                places[box] = Placed(number, position)
            else:
                found.append(Gap(number, position, span.corners(slant)))
    return tuple(_place(box, places, supports) for box in range(len(supports))), tuple(found)


def _place(box: int, places: dict[int, Placed], supports: Ints) -> Placed:
    """Return the place of a box; a stacked one has its support's."""
    if box not in places:
        under = _place(int(supports[box]), places, supports)
        places[box] = Placed(under.shelf, under.position, under.door, under.stack_index + 1)
    return places[box]
