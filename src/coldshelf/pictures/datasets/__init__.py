"""The datasets of this room."""

from coldshelf.pictures.datasets.asset_purity import ASSET_PURITY
from coldshelf.pictures.datasets.review import ASSET_PURITY_REVIEW

DATASETS = (ASSET_PURITY, ASSET_PURITY_REVIEW)
