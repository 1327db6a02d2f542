"""The datasets and column groups of this room."""

from coldshelf.telemetry.datasets.device_events import DEVICE_EVENTS
from coldshelf.telemetry.datasets.device_state import DEVICE_STATE

DATASETS = DEVICE_EVENTS
GROUPS = (DEVICE_STATE,)
