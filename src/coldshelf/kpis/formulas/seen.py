"""What was seen: counts of facings and products."""

from coldshelf.kpis.figures import Group, ImageFigures, Measure

GROUP = Group("What was seen")


@GROUP.kpi("TotalFacings", Measure.COUNT, "Facings detected: products, unknown products and gaps")
def total_facings(image: ImageFigures) -> int:
    """Count every facing and gap.

    Contract 4.2. Example: 5 own products, 3 foreign ones and 2 gaps are 10 facings.
    """
    return len(image.standing)


@GROUP.kpi("EmptyFacings", Measure.COUNT, "Gaps")
def empty_facings(image: ImageFigures) -> int:
    """Count the gaps.

    Contract 4.2. Example: 5 own products, 3 foreign ones and 2 gaps have 2 empty facings.
    """
    return len(image.gaps)


@GROUP.kpi("UnknownFacings", Measure.COUNT, "Products that could not be named: neither own nor foreign")
def unknown_facings(image: ImageFigures) -> int:
    """Count the products that could not be named.

    Our addition, so that the facings add up. Example: 4 own, 3 foreign, 1 unknown and 2 gaps: 1.
    """
    return len(image.unknown)


@GROUP.kpi("TotalStock", Measure.COUNT, "Named products counted: own and foreign")
def total_stock(image: ImageFigures) -> int:
    """Count the products that have a name.

    Contract 4.2, "stock counted". Example: 4 own, 3 foreign, 1 unknown and 2 gaps: 7.
    """
    return len(image.named)


@GROUP.kpi("ForeignProduct", Measure.COUNT, "Competitors' products")
def foreign_product(image: ImageFigures) -> int:
    """Count the named products of competitors.

    Contract 4.2. Example: 4 own, 3 foreign, 1 unknown and 2 gaps: 3.
    """
    return len(image.foreign)


@GROUP.kpi("OwnFacings", Measure.COUNT, "Own products")
def own_facings(image: ImageFigures) -> int:
    """Give TotalStock - ForeignProduct, never below 0.

    Contract 6.2. Example: 7 named products, 3 of them foreign: 4.
    """
    return max(0, len(image.named) - len(image.foreign))


@GROUP.kpi(
    "ForeignFacings", Measure.COUNT, "Competitors' products: ForeignProduct under the name that pairs with OwnFacings"
)
def foreign_facings(image: ImageFigures) -> int:
    """Give ForeignProduct under its second name.

    Contract 4.2, proposed fields. Example: 4 own, 3 foreign, 1 unknown and 2 gaps: 3.
    """
    return len(image.foreign)


@GROUP.kpi("Competition", Measure.YES_NO, "Competitors' products are seen")
def competition(image: ImageFigures) -> bool:
    """Say whether any named product is a competitor's, stacked ones included.

    An unknown product alone raises no competition.

    Contract 4.2. Example: 4 own and 1 unknown: no; 4 own and 1 foreign: yes.
    """
    return any(facing.is_foreign for facing in image.recognised)


@GROUP.kpi("StackedProducts", Measure.COUNT, "Products that stand on others; they count in no facing figure")
def stacked_products(image: ImageFigures) -> int:
    """Count what is stacked on the facings, unknown products included.

    Our addition. Example: two cans side by side with a third on top: 2 facings, 1 stacked product.
    """
    return sum(facing.is_stacked for facing in image.facings)
