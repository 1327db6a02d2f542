"""Models of coolers (contract 5.1, AssetType)."""

from decimal import Decimal

from coldshelf.access.principal import INSTALLERS
from coldshelf.records.dataset import Column
from coldshelf.records.entity import Entity, Field, Reference
from coldshelf.records.fields import FieldType

ZERO = Decimal(0)


def _count(wire: str, meaning: str) -> Field:
    return Field(wire=wire, type=FieldType.INTEGER, minimum=ZERO, maximum=Decimal(1000), meaning=meaning)


def _size(wire: str, meaning: str, unit: str = "mm") -> Field:
    return Field(
        wire=wire, type=FieldType.DECIMAL, precision=9, scale=3, maximum=Decimal(99_999), unit=unit, meaning=meaning
    )


ASSET_TYPE = Entity(
    name="AssetType",
    table="asset_type",
    meaning="Model of a cooler",
    fields=(
        Field(wire="Name", required=True, unique=True, max_length=250, meaning="Unique name, usually maker and model"),
        Field(wire="ModelNumber", max_length=270, meaning="Model number"),
        Field(
            wire="ExternalAssetTypeCode",
            column="external_code",
            unique=True,
            max_length=200,
            meaning="Key in your own system",
        ),
        Field(
            wire="DoorHandleLocation",
            aliases=("DoorHandleLocationType",),
            parquet=None,
            choices=("Left", "Right", "Magnet", "Shelf", "Under Shelf"),
            meaning="Side of the handle",
        ),
        Field(
            wire="Orientation",
            aliases=("ChestCoolerType", "OrientationType"),
            choices=("Horizontal", "Vertical"),
            meaning="Standing or lying cabinet",
        ),
        Field(wire="IsChestCooler", parquet=None, type=FieldType.BOOLEAN, meaning="Opens at the top"),
        Field(wire="Notes", parquet=None, max_length=500, meaning="Notes"),
        _count("Doors", "Doors, where there are several"),
        _count("Shelves", "Typical number of shelves"),
        _count("Columns", "Most products on a shelf, by the smallest product"),
        _count("ItemsPerColumn", "Most items front to back"),
        _count("Life", "Expected life, in years or months as the client counts"),
        _count("Warranty", "Warranty, in years or months as the client counts"),
        _size("TemperatureOffset", "Added to every recorded temperature", unit="°C"),
        _size("ShelfHeight", "Height of a shelf"),
        _size("CabinetHeight", "Height of the cabinet"),
        _size("CabinetWidth", "Width of the cabinet"),
    ),
    references=(
        Reference(
            wire="ManufacturerId",
            to="Manufacturer",
            by={"Manufacturer": "Name", "ManufacturerName": "Name", "ManufacturerCode": "Code"},
            shows={"Manufacturer": "name"},
            meaning="Maker of the cooler",
        ),
    ),
    keys={"ExternalAssetTypeCode": "ExternalAssetTypeCode", "AssetType": "Name", "Name": "Name"},
    client_wide="Models are the same for every outlet.",
    writers=INSTALLERS,
    extra_columns=(Column(wire="AssetType", column="name", parquet=None, type=FieldType.TEXT, meaning="Same as Name"),),
)
