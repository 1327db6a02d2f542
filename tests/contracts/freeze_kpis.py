"""Freezes what every formula gives, so that no figure changes its meaning unseen: python -m tests.contracts.freeze_kpis

A formula that gives other values than before takes a new KPI_VERSION, which is stored with every figure. New KPIs
need none.
"""

import hashlib
import json
import random
import sys
from pathlib import Path

from coldshelf.kpis.figures import FacingFigure, ImageFigures
from coldshelf.kpis.formulas import KPI_VERSION, measure

FILE = Path(__file__).parent / "kpis.json"
IMAGES = 300


def images() -> list[ImageFigures]:
    """Make pictures of every kind, always the same ones."""
    chance = random.Random(20261126)

    def facing() -> FacingFigure:
        number = chance.choice((None, 1, 2, 3, 4, 5, 6))
        return FacingFigure(
            product_id=number,
            is_foreign=number is not None and number > 4,
            is_empty=number is None and chance.random() < 0.6,
            fill_level=chance.choice((None, None, 25, 50, 75, 100)),
            is_compliant=chance.choice((None, True, False)),
            is_stacked=number is not None and chance.random() < 0.1,
            beverage_type=chance.choice(("", "SSD", "NCB", "Water")) if number else "",
        )

    return [
        ImageFigures(
            tuple(facing() for _ in range(chance.randint(0, 20))),
            tuple(chance.choices((1, 2, 3, 5, 7), k=chance.choice((0, 0, 6, 12)))),
        )
        for _ in range(IMAGES)
    ]


def values() -> dict[str, str]:
    """Give for each KPI, by its column, the digest of its values."""
    measured = [measure(image) for image in images()]
    return {
        column: hashlib.sha256(json.dumps([one[column] for one in measured]).encode()).hexdigest()[:16]
        for column in measured[0]
    }


def changed() -> list[str]:
    """Name the frozen KPIs that give other values now, or are gone."""
    now = values()
    return [column for column, digest in json.loads(FILE.read_text())["values"].items() if now.get(column) != digest]


if __name__ == "__main__":
    if FILE.exists() and changed() and json.loads(FILE.read_text())["version"] >= KPI_VERSION:
        sys.exit(f"raise KPI_VERSION: other values from {', '.join(changed())}")
    FILE.write_text(json.dumps({"version": KPI_VERSION, "values": values()}, indent=1) + "\n")
