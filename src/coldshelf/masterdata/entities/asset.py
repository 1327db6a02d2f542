"""Coolers and other places with a device (contract 5.1, Asset)."""

from decimal import Decimal

from coldshelf.access.principal import INSTALLERS
from coldshelf.records.entity import Entity, Field, Reference
from coldshelf.records.fields import FieldType

ASSET = Entity(
    name="Asset",
    table="asset",
    meaning="Cooler, or one door of a cold vault",
    fields=(
        Field(wire="SerialNumber", required=True, unique=True, max_length=250, meaning="Unique serial number"),
        Field(
            wire="ExternalAssetCode",
            column="external_code",
            unique=True,
            max_length=150,
            meaning="Key in your own system",
        ),
        Field(wire="TagNumber", max_length=250, meaning="Extra reference, for example the maker's serial"),
        Field(wire="AssetCategory", max_length=200, meaning="Category"),
        Field(
            wire="AssetLocation",
            aliases=("InStoreLocation",),
            parquet=None,
            max_length=200,
            meaning="Place inside the store",
        ),
        Field(wire="AssetNotes", parquet=None, max_length=500, meaning="Notes"),
        Field(
            wire="InstallationStatus",
            aliases=("InstallStatus",),
            max_length=200,
            meaning="For example Installed or Pending",
        ),
        Field(
            wire="Latitude",
            type=FieldType.DECIMAL,
            precision=9,
            minimum=Decimal(-90),
            maximum=Decimal(90),
            unit="degrees",
            meaning="Latitude, where known",
        ),
        Field(
            wire="Longitude",
            type=FieldType.DECIMAL,
            precision=9,
            minimum=Decimal(-180),
            maximum=Decimal(180),
            unit="degrees",
            meaning="Longitude, where known",
        ),
        Field(wire="IsActive", type=FieldType.BOOLEAN, meaning="Uploads for an inactive asset are refused"),
    ),
    references=(
        Reference(
            wire="LocationId",
            to="Location",
            by={"LocationCode": "Code", "ExternalLocationCode": "ExternalLocationCode"},
            shows={
                "LocationCode": "code",
                "Location": "name",
                "Street": "street",
                "City": "city",
                "State": "state",
                "PostalCode": "postal_code",
                "OutletActive": "is_active",
            },
            meaning="Outlet in which it stands",
        ),
        Reference(
            wire="AssetTypeId",
            to="AssetType",
            required=True,
            by={"AssetType": "Name", "ExternalAssetTypeCode": "ExternalAssetTypeCode"},
            shows={"AssetType": "name"},
            meaning="Model",
        ),
        Reference(
            wire="PlanogramId",
            to="Planogram",
            by={
                "PlanogramName": "PlanogramName",
                "Planogram": "PlanogramName",
                "ExternalPlanogramCode": "ExternalPlanogramCode",
            },
            shows={"PlanogramName": "name"},
            meaning="Planogram that it follows",
        ),
        Reference(
            wire="ParentAssetId",
            to="Asset",
            by={"ParentAssetSerialNumber": "SerialNumber"},
            meaning="Asset that it is a part of",
        ),
    ),
    keys={
        "ExternalAssetCode": "ExternalAssetCode",
        "AssetSerialNumber": "SerialNumber",
        "AssetCode": "SerialNumber",
        "SerialNumber": "SerialNumber",
    },
    location="location_id",
    writers=INSTALLERS,
)
