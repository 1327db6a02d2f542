"""Products that no training saw: are they found, named from a few reference pictures, or called unknown?

    .venv/bin/python benchmarks/left_out.py SAMPLES MODELS/A=A MODELS/B=B MODELS/C=C

SAMPLES has `cooler_pepsico_vn` and `cooler_pepsico_vn_train`; each MODEL folder was trained without the SKUs of its set
in `benchmarks/splits/left_out.json` (`coldshelf train --leave-out`). A folder without `=SET` tells known products apart
instead. References are drawn from crops of the training pictures, which a model without those SKUs never saw; facings
come from `cooler_pepsico_vn` with completed labels. Means and standard deviations over draws.
"""

import argparse
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from coldshelf.recognition.context import agreed, logits_of, shares
from coldshelf.recognition.evaluation.corrections import correct
from coldshelf.recognition.evaluation.folders import read_folder
from coldshelf.recognition.evaluation.truth import TruePicture
from coldshelf.recognition.formats.references import read_pixels
from coldshelf.recognition.networks.crops import cut_alone
from coldshelf.recognition.networks.detector import FacingDetector, intersection_over_union
from coldshelf.recognition.networks.embedding import CropEmbedder
from coldshelf.recognition.networks.models import DETECTOR, EMBEDDING, Model, read_model

HERE = Path(__file__).parent
UNKNOWN = "unknown"


@dataclass(frozen=True)
class Seen:
    points: np.ndarray
    skus: tuple[str | None, ...]
    found: np.ndarray


class Look:
    """The networks of a model folder over both sample folders."""

    def __init__(self, folder: Path, samples: Path) -> None:
        self.model: Model = read_model(folder)
        self.detector, self.embedder = FacingDetector(folder / DETECTOR), CropEmbedder(folder / EMBEDDING)
        report = correct(read_folder(samples / "cooler_pepsico_vn"), HERE / "labels/cooler_pepsico_vn.json")
        self.pictures = [self._see(picture) for picture in report.pictures]
        self.references: dict[str, list[np.ndarray]] = {}
        for picture in read_folder(samples / "cooler_pepsico_vn_train").pictures:
            image = read_pixels(picture.path)
            known = picture.boxes or ()
            points = self.embedder.embed([cut_alone(image, true.box) for true in known])
            for true, point in zip(known, points, strict=True):
                if true.sku and true.sku != UNKNOWN:
                    self.references.setdefault(true.sku, []).append(point)

    def _see(self, picture: TruePicture) -> Seen:
        image = read_pixels(picture.path)
        known = picture.boxes or ()
        boxes = np.array([true.box for true in known], np.float32)
        found = self.detector.find(image)
        sure = found.boxes[found.scores >= self.model.sure]
        hit = intersection_over_union(boxes, sure).max(1, initial=0) >= 0.5
        return Seen(self.embedder.embed_boxes(image, boxes), tuple(true.sku for true in known), hit)

    def name(self, count: int, rng: np.random.Generator, asked: set[str], absent: set[str]) -> dict[str, float]:
        """Draw references of all products but the absent ones, and name the asked ones."""
        skus = sorted(set(self.references) - absent)
        drawn = [[self.references[sku][i] for i in rng.permutation(len(self.references[sku]))[:count]] for sku in skus]
        first = five = total = lost = 0
        for seen in self.pictures:
            wanted = [n for n, sku in enumerate(seen.skus) if sku in asked]
            if not wanted:
                continue
            likeness = np.stack([(np.stack(points) @ seen.points.T).max(0) for points in drawn], 1)
            logits = agreed(logits_of(likeness, self.model.weights), seen.points, self.model.weights)
            likely = shares(logits)[wanted]
            order = np.argsort(-likely, 1)[:, :5]
            names = [[skus[i] for i in row] for row in order]
            truth = [seen.skus[n] for n in wanted]
            total += len(wanted)
            first += sum(row[0] == sku for row, sku in zip(names, truth, strict=True))
            five += sum(sku in row for row, sku in zip(names, truth, strict=True))
            lost += int((likely.max(1) <= 1 - likely.sum(1)).sum())
        return {"top1": first / total, "top5": five / total, "unknown": lost / total}

    def found(self, skus: set[str]) -> float:
        hits = [hit for seen in self.pictures for sku, hit in zip(seen.skus, seen.found, strict=True) if sku in skus]
        return float(np.mean(hits))


def spread(rows: Sequence[dict[str, float]], name: str) -> str:
    values = [row[name] for row in rows]
    return f"{np.mean(values):.3f} ± {np.std(values):.3f}"


def report(name: str, look: Look, left_out: set[str], draws: int) -> None:
    known = set(look.references) - left_out
    asked = left_out or known
    kind = "left out" if left_out else "known"
    print(f"| {name} | {kind} products found | {look.found(asked):.3f} | | |")
    for count in (1, 3, 4, 5):
        rows = [look.name(count, np.random.default_rng(seed), asked, set()) for seed in range(draws)]
        print(f"| {name} | {kind}, {count} references | {spread(rows, 'top1')} | {spread(rows, 'top5')} | |")
    if left_out:
        rows = [look.name(4, np.random.default_rng(seed), left_out, left_out) for seed in range(draws)]
        others = [look.name(4, np.random.default_rng(seed), known, left_out) for seed in range(draws)]
        print(f"| {name} | left out, without reference: called unknown | | | {spread(rows, 'unknown')} |")
        print(f"| {name} | known products called unknown | | | {spread(others, 'unknown')} |")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("samples", type=Path)
    parser.add_argument("models", nargs="+", help="FOLDER=SET, or FOLDER")
    parser.add_argument("--draws", type=int, default=20)
    args = parser.parse_args()
    cv2.setNumThreads(1)
    sets = json.loads((HERE / "splits/left_out.json").read_text())
    print("| model | products | found or first guess | among five | called unknown |\n| --- | --- | --- | --- | --- |")
    for each in args.models:
        folder, _, name = each.partition("=")
        report(Path(folder).name, Look(Path(folder), args.samples), set(sets[name]) if name else set(), args.draws)


if __name__ == "__main__":
    main()
