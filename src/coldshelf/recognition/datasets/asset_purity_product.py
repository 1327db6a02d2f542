"""AssetPurityProduct: the products detected in an image (contract 4.3). Gaps are rows of the product Empty."""

from coldshelf.records.columns import text, whole, yes_no
from coldshelf.records.dataset import Column, Dataset, Join, common_columns
from coldshelf.records.fields import FieldType


def _pixel(wire: str) -> Column:
    return Column(wire=wire, type=FieldType.FLOAT, unit="pixels", meaning="Corner, from the top left one downwards")


ASSET_PURITY_PRODUCT = Dataset(
    name="AssetPurityProduct",
    relation="facing",
    key="AssetPurityProductId",
    meaning="Product or gap seen at a place of a cooler",
    location="location_id",
    location_of=Join(name="picture", relation="picture", on="picture_id"),
    default_direction="asc",
    plain_filters=("AssetPurityId", "ProductId"),
    columns=(
        whole("AssetPurityProductId", "Id of the row", "id"),
        whole("AssetPurityId", "Image record", "picture_id"),
        whole("ProductId", "Product"),
        text("Product", "Name of the product at that time", "product_name"),
        text("SKU", "Stock keeping unit; -1000 = unknown", "sku"),
        whole("Shelf", "Shelf from the top, from 1"),
        whole("Position", "Place from the left, from 1"),
        yes_no("IsForeign", "Competitor's product"),
        yes_no("IsEmpty", "A gap"),
        yes_no("IsUnknown", "A product that could not be named"),
        Column(wire="Confidence", type=FieldType.FLOAT, unit="percent", meaning="0 to 100"),
        Column(
            wire="SeenConfidence",
            type=FieldType.FLOAT,
            unit="percent",
            meaning="Confidence by looks alone, before neighbours and planogram had a say",
        ),
        *(_pixel(f"{axis}{n}") for n in range(1, 5) for axis in "XY"),
        whole("Door", "Door from the left, from 1"),
        whole("StackIndex", "0 stands on the shelf; 1, 2 … stand on the row with the same shelf and position"),
        whole("StackSize", "Products stacked on this one"),
        whole("FillLevel", "How full the column is: 0, 25, 50, 75 or 100 percent; empty where it cannot be seen"),
        whole("Capacity", "Products that still fit in: into a gap, or behind a facing with a fill level"),
        text("Code", "Code of the outlet", "location_code"),
        text("Name", "Name of the outlet", "location_name"),
        text("AssetSerialNumber", "Serial number of the asset", "serial_number"),
        text("City", "City of the outlet"),
        text("State", "State of the outlet"),
        text("Country", "Country of the outlet"),
        *common_columns(),
    ),
)
