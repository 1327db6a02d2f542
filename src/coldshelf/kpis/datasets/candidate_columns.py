"""What kpis adds to ReprocessingPicture."""

from coldshelf.records.columns import json
from coldshelf.records.dataset import ColumnGroup

CANDIDATE_COLUMNS = ColumnGroup(
    of="ReprocessingPicture",
    relation="reprocessing_figures",
    key="reprocessing_picture_id",
    columns=(json("KpiDifferences", "Figures that would change: name, stored value, new value", "differences"),),
)
