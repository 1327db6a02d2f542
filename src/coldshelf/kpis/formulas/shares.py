"""Shares of the shelf, stock, purity and occupancy."""

from coldshelf.kpis.figures import Group, ImageFigures, Measure, percentage

GROUP = Group("Shares")


@GROUP.kpi("OwnShareOfShelf", Measure.PERCENT, "Own facings of all facings")
def own_share_of_shelf(image: ImageFigures) -> float | None:
    """Give own facings / total facings x 100; None without facings.

    Contract 6.1. Example: 10 facings, 5 own: 50 %.
    """
    return percentage(len(image.own), len(image.standing))


@GROUP.kpi("ForeignShareOfShelf", Measure.PERCENT, "Foreign facings of all facings")
def foreign_share_of_shelf(image: ImageFigures) -> float | None:
    """Give foreign facings / total facings x 100; None without facings.

    Contract 6.1. Example: 10 facings, 3 foreign: 30 %.
    """
    return percentage(len(image.foreign), len(image.standing))


@GROUP.kpi("EmptyShareOfShelf", Measure.PERCENT, "Gaps of all facings")
def empty_share_of_shelf(image: ImageFigures) -> float | None:
    """Give empty facings / total facings x 100; None without facings.

    Contract 6.1. Example: 10 facings, 2 empty: 20 %.
    """
    return percentage(len(image.gaps), len(image.standing))


@GROUP.kpi("StockPercentage", Measure.PERCENT, "Stocked facings of all facings")
def stock_percentage(image: ImageFigures) -> float | None:
    """Give (total facings - empty facings) / total facings x 100; None without facings.

    An unknown product is stock as well. Contract 6.2. Example: 10 facings, 2 empty: 80 %.
    """
    return percentage(len(image.products), len(image.standing))


@GROUP.kpi("PurityPercentage", Measure.PERCENT, "Own products of all products, unknown ones included")
def purity_percentage(image: ImageFigures) -> float | None:
    """Give own products / all products x 100; None without products.

    An unknown product counts as a product that is not known to be ours: one own bottle among nine unknown ones is not
    pure. Contract 6.2; purity is not compliance (contract 11 no. 12). Example: 5 own, 3 foreign, 2 gaps: 62.5 %.
    """
    return percentage(len(image.own), len(image.products))


@GROUP.kpi("OccupancyPercentage", Measure.PERCENT, "Fill of own facings of the capacity of all facings")
def occupancy_percentage(image: ImageFigures) -> float | None:
    """Give sum of fill levels of own facings / (100 x facings) x 100; None when it cannot be seen.

    Foreign, unknown and empty facings add nothing above and count below. Own facings whose fill level cannot be seen
    are left out on both sides. Where that is all of them, or no facing shows a level, there is no figure: a 0 from a
    recogniser that measures no levels would look like an empty cooler.
    Contract 6.1. Example: own facings of 50, 75, 25 and 100, one foreign, one empty: 250 / 600 = 41.67 %.
    """
    levels = [facing.fill_level for facing in image.own if facing.fill_level is not None]
    seen = any(facing.fill_level is not None for facing in image.standing)
    if not seen or (image.own and not levels):
        return None
    return percentage(sum(levels), 100 * (len(image.standing) - len(image.own) + len(levels)))
