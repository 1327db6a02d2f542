"""What kpis adds to AssetPurity: a column for each registered KPI."""

from coldshelf.kpis.formulas import KPIS, Measure
from coldshelf.records.dataset import Column, ColumnGroup
from coldshelf.records.fields import FieldType

TYPES = {
    Measure.COUNT: FieldType.INTEGER,
    Measure.PERCENT: FieldType.FLOAT,
    Measure.YES_NO: FieldType.BOOLEAN,
}

KPI_COLUMNS = ColumnGroup(
    of="AssetPurity",
    relation="picture_kpi",
    key="picture_id",
    columns=tuple(
        Column(
            wire=figure.wire,
            column=figure.column,
            type=TYPES[figure.measure],
            unit="percent" if figure.measure is Measure.PERCENT else "",
            meaning=figure.meaning,
        )
        for figure in KPIS
    ),
)
