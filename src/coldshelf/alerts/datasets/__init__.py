"""The datasets of this room."""

from coldshelf.alerts.datasets.alert import ALERT

DATASETS = (ALERT,)
