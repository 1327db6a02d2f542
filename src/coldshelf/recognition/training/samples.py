"""Pictures with truth for training, and the parts that are kept apart. Pure."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import cv2
import numpy as np

from coldshelf.kit.errors import InputInvalid
from coldshelf.pictures.rendering.generator import generate_designs
from coldshelf.pictures.rendering.sampler import random_scenes
from coldshelf.recognition.recogniser import Pixels
from coldshelf.recognition.training.augment import Floats, Labelled, hide

UNKNOWN: Final = "unknown"
"""Label of products that have no SKU."""


@dataclass(frozen=True, slots=True)
class Sample:
    """A picture with the SKU of each box; `labels` has one entry for each row of `picture.boxes`."""

    name: str
    picture: Labelled
    labels: tuple[str, ...]


def read_samples(folder: Path) -> list[Sample]:
    """Read a data folder's pictures and true boxes; entries without boxes are left out."""
    truth = folder / "ground_truth.json"
    if not truth.is_file():
        raise InputInvalid(
            f"{truth} is missing", cure="A data folder has images/ and ground_truth.json (docs/evaluation.md)."
        )
    entries = [entry for entry in json.loads(truth.read_text())["images"] if entry.get("objects")]
    if not entries:
        raise InputInvalid(f"{truth}: no picture has true boxes", cure="Training takes pictures with boxes and SKUs.")
    return [_sample(folder, entry["file"], entry["objects"]) for entry in entries]


def _sample(folder: Path, file: str, objects: list[dict[str, object]]) -> Sample:
    boxes = np.array([each["bbox"] for each in objects], np.float32)
    return Sample(
        file.rpartition("/")[2],
        Labelled(_read(folder / file), boxes, np.zeros(len(boxes), np.bool_)),
        tuple(str(each["sku"]) for each in objects),
    )


def _read(path: Path) -> Pixels:
    picture = cv2.imread(str(path), cv2.IMREAD_COLOR)
    if picture is None:
        raise InputInvalid(
            f"{path} is not a picture that can be read", cure="Take it out of ground_truth.json or mend it."
        )
    return np.asarray(cv2.cvtColor(picture, cv2.COLOR_BGR2RGB), np.uint8)


def rendered_samples(seed: int, count: int, designs: int = 600) -> list[Sample]:
    """Draw coolers with invented products; the same seed gives the same ones."""
    scenes = random_scenes(seed, count, designs=generate_designs(designs, seed))
    return [
        Sample(
            f"rendered_{number}",
            Labelled(
                scene.image,
                boxes := np.array([facing.box for facing in scene.facings], np.float32).reshape(-1, 4),
                np.zeros(len(boxes), np.bool_),
            ),
            tuple(facing.sku for facing in scene.facings),
        )
        for number, scene in enumerate(scenes)
    ]


def without(samples: Sequence[Sample], skus: Iterable[str], seed: int) -> list[Sample]:
    """Paint the products of some SKUs over, so that a training never sees them."""
    left_out = set(skus)
    rng = np.random.default_rng(seed)
    hidden = [np.array([label in left_out for label in sample.labels], np.bool_) for sample in samples]
    return [
        Sample(sample.name, hide(sample.picture, mask, rng), sample.labels)
        for sample, mask in zip(samples, hidden, strict=True)
    ]


def split(samples: Sequence[Sample], kept_apart: Iterable[str]) -> tuple[list[Sample], list[Sample]]:
    """Return the pictures to train on, and those to choose thresholds and weights on, by file name."""
    names = set(kept_apart)
    unknown = names - {sample.name for sample in samples}
    if unknown:
        raise InputInvalid(f"The split names {min(unknown)}, which is not in the folder", cure="Mend the split file.")
    return [s for s in samples if s.name not in names], [s for s in samples if s.name in names]


def box_sizes(samples: Sequence[Sample]) -> Floats:
    """Return width and height of every box, shape (n, 2), in pixels."""
    boxes = np.concatenate([sample.picture.boxes for sample in samples])
    return np.asarray(boxes[:, 2:] - boxes[:, :2], np.float32)
