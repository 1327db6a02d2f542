"""Models of replenishment."""

from coldshelf.masterdata.naming import named_fields, named_keys
from coldshelf.records.entity import Entity

REPLENISH_MODEL = Entity(
    name="ReplenishModel",
    table="replenish_model",
    meaning="Model by which a planogram is replenished",
    fields=named_fields("ReplenishModel", longest=200),
    keys=named_keys("ReplenishModel"),
    client_wide="Models are the same for every outlet.",
)
