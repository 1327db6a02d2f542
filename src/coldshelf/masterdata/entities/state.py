"""States, provinces and other parts of countries: those of ISO 3166-2 are added when they are first named."""

from typing import Any

from coldshelf.kit.db import Connection
from coldshelf.masterdata import store
from coldshelf.masterdata.places import country_by, states_by
from coldshelf.records.entity import Entity, Field, Reference, Values
from coldshelf.records.errors import FieldInvalid


async def _known(connection: Connection, name: str, found: Values) -> dict[str, Any] | None:
    """Find a state of the country that was named with it; without one, of the only country that has such a state."""
    # values have the types of their columns
    country_id: int | None = found.get("country_id")
    country = await store.country_code(connection, country_id) if country_id else ""
    places = [] if country is None else states_by(name, country)
    if len(places) > 1:
        countries = sorted(place.country for place in places)
        raise FieldInvalid(f"State {name!r} lies in {' and '.join(countries)}; send CountryName too")
    if not places:
        return None
    if country_id is None:
        held = country_by(places[0].country)
        assert held  # noqa: S101  # every state of the standard lies in one of its countries
        country_id = await store.ensure_country(connection, held.name, held.code)
    return {"name": places[0].name, "code": places[0].code, "country_id": country_id}


STATE = Entity(
    name="State",
    table="state",
    meaning="State, province or other part of a country; those of ISO 3166-2 are added when they are first named",
    fields=(
        Field(
            wire="Name", required=True, unique_in="country_id", max_length=150, meaning="Name, unique in its country"
        ),
        Field(wire="Code", unique=True, max_length=10, meaning="ISO 3166-2 code, for example US-CA"),
    ),
    references=(
        Reference(
            wire="CountryId",
            to="Country",
            by={"CountryName": "Name", "Country": "Name", "CountryCode": "Code"},
            shows={"Country": "name", "CountryCode": "code"},
            meaning="Country in which it lies",
        ),
    ),
    keys={"StateCode": "Code", "Code": "Code"},
    client_wide="States hold many outlets.",
    standard=_known,
    standard_cure=" in that country; send a name or code of ISO 3166-2, or add your own with State.ashx",
)
