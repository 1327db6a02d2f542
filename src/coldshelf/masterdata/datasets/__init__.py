"""The datasets of this room that are not entities."""

from coldshelf.masterdata.datasets.planogram_product import PLANOGRAM_PRODUCT
from coldshelf.masterdata.datasets.product_image import PRODUCT_IMAGE

DATASETS = (PRODUCT_IMAGE, PLANOGRAM_PRODUCT)
