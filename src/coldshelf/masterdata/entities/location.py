"""Outlets (contract 5.1, Location)."""

from decimal import Decimal
from typing import Any

from coldshelf.access.principal import ADMINS
from coldshelf.kit.db import Connection
from coldshelf.masterdata.time_zones import iana_name
from coldshelf.records.dataset import Column
from coldshelf.records.entity import Entity, Field, Values
from coldshelf.records.errors import FieldInvalid
from coldshelf.records.fields import FieldType


async def _known_time_zone(_connection: Connection, values: Values, _before: Values | None) -> dict[str, Any]:
    # values have the types of their columns
    changed = dict(values)
    if changed.get("time_zone"):
        changed["time_zone"] = iana_name(changed["time_zone"])
        if changed["time_zone"] is None:
            raise FieldInvalid(
                f"TimeZone {values['time_zone']!r} is unknown; use a name such as Asia/Bangkok or Pacific Standard Time"
            )
    return changed


def _by_name(*names: str) -> str:
    return f"outlets keep this as text: send {' or '.join(names)}"


LOCATION = Entity(
    name="Location",
    table="location",
    meaning="Outlet: a store or place with coolers",
    fields=(
        Field(
            wire="Code",
            parquet="LocationCode",
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
        Field(wire="Street", max_length=150, meaning="Address"),
        Field(wire="Street2", column="street2", max_length=150, meaning="Address, second line"),
        Field(wire="Street3", column="street3", max_length=150, meaning="Address, third line"),
        Field(wire="City", max_length=50, meaning="City"),
        Field(wire="PostalCode", max_length=12, meaning="Postal code"),
        Field(wire="State", aliases=("StateName",), max_length=150, meaning="State"),
        Field(wire="Country", aliases=("CountryName",), max_length=150, meaning="Country"),
        Field(wire="MarketName", column="market", aliases=("Market",), max_length=150, meaning="Market"),
        Field(wire="Channel", max_length=150, meaning="Trade channel"),
        Field(wire="LocationType", max_length=150, parquet=None, meaning="Type of outlet"),
        Field(wire="Classification", max_length=150, aliases=("ClassificationName",), meaning="Customer tier"),
        Field(wire="CustomerName", column="customer", max_length=150, meaning="Customer"),
        Field(wire="DistributorName", column="distributor", max_length=150, meaning="Distributor"),
        Field(wire="StoreOwner", parquet=None, max_length=200, meaning="Owner of the store"),
        Field(
            wire="LocationSalesRep",
            column="sales_rep",
            parquet=None,
            max_length=200,
            meaning="Sales rep without an account",
        ),
        Field(wire="PrimarySalesRep", max_length=250, meaning="Primary sales rep"),
        Field(wire="PrimaryPhone", parquet=None, max_length=15, meaning="Phone"),
        Field(wire="LocationRoute", column="route", parquet=None, max_length=150, meaning="Route text"),
        Field(wire="TDLinx", column="tdlinx", parquet=None, max_length=150, meaning="TDLinx code"),
        Field(wire="BuyerGTIN", column="buyer_gtin", parquet=None, max_length=150, meaning="GTIN of the buyer"),
        Field(wire="OutletGTIN", column="outlet_gtin", parquet=None, max_length=150, meaning="GTIN of the outlet"),
        Field(
            wire="Latitude",
            type=FieldType.DECIMAL,
            precision=9,
            minimum=Decimal(-90),
            maximum=Decimal(90),
            unit="degrees",
            meaning="Latitude",
        ),
        Field(
            wire="Longitude",
            type=FieldType.DECIMAL,
            precision=9,
            minimum=Decimal(-180),
            maximum=Decimal(180),
            unit="degrees",
            meaning="Longitude",
        ),
        Field(wire="TimeZone", max_length=60, meaning="IANA or Windows name; IANA is kept"),
        Field(wire="IsActive", type=FieldType.BOOLEAN, meaning="No deactivates: hidden from work, kept for history"),
        Field(wire="IsKeyLocation", aliases=("IsKeyOutlet",), type=FieldType.BOOLEAN, meaning="Key outlet"),
        Field(wire="DirectionNotes", column="notes", parquet=None, max_length=4000, meaning="Notes"),
    ),
    keys={"ExternalLocationCode": "ExternalLocationCode", "LocationCode": "Code", "Code": "Code"},
    unused={
        "SateId": _by_name("StateName"),
        "StateId": _by_name("StateName"),
        "CountryId": _by_name("CountryName"),
        "MarketId": _by_name("MarketName"),
        "ChannelId": _by_name("Channel"),
        "LocationTypeId": _by_name("LocationType"),
        "ClassificationId": _by_name("Classification"),
        "CustomerId": _by_name("CustomerName"),
        "DistributorId": _by_name("DistributorName"),
        "TimeZoneId": _by_name("TimeZone"),
        "RouteId": _by_name("LocationRoute"),
        "PreSellerRouteId": "outlets have no pre-seller route yet",
    },
    location="id",
    writers=ADMINS,
    extra_columns=(
        Column(wire="LocationCode", column="code", parquet=None, type=FieldType.TEXT, meaning="Same as Code"),
        Column(wire="Location", column="name", parquet=None, type=FieldType.TEXT, meaning="Same as Name"),
    ),
    before_save=_known_time_zone,
)
