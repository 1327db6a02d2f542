"""Rules that need more than the values of one record."""

import re
from collections.abc import Sequence

from asyncpg import Record

from coldshelf.access.service import client_time_zone, username_taken
from coldshelf.kit.db import Connection
from coldshelf.masterdata import store
from coldshelf.masterdata.time_zones import iana_name
from coldshelf.records.entity import Change
from coldshelf.records.errors import FieldInvalid, RecordExists

EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
"""Whatever a mail server could take; whether it does shows with the first message."""


async def check_states(connection: Connection, changes: Sequence[Change]) -> list[FieldInvalid | None]:
    """Refuse each change that leaves a record with a state of another country (contract 5.4, column 7)."""
    held = [
        {**(before or {}), **values} if {"state_id", "country_id"} & values.keys() else {} for values, before in changes
    ]
    wanted = {each["state_id"] for each in held if each.get("state_id") and each.get("country_id")}
    places = await store.places_of_states(connection, wanted) if wanted else {}
    return [_foreign_state(places.get(each.get("state_id")), each.get("country_id")) for each in held]


def _foreign_state(state: Record | None, country_id: int | None) -> FieldInvalid | None:
    if state is None or country_id is None or state["country_id"] in {None, country_id}:
        return None
    return FieldInvalid(
        f"State {state['name']!r} lies in {state['country']}, not in the country of this record;"
        " send StateName and CountryName together"
    )


async def default_time_zone(connection: Connection) -> int:
    """Give the id of the client's own time zone, which is added where it is not there yet."""
    zone = await client_time_zone(connection)
    return await store.ensure_time_zone(connection, iana_name(zone) or zone)


async def check_sign_in_name(connection: Connection, email: str, *, but: int | None) -> None:
    """Raise FieldInvalid unless it is an e-mail address; RecordExists when another user, of any client, has it."""
    if not EMAIL.fullmatch(email):
        raise FieldInvalid(f"PrimaryEmail takes an e-mail address such as ann@example.org, not {email!r}")
    if await username_taken(connection, email, but=but):
        raise RecordExists(
            f"PrimaryEmail {email!r} is taken; names to sign in with are unique in the whole installation"
        )
