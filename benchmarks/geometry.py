"""Measures shelves, positions, gaps, stacks, doors and fill levels from boxes on pictures with truth.

    .venv/bin/python benchmarks/geometry.py --scenes 120
    .venv/bin/python benchmarks/geometry.py --folder shared/samples/cooler_pepsico_vn_train --noise

Rendered scenes bear the whole truth. Folders know rows that were computed from the boxes alone, so the figure is only
an agreement; pictures that disagree are listed to be looked at. `--noise` jitters boxes by up to 5 percent of their
size, drops 3 percent and adds 3 percent false ones, as a detector would; the same seed gives the same noise.
"""

import argparse
import json
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

import cv2
import numpy as np

from coldshelf.pictures.rendering import RenderedScene, TrueFacing, random_scenes
from coldshelf.recognition.geometry import Arrangement, Placed, arrange
from coldshelf.recognition.recogniser import Box, Corners, Gap, Pixels

Tally = Counter[str]
PARTLY_SEEN = 0.3
"""A gap is found when a found one covers so much of it, by intersection over union."""


def box_of(corners: Corners) -> Box:
    xs, ys = [x for x, _ in corners], [y for _, y in corners]
    return min(xs), min(ys), max(xs), max(ys)


def overlap(one: Box, other: Box) -> float:
    width = min(one[2], other[2]) - max(one[0], other[0])
    height = min(one[3], other[3]) - max(one[1], other[1])
    if width <= 0 or height <= 0:
        return 0.0
    areas = sum((box[2] - box[0]) * (box[3] - box[1]) for box in (one, other))
    return width * height / (areas - width * height)


def disturb(boxes: Sequence[Box], rng: np.random.Generator, size: tuple[int, int]) -> tuple[list[Box], list[int]]:
    """Return boxes as a detector would give them, and which true box each comes from, -1 for a false one."""
    found, origins = [], []
    for number, box in enumerate(boxes):
        if rng.random() < 0.03:
            continue
        wide, high = box[2] - box[0], box[3] - box[1]
        moved = np.array(box) + rng.uniform(-0.05, 0.05, 4) * (wide, high, wide, high)
        found.append(tuple(moved.tolist()))
        origins.append(number)
        if rng.random() < 0.03:
            left, top = rng.uniform(0, size[1] - wide), rng.uniform(0, size[0] - high)
            found.append((float(left), float(top), float(left + wide), float(top + high)))
            origins.append(-1)
    return found, origins


def timed(image: Pixels, boxes: Sequence[Box], tally: Tally) -> Arrangement:
    start = time.perf_counter()
    result = arrange(image, boxes)
    tally["ms"] += (time.perf_counter() - start) * 1000  # type: ignore[assignment]  # the one fraction among counts
    tally["pictures"] += 1
    return result


def measure_scenes(scenes: Iterator[RenderedScene], *, noise: np.random.Generator | None) -> Tally:
    tally: Tally = Counter()
    for scene in scenes:
        boxes: list[Box] = [facing.box for facing in scene.facings]
        origins = list(range(len(boxes)))
        if noise is not None:
            boxes, origins = disturb(boxes, noise, scene.image.shape[:2])
        result = timed(scene.image, boxes, tally)
        tally["shelf count right"] += len(result.shelves) == len(scene.shelves)
        pairs = [(scene.facings[i], place) for i, place in zip(origins, result.places, strict=True) if i >= 0]
        count_facings(pairs, tally)
        count_gaps(scene, result.gaps, tally)
    return tally


def count_facings(pairs: Sequence[tuple[TrueFacing, Placed]], tally: Tally) -> None:
    true_numbers = {number: i for i, number in enumerate(sorted({true.shelf for true, _ in pairs}))}
    several = max((true.door for true, _ in pairs), default=1) > 1
    for true, place in pairs:
        tally["facings"] += 1
        tally["shelf right"] += true.shelf == place.shelf
        tally["place right"] += (true.shelf, true.position) == (place.shelf, place.position)
        tally["stacked true"] += true.stack_index > 0
        tally["stacked said"] += place.stack_index > 0
        tally["stacked right"] += true.stack_index == place.stack_index > 0
        tally["doors, facings"] += several
        tally["doors, right"] += several and true.door == place.door
        tally["single door, door wrong"] += not several and place.door != 1
        tally["set back, true"] += true.fill_level < 100
        tally["set back, said"] += place.fill_level is not None
        tally["set back, said and true"] += place.fill_level is not None and true.fill_level < 100
        tally["fill level right"] += place.fill_level == true.fill_level
    rows = {(true_numbers[true.shelf], place.shelf) for true, place in pairs}
    tally["rows all right"] += len(rows) == len({a for a, _ in rows}) == len({b for _, b in rows})


def count_gaps(scene: RenderedScene, found: Sequence[Gap], tally: Tally) -> None:
    left = [box_of(gap.corners) for gap in found]
    tally["gaps true"] += len(scene.gaps)
    tally["gaps said"] += len(left)
    for true in scene.gaps:
        rated = [overlap(box_of(true.corners), box) for box in left]
        if rated and max(rated) >= PARTLY_SEEN:
            left.pop(int(np.argmax(rated)))
            tally["gaps right"] += 1


def measure_folder(folder: Path, *, noise: np.random.Generator | None) -> tuple[Tally, list[str]]:
    """Count boxes and pictures whose rows agree with the folder's computed ones; name the others."""
    tally: Tally = Counter()
    others = []
    for entry in json.loads((folder / "ground_truth.json").read_text())["images"]:
        picture = cv2.imread(str(folder / entry["file"]), cv2.IMREAD_COLOR)
        if picture is None:
            raise FileNotFoundError(folder / entry["file"])
        boxes: list[Box] = [tuple(each["bbox"]) for each in entry["objects"]]
        origins = list(range(len(boxes)))
        if noise is not None:
            boxes, origins = disturb(boxes, noise, picture.shape[:2])
        result = timed(np.asarray(cv2.cvtColor(picture, cv2.COLOR_BGR2RGB), np.uint8), boxes, tally)
        rows = [
            (entry["objects"][i]["row_auto"], place.shelf)
            for i, place in zip(origins, result.places, strict=True)
            if i >= 0
        ]
        agree = len(set(rows)) == len({a for a, _ in rows}) == len({b for _, b in rows})
        tally["rows agree"] += agree
        tally["gaps said"] += len(result.gaps)
        tally["stacked said"] += sum(place.stack_index > 0 for place in result.places)
        tally["set back, said"] += sum(place.fill_level is not None for place in result.places)
        tally["doors said"] += max((place.door for place in result.places), default=1) > 1
        if not agree:
            others.append(Path(entry["file"]).stem)
    return tally, others


def share(tally: Tally, part: str, whole: str) -> str:
    return f"{tally[part] / tally[whole]:.3f} ({tally[part]}/{tally[whole]})" if tally[whole] else "-"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scenes", type=int, default=0, help="so many rendered scenes")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--size", type=int, default=416)
    parser.add_argument("--folder", type=Path, help="folder with ground_truth.json")
    parser.add_argument("--noise", action="store_true")
    args = parser.parse_args()
    cv2.setNumThreads(1)
    noise = np.random.default_rng(args.seed) if args.noise else None
    if args.scenes:
        tally = measure_scenes(random_scenes(args.seed, args.scenes, size=(args.size, args.size)), noise=noise)
        print_scenes(tally)
    if args.folder:
        tally, others = measure_folder(args.folder, noise=noise)
        print("rows agree with the computed ones", share(tally, "rows agree", "pictures"))
        print({name: tally[name] for name in ("gaps said", "stacked said", "set back, said", "doors said")})
        print("others:", " ".join(others))
        print(f"ms per picture {tally['ms'] / max(tally['pictures'], 1):.1f}")


def print_scenes(tally: Tally) -> None:
    for name, part, whole in (
        ("pictures whose rows are all right", "rows all right", "pictures"),
        ("shelf count right, empty ones included", "shelf count right", "pictures"),
        ("facings with the right shelf", "shelf right", "facings"),
        ("facings with the right shelf and position", "place right", "facings"),
        ("gaps, precision", "gaps right", "gaps said"),
        ("gaps, recall", "gaps right", "gaps true"),
        ("stacks, precision", "stacked right", "stacked said"),
        ("stacks, recall", "stacked right", "stacked true"),
        ("doors right where several", "doors, right", "doors, facings"),
        ("door other than 1 where one", "single door, door wrong", "facings"),
        ("standing back, precision", "set back, said and true", "set back, said"),
        ("standing back, recall", "set back, said and true", "set back, true"),
        ("fill level exact, of those standing back", "fill level right", "set back, true"),
    ):
        print(f"{name:44} {share(tally, part, whole)}")
    print(f"{'ms per picture':44} {tally['ms'] / max(tally['pictures'], 1):.1f}")


if __name__ == "__main__":
    main()
