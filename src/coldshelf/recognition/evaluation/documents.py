"""Reads JSON files of other people: what is wrong is said with file and place."""

from pathlib import Path
from typing import Annotated, TypeVar

from pydantic import AfterValidator, TypeAdapter, ValidationError

from coldshelf.kit.errors import InputInvalid, NotFound
from coldshelf.recognition.recogniser import Box

T = TypeVar("T")
FORMATS = "docs/evaluation.md shows the format."


def read_document(path: Path, form: TypeAdapter[T], *, cure: str = FORMATS) -> T:
    """Read a JSON file of the given form; raise NotFound without it, InputInvalid with the place of the first fault."""
    try:
        return form.validate_json(path.read_bytes())
    except FileNotFoundError as fault:
        raise NotFound(f"{path} is not there", cure=cure) from fault
    except OSError as fault:
        raise InputInvalid(f"{path} cannot be read: {fault.strerror}", cure=cure) from fault
    except ValidationError as fault:
        first = fault.errors(include_url=False, include_context=False)[0]
        place = ".".join(map(str, first["loc"]))
        raise InputInvalid(f"{path}: {place + ': ' if place else ''}{first['msg']}", cure=cure) from fault


def _ordered(box: Box) -> Box:
    if box[0] >= box[2] or box[1] >= box[3]:
        raise ValueError("a box is left, top, right, bottom in pixels, with left < right and top < bottom")
    return box


OrderedBox = Annotated[Box, AfterValidator(_ordered)]
"""Left, top, right, bottom of a box that is not empty."""
