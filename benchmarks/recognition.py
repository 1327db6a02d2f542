"""Recognisers beside each other, in one run: the shipped ones, plain SIFT + RANSAC, template matching.

    .venv/bin/python benchmarks/recognition.py shared/samples [--pictures 10] [--out FILE.md]

SAMPLES holds `cooler_pepsico_vn` and `grocery_packages`; a third folder is drawn, as by `coldshelf render`. Every
figure is one of `coldshelf evaluate` (docs/evaluation.md); brackets are 95 % intervals over pictures. The coolers are
rated twice, with the labels of their source and with our completed ones (`benchmarks/labels`). One thread each.

The peers are bounded: a picture's search ends after `--seconds`, and the tables say how often that happened. Their
thresholds have the best F1 of boxes on the first six pictures of `cooler_pepsico_vn_train` and are the same everywhere.
All 58 coolers take about an hour, because the peers need ten seconds a picture.
"""

import argparse
import json
import os
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")  # before the libraries that read it

import cv2
from peers.search import PeerRecogniser
from peers.sift import SiftSearcher
from peers.template import TemplateSearcher

from coldshelf.entrypoints.evaluation.run import Request, evaluate
from coldshelf.pictures.rendering import FolderSpec, write_folder
from coldshelf.recognition.evaluation.measuring import Part
from coldshelf.recognition.evaluation.truth import TruePicture
from coldshelf.recognition.recogniser import Recogniser
from coldshelf.recognition.recognisers import RECOGNISERS

Json = dict[str, Any]
LABELS = Path(__file__).parent / "labels" / "cooler_pepsico_vn.json"
SIFT_THRESHOLD, TEMPLATE_THRESHOLD = 0.4, 0.6
COLUMNS = (
    ("precision", "detection", "precision"),
    ("recall", "detection", "recall"),
    ("AP50", "detection", "ap50"),
    ("top 1", "identification", "top1"),
    ("top 5", "identification", "top5"),
    ("F1 end to end", "end_to_end", "f1"),
    ("unknown recall", "unknown", "recall"),
    ("rows", "rows", "agreement"),
    ("share of shelf, points", "share_of_shelf", "mean_abs_error"),
)


@dataclass(frozen=True)
class Set:
    """Pictures to compare on; `references` of each product are used (None: all)."""

    name: str
    request: Request


def sets(samples: Path, drawn: Path, pictures: int | None) -> list[Set]:
    spec = FolderSpec(count=pictures or 20, seed=20260401, products=40)
    write_folder(drawn / "drawn", spec)
    coolers = Request(samples / "cooler_pepsico_vn")
    parts = frozenset({Part.RECOGNITION, Part.IDENTIFICATION})
    whole = frozenset({Part.IDENTIFICATION})
    found = [
        Set("cooler_pepsico_vn, source labels", coolers),
        Set("cooler_pepsico_vn, completed labels", replace(coolers, corrections=LABELS)),
        Set("cooler_pepsico_vn, completed labels, 1 reference", replace(coolers, corrections=LABELS, references=1)),
        Set("drawn coolers", Request(drawn / "drawn")),
    ]
    limited = [Set(each.name, replace(each.request, parts=parts, bootstrap=1000)) for each in found]
    packages = Request(samples / "grocery_packages", parts=whole, bootstrap=1000)
    return [*limited, Set("grocery_packages, one picture from the web each", packages)]


def spread_out(pictures: int | None) -> Callable[[Iterable[TruePicture]], Iterator[TruePicture]]:
    def limited(every: Iterable[TruePicture]) -> Iterator[TruePicture]:
        known = list(every)
        step = max(1, len(known) // pictures) if pictures else 1
        return iter(known[::step][:pictures])

    return limited


def recognisers(seconds: float, names: Sequence[str]) -> list[Recogniser]:
    peers = [
        PeerRecogniser("sift_ransac", SiftSearcher(), threshold=SIFT_THRESHOLD, seconds=seconds),
        PeerRecogniser("template", TemplateSearcher(), threshold=TEMPLATE_THRESHOLD, seconds=seconds),
    ]
    return [each for each in (*RECOGNISERS, *peers) if not names or each.name in names]


def measure(one: Set, recogniser: Recogniser, pictures: int | None) -> Json:
    before = getattr(recogniser, "ended_early", 0)
    _, found = evaluate(one.request, recogniser, spread_out(pictures))
    return found | {"ended_early": getattr(recogniser, "ended_early", 0) - before}


def cell(found: Json, part: str, name: str) -> str:
    if found[part] is None or found[part][name] is None:
        return ""
    bounds = found["intervals"][part][name]
    return f"{found[part][name]:.3g}" + (f" [{bounds[0]:.3g}, {bounds[1]:.3g}]" if bounds else "")


def table(name: str, reports: Sequence[Json]) -> str:
    shown = [column for column in COLUMNS if any(cell(found, *column[1:]) for found in reports)]
    timed = any(found["seconds_per_picture"] for found in reports)
    fastest = min((found["seconds_per_picture"] for found in reports if found["seconds_per_picture"]), default=1.0)
    heads = ["recogniser", *(head for head, _, _ in shown), *(["s a picture", "times the fastest"] if timed else [])]
    lines = [f"### {name}", "", f"{reports[0]['pictures']} pictures, {reports[0]['products']} products.", ""]
    lines += [f"| {' | '.join(heads)} |", f"|{' --- |' * len(heads)}"]
    for found in reports:
        cells = [found["recogniser"], *(cell(found, part, figure) for _, part, figure in shown)]
        if timed:
            seconds = found["seconds_per_picture"] or 0.0
            cells += [f"{seconds:.2f}", f"{seconds / fastest:.1f}"]
        lines.append(f"| {' | '.join(cells)} |")
    ended = [f"{found['recogniser']}: {found['ended_early']}" for found in reports if found["ended_early"]]
    return "\n".join([*lines, *(["", f"Searches ended by the limit: {', '.join(ended)}."] if ended else []), ""])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("samples", type=Path, nargs="?", default=Path("shared/samples"))
    parser.add_argument("--pictures", type=int, help="only so many pictures of each folder, spread evenly")
    parser.add_argument("--seconds", type=float, default=20.0, help="limit of a peer's search in one picture")
    parser.add_argument("--recognisers", nargs="*", default=[], help="only these")
    parser.add_argument("--out", type=Path, help="also write the tables here (Markdown)")
    parser.add_argument("--json", type=Path, help="also write all figures here")
    args = parser.parse_args()
    if not args.samples.is_dir():
        raise SystemExit(f"{args.samples} is not there: name the folder of samples.")
    cv2.setNumThreads(1)
    cv2.setRNGSeed(1)
    tables, kept = [], {}
    with tempfile.TemporaryDirectory() as drawn:
        for one in sets(args.samples, Path(drawn), args.pictures):
            reports = [measure(one, each, args.pictures) for each in recognisers(args.seconds, args.recognisers)]
            tables.append(table(one.name, reports))
            kept[one.name] = reports
            print(tables[-1], flush=True)
    if args.out:
        args.out.write_text("\n".join(tables))
    if args.json:
        args.json.write_text(json.dumps(kept, indent=1))


if __name__ == "__main__":
    main()
