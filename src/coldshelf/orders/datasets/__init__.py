"""The datasets of this room."""

from coldshelf.orders.datasets.missed_opportunity import MISSED_OPPORTUNITY
from coldshelf.orders.datasets.order_recommendation import ORDER_RECOMMENDATION, ORDER_RECOMMENDATION_LINE

DATASETS = (MISSED_OPPORTUNITY, ORDER_RECOMMENDATION, ORDER_RECOMMENDATION_LINE)
