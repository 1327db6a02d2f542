"""Measures a recogniser on a folder of pictures with truth (docs: "Data folders for evaluation").

    .venv/bin/python benchmarks/recognition_baseline.py shared/samples/cooler_pepsico_vn
    .venv/bin/python benchmarks/recognition_baseline.py FOLDER --references-from OTHER --references 1 --json

Boxes count as found at IoU 0.5, each truth once, best overlaps first. `--spread` draws N other references per SKU at
random and reports mean and standard deviation. Labels of the sample are incomplete: precision is a lower bound.
"""

import argparse
import json
import resource
import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from coldshelf.recognition.identity import build_gallery, rank
from coldshelf.recognition.recogniser import CatalogueProduct, Detections, Pixels, ProductId
from coldshelf.recognition.recognisers import by_name

Box = tuple[float, float, float, float]


@dataclass(frozen=True)
class TruePicture:
    image: Pixels
    boxes: tuple[Box, ...]
    skus: tuple[str, ...]


def read_picture(path: Path) -> Pixels:
    picture = cv2.imread(str(path), cv2.IMREAD_COLOR)
    if picture is None:
        raise SystemExit(f"{path} is not a picture that OpenCV can read.")
    return np.asarray(cv2.cvtColor(picture, cv2.COLOR_BGR2RGB), np.uint8)


def read_truth(folder: Path) -> list[TruePicture]:
    truth = json.loads((folder / "ground_truth.json").read_text())
    return [
        TruePicture(
            read_picture(folder / entry["file"]),
            tuple(tuple(each["bbox"]) for each in entry["objects"]),
            tuple(each["sku"] for each in entry["objects"]),
        )
        for entry in truth["images"]
    ]


def read_catalogue(folder: Path, *, count: int | None, rng: np.random.Generator | None) -> list[CatalogueProduct]:
    entries = json.loads((folder / "references.json").read_text())["references"]
    products = []
    for number, sku in enumerate(sorted({entry["sku"] for entry in entries}), start=1):
        files = [folder / entry["file"] for entry in entries if entry["sku"] == sku]
        if rng is not None:
            files = [files[i] for i in rng.permutation(len(files))]
        references = tuple(read_picture(file) for file in files[:count])
        products.append(CatalogueProduct(ProductId(number), sku, sku, is_foreign=False, references=references))
    return products


def overlaps(found: Sequence[Box], true: Sequence[Box]) -> np.ndarray:
    """Intersection over union, shape (found, true)."""
    if not found or not true:
        return np.zeros((len(found), len(true)))
    a, b = np.array(found)[:, None], np.array(true)[None]
    size = np.clip(np.minimum(a[..., 2:], b[..., 2:]) - np.maximum(a[..., :2], b[..., :2]), 0, None)
    common = size.prod(-1)
    return common / ((a[..., 2:] - a[..., :2]).prod(-1) + (b[..., 2:] - b[..., :2]).prod(-1) - common)


def pair_up(found: Sequence[Box], true: Sequence[Box]) -> list[tuple[int, int]]:
    left, pairs = overlaps(found, true), []
    while left.size and left.max() >= 0.5:
        i, j = (int(n) for n in np.unravel_index(left.argmax(), left.shape))
        pairs.append((i, j))
        left[i], left[:, j] = -1, -1
    return pairs


def box_of(corners: Sequence[tuple[float, float]]) -> Box:
    xs, ys = [x for x, _ in corners], [y for _, y in corners]
    return min(xs), min(ys), max(xs), max(ys)


def ratio(part: float, whole: float) -> float | None:
    return round(part / whole, 4) if whole else None


def f1(precision: float | None, recall: float | None) -> float | None:
    return round(2 * precision * recall / (precision + recall), 4) if precision and recall else None


def measure_identity(pictures: Sequence[TruePicture], catalogue: Sequence[CatalogueProduct]) -> dict[str, object]:
    """First and best five guesses on the true boxes of products that have a reference."""
    gallery = build_gallery(catalogue)
    skus = {product.product_id: product.sku for product in catalogue}
    known, prior = set(skus.values()), np.zeros(len(gallery.products), np.float32)
    first = best_five = total = 0
    for picture in pictures:
        for sku, candidates in zip(picture.skus, rank(picture.image, picture.boxes, gallery, prior), strict=True):
            if sku in known:
                named = [skus[candidate.product_id] for candidate in candidates]
                total, first, best_five = total + 1, first + (named[0] == sku), best_five + (sku in named)
    return {"boxes": total, "top1": ratio(first, total), "top5": ratio(best_five, total)}


def measure_finding(
    pictures: Sequence[TruePicture], results: Sequence[Detections], catalogue: Sequence[CatalogueProduct]
) -> dict[str, object]:
    skus = {product.product_id: product.sku for product in catalogue}
    found = true = hit = named = right = unknown_said = unknown_right = unknown_true = 0
    for picture, result in zip(pictures, results, strict=True):
        pairs = dict(pair_up([box_of(facing.corners) for facing in result.facings], picture.boxes))
        found, true, hit = found + len(result.facings), true + len(picture.boxes), hit + len(pairs)
        unknown_true += sum(sku not in skus.values() for sku in picture.skus)
        for number, facing in enumerate(result.facings):
            sku = picture.skus[pairs[number]] if number in pairs else None
            if facing.product_id is None:
                unknown_said += 1
                unknown_right += sku is not None and sku not in skus.values()
            else:
                named += 1
                right += skus[facing.product_id] == sku
    precision, recall = ratio(hit, found), ratio(hit, true)
    ends = ratio(right, found), ratio(right, true)
    return {
        "boxes": {"found": found, "true": true},
        "detection": {"precision": precision, "recall": recall, "f1": f1(precision, recall)},
        "end_to_end": {"precision": ends[0], "recall": ends[1], "f1": f1(*ends), "right_of_named": ratio(right, named)},
        "unknown": {"precision": ratio(unknown_right, unknown_said), "recall": ratio(unknown_right, unknown_true)},
        "gaps_found": sum(len(result.gaps) for result in results),
    }


def measure(args: argparse.Namespace, rng: np.random.Generator | None) -> dict[str, object]:
    pictures = read_truth(args.folder)[:: args.every]
    catalogue = read_catalogue(args.references_from or args.folder, count=args.references, rng=rng)
    recogniser = by_name(args.recogniser)
    start, used = time.perf_counter(), time.process_time()
    results = [recogniser.recognise(picture.image, catalogue) for picture in pictures]
    seconds, cpu_seconds = time.perf_counter() - start, time.process_time() - used
    return {
        "recogniser": f"{recogniser.name} {recogniser.version}",
        "pictures": len(pictures),
        "references": sum(len(product.references) for product in catalogue),
        **measure_finding(pictures, results, catalogue),
        "identification": measure_identity(pictures, catalogue),
        "seconds_per_picture": round(seconds / len(pictures), 3),
        "cpu_seconds_per_picture": round(cpu_seconds / len(pictures), 3),
        "peak_rss_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
    }


def flatten(report: dict[str, object], path: str = "") -> dict[str, object]:
    rows: dict[str, object] = {}
    for name, value in report.items():
        rows |= flatten(value, f"{path}{name}.") if isinstance(value, dict) else {path + name: value}
    return rows


def with_spread(reports: Sequence[dict[str, object]]) -> dict[str, object]:
    rows = [flatten(report) for report in reports]
    return {
        name: f"{statistics.fmean(values):.4f} ± {statistics.pstdev(values):.4f}"
        for name in rows[0]
        if len(values := [float(row[name]) for row in rows if isinstance(row[name], int | float)]) == len(rows)
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--recogniser", default="colour")
    parser.add_argument("--references", type=int, help="use so many references of each SKU (default: all)")
    parser.add_argument("--references-from", type=Path, help="folder whose references are used")
    parser.add_argument("--spread", type=int, default=0, metavar="DRAWS", help="draw references at random so often")
    parser.add_argument("--every", type=int, default=1, help="use every n-th picture only")
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    cv2.setNumThreads(1)
    if args.spread:
        report = with_spread([measure(args, np.random.default_rng(seed)) for seed in range(args.spread)])
    else:
        report = measure(args, None)
    if args.json:
        print(json.dumps(report, indent=2))
    else:
        for name, value in flatten(report).items():
            print(f"{name:36} {value}")


if __name__ == "__main__":
    main()
