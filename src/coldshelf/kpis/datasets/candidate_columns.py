"""What kpis adds to ReprocessingPicture."""

from coldshelf.records.dataset import Column, ColumnGroup
from coldshelf.records.fields import FieldType

CANDIDATE_COLUMNS = ColumnGroup(
    of="ReprocessingPicture",
    relation="reprocessing_figures",
    key="reprocessing_picture_id",
    columns=(
        Column(
            wire="KpiDifferences",
            column="differences",
            type=FieldType.JSON,
            meaning="Figures that would change: name, stored value, new value",
        ),
    ),
)
