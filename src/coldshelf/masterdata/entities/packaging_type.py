"""Types of packaging."""

from coldshelf.masterdata.naming import named_fields, named_keys
from coldshelf.records.entity import Entity

PACKAGING_TYPE = Entity(
    name="PackagingType",
    table="packaging_type",
    meaning="Type of packaging, for example Can or Bottle",
    fields=named_fields("PackagingType", longest=200),
    keys=named_keys("PackagingType"),
    client_wide="Packagings are the same for every outlet.",
)
