"""Categories of products."""

from coldshelf.masterdata.naming import named_fields, named_keys
from coldshelf.records.entity import Entity

PRODUCT_CATEGORY = Entity(
    name="ProductCategory",
    table="product_category",
    meaning="Category of products",
    fields=named_fields("ProductCategory", longest=200),
    keys=named_keys("ProductCategory"),
    client_wide="Categories are the same for every outlet.",
)
