"""Types of devices."""

from coldshelf.masterdata.naming import named_fields, named_keys
from coldshelf.records.entity import Entity

SMART_DEVICE_TYPE = Entity(
    name="SmartDeviceType",
    table="smart_device_type",
    meaning="Type of device",
    fields=named_fields("SmartDeviceType"),
    keys=named_keys("SmartDeviceType"),
    client_wide="Types are the same for every outlet.",
)
