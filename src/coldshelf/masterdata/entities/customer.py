"""Customers."""

from coldshelf.masterdata.naming import named_fields, named_keys
from coldshelf.records.entity import Entity

CUSTOMER = Entity(
    name="Customer",
    table="customer",
    meaning="Customer that runs outlets",
    fields=named_fields("Customer"),
    keys=named_keys("Customer"),
    client_wide="Customers are the same for every outlet.",
)
