"""Applies corrections of labels: what the source of a set of pictures left out or named wrongly."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path, PurePosixPath

from pydantic import BaseModel, ConfigDict, TypeAdapter

from coldshelf.kit.errors import InputInvalid
from coldshelf.recognition.evaluation.documents import FORMATS, OrderedBox, read_document
from coldshelf.recognition.evaluation.truth import TrueBox, TruePicture, Truth, brands_of


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid")


class _Added(_Strict):
    bbox: OrderedBox
    sku: str | None
    brand: str | None = None
    why: str = ""


class _Changed(_Strict):
    index: int
    bbox: OrderedBox | None = None
    sku: str | None = None
    brand: str | None = None
    why: str = ""


class _Removed(_Strict):
    index: int
    why: str = ""


class _Doubtful(_Strict):
    bbox: OrderedBox
    why: str = ""


class _Corrections(_Strict):
    added: list[_Added] = []
    changed: list[_Changed] = []
    removed: list[_Removed] = []
    doubtful: list[_Doubtful] = []


_FORM = TypeAdapter(dict[str, _Corrections])


def correct(truth: Truth, path: Path) -> Truth:
    """Return the truth with a file of corrections applied; pictures are named by their file's name alone.

    Raise InputInvalid when the file names a picture or an object that is not there.
    """
    corrections = read_document(path, _FORM)
    strange = sorted(set(corrections) - {_name(picture) for picture in truth.pictures})
    if strange:
        raise InputInvalid(f"{path}: {strange[0]!r} is no picture of {truth.folder}", cure="Check the file's name.")
    pictures = tuple(
        _corrected(picture, corrections[_name(picture)], truth.brands, path)
        if _name(picture) in corrections
        else picture
        for picture in truth.pictures
    )
    return replace(
        truth, pictures=pictures, labels=f"{truth.labels}, corrected by {path.name}", brands=brands_of(pictures)
    )


def _name(picture: TruePicture) -> str:
    return PurePosixPath(picture.name).name


def _corrected(picture: TruePicture, corrections: _Corrections, brands: Mapping[str, str], path: Path) -> TruePicture:
    boxes = list(picture.boxes or ())
    for index in (*(each.index for each in corrections.changed), *(each.index for each in corrections.removed)):
        if not 0 <= index < len(boxes):
            raise InputInvalid(f"{path}: {_name(picture)} has no object {index}", cure=FORMATS)
    for change in corrections.changed:
        boxes[change.index] = _changed(boxes[change.index], change, brands)
    removed = {entry.index for entry in corrections.removed}
    kept = [true for number, true in enumerate(boxes) if number not in removed]
    added = [
        TrueBox(each.bbox, each.sku, each.brand or brands.get(each.sku or ""), is_added=True)
        for each in corrections.added
    ]
    return replace(
        picture,
        boxes=(*kept, *added),
        ignored=(*picture.ignored, *(each.bbox for each in corrections.doubtful)),
    )


def _changed(true: TrueBox, change: _Changed, brands: Mapping[str, str]) -> TrueBox:
    """Change what the correction names; a SKU of null says that nobody can tell which product it is."""
    if change.bbox is not None:
        true = replace(true, box=change.bbox)
    if "sku" in change.model_fields_set:
        brand = change.brand or (true.brand if change.sku == true.sku else brands.get(change.sku or ""))
        true = replace(true, sku=change.sku, brand=brand)
    return true
