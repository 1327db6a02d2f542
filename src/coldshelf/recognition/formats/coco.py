"""Writes detections as COCO files (https://cocodataset.org/#format-data). Pure.

Three documents that share their numbers: `dataset` is a complete file of its own, with shelf and position beside each
box; `results` is the short list that COCO's own tools rate; `truth` is what they rate it against.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from coldshelf.recognition.recogniser import Box, Corners, Detections, Facing, ProductId

Json = dict[str, Any]  # a JSON document
UNKNOWN: Final = "unknown"
"""Category of products that were not named."""


@dataclass(frozen=True, slots=True)
class SeenPicture:
    """A picture and what was seen in it."""

    name: str
    width: int
    height: int
    detections: Detections


@dataclass(frozen=True, slots=True)
class LabelledBox:
    """A true box; `is_ignored`: a region where nobody can say what stands there."""

    box: Box
    sku: str | None
    is_ignored: bool = False


class Categories:
    """SKUs numbered from 1 in their order, and `unknown` after them; brands become supercategories."""

    def __init__(self, skus: Iterable[str], brands: Mapping[str, str] | None = None) -> None:
        self._brands = brands or {}
        self._names = [*sorted({*skus} - {UNKNOWN}), UNKNOWN]
        self._numbers = {name: number for number, name in enumerate(self._names, start=1)}

    def number(self, sku: str | None) -> int:
        """Return the number of a SKU; one that is not listed is unknown."""
        return self._numbers.get(sku or UNKNOWN, self._numbers[UNKNOWN])

    def listed(self) -> list[Json]:
        """Return the categories as COCO lists them."""
        return [
            {"id": number, "name": name, "supercategory": self._brands.get(name, "product")}
            for name, number in self._numbers.items()
        ]


def dataset(pictures: Sequence[SeenPicture], skus: Mapping[ProductId, str], categories: Categories) -> Json:
    """Return a complete COCO file of what was seen."""
    seen = _numbered_facings(pictures)
    annotations = [
        {
            "id": number,
            "image_id": image,
            "category_id": _category(facing, skus, categories),
            "bbox": _xywh(_box_of(facing.corners)),
            "area": _area(_box_of(facing.corners)),
            "segmentation": [[round(value, 2) for corner in facing.corners for value in corner]],
            "iscrowd": 0,
            "score": round(facing.confidence, 4),
            "shelf": facing.shelf,
            "position": facing.position,
            "stack_index": facing.stack_index,
        }
        for number, (image, facing) in enumerate(seen, start=1)
    ]
    return {"images": _images(pictures), "annotations": annotations, "categories": categories.listed()}


def results(pictures: Sequence[SeenPicture], skus: Mapping[ProductId, str], categories: Categories) -> list[Json]:
    """Return the list that COCO's tools rate; the score says how sure the detector was, then how sure the name is."""
    return [
        {
            "image_id": image,
            "category_id": _category(facing, skus, categories),
            "bbox": _xywh(_box_of(facing.corners)),
            "score": round(facing.found_score * facing.confidence, 6),
        }
        for image, facing in _numbered_facings(pictures)
    ]


def truth(pictures: Sequence[SeenPicture], labels: Sequence[Sequence[LabelledBox]], categories: Categories) -> Json:
    """Return the true boxes of the same pictures; ignored regions are crowds."""
    boxes = [(image, label) for image, labelled in enumerate(labels, start=1) for label in labelled]
    annotations = [
        {
            "id": number,
            "image_id": image,
            "category_id": categories.number(label.sku),
            "bbox": _xywh(label.box),
            "area": _area(label.box),
            "iscrowd": int(label.is_ignored),
        }
        for number, (image, label) in enumerate(boxes, start=1)
    ]
    return {"images": _images(pictures), "annotations": annotations, "categories": categories.listed()}


def _images(pictures: Sequence[SeenPicture]) -> list[Json]:
    return [
        {"id": number, "file_name": picture.name, "width": picture.width, "height": picture.height}
        for number, picture in enumerate(pictures, start=1)
    ]


def _numbered_facings(pictures: Sequence[SeenPicture]) -> list[tuple[int, Facing]]:
    return [(image, facing) for image, picture in enumerate(pictures, start=1) for facing in picture.detections.facings]


def _category(facing: Facing, skus: Mapping[ProductId, str], categories: Categories) -> int:
    return categories.number(None if facing.product_id is None else skus.get(facing.product_id))


def _box_of(corners: Corners) -> Box:
    xs, ys = [x for x, _ in corners], [y for _, y in corners]
    return min(xs), min(ys), max(xs), max(ys)


def _xywh(box: Box) -> list[float]:
    left, top, right, bottom = box
    return [round(value, 2) for value in (left, top, right - left, bottom - top)]


def _area(box: Box) -> float:
    left, top, right, bottom = box
    return round((right - left) * (bottom - top), 2)
