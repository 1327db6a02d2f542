"""The datasets of this room."""

from coldshelf.pictures.datasets.asset_purity import ASSET_PURITY

DATASETS = (ASSET_PURITY,)
