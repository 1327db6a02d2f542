"""Makers of products and of coolers."""

from coldshelf.records.entity import Entity, Field
from coldshelf.records.fields import FieldType

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
)
