"""Brands of products."""

from coldshelf.kit.db import Connection
from coldshelf.masterdata import store
from coldshelf.records.entity import Entity, Field, Reference, Values


async def _pass_on_maker(connection: Connection, brand_id: int, values: Values, before: Values | None) -> None:
    """Give the products of the brand its new maker, unless they have one of their own."""
    maker = values.get("manufacturer_id")
    if before and maker and maker != before["manufacturer_id"]:
        await store.change_maker(connection, brand_id, before=before["manufacturer_id"], after=maker)


BRAND = Entity(
    name="Brand",
    table="brand",
    meaning="Brand of products",
    fields=(Field(wire="Name", required=True, unique=True, max_length=100, aliases=("BrandName",), meaning="Name"),),
    references=(
        Reference(
            wire="ManufacturerId",
            to="Manufacturer",
            by={"Manufacturer": "Name", "ManufacturerName": "Name", "ManufacturerCode": "Code"},
            shows={"Manufacturer": "name"},
            meaning="Maker of the brand",
        ),
    ),
    keys={"BrandName": "Name", "Name": "Name"},
    client_wide="Brands are the same for every outlet.",
    after_save=_pass_on_maker,
)
