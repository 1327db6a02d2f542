"""Assets that were fitted with their device in the factory (contract 5.3, 5 columns)."""

from coldshelf.records.imports.declaration import ImportColumn, ImportType, Part

FACTORY_ASSETS = ImportType(
    name="FactoryAsset",
    title="Factory assets",
    main="asset",
    parts=(Part(name="asset", entity="FactoryAsset", keys=(("AssetSerialNumber",),)),),
    columns=(
        ImportColumn(
            name="Asset serial number",
            alias="AssetSerialNumber",
            sets="AssetSerialNumber",
            required=True,
            max_length=200,
            example="SN123456789",
            note="Finds the factory asset",
        ),
        ImportColumn(
            name="Asset Type",
            alias="AssetType",
            sets="AssetType",
            required=True,
            max_length=200,
            rule="must exist",
            example="Acme 500",
        ),
        ImportColumn(
            name="Smart Device serial",
            alias="SmartDeviceSerialNumber",
            sets="SmartDeviceSerialNumber",
            required=True,
            max_length=200,
            example="CAM-0001",
        ),
        ImportColumn(
            name="Outlet Code",
            alias="LocationCode",
            sets="LocationCode",
            max_length=50,
            rule="must exist",
            example="OUT-001",
            note="Where the asset will stand",
        ),
        ImportColumn(name="Tag Number", alias="TagNumber", sets="TagNumber", max_length=200),
    ),
)
