"""Every figure of a picture. A new one is one file here and its name in `GROUPS` (and a column of `picture_kpi`)."""

from coldshelf.kpis.figures import Group, ImageFigures, Kpi, Value, compute
from coldshelf.kpis.formulas import assortment, beverages, old_names, planned, seen, shares

KPI_VERSION = 2
"""Stored with the figures of every picture; raised by one whenever a formula gives other values than before."""

GROUPS: tuple[Group, ...] = (
    seen.GROUP,
    shares.GROUP,
    assortment.GROUP,
    planned.GROUP,
    beverages.GROUP,
    old_names.GROUP,
)
KPIS: tuple[Kpi, ...] = tuple(figure for group in GROUPS for figure in group.kpis)
"""Every KPI, in the order of the files."""


def measure(image: ImageFigures) -> dict[str, Value]:
    """Compute every KPI, by column, rounded to two decimals for readers."""
    return compute(KPIS, image)
