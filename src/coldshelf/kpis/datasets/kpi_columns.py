"""What kpis adds to AssetPurity: a column for each registered KPI, and the versions that the figures come from."""

from coldshelf.kpis.figures import Measure
from coldshelf.kpis.formulas import KPIS
from coldshelf.records.columns import utc, whole
from coldshelf.records.dataset import Column, ColumnGroup, PlainSwitch
from coldshelf.records.fields import FieldType

TYPES = {
    Measure.COUNT: FieldType.INTEGER,
    Measure.PERCENT: FieldType.FLOAT,
    Measure.YES_NO: FieldType.BOOLEAN,
}
FIGURES = tuple(
    Column(
        wire=figure.wire,
        column=figure.column,
        type=TYPES[figure.measure],
        unit="percent" if figure.measure is Measure.PERCENT else "",
        meaning=figure.meaning,
    )
    for figure in KPIS
)
VERSIONS = (
    whole("KpiVersion", "Version of the formulas that gave the figures"),
    whole("KpiPlanogramId", "Planogram that the figures were held against, if any"),
    whole("PlanogramVersion", "Version number of that planogram at that time"),
    utc("PlanogramModifiedOn", "Last change of that planogram before the figures were made"),
)

KPI_COLUMNS = ColumnGroup(
    of="AssetPurity",
    relation="picture_kpi",
    key="picture_id",
    columns=(*FIGURES, *VERSIONS),
    plain_switches=(
        PlainSwitch(
            name="Competition",
            field="Competition",
            yes=("=", True),
            no=("=", False),
            meaning="Whether competitor products were seen",
        ),
        PlainSwitch(
            name="PurityIssue",
            field="PurityPercentage",
            yes=("<", 100.0),
            no=(">=", 100.0),
            meaning="Whether PurityPercentage is below 100",
        ),
    ),
)
