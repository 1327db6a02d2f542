"""Routes of sales reps and pre-sellers."""

from coldshelf.masterdata.naming import named_fields, named_keys
from coldshelf.records.entity import Entity

ROUTE = Entity(
    name="Route",
    table="route",
    meaning="Route on which outlets are visited",
    fields=named_fields("Route"),
    keys=named_keys("Route"),
    client_wide="Routes run through many outlets.",
)
