"""Writes a data folder: pictures, references, truth and planogram cases, all drawn from one seed."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from coldshelf.kit.errors import InputInvalid
from coldshelf.pictures.rendering.cooler import CoolerKind
from coldshelf.pictures.rendering.cooler_scene import render_cooler
from coldshelf.pictures.rendering.designs import ProductDesign
from coldshelf.pictures.rendering.deviations import planted_cases
from coldshelf.pictures.rendering.documents import Document, matrix, picture_document
from coldshelf.pictures.rendering.generator import generate_designs
from coldshelf.pictures.rendering.paint import encode_jpeg
from coldshelf.pictures.rendering.products import reference_pictures
from coldshelf.pictures.rendering.sampler import random_spec
from coldshelf.pictures.rendering.truth import RenderedScene
from coldshelf.pictures.rendering.two_cameras import two_camera_scene

_LICENCE = "drawn by Coldshelf from invented designs; same licence as Coldshelf"
_ROWS_NOTE = "row_auto and pos_auto count from 0 and leave gaps out; stacked products have none; shelf, position from 1"


@dataclass(frozen=True, slots=True)
class FolderSpec:
    """What a data folder holds.

    `kind` None draws coolers of all kinds; `two_cameras` draws each as cam1, cam2 and whole. Of the `products` the
    folder knows, `unknown` have no reference picture and stand in coolers all the same.
    """

    count: int = 20
    seed: int = 0
    size: tuple[int, int] = (720, 960)
    kind: CoolerKind | None = None
    two_cameras: bool = False
    products: int = 60
    unknown: int = 2
    references: int = 4


@dataclass(slots=True)
class _Written:
    """What has been written so far."""

    images: list[Document] = field(default_factory=list)
    cases: list[Document] = field(default_factory=list)


def write_folder(out: Path, spec: FolderSpec, *, advance: Callable[[], None] = lambda: None) -> None:
    """Draw a data folder into `out`; the same spec writes the same bytes. `advance` is called after each cooler.

    Raise InputInvalid when the folder holds something already.
    """
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise InputInvalid(f"{out} is not empty", cure="Name a new folder, or empty this one: nothing is overwritten.")
    (out / "images").mkdir(parents=True, exist_ok=True)
    designs = generate_designs(spec.products, spec.seed)
    known = _known(designs, spec)
    written = _Written()
    for number in range(spec.count):
        _write_cooler(out, spec, number, designs=designs, skus=[design.sku for design in known], written=written)
        advance()
    _write_references(out, spec, known)
    _write_json(
        out / "ground_truth.json",
        {
            "dataset": f"coldshelf render, seed {spec.seed}",
            "licence": _LICENCE,
            "note": _ROWS_NOTE,
            "images": written.images,
        },
    )
    note = "the plan is the picture's own rows, changed in one known way; the deviations say how the picture differs"
    _write_json(out / "planogram_cases.json", {"note": note, "cases": written.cases})


def _known(designs: tuple[ProductDesign, ...], spec: FolderSpec) -> list[ProductDesign]:
    """Choose the products that have references."""
    without = max(min(spec.unknown, len(designs) - 1), 0)
    rng = np.random.default_rng([spec.seed, 3])
    left_out = set(rng.choice(len(designs), size=without, replace=False).tolist())
    return [design for index, design in enumerate(designs) if index not in left_out]


def _write_cooler(
    out: Path,
    spec: FolderSpec,
    number: int,
    *,
    designs: tuple[ProductDesign, ...],
    skus: list[str],
    written: _Written,
) -> None:
    by_sku = {design.sku: design for design in designs}
    for view, scene, quality, extra in _views(spec, number, designs):
        file = f"images/cooler_{number:04d}{view}.jpg"
        (out / file).write_bytes(encode_jpeg(scene.image, quality))
        written.images.append(picture_document(file, scene, by_sku) | {"cooler": number} | extra)
        written.cases += planted_cases(file, scene, skus, seed=spec.seed * 1_000_003 + number)


def _views(
    spec: FolderSpec, number: int, designs: tuple[ProductDesign, ...]
) -> Iterator[tuple[str, RenderedScene, int, Document]]:
    """Yield suffix, picture, JPEG quality and further truth of each picture of a cooler."""
    if spec.two_cameras:
        scene = two_camera_scene(spec.seed, number, designs, size=spec.size)
        yield "_cam1", scene.cam1, 90, {"view": "cam1", "to_whole": matrix(scene.cam1_to_whole)}
        yield "_cam2", scene.cam2, 90, {"view": "cam2", "to_whole": matrix(scene.cam2_to_whole)}
        yield "_whole", scene.whole, 90, {"view": "whole"}
        return
    chosen = random_spec(spec.seed, number, designs, size=spec.size, kind=spec.kind, stretched=False)
    quality = chosen.film.jpeg_quality or 90  # compressed once, when it is written
    drawn = render_cooler(replace(chosen, film=replace(chosen.film, jpeg_quality=None)))
    yield "", drawn, quality, {"kind": chosen.cooler.kind.value}


def _write_references(out: Path, spec: FolderSpec, known: list[ProductDesign]) -> None:
    entries = []
    for design in known:
        folder = out / "references" / design.sku
        folder.mkdir(parents=True)
        for index, picture in enumerate(reference_pictures(design, spec.references)):
            file = f"references/{design.sku}/ref_{index}.png"
            Image.fromarray(picture).save(out / file)
            entries.append(_reference(design, file, width=picture.shape[1], height=picture.shape[0]))
    note = "packshots of all products but those that must be called unknown"
    _write_json(out / "references.json", {"licence": _LICENCE, "note": note, "references": entries})


def _reference(design: ProductDesign, file: str, *, width: int, height: int) -> Document:
    return {
        "sku": design.sku,
        "brand": design.brand,
        "name": design.name,
        "packaging": design.packaging.value,
        "is_foreign": design.is_foreign,
        "file": file,
        "width": width,
        "height": height,
    }


def _write_json(path: Path, document: dict[str, Any]) -> None:
    path.write_text(json.dumps(document, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
