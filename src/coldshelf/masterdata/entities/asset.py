"""Coolers and other places with a device (contract 5.1, Asset)."""

from decimal import Decimal

from coldshelf.access.principal import INSTALLERS, Permission
from coldshelf.masterdata.naming import coordinates, text
from coldshelf.records.dataset import Column
from coldshelf.records.entity import Entity, Field, Reference
from coldshelf.records.fields import FieldType

SAME_PLACE, SAME_STATUS = "Same as AssetLocation", "Same as InstallationStatus"


def _date(wire: str, meaning: str) -> Field:
    return Field(wire=wire, type=FieldType.DATE, meaning=meaning)


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
        *coordinates(", where known"),
        text("PointOfSale", 200, "Point of sale"),
        text("EquipmentNumber", 250, "Number in the owner's books"),
        text("TechnicalIdentificationNumber", 250, "Technical identification number"),
        Field(
            wire="DisplacementThreshold",
            aliases=("Displacement",),
            type=FieldType.DECIMAL,
            precision=9,
            scale=3,
            minimum=Decimal(0),
            unit="m",
            meaning="Distance from its place that is an alert",
        ),
        _date("ManufacturingDate", "When it was made"),
        _date("CoolerDeliveryDate", "When its delivery is expected"),
        _date("DateDelivered", "When it was delivered"),
        _date("AcquisitionDate", "When it was bought"),
        _date("WarrantyExpiry", "When its warranty ends"),
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
                "State": "state_id.name",
                "PostalCode": "postal_code",
                "OutletActive": "is_active",
                "Country": "country_id.name",
                "MarketName": "market_id.name",
            },
            meaning="Outlet in which it stands",
        ),
        Reference(
            wire="AssetTypeId",
            to="AssetType",
            required=True,
            by={"AssetType": "Name", "ExternalAssetTypeCode": "ExternalAssetTypeCode"},
            shows={
                "AssetType": "name",
                "ModelNumber": "model_number",
                "Manufacturer": "manufacturer_id.name",
                "Doors": "doors",
            },
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
            permission=Permission.PLANOGRAM_ASSIGN,
            meaning="Planogram that it follows",
        ),
        Reference(
            wire="ParentAssetId",
            to="Asset",
            by={"ParentAssetSerialNumber": "SerialNumber", "ExternalParentAssetCode": "ExternalAssetCode"},
            shows={"ParentAssetSerialNumber": "serial_number"},
            meaning="Asset that it is a part of: a cold vault whose doors are assets",
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
    extra_columns=(
        Column(wire="InStoreLocation", column="asset_location", parquet=None, type=FieldType.TEXT, meaning=SAME_PLACE),
        Column(
            wire="InstallStatus", column="installation_status", parquet=None, type=FieldType.TEXT, meaning=SAME_STATUS
        ),
    ),
)
