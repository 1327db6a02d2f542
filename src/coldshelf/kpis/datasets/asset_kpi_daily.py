"""AssetKpiDaily: the figures of a cooler and day (contract 9.2). Promised; its rows come with the daily roll-up."""

from coldshelf.records.columns import day, number, text, whole
from coldshelf.records.dataset import Column, Dataset, common_columns


def _percent(wire: str, meaning: str) -> Column:
    return number(wire, meaning, "percent")


ASSET_KPI_DAILY = Dataset(
    name="AssetKpiDaily",
    relation="",
    key="AssetKpiDailyId",
    keys=("AssetId", "Date"),
    meaning="Figures of an asset on one day",
    location="location_id",
    columns=(
        whole("AssetKpiDailyId", "Id of the row", "id"),
        whole("AssetId", "Asset"),
        day("Date", "Day in the time zone of the outlet"),
        text("AssetSerialNumber", "Serial number of the asset at that time", "serial_number"),
        whole("LocationId", "Outlet on that day"),
        text("LocationCode", "Code of the outlet at that time"),
        text("Location", "Name of the outlet at that time", "location_name"),
        whole("ImageCount", "Processed images"),
        whole("DoorOpenCount", "Door openings"),
        whole("TotalFacings", "Facings seen, gaps included"),
        whole("OwnFacings", "Facings of own products"),
        whole("ForeignFacings", "Facings of competitors' products"),
        whole("EmptyFacings", "Gaps"),
        _percent("OwnShareOfShelf", "Own facings of all facings"),
        _percent("ForeignShareOfShelf", "Foreign facings of all facings"),
        _percent("EmptyShareOfShelf", "Gaps of all facings"),
        _percent("OccupancyPercentage", "Fill levels of own facings of the whole capacity"),
        _percent("StockPercentage", "Facings that are not empty of all facings"),
        _percent("PurityPercentage", "Own products of all products"),
        whole("AssortmentDepthNumeric", "Different own products"),
        _percent("AssortmentDepthCompliance", "Own products in the planogram of all products in the planogram"),
        _percent("PlanogramCompliance", "Facings that match the planogram of its facings"),
        whole("OutOfStockSKUs", "Products of the planogram that were not seen"),
        _percent("OOSPercentage", "Products of the planogram that were not seen of all its products"),
        whole("KpiVersion", "Version of the formulas that gave the figures"),
        *common_columns(),
    ),
)
