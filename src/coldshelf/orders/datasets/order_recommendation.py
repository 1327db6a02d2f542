"""OrderRecommendation and its lines (contract 6.6). Promised; their rows come with order recommendations."""

from coldshelf.records.columns import day, exact, text, utc, whole
from coldshelf.records.dataset import Column, Dataset, common_columns


def _cases(wire: str, meaning: str) -> Column:
    return exact(wire, meaning, "cases", scale=3)


OUTLET = (
    whole("LocationId", "Outlet"),
    text("LocationCode", "Code of the outlet at that time"),
    text("Location", "Name of the outlet at that time"),
)

ORDER_RECOMMENDATION = Dataset(
    name="OrderRecommendation",
    relation="",
    key="OrderRecommendationId",
    meaning="Order that is recommended for an outlet, and what became of it",
    location="location_id",
    columns=(
        whole("OrderRecommendationId", "Id of the order", "id"),
        *OUTLET,
        whole("DistributorId", "Distributor that delivers"),
        text("DistributorName", "Its name at that time"),
        text("OrderState", "Inbox, Ignored, Scheduled, Modified, Accepted, Cancelled, InTransit or Fulfilled"),
        text(
            "IgnoreReason", "BelowMOQ, AboveMOQ, BelowMOV, AboveMOV, ImageTooOld, OrderingPaused or Manual, if ignored"
        ),
        exact("OrderValue", "Value of the order, in CurrencyCode"),
        text("CurrencyCode", "ISO 4217 code of value and prices"),
        utc("RecommendedOn", "When it was recommended"),
        utc("ScheduledOn", "When it became final"),
        day("DeliveryDate", "When delivery is wanted"),
        utc("AcceptedOn", "When it was accepted"),
        utc("OrderModifiedOn", "When the outlet changed it"),
        utc("CancelledOn", "When it was cancelled"),
        utc("IgnoredOn", "When it was ignored"),
        utc("InTransitOn", "When it was under way"),
        utc("FulfilledOn", "When it was delivered"),
        *common_columns(),
    ),
)
ORDER_RECOMMENDATION_LINE = Dataset(
    name="OrderRecommendationLine",
    relation="",
    key="OrderRecommendationLineId",
    meaning="Product of a recommended order",
    location="location_id",
    columns=(
        whole("OrderRecommendationLineId", "Id of the line", "id"),
        whole("OrderRecommendationId", "Order"),
        *OUTLET,
        whole("AssetId", "Asset for which it is recommended, if it is one"),
        text("AssetSerialNumber", "Its serial number at that time"),
        whole("ProductId", "Product"),
        text("SKU", "Stock keeping unit", "sku"),
        text("Product", "Name of the product at that time"),
        whole("ProductRanking", "Priority of the product: 1 is the first"),
        _cases("RecommendedQuantity", "What was recommended"),
        _cases("OrderedQuantity", "What is ordered after every change"),
        _cases("InTransitQuantity", "What was under way already"),
        exact("Price", "Price of a case, in CurrencyCode"),
        exact("LineValue", "OrderedQuantity x Price, in CurrencyCode"),
        text("CurrencyCode", "ISO 4217 code of value and price"),
        *common_columns(),
    ),
)
