"""Types of beverages."""

from coldshelf.masterdata.naming import named_fields, named_keys
from coldshelf.records.entity import Entity

BEVERAGE_TYPE = Entity(
    name="BeverageType",
    table="beverage_type",
    meaning="Type of beverage: the product type",
    fields=named_fields("BeverageType", longest=200),
    keys=named_keys("BeverageType"),
    client_wide="Types are the same for every outlet.",
    handlers=("ProductType",),
)
