"""MissedOpportunity: revenue lost while a product was unavailable (contract 6.5). Promised; its rows come later."""

from coldshelf.records.columns import day, exact, number, text, whole
from coldshelf.records.dataset import Column, Dataset, common_columns


def _days(wire: str, meaning: str) -> Column:
    return exact(wire, meaning, "days", precision=9, scale=3)


MISSED_OPPORTUNITY = Dataset(
    name="MissedOpportunity",
    relation="",
    key="MissedOpportunityId",
    keys=("AssetId", "ProductId", "PeriodStart"),
    meaning="Revenue lost in a period while a product was not in a cooler",
    location="location_id",
    columns=(
        whole("MissedOpportunityId", "Id of the row", "id"),
        whole("AssetId", "Asset"),
        whole("ProductId", "Product"),
        day("PeriodStart", "First day of the period"),
        day("PeriodEnd", "Last day of the period"),
        whole("LocationId", "Outlet at that time"),
        text("LocationCode", "Code of the outlet at that time"),
        text("Location", "Name of the outlet at that time"),
        text("AssetSerialNumber", "Serial number of the asset at that time"),
        text("Product", "Name of the product at that time"),
        text("SKU", "Stock keeping unit", "sku"),
        exact("CasesPerFacing", "Cases that fill a facing", "cases", precision=9, scale=3),
        whole("CaseSize", "Units in a case", unit="units"),
        exact("CasePrice", "Price of a case, in CurrencyCode"),
        exact("UnitPrice", "CasePrice / CaseSize, in CurrencyCode"),
        text("CurrencyCode", "ISO 4217 code of prices and revenues"),
        _days("TotalInStockDays", "Days on which the product was there"),
        _days("OutOfStockDays", "Days on which it was not"),
        exact("UnitsSold", "Units sold; inferred from images where there are no sales", "units", scale=3),
        exact("DailySalesRate", "UnitsSold / TotalInStockDays; empty without such a day", "units a day", scale=6),
        exact("MissedUnits", "DailySalesRate x OutOfStockDays", "units", scale=3),
        exact("ActualRevenue", "UnitsSold x UnitPrice, in CurrencyCode"),
        exact("MissedRevenue", "MissedUnits x UnitPrice, in CurrencyCode; empty without a rate"),
        number("UpliftPotential", "MissedRevenue / ActualRevenue", "percent"),
        *common_columns(),
    ),
)
