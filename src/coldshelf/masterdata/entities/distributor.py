"""Distributors."""

from coldshelf.masterdata.naming import named_fields, named_keys, text
from coldshelf.records.entity import Entity

DISTRIBUTOR = Entity(
    name="Distributor",
    table="distributor",
    meaning="Distributor that delivers to outlets",
    fields=(
        *named_fields("Distributor"),
        text("PrimaryEmail", 250, "E-mail address", personal=True),
        text("PrimaryPhone", 150, "Phone", personal=True),
    ),
    keys=named_keys("Distributor"),
    client_wide="Distributors deliver to many outlets.",
)
