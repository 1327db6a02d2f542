"""Every published worked example, and every figure that does not exist."""

import random
from dataclasses import replace
from pathlib import Path

import pytest

from coldshelf.kpis.datasets import GROUPS
from coldshelf.kpis.figures import FacingFigure, ImageFigures, Measure, Value
from coldshelf.kpis.formulas import KPIS, assortment, beverages, measure, planned, seen, shares
from coldshelf.records.fields import FieldType

OWN = FacingFigure(product_id=1, is_foreign=False, is_empty=False, fill_level=None, is_compliant=None)
FOREIGN = replace(OWN, product_id=100, is_foreign=True)
UNKNOWN = replace(OWN, product_id=None)
GAP = replace(OWN, product_id=None, is_empty=True)

TEN = (OWN,) * 5 + (FOREIGN,) * 3 + (GAP,) * 2
"""The published shelf: 10 facings, 5 own, 3 foreign, 2 empty."""
MIXED = (OWN,) * 4 + (FOREIGN,) * 3 + (UNKNOWN,) + (GAP,) * 2


def image(*facings: FacingFigure, planned: tuple[int, ...] = ()) -> ImageFigures:
    return ImageFigures(facings, planned)


def filled(*levels: float | None) -> tuple[FacingFigure, ...]:
    return tuple(replace(OWN, fill_level=level) for level in levels)


def products(*ids: int) -> tuple[FacingFigure, ...]:
    return tuple(replace(OWN, product_id=product_id) for product_id in ids)


# Published worked examples (contract 6.1)


def test_five_own_of_ten_facings_are_50_percent_own_share_of_shelf() -> None:
    assert shares.own_share_of_shelf(image(*TEN)) == 50.0


def test_three_foreign_of_ten_facings_are_30_percent_foreign_share_of_shelf() -> None:
    assert shares.foreign_share_of_shelf(image(*TEN)) == 30.0


def test_two_empty_of_ten_facings_are_20_percent_empty_share_of_shelf() -> None:
    assert shares.empty_share_of_shelf(image(*TEN)) == 20.0


def test_own_levels_of_250_on_six_facings_are_41_67_percent_occupancy() -> None:
    shown = image(*filled(50, 75, 25, 100), FOREIGN, GAP)

    assert shares.occupancy_percentage(shown) == pytest.approx(250 / 600 * 100)
    assert measure(shown)["occupancy_percentage"] == 41.67


def test_nine_facings_with_eight_products_one_of_them_twice_have_a_depth_of_seven() -> None:
    assert assortment.assortment_depth_numeric(image(*products(1, 2, 3, 4, 5, 6, 7, 7), GAP)) == 7


# Counts


def test_facings_add_up_and_own_is_total_stock_less_foreign_product() -> None:
    shown = image(*MIXED)

    assert seen.total_facings(shown) == 10
    assert seen.total_stock(shown) == 7
    assert seen.foreign_product(shown) == seen.foreign_facings(shown) == 3
    assert seen.own_facings(shown) == 4
    assert seen.unknown_facings(shown) == 1
    assert seen.empty_facings(shown) == 2


def test_facings_add_up_whatever_is_seen() -> None:
    chance = random.Random(20260714)
    for _ in range(200):
        shown = image(*chance.choices((OWN, FOREIGN, UNKNOWN, GAP), k=chance.randint(0, 40)))
        figures = measure(shown)

        parts = ("own_facings", "foreign_facings", "unknown_facings", "empty_facings")
        assert sum(int(figures[part] or 0) for part in parts) == figures["total_facings"]
        assert figures["own_facings"] == int(figures["total_stock"] or 0) - int(figures["foreign_product"] or 0)


def test_an_unknown_product_counts_in_the_totals_and_is_neither_own_nor_foreign() -> None:
    shown = image(OWN, UNKNOWN, UNKNOWN, UNKNOWN)

    assert shares.own_share_of_shelf(shown) == 25.0
    assert shares.foreign_share_of_shelf(shown) == 0.0
    assert shares.stock_percentage(shown) == 100.0
    assert shares.purity_percentage(shown) == 25.0
    assert assortment.sku_count(shown) == 1


def test_an_unknown_product_raises_no_competition() -> None:
    assert seen.competition(image(OWN, UNKNOWN)) is False
    assert seen.competition(image(OWN, FOREIGN)) is True


def test_different_products_are_counted_once_own_and_foreign_apart() -> None:
    shown = image(*products(1, 1, 2), FOREIGN, UNKNOWN, GAP)

    assert assortment.sku_count(shown) == 3
    assert assortment.sku_count_our(shown) == 2
    assert assortment.sku_count_foreign(shown) == 1


# Percentages


def test_stocked_facings_are_all_but_gaps() -> None:
    assert shares.stock_percentage(image(*TEN)) == 80.0


def test_purity_is_own_of_all_products_and_not_compliance() -> None:
    wrong = [replace(facing, is_compliant=False) for facing in TEN]

    assert shares.purity_percentage(image(*wrong, planned=(1, 2))) == 62.5


def test_occupancy_leaves_out_own_facings_whose_level_cannot_be_seen() -> None:
    assert shares.occupancy_percentage(image(*filled(100, 50, None), GAP)) == 50.0


@pytest.mark.parametrize("facings", [(), (OWN, OWN), (FOREIGN, GAP), (*filled(None), replace(FOREIGN, fill_level=50))])
def test_there_is_no_occupancy_where_no_level_of_ours_can_be_seen(facings: tuple[FacingFigure, ...]) -> None:
    assert shares.occupancy_percentage(image(*facings)) is None


def test_a_cooler_full_of_measured_foreign_products_has_no_occupancy_of_ours() -> None:
    assert shares.occupancy_percentage(image(replace(FOREIGN, fill_level=100))) == 0.0


# Stacked products


def test_stacked_products_are_no_facings_and_count_in_no_share() -> None:
    plain = image(OWN, OWN, FOREIGN, GAP, planned=(1, 2))
    stacked = image(*plain.facings, replace(OWN, is_stacked=True), replace(UNKNOWN, is_stacked=True), planned=(1, 2))

    differing = {name for name, value in measure(stacked).items() if measure(plain)[name] != value}

    assert differing == {"stacked_products"}
    assert seen.stacked_products(stacked) == 2


def test_a_product_that_stands_only_on_others_is_seen_and_in_stock() -> None:
    top = replace(OWN, product_id=2, is_stacked=True)
    rival = replace(FOREIGN, is_stacked=True)

    shown = image(OWN, top, rival, planned=(1, 2, 3))

    assert (assortment.sku_count_our(shown), assortment.sku_count_foreign(shown)) == (2, 1)
    assert planned.out_of_stock_skus(shown) == 1
    assert seen.competition(shown) is True
    assert (seen.total_stock(shown), seen.foreign_product(shown), seen.own_facings(shown)) == (1, 0, 1)


def test_levels_of_stacked_products_are_left_out_of_the_occupancy() -> None:
    shown = image(*filled(50, 100), replace(OWN, fill_level=100, is_stacked=True))

    assert shares.occupancy_percentage(shown) == 75.0


# Kinds of beverages


def drinks(*kinds: str) -> tuple[FacingFigure, ...]:
    return tuple(replace(OWN, beverage_type=kind) for kind in kinds)


def test_sparkling_and_still_drinks_are_counted_by_their_beverage_type() -> None:
    shown = image(*drinks("SSD", "ssd ", "SSD", "NCB"), replace(FOREIGN, beverage_type="Ncb"), UNKNOWN, GAP)

    assert (beverages.ssd_count(shown), beverages.ncb_count(shown)) == (3, 2)
    assert (beverages.percentage_of_ssd(shown), beverages.percentage_of_ncb(shown)) == (60.0, 40.0)


def test_without_any_beverage_type_nobody_knows_the_kinds() -> None:
    figures = measure(image(*TEN))

    names = ("ssd_count", "ncb_count", "percentage_of_ssd", "percentage_of_ncb")
    assert {figures[name] for name in names} == {None}


def test_other_types_of_beverages_are_neither() -> None:
    shown = image(*drinks("Water", "SSD"))

    assert (beverages.ssd_count(shown), beverages.ncb_count(shown)) == (1, 0)
    assert beverages.percentage_of_ssd(shown) == 50.0


# Names of the older list


def test_the_older_names_give_the_same_figures() -> None:
    figures = measure(image(*MIXED, planned=(1, 2, 100)))

    same = {
        "our_stock": "own_facings",
        "empty_facing": "empty_facings",
        "percentage_of_empty_facing": "empty_share_of_shelf",
        "percentage_of_oos_sku": "oos_percentage",
    }
    assert {old: figures[old] for old in same} == {old: figures[new] for old, new in same.items()}
    assert figures["our_stock"] == 4
    assert figures["percentage_of_oos_sku"] == 33.33


def test_shares_of_the_named_products_make_a_hundred() -> None:
    figures = measure(image(*MIXED))

    assert (figures["percentage_of_our_product"], figures["percentage_of_foreign_product"]) == (57.14, 42.86)


# Against the planogram


PLANNED = (1, 1, 1, 2, 2, 3, 4, 5)


def test_compliance_is_compliant_facings_of_planned_ones() -> None:
    right, wrong = replace(OWN, is_compliant=True), replace(OWN, is_compliant=False)
    shown = image(*(right,) * 15, wrong, wrong, replace(GAP, is_compliant=False), planned=(1,) * 18)

    assert planned.planogram_facings(shown) == 18
    assert planned.compliant_facings(shown) == 15
    assert planned.non_compliant_facings(shown) == 3
    assert measure(shown)["planogram_compliance"] == 83.33


def test_out_of_stock_counts_different_planned_products_that_are_not_seen() -> None:
    shown = image(*products(1, 2, 9), UNKNOWN, GAP, planned=PLANNED)

    assert planned.out_of_stock_skus(shown) == 3
    assert planned.oos_percentage(shown) == 60.0
    assert assortment.assortment_depth_compliance(shown) == 40.0


def test_a_product_at_a_wrong_place_is_not_out_of_stock() -> None:
    shown = image(replace(OWN, is_compliant=False), planned=(1,))

    assert planned.out_of_stock_skus(shown) == 0
    assert planned.oos_percentage(shown) == 0.0


def test_a_priorogram_is_complied_with_by_its_available_products() -> None:
    right = replace(OWN, is_compliant=True)
    several = image(*(replace(right, product_id=n) for n in (1, 1, 2, 3)), planned=(1, 2, 3))
    lacking = image(right, replace(OWN, product_id=9, is_compliant=False), planned=(1, 2, 3))

    assert planned.planogram_facings(several) == 3
    assert planned.planogram_compliance(several) == 100.0
    assert measure(lacking)["planogram_compliance"] == 33.33
    assert planned.out_of_stock_skus(lacking) == 2


def test_an_empty_cooler_with_a_planogram_is_out_of_everything() -> None:
    figures = measure(image(planned=PLANNED))

    assert figures["planogram_compliance"] == 0.0
    assert figures["compliant_facings"] == 0
    assert figures["out_of_stock_skus"] == 5
    assert figures["oos_percentage"] == 100.0


# What does not exist


def test_without_a_planogram_nothing_is_compared() -> None:
    figures = measure(image(*TEN))

    compared = {
        "planogram_facings",
        "compliant_facings",
        "non_compliant_facings",
        "planogram_compliance",
        "out_of_stock_skus",
        "oos_percentage",
        "assortment_depth_compliance",
        "percentage_of_oos_sku",
    }
    assert {name for name in compared if figures[name] is not None} == set()


def test_without_facings_there_are_counts_but_no_shares() -> None:
    figures = measure(image())

    assert {name for name, value in figures.items() if value is not None} == {
        "total_facings",
        "empty_facings",
        "unknown_facings",
        "total_stock",
        "foreign_product",
        "own_facings",
        "foreign_facings",
        "competition",
        "sku_count",
        "sku_count_our",
        "sku_count_foreign",
        "assortment_depth_numeric",
        "stacked_products",
        "our_stock",
        "empty_facing",
    }


def test_only_gaps_have_no_purity() -> None:
    assert shares.purity_percentage(image(GAP, GAP)) is None


# The catalogue of KPIs


PUBLISHED = {
    "TotalStock",
    "ForeignProduct",
    "PlanogramFacings",
    "CompliantFacings",
    "EmptyFacings",
    "TotalFacings",
    "StockPercentage",
    "PurityPercentage",
    "OOSPercentage",
    "PlanogramCompliance",
    "Competition",
    "OccupancyPercentage",
    "OwnFacings",
    "ForeignFacings",
    "SKUCount",
    "SKUCountOur",
    "SKUCountForeign",
    "SSDCount",
    "NCBCount",
    "PercentageOfSSD",
    "PercentageOfNCB",
    "OurStock",
    "EmptyFacing",
    "PercentageOfOOSSku",
    "PercentageOfEmptyFacing",
    "PercentageOfOurProduct",
    "PercentageOfForeignProduct",
}


def test_every_published_name_is_a_kpi() -> None:
    assert {figure.wire for figure in KPIS} >= PUBLISHED


def test_every_kpi_has_a_name_of_its_own_and_says_its_formula_source_and_example() -> None:
    assert len({figure.wire for figure in KPIS}) == len({figure.column for figure in KPIS}) == len(KPIS)
    for figure in KPIS:
        text = figure.formula.__doc__ or ""
        assert figure.meaning
        assert "Example" in text, figure.wire
        assert "Contract" in text or "Our addition" in text, figure.wire


def test_every_kpi_stands_in_the_docs_with_its_example() -> None:
    page = (Path(__file__).parent.parent.parent / "docs" / "kpis.md").read_text(encoding="utf-8")
    lines = {line.split("`")[1]: line for line in page.splitlines() if line.startswith("| `")}

    for figure in KPIS:
        text = " ".join((figure.formula.__doc__ or "").split())
        assert text.partition("Example: ")[2] in lines[figure.wire], figure.wire


def test_every_value_has_the_type_of_its_measure() -> None:
    types: dict[Measure, type] = {Measure.COUNT: int, Measure.PERCENT: float, Measure.YES_NO: bool}
    drinks = (replace(OWN, beverage_type="SSD"), replace(OWN, beverage_type="NCB"))
    figures = measure(image(*TEN, *filled(50), *drinks, planned=(1, 2)))

    assert {figure.column for figure in KPIS if type(figures[figure.column]) is not types[figure.measure]} == set()


def test_values_are_rounded_for_readers_only() -> None:
    shown = image(OWN, FOREIGN, GAP)
    rounded: Value = measure(shown)["own_share_of_shelf"]

    assert shares.own_share_of_shelf(shown) == pytest.approx(100 / 3, abs=1e-12)
    assert rounded == 33.33


def test_every_kpi_is_a_column_of_the_image_record() -> None:
    group, _ = GROUPS

    assert group.of == "AssetPurity"
    versions = ["KpiVersion", "KpiPlanogramId", "PlanogramVersion", "PlanogramModifiedOn"]
    assert [column.wire for column in group.columns] == [figure.wire for figure in KPIS] + versions
    by_wire = {column.wire: column for column in group.columns}
    assert by_wire["Competition"].type is FieldType.BOOLEAN
    assert by_wire["TotalStock"].type is FieldType.INTEGER
    assert (by_wire["OOSPercentage"].type, by_wire["OOSPercentage"].unit) == (FieldType.FLOAT, "percent")
