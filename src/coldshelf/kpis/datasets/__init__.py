"""The column groups of this room."""

from coldshelf.kpis.datasets.candidate_columns import CANDIDATE_COLUMNS
from coldshelf.kpis.datasets.kpi_columns import KPI_COLUMNS

GROUPS = (KPI_COLUMNS, CANDIDATE_COLUMNS)
