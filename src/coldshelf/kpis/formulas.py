"""Every figure of a picture: pure, no database. A new one is a function with `@kpi` here and a column of `picture_kpi`.

How facings count: a facing is a gap, an own product, a foreign product, or a product that could not be named. Unknown
products count where all products or all facings are meant (TotalFacings, StockPercentage, the denominators of the
shares and of purity) and are neither own nor foreign, since nobody knows: they make no share of ours larger and raise
no competition. TotalStock counts named products only, so that own = TotalStock - ForeignProduct holds as published,
and TotalFacings = OwnFacings + ForeignFacings + UnknownFacings + EmptyFacings.

None means: there is no such figure, because it would divide by zero, nothing was planned, or it cannot be seen.
Formulas give exact values; `measure` rounds.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeVar


@dataclass(frozen=True, slots=True)
class FacingFigure:
    """What a figure needs of a facing or gap. `product_id` is None when the product could not be named or is a gap.

    `fill_level` is in percent, None where it cannot be seen; `is_compliant` is None without a planogram.
    """

    product_id: int | None
    is_foreign: bool
    is_empty: bool
    fill_level: float | None
    is_compliant: bool | None


@dataclass(frozen=True, slots=True)
class ImageFigures:
    """A picture for the formulas: what was seen, and the product of each planned place (none without a planogram)."""

    facings: tuple[FacingFigure, ...]
    planned: tuple[int, ...]


class Measure(StrEnum):
    """What kind of value a KPI has; a PERCENT runs from 0 to 100."""

    COUNT = "count"
    PERCENT = "percent"
    YES_NO = "yes_no"


Value = int | float | bool | None
Formula = Callable[[ImageFigures], Value]
Registered = TypeVar("Registered", bound=Formula)


@dataclass(frozen=True, slots=True)
class Kpi:
    """A figure of a picture: its name on the wire, what it is, and its formula, named like its column."""

    wire: str
    measure: Measure
    meaning: str
    formula: Formula

    @property
    def column(self) -> str:
        return self.formula.__name__


KPIS: list[Kpi] = []
"""Every KPI, in the order of this file."""


def kpi(wire: str, measure: Measure, meaning: str) -> Callable[[Registered], Registered]:
    """Register a formula as a KPI; the function's name is its column in `picture_kpi`."""

    def register(formula: Registered) -> Registered:
        KPIS.append(Kpi(wire, measure, meaning, formula))
        return formula

    return register


def measure(image: ImageFigures) -> dict[str, Value]:
    """Compute every KPI, by column, rounded to two decimals for readers."""
    return {figure.column: _rounded(figure.formula(image)) for figure in KPIS}


def _rounded(value: Value) -> Value:
    return round(value, 2) if isinstance(value, float) else value


def percentage(part: float, whole: float) -> float | None:
    """Give part / whole x 100; None when there is no whole."""
    return part / whole * 100 if whole else None


# What was seen


@kpi("TotalFacings", Measure.COUNT, "Facings detected: products, unknown products and gaps")
def total_facings(image: ImageFigures) -> int:
    """Count every facing and gap.

    Contract 4.2. Example: 5 own products, 3 foreign ones and 2 gaps are 10 facings.
    """
    return len(image.facings)


@kpi("EmptyFacings", Measure.COUNT, "Gaps")
def empty_facings(image: ImageFigures) -> int:
    """Count the gaps.

    Contract 4.2. Example: 5 own products, 3 foreign ones and 2 gaps have 2 empty facings.
    """
    return sum(facing.is_empty for facing in image.facings)


@kpi("UnknownFacings", Measure.COUNT, "Products that could not be named: neither own nor foreign")
def unknown_facings(image: ImageFigures) -> int:
    """Count the products that could not be named.

    Our addition, so that the facings add up. Example: 4 own, 3 foreign, 1 unknown and 2 gaps: 1.
    """
    return sum(not facing.is_empty and facing.product_id is None for facing in image.facings)


@kpi("TotalStock", Measure.COUNT, "Named products counted: own and foreign")
def total_stock(image: ImageFigures) -> int:
    """Count the products that have a name.

    Contract 4.2, "stock counted". Example: 4 own, 3 foreign, 1 unknown and 2 gaps: 7.
    """
    return len(_named(image))


@kpi("ForeignProduct", Measure.COUNT, "Competitors' products")
def foreign_product(image: ImageFigures) -> int:
    """Count the named products of competitors.

    Contract 4.2. Example: 4 own, 3 foreign, 1 unknown and 2 gaps: 3.
    """
    return sum(facing.is_foreign for facing in _named(image))


@kpi("OwnFacings", Measure.COUNT, "Own products")
def own_facings(image: ImageFigures) -> int:
    """Give TotalStock - ForeignProduct, never below 0.

    Contract 6.2. Example: 7 named products, 3 of them foreign: 4.
    """
    return max(0, total_stock(image) - foreign_product(image))


@kpi("ForeignFacings", Measure.COUNT, "Competitors' products: ForeignProduct under the name that pairs with OwnFacings")
def foreign_facings(image: ImageFigures) -> int:
    """Give ForeignProduct under its second name.

    Contract 4.2, proposed fields. Example: 4 own, 3 foreign, 1 unknown and 2 gaps: 3.
    """
    return foreign_product(image)


@kpi("Competition", Measure.YES_NO, "Competitors' products are seen")
def competition(image: ImageFigures) -> bool:
    """Say whether any named product is a competitor's; an unknown product alone raises no competition.

    Contract 4.2. Example: 4 own and 1 unknown: no; 4 own and 1 foreign: yes.
    """
    return foreign_product(image) > 0


# Shares


@kpi("OwnShareOfShelf", Measure.PERCENT, "Own facings of all facings")
def own_share_of_shelf(image: ImageFigures) -> float | None:
    """Give own facings / total facings x 100; None without facings.

    Contract 6.1. Example: 10 facings, 5 own: 50 %.
    """
    return percentage(own_facings(image), total_facings(image))


@kpi("ForeignShareOfShelf", Measure.PERCENT, "Foreign facings of all facings")
def foreign_share_of_shelf(image: ImageFigures) -> float | None:
    """Give foreign facings / total facings x 100; None without facings.

    Contract 6.1. Example: 10 facings, 3 foreign: 30 %.
    """
    return percentage(foreign_facings(image), total_facings(image))


@kpi("EmptyShareOfShelf", Measure.PERCENT, "Gaps of all facings")
def empty_share_of_shelf(image: ImageFigures) -> float | None:
    """Give empty facings / total facings x 100; None without facings.

    Contract 6.1. Example: 10 facings, 2 empty: 20 %.
    """
    return percentage(empty_facings(image), total_facings(image))


@kpi("StockPercentage", Measure.PERCENT, "Stocked facings of all facings")
def stock_percentage(image: ImageFigures) -> float | None:
    """Give (total facings - empty facings) / total facings x 100; None without facings.

    An unknown product is stock as well. Contract 6.2. Example: 10 facings, 2 empty: 80 %.
    """
    return percentage(total_facings(image) - empty_facings(image), total_facings(image))


@kpi("PurityPercentage", Measure.PERCENT, "Own products of all products, unknown ones included")
def purity_percentage(image: ImageFigures) -> float | None:
    """Give own products / all products x 100; None without products.

    An unknown product counts as a product that is not known to be ours: one own bottle among nine unknown ones is not
    pure. Contract 6.2; purity is not compliance (contract 11 no. 12). Example: 5 own, 3 foreign, 2 gaps: 62.5 %.
    """
    return percentage(own_facings(image), total_facings(image) - empty_facings(image))


@kpi("OccupancyPercentage", Measure.PERCENT, "Fill of own facings of the capacity of all facings")
def occupancy_percentage(image: ImageFigures) -> float | None:
    """Give sum of fill levels of own facings / (100 x facings) x 100; None when it cannot be seen.

    Foreign, unknown and empty facings add nothing above and count below. Own facings whose fill level cannot be seen
    are left out on both sides. Where that is all of them, or no facing shows a level, there is no figure: a 0 from a
    recogniser that measures no levels would look like an empty cooler.
    Contract 6.1. Example: own facings of 50, 75, 25 and 100, one foreign, one empty: 250 / 600 = 41.67 %.
    """
    own = [facing for facing in _named(image) if not facing.is_foreign]
    levels = [facing.fill_level for facing in own if facing.fill_level is not None]
    seen = any(facing.fill_level is not None for facing in image.facings)
    if not seen or (own and not levels):
        return None
    return percentage(sum(levels), 100 * (total_facings(image) - len(own) + len(levels)))


# Assortment


@kpi("SKUCount", Measure.COUNT, "Different products seen")
def sku_count(image: ImageFigures) -> int:
    """Count the different named products.

    Contract 6.2. Example: cola twice, lemon once, a competitor's cola once: 3.
    """
    return len({facing.product_id for facing in _named(image)})


@kpi("SKUCountOur", Measure.COUNT, "Different own products seen")
def sku_count_our(image: ImageFigures) -> int:
    """Count the different named products of ours.

    Contract 6.2. Example: cola twice, lemon once, a competitor's cola once: 2.
    """
    return len(_own_products(image))


@kpi("SKUCountForeign", Measure.COUNT, "Different competitors' products seen")
def sku_count_foreign(image: ImageFigures) -> int:
    """Count the different named products of competitors.

    Contract 6.2. Example: cola twice, lemon once, a competitor's cola once: 1.
    """
    return len({facing.product_id for facing in _named(image) if facing.is_foreign})


@kpi("AssortmentDepthNumeric", Measure.COUNT, "Different own products seen; several facings count once")
def assortment_depth_numeric(image: ImageFigures) -> int:
    """Count the different own products.

    Contract 6.1, read as in contract 11 no. 14. Example: 9 facings, 8 with products, one product twice: 7.
    """
    return len(_own_products(image))


@kpi("AssortmentDepthCompliance", Measure.PERCENT, "Different own products of the planogram that are seen")
def assortment_depth_compliance(image: ImageFigures) -> float | None:
    """Give different own products that are planned and seen / different planned products x 100.

    None without a planogram. Contract 6.1 (our addition). Example: 4 planned, 3 of them seen: 75 %.
    """
    planned = set(image.planned)
    return percentage(len(planned & _own_products(image)), len(planned))


# Against the planogram


@kpi("PlanogramFacings", Measure.COUNT, "Facings in the planogram")
def planogram_facings(image: ImageFigures) -> int | None:
    """Count the planned places; None without a planogram.

    Contract 4.2. Example: three shelves of six places: 18.
    """
    return len(image.planned) or None


@kpi("CompliantFacings", Measure.COUNT, "Facings that match the planogram")
def compliant_facings(image: ImageFigures) -> int | None:
    """Count the facings that stand where they should; None without a planogram.

    Contract 6.2. Example: 18 seen, 15 at their place, 2 wrong products, 1 gap: 15.
    """
    return sum(facing.is_compliant is True for facing in image.facings) if image.planned else None


@kpi("NonCompliantFacings", Measure.COUNT, "Facings and gaps that do not match the planogram")
def non_compliant_facings(image: ImageFigures) -> int | None:
    """Count the facings that do not stand where they should, gaps among them; None without a planogram.

    Contract 6.2. Example: 18 seen, 15 at their place, 2 wrong products, 1 gap: 3.
    """
    return sum(facing.is_compliant is False for facing in image.facings) if image.planned else None


@kpi("PlanogramCompliance", Measure.PERCENT, "Compliant facings of the planned ones")
def planogram_compliance(image: ImageFigures) -> float | None:
    """Give CompliantFacings / PlanogramFacings x 100; None without a planogram.

    Contract 6.2. Example: 18 planned, 15 compliant: 83.33 %.
    """
    return percentage(compliant_facings(image) or 0, planogram_facings(image) or 0)


@kpi("OutOfStockSKUs", Measure.COUNT, "Different planogram products that are not seen")
def out_of_stock_skus(image: ImageFigures) -> int | None:
    """Count the different planned products that are not among the named ones; None without a planogram.

    A product that stands at a wrong place is in stock. Contract 6.2. Example: 8 products planned, 6 of them seen: 2.
    """
    if not image.planned:
        return None
    return len(set(image.planned) - {facing.product_id for facing in _named(image)})


@kpi("OOSPercentage", Measure.PERCENT, "Planogram products that are out of stock")
def oos_percentage(image: ImageFigures) -> float | None:
    """Give out-of-stock SKUs / different planogram SKUs x 100; None without a planogram.

    Contract 6.2. Example: 8 products planned, 6 of them seen: 25 %.
    """
    return percentage(out_of_stock_skus(image) or 0, len(set(image.planned)))


def _named(image: ImageFigures) -> list[FacingFigure]:
    return [facing for facing in image.facings if not facing.is_empty and facing.product_id is not None]


def _own_products(image: ImageFigures) -> set[int | None]:
    return {facing.product_id for facing in _named(image) if not facing.is_foreign}
