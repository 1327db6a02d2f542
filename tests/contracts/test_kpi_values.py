"""A figure never changes its meaning without a new KPI_VERSION."""

import json

from coldshelf.kpis.formulas import KPI_VERSION
from tests.contracts.freeze_kpis import FILE, changed, values

COMMAND = "raise KPI_VERSION and run: python -m tests.contracts.freeze_kpis"


def test_every_formula_gives_the_values_of_its_version() -> None:
    assert changed() == [], COMMAND
    assert json.loads(FILE.read_text())["version"] == KPI_VERSION, COMMAND


def test_the_pictures_tell_formulas_apart() -> None:
    """Figures with the same values are those that are two names of one thing, or two that must agree."""
    by_digest: dict[str, list[str]] = {}
    for column, digest in values().items():
        by_digest.setdefault(digest, []).append(column)

    assert sorted(columns for columns in by_digest.values() if len(columns) > 1) == [
        ["empty_facings", "empty_facing"],
        ["empty_share_of_shelf", "percentage_of_empty_facing"],
        ["foreign_product", "foreign_facings"],
        ["oos_percentage", "percentage_of_oos_sku"],
        ["own_facings", "our_stock"],
        ["sku_count_our", "assortment_depth_numeric"],
    ]
