"""Against the planogram, or the listed products of a Priorogram."""

from coldshelf.kpis.figures import Group, ImageFigures, Measure, percentage

GROUP = Group("Against the planogram")


@GROUP.kpi("PlanogramFacings", Measure.COUNT, "Facings in the planogram")
def planogram_facings(image: ImageFigures) -> int | None:
    """Count the planned places; None without a planogram.

    Contract 4.2. Example: three shelves of six places: 18.
    """
    return len(image.planned) or None


@GROUP.kpi("CompliantFacings", Measure.COUNT, "Facings that match the planogram")
def compliant_facings(image: ImageFigures) -> int | None:
    """Count the facings that stand where they should; None without a planogram.

    Contract 6.2. Example: 18 seen, 15 at their place, 2 wrong products, 1 gap: 15.
    """
    return sum(facing.is_compliant is True for facing in image.standing) if image.planned else None


@GROUP.kpi("NonCompliantFacings", Measure.COUNT, "Facings and gaps that do not match the planogram")
def non_compliant_facings(image: ImageFigures) -> int | None:
    """Count the facings that do not stand where they should, gaps among them; None without a planogram.

    Contract 6.2. Example: 18 seen, 15 at their place, 2 wrong products, 1 gap: 3.
    """
    return sum(facing.is_compliant is False for facing in image.standing) if image.planned else None


@GROUP.kpi("PlanogramCompliance", Measure.PERCENT, "Compliant facings of the planned ones")
def planogram_compliance(image: ImageFigures) -> float | None:
    """Give CompliantFacings / PlanogramFacings x 100, at most 100; None without a planogram.

    For a Priorogram the places are its listed products, so this is the share of them that is available.
    Contract 6.2. Example: 18 planned, 15 compliant: 83.33 %.
    """
    return percentage(min(compliant_facings(image) or 0, len(image.planned)), len(image.planned))


@GROUP.kpi("OutOfStockSKUs", Measure.COUNT, "Different planogram products that are not seen")
def out_of_stock_skus(image: ImageFigures) -> int | None:
    """Count the different planned products that are not among the named ones; None without a planogram.

    A product that stands at a wrong place, or on another one, is in stock. Contract 6.2.
    Example: 8 products planned, 6 of them seen: 2.
    """
    if not image.planned:
        return None
    return len(set(image.planned) - image.seen_products())


@GROUP.kpi("OOSPercentage", Measure.PERCENT, "Planogram products that are out of stock")
def oos_percentage(image: ImageFigures) -> float | None:
    """Give out-of-stock SKUs / different planogram SKUs x 100; None without a planogram.

    Contract 6.2. Example: 8 products planned, 6 of them seen: 25 %.
    """
    return percentage(out_of_stock_skus(image) or 0, len(set(image.planned)))
