"""Truth as the JSON objects of a data folder: the published samples' form and what we know besides."""

from collections import Counter
from collections.abc import Mapping
from typing import Any

from coldshelf.pictures.rendering.camera import Corners, Homography
from coldshelf.pictures.rendering.designs import ProductDesign
from coldshelf.pictures.rendering.deviations import rows_of
from coldshelf.pictures.rendering.paint import Box
from coldshelf.pictures.rendering.truth import RenderedScene, TrueFacing, box_around

Document = dict[str, Any]  # a JSON object


def picture_document(file: str, scene: RenderedScene, designs: Mapping[str, ProductDesign]) -> Document:
    """Return a picture's entry of ground_truth.json; shares and counts leave stacked products out."""
    height, width = scene.image.shape[:2]
    counted = [each for each in scene.facings if each.stack_index == 0]
    brands = [designs[each.sku].brand for each in counted]
    areas: Counter[str] = Counter()
    for brand, each in zip(brands, counted, strict=True):
        areas[brand] += round(_area(each.box))
    return {
        "file": file,
        "width": width,
        "height": height,
        "facings_by_sku": dict(Counter(each.sku for each in counted).most_common()),
        "share_of_shelf_by_brand_count": _shares(Counter(brands)),
        "share_of_shelf_by_brand_area": _shares(areas),
        "realogram_auto": rows_of(scene),
        "objects": _objects(scene, designs),
        "gaps": [
            {"shelf": gap.shelf, "position": gap.position, "door": gap.door} | _bounds(gap.corners)
            for gap in scene.gaps
        ],
        "shelves": [{"number": shelf.number} | _bounds(shelf.corners) for shelf in scene.shelves],
        "front_to_picture": matrix(scene.front_to_picture),
    }


def matrix(homography: Homography) -> list[list[float]]:
    """Return the rows of a homography, scaled so that the last number is 1."""
    return [[float(f"{value:.9g}") for value in row] for row in homography / homography[2, 2]]


def _objects(scene: RenderedScene, designs: Mapping[str, ProductDesign]) -> list[Document]:
    objects = []
    counts: Counter[int] = Counter()
    for facing in sorted(scene.facings, key=lambda each: (each.shelf, each.position, each.stack_index)):
        place: Document = {}
        if facing.stack_index == 0:
            place = {"row_auto": facing.shelf - 1, "pos_auto": counts[facing.shelf]}
            counts[facing.shelf] += 1
        objects.append(_object(facing, designs[facing.sku], place))
    return objects


def _object(facing: TrueFacing, design: ProductDesign, place: Document) -> Document:
    return {
        "bbox": [round(edge, 1) for edge in facing.box],
        "sku": facing.sku,
        "source_label": facing.sku,
        "brand": design.brand,
        **place,
        "shelf": facing.shelf,
        "position": facing.position,
        "corners": _points(facing.corners),
        "stack_index": facing.stack_index,
        "fill_level": facing.fill_level,
        "door": facing.door,
        "number": facing.number,
        "is_foreign": design.is_foreign,
    }


def _bounds(corners: Corners) -> Document:
    return {"bbox": [round(edge, 1) for edge in box_around(corners)], "corners": _points(corners)}


def _points(corners: Corners) -> list[list[float]]:
    return [[round(x, 1), round(y, 1)] for x, y in corners]


def _area(box: Box) -> float:
    return (box[2] - box[0]) * (box[3] - box[1])


def _shares(counts: Counter[str]) -> dict[str, float]:
    total = max(counts.total(), 1)
    return {brand: round(count / total, 4) for brand, count in counts.most_common()}
