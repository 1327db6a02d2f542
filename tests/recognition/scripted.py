"""A recogniser that comes from another package and sees what a test tells it to."""

import os
import time
from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

import numpy as np

from coldshelf.pictures.imaging.encode import encode_jpeg
from coldshelf.pictures.models import Kind, Rendition
from coldshelf.pictures.service import renditions
from coldshelf.recognition.recogniser import (
    CatalogueProduct,
    Detections,
    Facing,
    Gap,
    Pixels,
    PlannedFacing,
    ProductId,
)
from tests.compliance.cooler import Cooler, square
from tests.pictures.uploading import work_off

IMAGE = encode_jpeg(np.full((64, 96, 3), 127, np.uint8), quality=90)


class Scripted:
    """Sees the shelves of `shows`, written as the cooler of the tests writes them; fails when there are none."""

    name = "scripted"
    version = "2"
    shows: ClassVar[tuple[str, ...] | None] = ()
    products: ClassVar[dict[str, int]] = {}

    def recognise(
        self, image: Pixels, catalogue: Sequence[CatalogueProduct], planogram: Sequence[PlannedFacing] | None = None
    ) -> Detections:
        time.sleep(float(os.environ.get("SCRIPTED_SECONDS", "0")))
        if self.shows is None:
            raise RuntimeError("sees nothing")
        places = [
            (letter, shelf, position)
            for shelf, letters in enumerate(self.shows, 1)
            for position, letter in enumerate(letters, 1)
            if letter != " "
        ]
        facings = tuple(self._facing(*place) for place in places if place[0] != "_")
        gaps = tuple(
            Gap(shelf, position, square(shelf, position)) for letter, shelf, position in places if letter == "_"
        )
        return Detections((), facings, gaps)

    def _facing(self, letter: str, shelf: int, position: int) -> Facing:
        product = None if letter == "?" else ProductId(self.products[letter])
        return Facing(shelf, position, square(shelf, position), product, 0.95)


def install(folder: Path) -> None:
    """Put the package's entry point into a folder of the search path."""
    described = folder / "scripted-2.dist-info"
    described.mkdir()
    (described / "METADATA").write_text("Metadata-Version: 2.1\nName: scripted\nVersion: 2\n")
    (described / "entry_points.txt").write_text(
        "[coldshelf.recognisers]\nscripted = tests.recognition.scripted:Scripted\n"
    )


async def process(cooler: Cooler, *shelves: str) -> int:
    """Give the picture of a cooler an image and a measured result; give its id."""
    key = f"renditions/{cooler.picture_id}.jpg"
    cooler.run.objects.put(key, IMAGE)
    async with cooler.run.database.scope(cooler.client_id) as connection:
        await renditions.add_rendition(
            connection, cooler.picture_id, Rendition(Kind.STITCHED, "test", key, 96, 64, len(IMAGE))
        )
    await cooler.recognise(*shelves)
    assert await work_off(cooler.run) == 3  # compared, measured, told
    return cooler.picture_id
