"""Which datasets are published in bulk, and which columns each version of them added.

A schema changes by added columns only, and each time its version rises by one: add the names here, then run
`python -m tests.contracts.freeze_schemas`.
"""

from collections.abc import Mapping
from types import MappingProxyType

ADDED: Mapping[str, tuple[tuple[str, ...], ...]] = MappingProxyType(
    {
        "Location": (
            (
                *("IsOrderingPaused", "SalesTarget", "CountryId", "StateId", "TimeZoneId", "MarketId", "ChannelId"),
                *("ChannelCode", "SubChannelId", "SubChannel", "LocationTypeId", "LocationType", "ClassificationId"),
                *("CustomerTierCode", "KeyAccountId", "KeyAccountName", "CustomerId", "DistributorId", "RouteId"),
                *("RouteName", "PreSellerRouteId", "PreSellerRoute", "PrimarySalesRepId"),
            ),
        ),
        "Asset": (
            (
                *("PointOfSale", "EquipmentNumber", "TechnicalIdentificationNumber", "DisplacementThreshold"),
                *("ManufacturingDate", "CoolerDeliveryDate", "DateDelivered", "AcquisitionDate", "WarrantyExpiry"),
                *("Country", "MarketName", "ModelNumber", "Manufacturer", "Doors", "ParentAssetSerialNumber"),
            ),
        ),
        "AssetType": (),
        "Product": (
            (
                *("ProductGroup", "FlavourName", "ServingType", "SalesUnit", "DistributorGTIN", "CasesPerFacing"),
                *("Height", "Width", "ProductCategoryId", "ProductSecondCategoryId", "ProductSecondCategory"),
                *("BeverageTypeId", "PackagingTypeId", "MeasurementUnitId", "CountryId", "Country", "StateId"),
                *("State", "DistributorId", "DistributorName"),
            ),
        ),
        "Planogram": (),
        "PlanogramProduct": (),
        "SmartDevice": (),
        "User": (),
        "AssetPurity": (
            (
                *("ItemsPerColumn", "DepthStatus", "ResultSource", "StackedProducts", "SSDCount", "NCBCount"),
                *("PercentageOfSSD", "PercentageOfNCB", "OurStock", "EmptyFacing", "PercentageOfOurProduct"),
                *("PercentageOfForeignProduct", "PercentageOfEmptyFacing", "PercentageOfOOSSku", "KpiVersion"),
                *("KpiPlanogramId", "PlanogramVersion", "PlanogramModifiedOn"),
            ),
            ("Username",),
        ),
        "AssetPurityProduct": (("SeenConfidence", "Door"),),
        "AssetKpiDaily": (),
        "MissedOpportunity": (),
        "OrderRecommendation": (),
        "OrderRecommendationLine": (),
        "Alert": (),
        "OutletAction": (),
        "DoorEvent": (),
        "PingEvent": (),
        "MovementEvent": (),
        "HealthEvent": (),
        "PowerEvent": (),
        "BatteryEvent": (),
    }
)
"""By dataset in the order of contract 9.2: the columns that versions 2, 3 … added."""


def version_of(dataset: str) -> int:
    """Give the version of a dataset's schema."""
    return 1 + len(ADDED[dataset])


def since_version(dataset: str, column: str) -> int:
    """Give the first version that has a column."""
    return next((version for version, names in enumerate(ADDED.get(dataset, ()), 2) if column in names), 1)
