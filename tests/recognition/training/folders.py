"""Small data folders to train on."""

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from coldshelf.pictures.rendering import FolderSpec, encode_jpeg, write_folder
from coldshelf.recognition.recogniser import Box

SIZE = (200, 100)
COLOURS = {"red": (200, 20, 20), "blue": (20, 20, 200)}


def labelled_folder(
    folder: Path, pictures: int, *, facings: int = 20, skus: Sequence[str | None] = ("red", "blue"), first: int = 0
) -> Path:
    """Write plain pictures with boxes in a row, whose SKUs take turns."""
    (folder / "images").mkdir(parents=True)
    entries = []
    for number in range(first, first + pictures):
        image = np.full((SIZE[1], SIZE[0], 3), 128, np.uint8)
        objects = []
        for place in range(facings):
            box, sku = _place(place), skus[place % len(skus)]
            left, top, right, bottom = (int(side) for side in box)
            image[top:bottom, left:right] = COLOURS.get(sku or "", (10, 200, 10))
            objects.append({"bbox": box, "sku": sku})
        name = f"images/{number:03}.jpg"
        (folder / name).write_bytes(encode_jpeg(image))
        entries.append({"file": name, "width": SIZE[0], "height": SIZE[1], "objects": objects})
    (folder / "ground_truth.json").write_text(json.dumps({"images": entries}))
    return folder


def _place(number: int) -> Box:
    left, top = 20.0 * (number % 10), 50.0 * (number // 10)
    return left + 2, top + 4, left + 18, top + 46


def drawn_folder(folder: Path, *, count: int = 12) -> Path:
    """Write coolers of the renderer with six products and their references."""
    write_folder(folder, FolderSpec(count=count, seed=3, size=(288, 288), products=6, unknown=0, references=2))
    return folder
