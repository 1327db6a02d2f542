"""Assortment: which products are seen, stacked ones included."""

from coldshelf.kpis.figures import Group, ImageFigures, Measure, percentage

GROUP = Group("Assortment")


@GROUP.kpi("SKUCount", Measure.COUNT, "Different products seen")
def sku_count(image: ImageFigures) -> int:
    """Count the different named products.

    Contract 6.2. Example: cola twice, lemon once, a competitor's cola once: 3.
    """
    return len(image.seen_products())


@GROUP.kpi("SKUCountOur", Measure.COUNT, "Different own products seen")
def sku_count_our(image: ImageFigures) -> int:
    """Count the different named products of ours.

    Contract 6.2. Example: cola twice, lemon once, a competitor's cola once: 2.
    """
    return len(image.seen_products(is_foreign=False))


@GROUP.kpi("SKUCountForeign", Measure.COUNT, "Different competitors' products seen")
def sku_count_foreign(image: ImageFigures) -> int:
    """Count the different named products of competitors.

    Contract 6.2. Example: cola twice, lemon once, a competitor's cola once: 1.
    """
    return len(image.seen_products(is_foreign=True))


@GROUP.kpi("AssortmentDepthNumeric", Measure.COUNT, "Different own products seen; several facings count once")
def assortment_depth_numeric(image: ImageFigures) -> int:
    """Count the different own products.

    Contract 6.1, read as in contract 11 no. 14. Example: 9 facings, 8 with products, one product twice: 7.
    """
    return len(image.seen_products(is_foreign=False))


@GROUP.kpi("AssortmentDepthCompliance", Measure.PERCENT, "Different own products of the planogram that are seen")
def assortment_depth_compliance(image: ImageFigures) -> float | None:
    """Give different own products that are planned and seen / different planned products x 100.

    None without a planogram. Contract 6.1 (our addition). Example: 4 planned, 3 of them seen: 75 %.
    """
    planned = set(image.planned)
    return percentage(len(planned & image.seen_products(is_foreign=False)), len(planned))
