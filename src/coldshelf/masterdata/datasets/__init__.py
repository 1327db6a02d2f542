"""The datasets of this room that are not entities."""

from coldshelf.masterdata.datasets.product_image import PRODUCT_IMAGE

DATASETS = (PRODUCT_IMAGE,)
