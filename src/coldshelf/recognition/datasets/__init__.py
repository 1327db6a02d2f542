"""The datasets and column groups of this room."""

from coldshelf.recognition.datasets.asset_purity_product import ASSET_PURITY_PRODUCT
from coldshelf.recognition.datasets.reprocessing import REPROCESSING, REPROCESSING_PICTURE
from coldshelf.recognition.datasets.result_columns import RESULT_COLUMNS

DATASETS = (ASSET_PURITY_PRODUCT, REPROCESSING, REPROCESSING_PICTURE)
GROUPS = (RESULT_COLUMNS,)
