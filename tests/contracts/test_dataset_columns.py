"""The published tables and their columns are those of contract 9.2, 4.2, 4.3, 6.5, 7.4 and 10."""

import pytest

from coldshelf.publishing.models import BULK_DATASETS
from tests.contracts.freeze_schemas import declared

TABLES: dict[str, tuple[str, str]] = {
    "Location": (
        "LocationId",
        """
        LocationCode ExternalLocationCode Name Street Street2 Street3 City PostalCode State Country Latitude
        Longitude MarketName Channel Classification CustomerName DistributorName PrimarySalesRep TimeZone
        IsActive IsKeyLocation
        """,
    ),
    "Asset": (
        "AssetId",
        """
        SerialNumber ExternalAssetCode AssetTypeId LocationId ParentAssetId PlanogramId TagNumber
        AssetCategory InstallationStatus Latitude Longitude IsActive
        """,
    ),
    "AssetType": (
        "AssetTypeId",
        """
        Name ModelNumber Manufacturer Orientation Doors Shelves Columns ItemsPerColumn ShelfHeight
        CabinetHeight CabinetWidth TemperatureOffset ExternalAssetTypeCode
        """,
    ),
    "Product": (
        "ProductId",
        """
        SKU Product ShortName UPC ProductGTIN BrandName Manufacturer ProductCategory BeverageType
        PackagingType MeasurementUnit IsForeign CaseSize CasePrice CurrencyCode IsActive
        """,
    ),
    "Planogram": ("PlanogramId", "PlanogramName Version ExternalPlanogramCode AssetTypeId"),
    "PlanogramProduct": ("PlanogramId Shelf Position", "ProductId ProductRanking ProductStackSize"),
    "SmartDevice": (
        "SmartDeviceId",
        """
        SerialNumber IMEI MacAddress SmartDeviceType AssetId AppVersion LastPingUtc
        """,
    ),
    "User": ("UserId", "FirstName LastName PrimaryEmail Role MarketName DistributorName"),
    "AssetPurity": (
        "AssetPurityId",
        """
        AssetId PurityDateTime EventTime DoorOpen DoorClose PurityStatus TotalStock ForeignProduct Priority
        StatusId ImageName SerialNumber Location LocationId AssetPurityLocationId PlanogramId PlanogramValue
        PlanogramFacings CompliantFacings EmptyFacings TotalFacings StockPercentage PurityPercentage
        OOSPercentage PlanogramCompliance ImageStatus LightIntensity Temperature DoorCount Competition
        IsPrimePosition LightStatus IsLightOn Columns Shelves ItemsPerColumn DepthStatus Username VerifiedOn
        CreatedOn ImageCount OurStock EmptyFacing PercentageOfOOSSku PercentageOfEmptyFacing SKUCount
        SKUCountOur SKUCountForeign PercentageOfOurProduct PercentageOfForeignProduct SSDCount NCBCount
        PercentageOfSSD PercentageOfNCB City State Country Notes UniqueGuid SceneType ImageReceivedFrom
        BeforeAfterImage SubmissionOutcome RejectionReason ModelVersion OccupancyPercentage OwnFacings
        ForeignFacings EventTimeUtc
        """,
    ),
    "AssetPurityProduct": (
        "AssetPurityProductId",
        """
        AssetPurityId ProductId Product SKU Shelf Position IsForeign IsCompliant Code Name AssetSerialNumber
        City State Country Confidence X1 Y1 X2 Y2 X3 Y3 X4 Y4 StackIndex StackSize FillLevel Capacity
        """,
    ),
    "AssetKpiDaily": (
        "AssetId Date",
        """
        OwnShareOfShelf ForeignShareOfShelf EmptyShareOfShelf OccupancyPercentage AssortmentDepthNumeric
        AssortmentDepthCompliance PlanogramCompliance OOSPercentage ImageCount DoorOpenCount
        """,
    ),
    "MissedOpportunity": (
        "AssetId ProductId PeriodStart",
        """
        Location LocationCode Product AssetSerialNumber CasesPerFacing CasePrice CaseSize UnitPrice
        TotalInStockDays OutOfStockDays UnitsSold DailySalesRate MissedUnits ActualRevenue MissedRevenue
        UpliftPotential
        """,
    ),
    "OrderRecommendation": (
        "OrderRecommendationId",
        """
        OrderState IgnoreReason OrderValue RecommendedOn ScheduledOn AcceptedOn CancelledOn InTransitOn
        FulfilledOn
        """,
    ),
    "OrderRecommendationLine": (
        "OrderRecommendationLineId",
        """
        OrderRecommendationId ProductId RecommendedQuantity OrderedQuantity Price
        """,
    ),
    "Alert": (
        "AlertId",
        """
        AlertTypeId AlertType AlertText AlertDefinitionId AlertDefinition StatusId Status ProductId AssetId
        AssetSerialNumber SmartDeviceId SmartDeviceSerial AssetEquipmentNumber TechnicalIdentificationNumber
        AssetType Street IsSmart AlertAt ClosedOn Priority AlertValue LastUpdatedOn Location LocationCode
        LocationId OutletType City State LocationPostalCode Country TimeZoneId MarketName LocationType
        Classification SalesRep IsSystemAlert AcknowledgeComment
        """,
    ),
    "OutletAction": ("OutletActionId", "LocationCode OutletAction AssignedToUser PlannedDate CompletionDate"),
    "DoorEvent": (
        "EventId SmartDeviceId",
        """
        DoorOpen DoorOpenUtc DoorClose DoorCloseUtc DoorOpenDuration VisionErrorCodesInfo AlertProcessorId
        """,
    ),
    "PingEvent": (
        "EventId SmartDeviceId",
        """
        Latitude Longitude Accuracy RSSI AdvertisementInfo AppVersion FirstSeen
        """,
    ),
    "MovementEvent": (
        "EventId SmartDeviceId",
        """
        MovementTypeId MovementDuration Latitude Longitude AlertProcessorId IsDoorOpen Movement MovementType
        PowerStatus StartTime StartTimeUtc Distance
        """,
    ),
    "HealthEvent": (
        "EventId SmartDeviceId",
        """
        EventTypeId LightIntensity LightStatus Temperature EvaporatorTemperature CondensorTemperature
        BatteryLevel BatteryStatus HealthInterval CoolerVoltage MaxVoltage MinVoltage AvgPowerConsumption
        TotalCompressorONTime MaxCabinetTemperature MinCabinetTemperature AmbientTemperature AppName
        AppVersion SDKVersion
        """,
    ),
    "PowerEvent": ("EventId SmartDeviceId", "PowerOnOff RecordType IsPowerOnWithNoRtc"),
    "BatteryEvent": ("EventId SmartDeviceId", "BatteryLevel"),
}
"""By table: its key, and its columns besides key and common ones."""
LEFT_OUT = {
    "AssetPurityProduct": {
        "SmartDeviceSerialNumber": "no picture says which device took it yet",
        "DoorClose": "a column of AssetPurity, joined by AssetPurityId",
        "StoredFilename": "ImageName of AssetPurity, joined by AssetPurityId",
    },
    "Planogram": {"FacingDetails": "nested; PlanogramProduct is the same, flat"},
    "Alert": {
        "AlertAgeMins": "changes without a change of the row: ClosedOn - AlertAt",
        "AlertAgeFormatted": "the same in words",
        "AlertMonth": "of AlertAt",
        "VisitCheckId": "no visit is known",
    },
    "MovementEvent": {"UpId": "meaning not public", "ShowDistance": "of a screen, not of the event"},
    "HealthEvent": {"SmartDeviceHealthRecordId": "is EventId"},
    "PowerEvent": {"SmartDevicePowerEventId": "is EventId"},
}
"""What lists of the old user interface have and bulk files do not, and why."""
DEVICE_EVENTS = [name for name in TABLES if name.endswith("Event")]
OF_DEVICES = (
    "EventId SmartDeviceId SmartDeviceTypeId SmartDeviceType DeviceSerial MacAddress GatewayId GatewaySerialNumber"
    " GatewayMac AssetId AssetSerialNumber AssetTypeId AssetType LocationId LocationCode Location EventTime"
    " EventTimeUtc TimeZoneId"
)
PERSONAL = {
    "Location": "PrimarySalesRep",
    "User": "FirstName LastName PrimaryEmail PrimaryPhone Username",
    "OutletAction": "AssignedToUser",
    "AssetPurity": "Username",
    "Alert": "SalesRep",
}


def names_of(table: str) -> list[str]:
    return [column["name"] for column in declared()[table]["columns"]]


def test_every_table_of_the_contract_is_published() -> None:
    assert set(BULK_DATASETS) == set(TABLES)
    assert list(BULK_DATASETS) == list(declared())


@pytest.mark.parametrize("table", TABLES)
def test_a_table_has_the_key_and_the_columns_of_the_contract(table: str) -> None:
    key, columns = TABLES[table]
    wanted = {*columns.split(), *key.split()} | ({*OF_DEVICES.split()} if table in DEVICE_EVENTS else set())

    assert declared()[table]["key"] == key.split()
    assert wanted - set(names_of(table)) == set()


@pytest.mark.parametrize("table", LEFT_OUT)
def test_what_is_left_out_for_a_reason_is_not_there(table: str) -> None:
    assert set(LEFT_OUT[table]) & set(names_of(table)) == set()


@pytest.mark.parametrize("table", TABLES)
def test_what_tells_of_persons_is_marked(table: str) -> None:
    marked = {column["name"] for column in declared()[table]["columns"] if column["personal"]}

    assert marked == {*PERSONAL.get(table, "").split(), "CreatedByUser", "ModifiedByUser"}
