"""Time zones: those of IANA are added when they are first named, by their IANA or Windows names (contract 11, 26)."""

from typing import Any

from coldshelf.kit.db import Connection
from coldshelf.masterdata.time_zones import iana_name
from coldshelf.records.entity import Entity, Field, Values
from coldshelf.records.errors import FieldInvalid

CURE = "; use a name such as Asia/Bangkok or Pacific Standard Time"


async def _known(_connection: Connection, name: str, _found: Values) -> dict[str, Any] | None:
    # values have the types of their columns
    known = iana_name(name)
    return {"name": known} if known else None


async def _checked_name(_connection: Connection, values: Values, _before: Values | None) -> dict[str, Any]:
    # same
    if not values.get("name"):
        return dict(values)
    known = iana_name(values["name"])
    if known is None:
        raise FieldInvalid(f"Name: there is no time zone {values['name']!r}{CURE}")
    return {**values, "name": known}


TIME_ZONE = Entity(
    name="TimeZone",
    table="time_zone",
    meaning="Time zone; those of IANA are added when they are first named",
    fields=(
        Field(wire="Name", required=True, unique=True, max_length=60, meaning="IANA or Windows name; IANA is kept"),
    ),
    keys={"TimeZone": "Name", "Name": "Name"},
    client_wide="Time zones hold many outlets.",
    before_save=_checked_name,
    standard=_known,
    standard_cure=CURE,
)
