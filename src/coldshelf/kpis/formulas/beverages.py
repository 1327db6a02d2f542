"""Sparkling soft drinks and non-carbonated beverages, by the product's BeverageType.

A product counts as one of them when its BeverageType is the published short name, in any letter case. There is no
figure as long as none of the products that are seen says what it is.
"""

from coldshelf.kpis.figures import Group, ImageFigures, Measure, percentage

GROUP = Group("Kinds of beverages")
SSD, NCB = "ssd", "ncb"


@GROUP.kpi("SSDCount", Measure.COUNT, "Facings of sparkling soft drinks (BeverageType SSD), own and foreign")
def ssd_count(image: ImageFigures) -> int | None:
    """Count the named facings whose BeverageType is SSD; None where no product seen has a BeverageType.

    Contract 6.2. Example: 3 colas (SSD), 2 teas (NCB), 1 unknown: 3.
    """
    return _count(image, SSD)


@GROUP.kpi("NCBCount", Measure.COUNT, "Facings of non-carbonated beverages (BeverageType NCB), own and foreign")
def ncb_count(image: ImageFigures) -> int | None:
    """Count the named facings whose BeverageType is NCB; None where no product seen has a BeverageType.

    Contract 6.2. Example: 3 colas (SSD), 2 teas (NCB), 1 unknown: 2.
    """
    return _count(image, NCB)


@GROUP.kpi("PercentageOfSSD", Measure.PERCENT, "Sparkling soft drinks of the named products")
def percentage_of_ssd(image: ImageFigures) -> float | None:
    """Give SSDCount / TotalStock x 100; None where no product seen has a BeverageType.

    Contract 4.2, ratio our addition. Example: 3 colas (SSD), 2 teas (NCB), 1 unknown: 60 %.
    """
    return _share(image, SSD)


@GROUP.kpi("PercentageOfNCB", Measure.PERCENT, "Non-carbonated beverages of the named products")
def percentage_of_ncb(image: ImageFigures) -> float | None:
    """Give NCBCount / TotalStock x 100; None where no product seen has a BeverageType.

    Contract 4.2, ratio our addition. Example: 3 colas (SSD), 2 teas (NCB), 1 unknown: 40 %.
    """
    return _share(image, NCB)


def _count(image: ImageFigures, kind: str) -> int | None:
    kinds = [facing.beverage_type.strip().lower() for facing in image.named]
    return kinds.count(kind) if any(kinds) else None


def _share(image: ImageFigures, kind: str) -> float | None:
    count = _count(image, kind)
    return None if count is None else percentage(count, len(image.named))
