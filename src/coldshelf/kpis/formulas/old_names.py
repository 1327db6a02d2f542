"""Figures under the names that readers of the older list know, each with its relation to the newer ones."""

from coldshelf.kpis.figures import Group, ImageFigures, Measure, percentage

GROUP = Group("Names of the older list")


@GROUP.kpi("OurStock", Measure.COUNT, "Own products counted: OwnFacings under its older name")
def our_stock(image: ImageFigures) -> int:
    """Give TotalStock - ForeignProduct.

    Contract 4.2 and 6.2. Example: 7 named products, 3 of them foreign: 4.
    """
    return len(image.own)


@GROUP.kpi("EmptyFacing", Measure.COUNT, "Gaps: EmptyFacings under its older name")
def empty_facing(image: ImageFigures) -> int:
    """Count the gaps.

    Contract 4.2. Example: 5 own products, 3 foreign ones and 2 gaps: 2.
    """
    return len(image.gaps)


@GROUP.kpi("PercentageOfOurProduct", Measure.PERCENT, "Own products of the named products")
def percentage_of_our_product(image: ImageFigures) -> float | None:
    """Give own / named products x 100; None without named products. With PercentageOfForeignProduct it makes 100.

    Unlike PurityPercentage it leaves unknown products out. Contract 4.2, ratio our addition.
    Example: 4 own, 3 foreign, 1 unknown: 57.14 %.
    """
    return percentage(len(image.own), len(image.named))


@GROUP.kpi("PercentageOfForeignProduct", Measure.PERCENT, "Competitors' products of the named products")
def percentage_of_foreign_product(image: ImageFigures) -> float | None:
    """Give foreign / named products x 100; None without named products.

    Contract 4.2, ratio our addition. Example: 4 own, 3 foreign, 1 unknown: 42.86 %.
    """
    return percentage(len(image.foreign), len(image.named))


@GROUP.kpi("PercentageOfEmptyFacing", Measure.PERCENT, "Gaps of all facings: EmptyShareOfShelf under its older name")
def percentage_of_empty_facing(image: ImageFigures) -> float | None:
    """Give empty facings / total facings x 100; None without facings.

    Contract 4.2. Example: 10 facings, 2 empty: 20 %.
    """
    return percentage(len(image.gaps), len(image.standing))


@GROUP.kpi("PercentageOfOOSSku", Measure.PERCENT, "Planogram products out of stock: OOSPercentage under its older name")
def percentage_of_oos_sku(image: ImageFigures) -> float | None:
    """Give out-of-stock SKUs / different planogram SKUs x 100; None without a planogram.

    Contract 4.2 and 6.2. Example: 8 products planned, 6 of them seen: 25 %.
    """
    planned = set(image.planned)
    return percentage(len(planned - image.seen_products()), len(planned))
