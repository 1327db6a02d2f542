"""What telemetry adds to SmartDevice. Promised; the values come with the events of devices."""

from coldshelf.records.columns import utc
from coldshelf.records.dataset import ColumnGroup

DEVICE_STATE = ColumnGroup(
    of="SmartDevice", relation="", key="", columns=(utc("LastPingUtc", "Last contact of the device"),)
)
