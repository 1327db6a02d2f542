"""Units of measurement."""

from coldshelf.masterdata.naming import named_fields, named_keys
from coldshelf.records.entity import Entity

MEASUREMENT_UNIT = Entity(
    name="MeasurementUnit",
    table="measurement_unit",
    meaning="Unit of a product's content, for example ml",
    fields=named_fields("MeasurementUnit", longest=200),
    keys=named_keys("MeasurementUnit"),
    client_wide="Units are the same for every outlet.",
    handlers=("MeasurementUnitType",),
)
