"""Brands of products."""

from coldshelf.records.entity import Entity, Field, Reference

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
)
