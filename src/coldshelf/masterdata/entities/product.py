"""Products and the pseudo-products Unknown and Empty (contract 5.1, Product; 11 no. 11)."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from coldshelf.kit.db import Connection
from coldshelf.kit.errors import InputInvalid
from coldshelf.masterdata import store
from coldshelf.masterdata.naming import named_by, text
from coldshelf.masterdata.rules import check_states
from coldshelf.records.dataset import Column
from coldshelf.records.entity import Change, Entity, Field, Reference
from coldshelf.records.fields import FieldType


async def _checked(connection: Connection, changes: Sequence[Change]) -> list[dict[str, Any] | InputInvalid]:
    """Check the states, and give products the maker of their brand and its foreign mark, unless they are sent."""
    # values have the types of their columns
    refused = await check_states(connection, changes)
    changed = [dict(values) for values, _ in changes]
    unmade = [each for each in changed if each.get("brand_id") and "manufacturer_id" not in each]
    makers = await store.makers_of_brands(connection, {each["brand_id"] for each in unmade}) if unmade else {}
    for each in unmade:
        if each["brand_id"] in makers:
            each["manufacturer_id"] = makers[each["brand_id"]]
    unmarked = [each for each in changed if "is_foreign" not in each and each.get("manufacturer_id")]
    foreign = (
        await store.foreign_makers(connection, {each["manufacturer_id"] for each in unmarked}) if unmarked else set()
    )
    for each in unmarked:
        each["is_foreign"] = each["manufacturer_id"] in foreign
    return [error or each for error, each in zip(refused, changed, strict=True)]


def _size(wire: str, meaning: str, unit: str = "mm") -> Field:
    return Field(
        wire=wire, type=FieldType.DECIMAL, precision=9, scale=3, minimum=Decimal(0), unit=unit, meaning=meaning
    )


def _kind(wire: str, to: str, meaning: str, *names: str) -> Reference:
    return Reference(
        wire=f"{wire}Id", to=to, by=dict.fromkeys((wire, *names), "Name"), shows={wire: "name"}, meaning=meaning
    )


PRODUCT = Entity(
    name="Product",
    table="product",
    meaning="Product that can stand in a cooler",
    fields=(
        Field(
            wire="Name",
            aliases=("Product",),
            parquet="Product",
            required=True,
            unique=True,
            max_length=200,
            meaning="Unique name",
        ),
        Field(
            wire="SKU", column="sku", required=True, unique=True, max_length=200, meaning="Unique stock keeping unit"
        ),
        Field(
            wire="ExternalProductCode",
            column="external_code",
            parquet=None,
            unique=True,
            max_length=200,
            meaning="Key in your own system",
        ),
        Field(wire="ShortName", required=True, max_length=200, meaning="Short name"),
        Field(wire="UPC", column="upc", max_length=200, meaning="Universal product code"),
        Field(wire="ShortEANCode", column="short_ean_code", parquet=None, max_length=200, meaning="Short EAN code"),
        Field(wire="ProductGTIN", column="product_gtin", max_length=200, meaning="Global trade item number"),
        Field(
            wire="IsForeign",
            type=FieldType.BOOLEAN,
            aliases=("Foreign",),
            meaning="Competitor's product; unless sent, that of the manufacturer",
        ),
        Field(wire="IsEmpty", type=FieldType.BOOLEAN, read_only=True, parquet=None, meaning="The pseudo-product Empty"),
        Field(
            wire="IsUnknown", type=FieldType.BOOLEAN, read_only=True, parquet=None, meaning="The pseudo-product Unknown"
        ),
        Field(wire="CaseSize", type=FieldType.INTEGER, minimum=Decimal(0), unit="units", meaning="Units in a case"),
        Field(wire="CasePrice", type=FieldType.DECIMAL, scale=4, minimum=Decimal(0), meaning="Price of a case"),
        text("CurrencyCode", 3, "ISO 4217 code of the price", aliases=("Currency",)),
        text("ProductGroup", 200, "Group", aliases=("GroupName",)),
        text("FlavourName", 200, "Flavour", aliases=("Flavour",)),
        text("ServingType", 200, "Type of serving", aliases=("ServingTypeName",)),
        text("SalesUnit", 200, "Unit in which it is sold", aliases=("SalesUnitName",)),
        text("DistributorGTIN", 200, "GTIN at the distributor", column="distributor_gtin"),
        _size("CasesPerFacing", "Cases that fill a facing", "cases"),
        _size("Height", "Height"),
        _size("Width", "Width"),
        Field(
            wire="IsActive", type=FieldType.BOOLEAN, aliases=("Active",), meaning="Inactive products are not recognised"
        ),
    ),
    references=(
        Reference(
            wire="BrandId",
            to="Brand",
            by={"BrandName": "Name", "Brand": "Name"},
            shows={"BrandName": "name"},
            meaning="Brand",
        ),
        Reference(
            wire="ManufacturerId",
            to="Manufacturer",
            by={"Manufacturer": "Name", "ManufacturerName": "Name", "ManufacturerCode": "Code"},
            shows={"Manufacturer": "name"},
            meaning="Maker; unless sent, that of the brand",
        ),
        _kind("ProductCategory", "ProductCategory", "Category"),
        _kind("ProductSecondCategory", "ProductCategory", "Second category", "ProductCategory2"),
        _kind("BeverageType", "BeverageType", "Type of beverage", "ProductType"),
        _kind("PackagingType", "PackagingType", "For example Can or Bottle"),
        Reference(
            wire="MeasurementUnitId",
            aliases=("MeasurementUnitTypeId",),
            to="MeasurementUnit",
            by={"MeasurementUnit": "Name", "MeasurementUnitType": "Name"},
            shows={"MeasurementUnit": "name"},
            meaning="For example ml",
        ),
        Reference(
            wire="CountryId",
            to="Country",
            by={"Country": "Name", "CountryName": "Name", "CountryCode": "Code"},
            shows={"Country": "name"},
            meaning="Only country where it is sold",
        ),
        Reference(
            wire="StateId",
            to="State",
            by={"State": "Name", "StateName": "Name", "StateCode": "Code"},
            shows={"State": "name"},
            meaning="Only state where it is sold",
        ),
        Reference(
            wire="DistributorId",
            to="Distributor",
            by=named_by("Distributor", "DistributorName", "Distributor"),
            shows={"DistributorName": "name"},
            meaning="Distributor that sells it",
        ),
    ),
    keys={"ExternalProductCode": "ExternalProductCode", "ProductCode": "SKU", "ProductSKU": "SKU", "SKU": "SKU"},
    client_wide="Products are the same for every outlet.",
    extra_columns=(Column(wire="Product", column="name", parquet=None, type=FieldType.TEXT, meaning="Same as Name"),),
    before_saves=_checked,
)
