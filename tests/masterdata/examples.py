"""One record of each entity, as a caller would send it."""

from dataclasses import dataclass, field

from tests.records.support import Handler, Json


@dataclass(frozen=True)
class Example:
    """`new` adds a record; `code` and `external` are the keys that find it; `change` is a later partial update.

    `needs` are records that must be there before: entity and parameters.
    """

    entity: str
    new: dict[str, object]
    code: tuple[str, str]
    change: tuple[str, object]
    external: tuple[str, str] | None = None
    needs: tuple[tuple[str, dict[str, object]], ...] = field(default=())

    @property
    def key(self) -> str:
        return f"{self.entity}Id"

    async def add(self, handler: Handler) -> Json:
        for entity, values in self.needs:
            await Handler(handler.http, entity).save(**values)
        return await handler.save(**self.new)


EXAMPLES = (
    Example("Manufacturer", {"Name": "Acme", "Code": "ACM"}, ("ManufacturerCode", "acm"), ("IsForeign", True)),
    Example(
        "Brand",
        {"Name": "Fizz"},
        ("BrandName", "FIZZ"),
        ("ManufacturerId", 1),
        needs=(("Manufacturer", {"Name": "Acme"}),),
    ),
    Example(
        "Location",
        {"Code": "524", "Name": "Test Location", "ExternalLocationCode": "Test-01", "City": "Hà Nội"},
        ("LocationCode", "524"),
        ("Street", "1 Main Street"),
        external=("ExternalLocationCode", "test-01"),
    ),
    Example(
        "AssetType",
        {"Name": "Acme 500", "ExternalAssetTypeCode": "T-500", "Shelves": 5},
        ("AssetType", "acme 500"),
        ("Doors", 2),
        external=("ExternalAssetTypeCode", "t-500"),
    ),
    Example(
        "Product",
        {"Name": "Fizz Orange", "SKU": "FZ-1", "ShortName": "Orange", "ExternalProductCode": "P-1"},
        ("ProductSKU", "fz-1"),
        ("UPC", "4006381333931"),
        external=("ExternalProductCode", "p-1"),
    ),
    Example(
        "Planogram",
        {"PlanogramName": "Summer", "ExternalPlanogramCode": "PG-1"},
        ("PlanogramName", "summer"),
        ("Version", 2),
        external=("ExternalPlanogramCode", "pg-1"),
    ),
    Example(
        "Asset",
        {"SerialNumber": "SN-1", "ExternalAssetCode": "A-1", "AssetType": "Acme 500", "TagNumber": "T9"},
        ("AssetSerialNumber", "sn-1"),
        ("AssetNotes", "Door sticks"),
        external=("ExternalAssetCode", "a-1"),
        needs=(("AssetType", {"Name": "Acme 500"}),),
    ),
    Example(
        "SmartDevice",
        {"SerialNumber": "CAM-1", "IMEI": "8473294723949", "MacAddress": "00:11"},
        ("SmartDeviceSerialNumber", "cam-1"),
        ("AppVersion", "2.1"),
    ),
)
