"""Makers of products and of coolers."""

from coldshelf.kit.db import Connection
from coldshelf.masterdata import store
from coldshelf.records.entity import Entity, Field, Values
from coldshelf.records.fields import FieldType


async def _pass_on_foreign(connection: Connection, maker_id: int, values: Values, before: Values | None) -> None:
    """Mark the maker's products as the maker is marked now (contract 5.1, the foreign rule)."""
    is_foreign = values.get("is_foreign")
    if before and is_foreign is not None and is_foreign != before["is_foreign"]:
        await store.mark_foreign(connection, maker_id, is_foreign=is_foreign)


MANUFACTURER = Entity(
    name="Manufacturer",
    table="manufacturer",
    meaning="Maker of products or coolers; products of a foreign one are foreign",
    fields=(
        Field(wire="Name", required=True, unique=True, max_length=300, aliases=("Manufacturer",), meaning="Name"),
        Field(wire="Code", unique=True, max_length=250, aliases=("ManufacturerCode",), meaning="Code"),
        Field(wire="IsForeign", type=FieldType.BOOLEAN, meaning="A competitor"),
    ),
    keys={"ManufacturerCode": "Code", "Code": "Code", "Manufacturer": "Name", "Name": "Name"},
    client_wide="Makers are the same for every outlet.",
    after_save=_pass_on_foreign,
)
