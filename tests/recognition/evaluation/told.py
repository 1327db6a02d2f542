"""A recogniser that says what it was told to say, and folders with truth for it."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from coldshelf.pictures.rendering import encode_jpeg
from coldshelf.recognition.recogniser import (
    Box,
    Candidate,
    CatalogueProduct,
    Corners,
    Detections,
    Facing,
    FoundBox,
    Gap,
    Pixels,
    PlannedFacing,
    ProductId,
    Shelf,
)

WIDTH, HEIGHT = 200, 100
Json = dict[str, Any]


def corners(box: Box) -> Corners:
    left, top, right, bottom = box
    return (left, top), (left, bottom), (right, bottom), (right, top)


def column(number: int, *, row: int = 0) -> Box:
    """A place of 20 x 40 pixels."""
    return 20.0 * number, 50.0 * row, 20.0 * number + 20, 50.0 * row + 40


@dataclass(frozen=True)
class Said:
    """A facing: where, as which SKU (None: unknown), how confident."""

    box: Box
    sku: str | None
    confidence: float = 0.9
    shelf: int = 1
    position: int = 1
    score: float = 1.0


@dataclass
class PlainRecogniser:
    """Says the same about every picture; neither finds nor identifies apart."""

    said: Sequence[Said] = ()
    gaps: Sequence[tuple[int, int, Box]] = ()
    name: str = "told"
    version: str = "1"
    plans: list[Sequence[PlannedFacing] | None] = field(default_factory=list)

    def recognise(
        self, image: Pixels, catalogue: Sequence[CatalogueProduct], planogram: Sequence[PlannedFacing] | None = None
    ) -> Detections:
        self.plans.append(planogram)
        ids = {product.sku: product.product_id for product in catalogue}
        return Detections(
            tuple(Shelf(number, corners(column(0))) for number in sorted({each.shelf for each in self.said})),
            tuple(
                Facing(
                    each.shelf,
                    each.position,
                    corners(each.box),
                    None if each.sku is None else ids[each.sku],
                    each.confidence,
                    found_score=each.score,
                )
                for each in self.said
            ),
            tuple(Gap(shelf, position, corners(box)) for shelf, position, box in self.gaps),
        )


@dataclass
class ToldRecogniser(PlainRecogniser):
    """Also finds the boxes it was told, and names every box by the list it was told."""

    boxes: Sequence[tuple[Box, float]] = ()
    names: Sequence[str] = ()
    asked: list[Sequence[Box]] = field(default_factory=list)

    def find(self, image: Pixels, catalogue: Sequence[CatalogueProduct]) -> list[FoundBox]:
        return [FoundBox(box, score) for box, score in self.boxes]

    def identify(
        self, image: Pixels, boxes: Sequence[Box], catalogue: Sequence[CatalogueProduct]
    ) -> list[tuple[Candidate, ...]]:
        self.asked.append(boxes)
        ids = {product.sku: product.product_id for product in catalogue}
        named = tuple(Candidate(ids[sku], 0.5 / (n + 1)) for n, sku in enumerate(self.names) if sku in ids)
        return [named for _ in boxes]


def catalogue(*skus: str) -> tuple[CatalogueProduct, ...]:
    return tuple(
        CatalogueProduct(ProductId(number), sku, sku, is_foreign=False, references=())
        for number, sku in enumerate(skus, start=1)
    )


def true(box: Box, sku: str | None, place: tuple[int, int] | None = None, brand: str | None = None) -> Json:
    found: Json = {"bbox": list(box), "sku": sku, "brand": brand}
    return found if place is None else found | {"row_auto": place[0], "pos_auto": place[1]}


def write_folder(folder: Path, *images: Json, references: Sequence[str] = ("cola", "cola-chai", "tea")) -> Path:
    """Write pictures, their truth and one reference a SKU."""
    (folder / "images").mkdir(parents=True)
    picture = encode_jpeg(np.full((HEIGHT, WIDTH, 3), 128, np.uint8))
    entries = []
    for number, image in enumerate(images):
        file = f"images/{number}.jpg"
        (folder / file).write_bytes(picture)
        entries.append({"file": file, "width": WIDTH, "height": HEIGHT, **image})
    (folder / "ground_truth.json").write_text(json.dumps({"images": entries}))
    for number, sku in enumerate(references):
        (folder / "references" / sku).mkdir(parents=True)
        shade = np.full((30, 20, 3), 40 * number, np.uint8)
        (folder / "references" / sku / "ref_0.jpg").write_bytes(encode_jpeg(shade))
    return folder
