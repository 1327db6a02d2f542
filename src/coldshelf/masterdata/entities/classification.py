"""Classifications of outlets."""

from coldshelf.masterdata.naming import named_fields, named_keys
from coldshelf.records.entity import Entity

CLASSIFICATION = Entity(
    name="Classification",
    table="classification",
    meaning="Classification of outlets: the customer tier",
    fields=named_fields("Classification"),
    keys=named_keys("Classification"),
    client_wide="Tiers are the same for every outlet.",
    handlers=("LocationClassification",),
)
