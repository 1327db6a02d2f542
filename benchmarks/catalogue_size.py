"""Measures what a large catalogue costs the trained recogniser: seconds a picture with 30 and with 1,000 products.

    .venv/bin/python benchmarks/catalogue_size.py
    .venv/bin/python benchmarks/catalogue_size.py --products 30 1000 5000 --pictures 20 --recogniser neural:my-model

Products are invented, with three reference pictures each; pictures show the first of them, so that every catalogue is
asked about the same coolers. The first call opens the networks and embeds all references; the figure for a picture is
the median of those after it, in turns for all catalogues, so that what else runs on the machine meets all of them.
"""

import argparse
import resource
import time
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

from coldshelf.pictures.rendering import ProductDesign, generate_designs, random_scenes, reference_pictures
from coldshelf.recognition.networks.models import SHIPPED
from coldshelf.recognition.recogniser import CatalogueProduct, Pixels, ProductId, Recogniser
from coldshelf.recognition.recognisers import OWN_MODELS
from coldshelf.recognition.recognisers.neural import NeuralRecogniser

SHOWN = 30
"""The pictures show none but the first so many products."""


def catalogue_of(designs: Sequence[ProductDesign]) -> list[CatalogueProduct]:
    return [
        CatalogueProduct(
            ProductId(number), design.sku, design.name, is_foreign=False, references=reference_pictures(design, 3)
        )
        for number, design in enumerate(designs, 1)
    ]


def seconds_of(recogniser: Recogniser, image: Pixels, catalogue: Sequence[CatalogueProduct]) -> float:
    start = time.perf_counter()
    recogniser.recognise(image, catalogue)
    return time.perf_counter() - start


def peak_mib() -> float:
    """Return the largest memory of this process so far; the kernel counts in KiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--products", type=int, nargs="+", default=[30, 1000], help="sizes of the catalogue")
    parser.add_argument("--pictures", type=int, default=12)
    parser.add_argument("--size", type=int, default=960)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--recogniser", default=OWN_MODELS + str(SHIPPED), help="neural:FOLDER")
    args = parser.parse_args()
    cv2.setNumThreads(1)
    folder = Path(args.recogniser.removeprefix(OWN_MODELS))
    designs = generate_designs(max(*args.products, SHOWN))
    whole = catalogue_of(designs)
    scenes = list(random_scenes(args.seed, args.pictures, designs=designs[:SHOWN], size=(args.size, args.size)))
    print(f"{np.mean([len(scene.facings) for scene in scenes]):.1f} facings a picture, {args.pictures} pictures")
    print(f"{'before any network, catalogue and pictures in memory':52} peak {peak_mib():7.0f} MiB")
    # Each catalogue has its own recogniser, as a worker that serves one client has.
    recognisers = {count: NeuralRecogniser(folder) for count in args.products}
    for count, recogniser in recognisers.items():
        first = seconds_of(recogniser, scenes[0].image, whole[:count])
        print(f"{f'{count} products, first call':52} {first:7.2f} s, peak {peak_mib():7.0f} MiB")
    spent: dict[int, list[float]] = {count: [] for count in args.products}
    for scene in scenes:
        for count, recogniser in recognisers.items():
            spent[count].append(seconds_of(recogniser, scene.image, whole[:count]))
    for count, seconds in spent.items():
        print(f"{f'{count} products, a picture after that, median':52} {np.median(seconds):7.3f} s")
    usual = [float(np.median(spent[count])) for count in args.products]
    print(f"{'largest catalogue over smallest':52} {usual[-1] / usual[0]:7.2f} times; peak {peak_mib():7.0f} MiB")


if __name__ == "__main__":
    main()
