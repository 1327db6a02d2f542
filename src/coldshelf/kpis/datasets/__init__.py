"""The datasets and column groups of this room."""

from coldshelf.kpis.datasets.asset_kpi_daily import ASSET_KPI_DAILY
from coldshelf.kpis.datasets.candidate_columns import CANDIDATE_COLUMNS
from coldshelf.kpis.datasets.kpi_columns import KPI_COLUMNS

DATASETS = (ASSET_KPI_DAILY,)
GROUPS = (KPI_COLUMNS, CANDIDATE_COLUMNS)
