"""Draws what was said about a picture against what is true. Pure."""

from collections import Counter
from collections.abc import Collection
from enum import StrEnum
from typing import Final

from coldshelf.pictures.rendering.paint import legible
from coldshelf.recognition.annotate import Colour, Outline, draw_outlines
from coldshelf.recognition.evaluation.measuring import NamedFacing, Outcome
from coldshelf.recognition.evaluation.pairing import box_of
from coldshelf.recognition.recogniser import Box, Corners, Pixels


class Verdict(StrEnum):
    """What became of a box."""

    RIGHT = "right"
    WRONG_NAME = "wrong name"
    FALSE = "false"
    MISSED = "missed"
    UNJUDGED = "not judged"


COLOURS: Final[dict[Verdict, Colour]] = {
    Verdict.RIGHT: (64, 222, 106),
    Verdict.WRONG_NAME: (214, 106, 255),
    Verdict.FALSE: (255, 159, 28),
    Verdict.MISSED: (255, 59, 48),
    Verdict.UNJUDGED: (190, 194, 203),
}


def draw_outcome(image: Pixels, outcome: Outcome, known: Collection[str]) -> Pixels:
    """Return the picture with facings, missed products and ignored regions; `known` are the SKUs of the catalogue."""
    judged = [(judge_facing(outcome, named, known), named) for named in outcome.facings]
    missed = missed_boxes(outcome)
    ignored = [Outline(corners_of(box), COLOURS[Verdict.UNJUDGED], is_dashed=True) for box in outcome.picture.ignored]
    facings = [Outline(named.facing.corners, COLOURS[verdict], _words(named)) for verdict, named in judged]
    absent = [Outline(corners_of(box), COLOURS[Verdict.MISSED], legible(sku or "?")) for box, sku in missed]
    counts = Counter(verdict for verdict, _ in judged) + Counter({Verdict.MISSED: len(missed)})
    legend = [(colour, f"{verdict} {counts[verdict]}") for verdict, colour in COLOURS.items()]
    return draw_outlines(image, [*ignored, *absent, *facings], legend)


def judge_facing(outcome: Outcome, named: NamedFacing, known: Collection[str]) -> Verdict:
    """Say what became of a facing; a product without a reference is rightly called unknown."""
    if outcome.picture.boxes is None:
        return Verdict.UNJUDGED
    if named.true is None:
        return Verdict.FALSE
    sku = outcome.true[named.true].sku
    if sku is None:
        return Verdict.UNJUDGED
    return Verdict.RIGHT if named.sku == (sku if sku in known else None) else Verdict.WRONG_NAME


def missed_boxes(outcome: Outcome) -> list[tuple[Box, str | None]]:
    """Return the true boxes that no facing stands for, with their SKUs."""
    found = {named.true for named in outcome.facings}
    return [(true.box, true.sku) for number, true in enumerate(outcome.true) if number not in found]


def corners_of(box: Box) -> Corners:
    """Return the corners of an upright box, in the order of recognisers."""
    left, top, right, bottom = box
    return (left, top), (left, bottom), (right, bottom), (right, top)


def cut(image: Pixels, box: Box) -> Pixels:
    """Return the pixels of a box, at least one of them."""
    height, width = image.shape[:2]
    left, top = min(max(round(box[0]), 0), width - 1), min(max(round(box[1]), 0), height - 1)
    right, bottom = min(max(round(box[2]), left + 1), width), min(max(round(box[3]), top + 1), height)
    return image[top:bottom, left:right]


def facing_crop(image: Pixels, named: NamedFacing) -> Pixels:
    """Return the pixels of a facing."""
    return cut(image, box_of(named.facing.corners))


def _words(named: NamedFacing) -> str:
    return f"{legible(named.sku or '?')} {named.facing.confidence:.0%}"
