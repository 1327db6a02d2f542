"""Reads truth from a COCO file of instances (https://cocodataset.org/#format-data)."""

from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, Field, TypeAdapter

from coldshelf.kit.errors import InputInvalid, NotFound
from coldshelf.recognition.evaluation.documents import FORMATS, read_document
from coldshelf.recognition.evaluation.truth import TrueBox, TruePicture, Truth, brands_of
from coldshelf.recognition.recogniser import Box

_NAMES = ("instances*.json", "*coco*.json")
_PLACES = ("", "images", "..", "../images")
"""Where pictures lie, seen from the file: beside it, or the file is in a folder of annotations."""


class _Image(BaseModel):
    id: int | str
    file_name: str
    width: int | None = None
    height: int | None = None


class _Annotation(BaseModel):
    image_id: int | str
    category_id: int | str
    bbox: tuple[float, float, Annotated[float, Field(gt=0)], Annotated[float, Field(gt=0)]]
    iscrowd: int = 0

    @property
    def box(self) -> Box:
        left, top, width, height = self.bbox
        return left, top, left + width, top + height


class _Category(BaseModel):
    id: int | str
    name: str
    supercategory: str | None = None


class _Instances(BaseModel):
    images: Annotated[list[_Image], Field(min_length=1)]
    annotations: list[_Annotation]
    categories: list[_Category]


_INSTANCES = TypeAdapter(_Instances)


def find_coco(folder: Path) -> Path | None:
    """Return the one COCO file of a folder; None without any, InputInvalid when there are several."""
    found = sorted({path for name in _NAMES for place in (".", "annotations") for path in (folder / place).glob(name)})
    if len(found) > 1:
        raise InputInvalid(f"{folder} has several COCO files: {found[0].name}, {found[1].name}", cure="Name the file.")
    return found[0] if found else None


def read_coco(path: Path) -> Truth:
    """Read pictures and boxes. A category is a SKU, its supercategory the brand; a crowd is a region to be ignored."""
    document = read_document(path, _INSTANCES)
    categories = {category.id: category for category in document.categories}
    of_image: dict[int | str, list[_Annotation]] = {image.id: [] for image in document.images}
    for number, annotation in enumerate(document.annotations):
        if annotation.image_id not in of_image or annotation.category_id not in categories:
            raise InputInvalid(f"{path}: annotations.{number} names no image or category of the file", cure=FORMATS)
        of_image[annotation.image_id].append(annotation)
    pictures = tuple(_picture(path, image, of_image[image.id], categories) for image in document.images)
    folder = path.parent.parent if path.parent.name == "annotations" else path.parent
    return Truth(pictures, f"source ({path.name})", folder, brands_of(pictures))


def _picture(
    path: Path, image: _Image, annotations: list[_Annotation], categories: dict[int | str, _Category]
) -> TruePicture:
    named = [(each, categories[each.category_id]) for each in annotations]
    return TruePicture(
        name=image.file_name,
        path=_find_picture(path, image.file_name),
        size=(image.width, image.height) if image.width and image.height else None,
        boxes=tuple(TrueBox(each.box, kind.name, kind.supercategory) for each, kind in named if not each.iscrowd),
        ignored=tuple(each.box for each, _ in named if each.iscrowd),
    )


def _find_picture(path: Path, name: str) -> Path:
    places = [path.parent / place / name for place in _PLACES]
    found = next((place for place in places if place.is_file()), None)
    if found is None:
        raise NotFound(f"{places[0]} is not there, though {path.name} names it", cure="Put it beside the file.")
    return found
