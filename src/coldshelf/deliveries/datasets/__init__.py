"""The datasets of this room."""

from coldshelf.deliveries.datasets.delivery import DELIVERY
from coldshelf.deliveries.datasets.delivery_attempt import DELIVERY_ATTEMPT

DATASETS = (DELIVERY, DELIVERY_ATTEMPT)
