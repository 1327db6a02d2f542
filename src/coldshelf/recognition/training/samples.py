"""Pictures with truth for training, and the parts that are kept apart. Pure."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import Final

import numpy as np

from coldshelf.kit.errors import InputInvalid
from coldshelf.pictures.rendering.generator import generate_designs
from coldshelf.pictures.rendering.sampler import random_scenes
from coldshelf.recognition.evaluation.measuring import read_upright
from coldshelf.recognition.evaluation.sources import read_source
from coldshelf.recognition.evaluation.truth import TruePicture, Truth
from coldshelf.recognition.training.augment import Floats, Labelled, hide

UNKNOWN: Final = "unknown"
"""Label of products that have no SKU."""
UNREAD: Final = ""
"""Label of boxes that nobody could name: they may show a product that has a SKU."""


@dataclass(frozen=True, slots=True)
class Sample:
    """A picture with the SKU of each box; `labels` has one entry for each row of `picture.boxes`."""

    name: str
    picture: Labelled
    labels: tuple[str, ...]


def read_samples(folder: Path) -> list[Sample]:
    """Read a data folder's pictures and true boxes; entries without boxes are left out."""
    return [sample_of(picture) for picture in with_boxes(read_source(folder))]


def with_boxes(truth: Truth) -> list[TruePicture]:
    """Return the pictures that have true boxes; raise InputInvalid without any."""
    pictures = [picture for picture in truth.pictures if picture.boxes]
    if not pictures:
        raise InputInvalid(
            f"{truth.folder}: no picture has true boxes", cure="Training takes pictures with boxes and SKUs."
        )
    return pictures


def sample_of(picture: TruePicture) -> Sample:
    """Decode a picture and put its truth beside it; ignored regions come last."""
    boxes = picture.boxes or ()
    corners = [true.box for true in boxes] + list(picture.ignored)
    labels = [UNREAD if true.sku is None else true.sku for true in boxes] + [UNREAD] * len(picture.ignored)
    return Sample(
        PurePosixPath(picture.name).name,
        Labelled(
            read_upright(picture),
            np.array(corners, np.float32).reshape(-1, 4),
            np.arange(len(corners)) >= len(boxes),
        ),
        tuple(labels),
    )


def rendered_samples(
    seed: int, count: int, designs: int = 600, *, told: Callable[[int], None] | None = None
) -> list[Sample]:
    """Draw coolers with invented products; the same seed gives the same ones. `told` hears how many are drawn."""
    samples = []
    for number, scene in enumerate(random_scenes(seed, count, designs=generate_designs(designs, seed))):
        boxes = np.array([facing.box for facing in scene.facings], np.float32).reshape(-1, 4)
        picture = Labelled(scene.image, boxes, np.zeros(len(boxes), np.bool_))
        samples.append(Sample(f"rendered_{number}", picture, tuple(facing.sku for facing in scene.facings)))
        if told:
            told(number + 1)
    return samples


def readable(samples: Sequence[Sample]) -> list[Sample]:
    """Leave out boxes that are ignored or that nobody could name."""
    return [_kept(sample, [label != UNREAD for label in sample.labels]) for sample in samples]


def _kept(sample: Sample, wanted: Sequence[bool]) -> Sample:
    kept = np.asarray(wanted, np.bool_) & ~sample.picture.ignored
    picture = replace(sample.picture, boxes=sample.picture.boxes[kept], ignored=sample.picture.ignored[kept])
    return Sample(sample.name, picture, tuple(label for label, keep in zip(sample.labels, kept, strict=True) if keep))


def skus_of(samples: Sequence[Sample]) -> list[str]:
    """Return the SKUs of all boxes, sorted."""
    return sorted({label for sample in samples for label in sample.labels} - {UNKNOWN, UNREAD})


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
