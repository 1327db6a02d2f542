"""Asset types (contract 5.3, 14 columns)."""

from decimal import Decimal

from coldshelf.records.imports.declaration import CellType, ImportColumn, ImportType, Part


def _count(name: str, alias: str, sets: str, note: str = "") -> ImportColumn:
    return ImportColumn(
        name=name, alias=alias, sets=sets, type=CellType.INTEGER, minimum=Decimal(0), example="1", note=note
    )


ASSET_TYPES = ImportType(
    name="AssetType",
    title="Asset types",
    main="type",
    parts=(
        Part(name="type", entity="AssetType", keys=(("ModelNumber", "ManufacturerId"), ("ExternalAssetTypeCode",))),
    ),
    columns=(
        ImportColumn(
            name="Asset Type",
            alias="AssetType",
            sets="Name",
            required=True,
            max_length=100,
            example="Acme 500",
            note="Unique",
        ),
        ImportColumn(
            name="Model Number",
            alias="ModelNumber",
            sets="ModelNumber",
            required=True,
            max_length=270,
            example="500-A",
            note="Finds the asset type, together with Manufacturer",
        ),
        ImportColumn(
            name="Manufacturer",
            sets="Manufacturer",
            required=True,
            creates=True,
            max_length=300,
            example="Acme",
            note="Added where there is none of this name",
        ),
        ImportColumn(
            name="Orientation Type",
            alias="ChestCoolerType",
            sets="Orientation",
            required=True,
            max_length=200,
            choices=("Horizontal", "Vertical"),
            example="Vertical",
        ),
        ImportColumn(
            name="Door Handle Location",
            alias="DoorHandleLocationType",
            sets="DoorHandleLocation",
            required=True,
            max_length=200,
            choices=("Left", "Right", "Magnet", "Shelf", "Under Shelf"),
            example="Left",
        ),
        _count("No. Of Doors", "Doors", "Doors"),
        _count("Shelves", "", "Shelves"),
        _count("Columns", "", "Columns", "Most products on a shelf"),
        _count("Life", "", "Life", "Years or months, as the client counts"),
        _count("Warranty", "", "Warranty", "Years or months, as the client counts"),
        ImportColumn(
            name="Cabinet Height",
            alias="CabinetHeight",
            sets="CabinetHeight",
            type=CellType.DECIMAL,
            example="2000",
        ),
        ImportColumn(
            name="Cabinet Width", alias="CabinetWidth", sets="CabinetWidth", type=CellType.DECIMAL, example="600"
        ),
        ImportColumn(
            name="Temperature Offset",
            alias="TemperatureOffset",
            sets="TemperatureOffset",
            type=CellType.DECIMAL,
            minimum=Decimal(-5),
            maximum=Decimal(5),
            example="-0.5",
        ),
        ImportColumn(
            name="External Code",
            alias="ExternalAssetTypeCode",
            sets="ExternalAssetTypeCode",
            max_length=200,
            note="Finds the asset type where model number and manufacturer do not",
        ),
    ),
)
