"""Outlets (contract 5.1, Location; 5.4, Outlet)."""

from collections.abc import Sequence
from typing import Any

from coldshelf.access.principal import ADMINS
from coldshelf.kit.db import Connection
from coldshelf.kit.errors import InputInvalid
from coldshelf.masterdata.naming import coordinates, named_by, text
from coldshelf.masterdata.rules import check_states, default_time_zone
from coldshelf.records.dataset import Column
from coldshelf.records.entity import Change, Entity, Field, Reference
from coldshelf.records.fields import FieldType


async def _placed(connection: Connection, changes: Sequence[Change]) -> list[dict[str, Any] | InputInvalid]:
    """Check the states, and give outlets without a time zone that of their client."""
    # values have the types of their columns
    refused = await check_states(connection, changes)
    zone = await default_time_zone(connection) if any(_lacks_zone(change) for change in changes) else None
    return [
        error or ({**change[0], "time_zone_id": zone} if _lacks_zone(change) else dict(change[0]))
        for error, change in zip(refused, changes, strict=True)
    ]


def _lacks_zone(change: Change) -> bool:
    values, before = change
    return values.get("time_zone_id") is None and (before is None or "time_zone_id" in values)


LOCATION = Entity(
    name="Location",
    table="location",
    meaning="Outlet: a store or place with coolers",
    fields=(
        Field(
            wire="Code",
            parquet="LocationCode",
            aliases=("OutletCode",),
            required=True,
            unique=True,
            max_length=250,
            meaning="Unique code of the outlet",
        ),
        Field(wire="Name", required=True, max_length=250, meaning="Name of the outlet"),
        Field(
            wire="ExternalLocationCode",
            column="external_code",
            unique=True,
            max_length=250,
            meaning="Key of the outlet in your own system",
        ),
        text("Street", 150, "Address"),
        text("Street2", 150, "Address, second line", column="street2"),
        text("Street3", 150, "Address, third line", column="street3"),
        text("City", 50, "City"),
        text("PostalCode", 12, "Postal code"),
        text("StoreOwner", 200, "Owner of the store", parquet=None, personal=True),
        text(
            "LocationSalesRep",
            200,
            "Sales rep without an account",
            column="sales_rep",
            parquet=None,
            aliases=("SalesRepName",),
            personal=True,
        ),
        text("PrimaryPhone", 15, "Phone", parquet=None, personal=True),
        text("PrimaryMobile", 15, "Mobile phone", parquet=None, personal=True),
        text("PrimaryEmail", 250, "E-mail address", parquet=None, personal=True),
        text("LocationRoute", 150, "Route text, where routes are not pre-defined", column="route", parquet=None),
        text("TDLinx", 150, "TDLinx code", column="tdlinx", parquet=None),
        text("BuyerGTIN", 150, "GTIN of the buyer", column="buyer_gtin", parquet=None),
        text("OutletGTIN", 150, "GTIN of the outlet", column="outlet_gtin", parquet=None),
        *coordinates(),
        Field(wire="IsActive", type=FieldType.BOOLEAN, meaning="No deactivates: hidden from work, kept for history"),
        Field(wire="IsKeyLocation", aliases=("IsKeyOutlet",), type=FieldType.BOOLEAN, meaning="Key outlet"),
        Field(
            wire="IsOrderingPaused",
            aliases=("SuggestedOrderingPaused",),
            type=FieldType.BOOLEAN,
            meaning="No orders are suggested",
        ),
        Field(wire="SalesTarget", type=FieldType.DECIMAL, scale=2, meaning="Sales target"),
        text("DirectionNotes", 4000, "Notes", column="notes", parquet=None),
    ),
    references=(
        Reference(
            wire="CountryId",
            to="Country",
            by={"CountryName": "Name", "Country": "Name", "CountryCode": "Code"},
            shows={"Country": "name"},
            meaning="Country",
        ),
        Reference(
            wire="StateId",
            aliases=("SateId",),
            to="State",
            by={"StateName": "Name", "State": "Name", "StateCode": "Code"},
            shows={"State": "name"},
            meaning="State; returned as StateId, also taken as SateId",
        ),
        Reference(
            wire="TimeZoneId",
            to="TimeZone",
            by={"TimeZone": "Name", "TimeZoneName": "Name"},
            shows={"TimeZone": "name"},
            meaning="Time zone; unless sent, that of the client",
        ),
        Reference(
            wire="MarketId",
            to="Market",
            by=named_by("Market", "MarketName", "Market"),
            shows={"MarketName": "name"},
            meaning="Market",
        ),
        Reference(
            wire="ChannelId",
            to="Channel",
            by=named_by("Channel", "Channel", "ChannelName"),
            shows={"Channel": "name", "ChannelCode": "code"},
            meaning="Trade channel",
        ),
        Reference(
            wire="SubChannelId",
            to="Channel",
            by={"SubChannel": "Name", "SubTradeChannelName": "Name"},
            shows={"SubChannel": "name"},
            meaning="Trade channel below the channel",
        ),
        Reference(
            wire="LocationTypeId",
            aliases=("OutletTypeId",),
            to="Channel",
            by={"LocationType": "Name", "OutletType": "Name"},
            shows={"LocationType": "name"},
            meaning="Type of outlet",
        ),
        Reference(
            wire="ClassificationId",
            to="Classification",
            by=named_by("Classification", "Classification", "ClassificationName") | {"CustomerTierCode": "Code"},
            shows={"Classification": "name", "CustomerTierCode": "code"},
            meaning="Customer tier",
        ),
        Reference(
            wire="KeyAccountId",
            to="KeyAccount",
            by=named_by("KeyAccount", "KeyAccountName", "KeyAccount"),
            shows={"KeyAccountName": "name"},
            meaning="Key account",
        ),
        Reference(
            wire="CustomerId",
            to="Customer",
            by=named_by("Customer", "CustomerName", "Customer"),
            shows={"CustomerName": "name"},
            meaning="Customer",
        ),
        Reference(
            wire="DistributorId",
            to="Distributor",
            by=named_by("Distributor", "DistributorName", "Distributor"),
            shows={"DistributorName": "name"},
            meaning="Distributor",
        ),
        Reference(
            wire="RouteId",
            to="Route",
            by=named_by("Route", "RouteName", "Route"),
            shows={"RouteName": "name"},
            meaning="Pre-defined route",
        ),
        Reference(
            wire="PreSellerRouteId",
            to="Route",
            by={"PreSellerRoute": "Name", "PreSellerRouteCode": "Code"},
            shows={"PreSellerRoute": "name"},
            meaning="Route of the pre-seller",
        ),
        Reference(
            wire="PrimarySalesRepId",
            to="User",
            outlived=True,
            by={"PrimarySalesRep": "PrimaryEmail"},
            shows={"PrimarySalesRep": "email"},
            meaning="Primary sales rep",
        ),
    ),
    keys={
        "ExternalLocationCode": "ExternalLocationCode",
        "LocationCode": "Code",
        "OutletCode": "Code",
        "Code": "Code",
    },
    location="id",
    writers=ADMINS,
    extra_columns=(
        Column(wire="LocationCode", column="code", parquet=None, type=FieldType.TEXT, meaning="Same as Code"),
        Column(wire="Location", column="name", parquet=None, type=FieldType.TEXT, meaning="Same as Name"),
        Column(
            wire="OutletType",
            of="location_type_id",
            column="name",
            parquet=None,
            type=FieldType.TEXT,
            meaning="Same as LocationType",
        ),
    ),
    before_saves=_placed,
)
