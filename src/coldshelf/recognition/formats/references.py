"""Reference pictures in a folder: one folder of pictures for each SKU, or one picture for each SKU."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from coldshelf.kit.errors import ColdshelfError, InputInvalid, NotFound
from coldshelf.pictures.imaging.decode import decode
from coldshelf.recognition.recogniser import CatalogueProduct, Pixels, ProductId

PICTURE_SUFFIXES: Final = frozenset({".jpg", ".jpeg", ".png", ".webp", ".heic"})


@dataclass(frozen=True, slots=True)
class References:
    """The reference pictures of each SKU, SKUs sorted, pictures in their order; brands as far as they are known."""

    files: Mapping[str, tuple[Path, ...]]
    brands: Mapping[str, str]

    @property
    def most(self) -> int:
        """How many pictures the SKU with the most of them has."""
        return max(map(len, self.files.values()), default=0)


def read_pixels(path: Path) -> Pixels:
    """Decode a picture; raise NotFound or InputInvalid that names the file."""
    try:
        return decode(path.read_bytes())
    except FileNotFoundError as fault:
        raise NotFound(f"{path} is not there", cure="Check the name.") from fault
    except OSError as fault:
        raise InputInvalid(f"{path} cannot be read: {fault.strerror}") from fault
    except ColdshelfError as fault:
        raise InputInvalid(f"{path}: {fault.message}", cure="Replace the picture, or take it out.") from fault


def list_references(folder: Path) -> References:
    """List the pictures of a folder that holds a folder of pictures, or one picture, for each SKU."""
    if not folder.is_dir():
        raise NotFound(f"{folder} is no folder", cure="It takes a folder with one folder of pictures for each SKU.")
    files: dict[str, tuple[Path, ...]] = {}
    for entry in sorted(folder.iterdir()):
        pictures = sorted(entry.iterdir()) if entry.is_dir() else [entry]
        kept = tuple(path for path in pictures if path.suffix.lower() in PICTURE_SUFFIXES)
        if kept:
            sku = entry.name if entry.is_dir() else entry.stem
            files[sku] = (*files.get(sku, ()), *kept)
    if not files:
        raise InputInvalid(f"No reference pictures in {folder}", cure="It takes one folder of pictures for each SKU.")
    return References(dict(sorted(files.items())), {})


def load_catalogue(
    references: References,
    *,
    count: int | None = None,
    rng: np.random.Generator | None = None,
    without: Collection[str] = (),
) -> tuple[CatalogueProduct, ...]:
    """Decode the pictures: the first `count` of each SKU, or with `rng` so many drawn at random.

    A product keeps its number when others are left out. Raise InputInvalid when a SKU left out is not there.
    """
    strange = sorted(set(without) - set(references.files))
    if strange:
        raise InputInvalid(f"{strange[0]!r} has no references that could be left out", cure="Check the SKU.")
    products = []
    for number, (sku, files) in enumerate(references.files.items(), start=1):
        order = range(len(files)) if rng is None else rng.permutation(len(files))
        if sku not in without:
            pictures = tuple(read_pixels(files[i]) for i in order[:count])
            products.append(CatalogueProduct(ProductId(number), sku, sku, is_foreign=False, references=pictures))
    return tuple(products)
