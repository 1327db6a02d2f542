"""Countries: those of ISO 3166 are added when they are first named (contract 5.4: a known country)."""

from typing import Any

from coldshelf.kit.db import Connection
from coldshelf.masterdata.places import country_by
from coldshelf.records.entity import Entity, Field, Values


async def _known(_connection: Connection, name: str, _found: Values) -> dict[str, Any] | None:
    # values have the types of their columns
    place = country_by(name)
    return {"name": place.name, "code": place.code} if place else None


async def _with_code(_connection: Connection, values: Values, before: Values | None) -> dict[str, Any]:
    # same
    place = country_by(values.get("name") or "")
    return {**values, "code": place.code} if before is None and place and "code" not in values else dict(values)


COUNTRY = Entity(
    name="Country",
    table="country",
    meaning="Country; those of ISO 3166 are added when they are first named",
    fields=(
        Field(wire="Name", required=True, unique=True, max_length=150, meaning="Name"),
        Field(wire="Code", unique=True, max_length=10, meaning="ISO 3166 code in two letters"),
    ),
    keys={"CountryCode": "Code", "Code": "Code", "CountryName": "Name", "Country": "Name", "Name": "Name"},
    client_wide="Countries hold many outlets.",
    before_save=_with_code,
    standard=_known,
    standard_cure="; send a name or code of ISO 3166, or add your own with Country.ashx",
)
