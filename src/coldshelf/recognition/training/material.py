"""What a training works on: pictures of one or several folders, references, and which pictures are kept apart."""

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import numpy as np
from pydantic import BaseModel, TypeAdapter

from coldshelf.kit.errors import InputInvalid
from coldshelf.recognition.evaluation.corrections import correct
from coldshelf.recognition.evaluation.documents import read_document
from coldshelf.recognition.evaluation.references import has_references, read_references
from coldshelf.recognition.evaluation.sources import read_source
from coldshelf.recognition.evaluation.truth import TruePicture, Truth
from coldshelf.recognition.formats.references import References, load_catalogue
from coldshelf.recognition.recogniser import CatalogueProduct, ProductId
from coldshelf.recognition.training.samples import Sample, readable, sample_of, skus_of, with_boxes

SPLIT_FILE: Final = "split.json"
KEPT_SHARE: Final = 0.15
FEWEST_KEPT: Final = 5
FEWEST_PICTURES: Final = 10
FEWEST_BOXES: Final = 200
REFERENCES: Final = 4
"""Crops of a SKU that stand in for reference pictures where a folder has none."""


class _SplitFile(BaseModel):
    kept_apart: list[str]


_SPLIT = TypeAdapter(_SplitFile)


@dataclass(frozen=True, slots=True)
class Material:
    """Pictures with truth; `pictures` and `samples` have the same names in the same order."""

    folders: tuple[Path, ...]
    pictures: tuple[TruePicture, ...]
    samples: tuple[Sample, ...]
    brands: Mapping[str, str]
    labels: str
    references: References

    def of(self, names: Iterable[str]) -> list[TruePicture]:
        """Return the pictures with these names."""
        wanted = set(names)
        return [picture for picture in self.pictures if picture.name in wanted]


def read_material(folders: Sequence[Path], corrections: Path | None = None) -> Material:
    """Read all folders; raise NotFound or InputInvalid that says which file, where in it, and the cure."""
    if corrections is not None and len(folders) > 1:
        raise InputInvalid("Corrections belong to one folder, and several are named", cure="Train on one folder.")
    truths = [read_source(folder) for folder in folders]
    if corrections is not None:
        truths = [correct(truths[0], corrections)]
    pictures = tuple(_named(truths))
    samples = tuple(replace(sample_of(picture), name=picture.name) for picture in pictures)
    folders_of = tuple(truth.folder for truth in truths)
    return Material(
        folders=folders_of,
        pictures=pictures,
        samples=samples,
        brands={sku: brand for truth in reversed(truths) for sku, brand in truth.brands.items()},
        labels=", ".join(dict.fromkeys(truth.labels for truth in truths)),
        references=_references(folders_of),
    )


def _named(truths: Sequence[Truth]) -> list[TruePicture]:
    """Call pictures by the name of their file; where two have the same, by folder and place in it."""
    found = [(truth.folder.resolve().name, picture) for truth in truths for picture in with_boxes(truth)]
    short = Counter(Path(picture.name).name for _, picture in found)
    named = []
    for folder, picture in found:
        name = Path(picture.name).name
        named.append(replace(picture, name=name if short[name] == 1 else f"{folder}/{picture.name}"))
    twice = [name for name, count in Counter(picture.name for picture in named).items() if count > 1]
    if twice:
        raise InputInvalid(f"Two pictures are called {twice[0]}", cure="Name each folder once, and rename one of two.")
    return named


def _references(folders: Sequence[Path]) -> References:
    files: dict[str, tuple[Path, ...]] = {}
    brands: dict[str, str] = {}
    for references in [read_references(folder) for folder in folders if has_references(folder)]:
        for sku, pictures in references.files.items():
            files[sku] = (*files.get(sku, ()), *pictures)
        brands |= references.brands
    return References(dict(sorted(files.items())), brands)


def choose_kept_apart(material: Material, split: Path | None, seed: int) -> list[str]:
    """Return the names of pictures kept apart: of a split file, of those in the folders, else a drawn share."""
    files = [split] if split is not None else [folder / SPLIT_FILE for folder in material.folders]
    there = [file for file in files if split is not None or file.is_file()]
    if not there:
        return draw_kept_apart([picture.name for picture in material.pictures], seed)
    cure = f'A split file holds {{"kept_apart": ["NAME.jpg"]}}; {SPLIT_FILE} in the output of a training is one.'
    return sorted({name for file in there for name in read_document(file, _SPLIT, cure=cure).kept_apart})


def draw_kept_apart(names: Sequence[str], seed: int) -> list[str]:
    """Draw 15 % of the names, five at least; the order of the names does not matter."""
    count = max(FEWEST_KEPT, round(KEPT_SHARE * len(names)))
    ordered = sorted(names)
    return sorted(ordered[int(n)] for n in np.random.default_rng(seed).permutation(len(ordered))[:count])


def write_split(file: Path, kept_apart: Sequence[str]) -> None:
    file.write_text(json.dumps({"kept_apart": list(kept_apart)}, indent=1) + "\n", encoding="utf-8")


def check_enough(trained: Sequence[Sample], kept: Sequence[Sample]) -> None:
    """Raise InputInvalid where there is too little to train on or to compare on."""
    pictures = len(trained) + len(kept)
    boxes = sum(len(sample.labels) for sample in readable([*trained, *kept]))
    known, seen = set(skus_of(readable(trained))), set(skus_of(readable(kept)))
    if pictures < FEWEST_PICTURES:
        raise InputInvalid(f"{pictures} pictures with true boxes are too few", cure=f"Take {FEWEST_PICTURES} or more.")
    if boxes < FEWEST_BOXES:
        raise InputInvalid(f"{boxes} true boxes are too few", cure=f"Label {FEWEST_BOXES} or more.")
    if not trained or not kept:
        raise InputInvalid(
            f"The split leaves {len(trained)} pictures to train on and {len(kept)} to compare on",
            cure="Keep some pictures apart, not all.",
        )
    if len(known) < 2:
        raise InputInvalid("The boxes to train on name fewer than two SKUs", cure="Label boxes with their SKUs.")
    if not known & seen:
        raise InputInvalid("No SKU of the pictures kept apart is in the others", cure="Keep other pictures apart.")


def scarce(samples: Sequence[Sample]) -> list[str]:
    """Return the SKUs that one box alone shows: training learns little about them."""
    counts = Counter(label for sample in readable(samples) for label in sample.labels)
    return [sku for sku in skus_of(readable(samples)) if counts[sku] == 1]


def catalogue_of(material: Material, trained: Sequence[Sample], seed: int) -> tuple[CatalogueProduct, ...]:
    """Return the products to name facings by: the folders' references, else crops of pictures trained on."""
    if material.references.files:
        return load_catalogue(material.references)
    rng = np.random.default_rng(seed)
    samples = readable(trained)
    products = []
    for number, sku in enumerate(skus_of(samples), start=1):
        places = [(sample, n) for sample in samples for n, label in enumerate(sample.labels) if label == sku]
        drawn = [places[int(index)] for index in rng.permutation(len(places))[:REFERENCES]]
        pictures = tuple(_crop(sample, n) for sample, n in drawn)
        products.append(CatalogueProduct(ProductId(number), sku, sku, is_foreign=False, references=pictures))
    return tuple(products)


def _crop(sample: Sample, number: int) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    height, width = sample.picture.image.shape[:2]
    left, top, right, bottom = (round(float(side)) for side in sample.picture.boxes[number])
    left, top = min(max(left, 0), width - 1), min(max(top, 0), height - 1)
    return sample.picture.image[top : max(bottom, top + 1), left : max(right, left + 1)].copy()


def fingerprint_of(samples: Iterable[Sample]) -> str:
    """Return letters that change with any pixel, box, label or name."""
    digest = hashlib.sha256()
    for sample in samples:
        digest.update(json.dumps([sample.name, sample.picture.image.shape, sample.labels]).encode())
        for part in (sample.picture.image, sample.picture.boxes, sample.picture.ignored):
            digest.update(np.ascontiguousarray(part).tobytes())
    return digest.hexdigest()[:16]
