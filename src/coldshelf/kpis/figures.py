"""What every figure of a picture is made of. Pure; the formulas stand in `formulas/`.

How facings count: a facing is a gap, an own product, a foreign product, or a product that could not be named. Unknown
products count where all products or all facings are meant (TotalFacings, StockPercentage, the denominators of the
shares and of purity) and are neither own nor foreign, since nobody knows: they make no share of ours larger and raise
no competition. TotalStock counts named products only, so that own = TotalStock - ForeignProduct holds as published,
and TotalFacings = OwnFacings + ForeignFacings + UnknownFacings + EmptyFacings.

Products stacked on others are no facings: they count in no figure of facings, stock or shares. They are seen all the
same, so they count where the question is which products are there: SKU counts, assortment, competition, out of stock.

None means: there is no such figure, because it would divide by zero, nothing was planned, or it cannot be seen.
Formulas give exact values; `measure` rounds.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeVar


@dataclass(frozen=True, slots=True)
class FacingFigure:
    """What a figure needs of a row. `product_id` is None when the product could not be named or is a gap.

    `fill_level` is in percent, None where it cannot be seen; `is_compliant` is None without a planogram; `is_stacked`:
    it stands on another one; `beverage_type` is that of the product, empty where it has none.
    """

    product_id: int | None
    is_foreign: bool
    is_empty: bool
    fill_level: float | None
    is_compliant: bool | None
    is_stacked: bool = False
    beverage_type: str = ""


@dataclass(frozen=True, slots=True)
class ImageFigures:
    """A picture for the formulas: what was seen, and the product of each planned place (none without a planogram)."""

    facings: tuple[FacingFigure, ...]
    planned: tuple[int, ...]

    @property
    def standing(self) -> list[FacingFigure]:
        """Give the facings: products and gaps on the shelf, nothing stacked."""
        return [facing for facing in self.facings if not facing.is_stacked]

    @property
    def gaps(self) -> list[FacingFigure]:
        return [facing for facing in self.standing if facing.is_empty]

    @property
    def products(self) -> list[FacingFigure]:
        """Give the facings with a product, named or not."""
        return [facing for facing in self.standing if not facing.is_empty]

    @property
    def unknown(self) -> list[FacingFigure]:
        return [facing for facing in self.products if facing.product_id is None]

    @property
    def named(self) -> list[FacingFigure]:
        return [facing for facing in self.products if facing.product_id is not None]

    @property
    def own(self) -> list[FacingFigure]:
        return [facing for facing in self.named if not facing.is_foreign]

    @property
    def foreign(self) -> list[FacingFigure]:
        return [facing for facing in self.named if facing.is_foreign]

    @property
    def recognised(self) -> list[FacingFigure]:
        """Give the named products, stacked ones included."""
        return [facing for facing in self.facings if not facing.is_empty and facing.product_id is not None]

    def seen_products(self, *, is_foreign: bool | None = None) -> set[int | None]:
        """Give the different products seen, stacked ones included; of one side when `is_foreign` says which."""
        wanted = (False, True) if is_foreign is None else (is_foreign,)
        return {facing.product_id for facing in self.recognised if facing.is_foreign in wanted}


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


class Group:
    """The KPIs of one file, in its order."""

    def __init__(self, title: str) -> None:
        self.title = title
        self.kpis: list[Kpi] = []

    def kpi(self, wire: str, measure: Measure, meaning: str) -> Callable[[Registered], Registered]:
        """Make a formula a KPI; the function's name is its column in `picture_kpi`."""

        def register(formula: Registered) -> Registered:
            self.kpis.append(Kpi(wire, measure, meaning, formula))
            return formula

        return register


def compute(kpis: Iterable[Kpi], image: ImageFigures) -> dict[str, Value]:
    """Compute KPIs, by column, rounded to two decimals for readers."""
    return {figure.column: _rounded(figure.formula(image)) for figure in kpis}


def _rounded(value: Value) -> Value:
    return round(value, 2) if isinstance(value, float) else value


def percentage(part: float, whole: float) -> float | None:
    """Give part / whole x 100; None when there is no whole."""
    return part / whole * 100 if whole else None
