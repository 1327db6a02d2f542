"""Reference pictures of products."""

from coldshelf.records.dataset import Column, Dataset, Join, common_columns
from coldshelf.records.fields import FieldType

PRODUCT_IMAGE = Dataset(
    name="ProductImage",
    relation="product_image",
    key="ProductImageId",
    meaning="Reference picture by which a product is recognised",
    client_wide="Products are the same for every outlet.",
    plain_filters=("ProductId",),
    handler=False,
    joins=(Join(name="product", relation="product", on="product_id"),),
    columns=(
        Column(wire="ProductImageId", column="id", type=FieldType.INTEGER, meaning="Id of the picture"),
        Column(wire="ProductId", type=FieldType.INTEGER, meaning="Product"),
        Column(wire="SKU", column="sku", of="product", type=FieldType.TEXT, meaning="Its stock keeping unit"),
        Column(wire="Width", type=FieldType.INTEGER, unit="pixels", meaning="Width"),
        Column(wire="Height", type=FieldType.INTEGER, unit="pixels", meaning="Height"),
        *common_columns(),
    ),
)
