"""Rendered coolers and their catalogue, for tests of recognition."""

from collections.abc import Sequence

import numpy as np

from coldshelf.pictures.rendering import CATALOGUE, RenderedScene, SceneSpec, reference_pictures, render_scene
from coldshelf.recognition.recogniser import CatalogueProduct, Corners, Detections, Facing, ProductId

Box = tuple[float, float, float, float]
PRODUCTS = tuple(
    CatalogueProduct(
        ProductId(number), design.sku, design.name, is_foreign=design.is_foreign, references=reference_pictures(design)
    )
    for number, design in enumerate(CATALOGUE, start=1)
)
SKUS = {product.product_id: product.sku for product in PRODUCTS}
OWN_CANS = ("NP-1001", "NP-1002", "NP-1101")
BOTTLES = ("NP-1003", "NP-1103", "NP-1201", "NP-1202", "NP-1301")


def three_shelves() -> RenderedScene:
    return render_scene(
        SceneSpec(
            rows=(
                ("NP-1003", "NP-1003", "NP-1103", "NP-1201", "NP-1202", "NP-1202"),
                ("NP-1001", "NP-1001", "NP-1002", None, "NP-1101", "NP-1101"),
                ("NP-1301", "NP-1301", "NP-1201", "NP-1103", "NP-1103", "NP-1003"),
            ),
            size=(720, 960),
            seed=3,
        )
    )


def box_of(corners: Corners) -> Box:
    xs, ys = [x for x, _ in corners], [y for _, y in corners]
    return min(xs), min(ys), max(xs), max(ys)


def overlap(one: Box, other: Box) -> float:
    """Intersection over union."""
    width = min(one[2], other[2]) - max(one[0], other[0])
    height = min(one[3], other[3]) - max(one[1], other[1])
    if width <= 0 or height <= 0:
        return 0.0
    areas = sum((box[2] - box[0]) * (box[3] - box[1]) for box in (one, other))
    return width * height / (areas - width * height)


def best_at(corners: Corners, facings: Sequence[Facing]) -> Facing | None:
    """The facing that covers a place best, at IoU 0.5 or more."""
    rated = [(overlap(box_of(corners), box_of(facing.corners)), number) for number, facing in enumerate(facings)]
    best = max(rated, default=(0.0, 0))
    return facings[best[1]] if best[0] >= 0.5 else None


def found_share(scene: RenderedScene, result: Detections) -> float:
    return float(np.mean([best_at(true.corners, result.facings) is not None for true in scene.facings]))


def right_share(scene: RenderedScene, result: Detections) -> float:
    """Share of true facings found at IoU 0.5 with the right name."""
    hits = [(true, best_at(true.corners, result.facings)) for true in scene.facings]
    return float(
        np.mean(
            [
                seen is not None and seen.product_id is not None and SKUS[seen.product_id] == true.sku
                for true, seen in hits
            ]
        )
    )
