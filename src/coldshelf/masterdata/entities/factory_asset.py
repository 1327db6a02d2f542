"""Coolers that got their device in the factory, before they stand anywhere (contract 5.3)."""

from coldshelf.access.principal import INSTALLERS
from coldshelf.records.entity import Entity, Field, Reference

FACTORY_ASSET = Entity(
    name="FactoryAsset",
    table="factory_asset",
    meaning="Cooler fitted with a device in the factory",
    fields=(
        Field(
            wire="AssetSerialNumber", required=True, unique=True, max_length=200, meaning="Serial number of the cooler"
        ),
        Field(wire="SmartDeviceSerialNumber", required=True, max_length=200, meaning="Serial number of its device"),
        Field(wire="TagNumber", max_length=200, meaning="Extra reference"),
    ),
    references=(
        Reference(
            wire="AssetTypeId",
            to="AssetType",
            required=True,
            by={"AssetType": "Name", "ExternalAssetTypeCode": "ExternalAssetTypeCode"},
            shows={"AssetType": "name"},
            meaning="Model",
        ),
        Reference(
            wire="LocationId",
            to="Location",
            by={"LocationCode": "Code", "ExternalLocationCode": "ExternalLocationCode"},
            shows={"LocationCode": "code", "Location": "name"},
            meaning="Outlet that it is meant for",
        ),
    ),
    keys={"FactoryAssetSerialNumber": "AssetSerialNumber", "AssetSerialNumber": "AssetSerialNumber"},
    location="location_id",
    writers=INSTALLERS,
)
