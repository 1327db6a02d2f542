"""AssetPurityProduct: the products detected in an image (contract 4.3). Gaps are rows of the product Empty."""

from coldshelf.records.dataset import Column, Dataset, Join, common_columns
from coldshelf.records.fields import FieldType


def _text(wire: str, meaning: str, column: str = "") -> Column:
    return Column(wire=wire, column=column, type=FieldType.TEXT, meaning=meaning)


def _number(wire: str, meaning: str, column: str = "") -> Column:
    return Column(wire=wire, column=column, type=FieldType.INTEGER, meaning=meaning)


def _switch(wire: str, meaning: str) -> Column:
    return Column(wire=wire, type=FieldType.BOOLEAN, meaning=meaning)


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
        _number("AssetPurityProductId", "Id of the row", "id"),
        _number("AssetPurityId", "Image record", "picture_id"),
        _number("ProductId", "Product"),
        _text("Product", "Name of the product at that time", "product_name"),
        _text("SKU", "Stock keeping unit; -1000 = unknown", "sku"),
        _number("Shelf", "Shelf from the top, from 1"),
        _number("Position", "Place from the left, from 1"),
        _switch("IsForeign", "Competitor's product"),
        _switch("IsEmpty", "A gap"),
        _switch("IsUnknown", "A product that could not be named"),
        Column(wire="Confidence", type=FieldType.FLOAT, unit="percent", meaning="0 to 100"),
        Column(
            wire="SeenConfidence",
            type=FieldType.FLOAT,
            unit="percent",
            meaning="Confidence by looks alone, before neighbours and planogram had a say",
        ),
        *(_pixel(f"{axis}{n}") for n in range(1, 5) for axis in "XY"),
        _number("Door", "Door from the left, from 1"),
        _number("StackIndex", "0 stands on the shelf; 1, 2 … stand on the row with the same shelf and position"),
        _number("StackSize", "Products stacked on this one"),
        _number("FillLevel", "How full the column is: 0, 25, 50, 75 or 100 percent; empty where it cannot be seen"),
        _number("Capacity", "Products that still fit in: into a gap, or behind a facing with a fill level"),
        _text("Code", "Code of the outlet", "location_code"),
        _text("Name", "Name of the outlet", "location_name"),
        _text("AssetSerialNumber", "Serial number of the asset", "serial_number"),
        _text("City", "City of the outlet"),
        _text("State", "State of the outlet"),
        _text("Country", "Country of the outlet"),
        *common_columns(),
    ),
)
