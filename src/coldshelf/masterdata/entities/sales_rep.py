"""Which users look after which outlets (contract 5.4: columns 40 to 45)."""

from collections.abc import Sequence
from typing import Any

from coldshelf.kit.db import Connection
from coldshelf.kit.errors import InputInvalid
from coldshelf.masterdata import store
from coldshelf.masterdata.naming import external_code
from coldshelf.records.entity import Change, Entity, Reference, Values
from coldshelf.records.errors import RecordExists


async def _once_an_outlet(connection: Connection, changes: Sequence[Change]) -> list[dict[str, Any] | InputInvalid]:
    # values have the types of their columns
    held = [{**(before or {"id": None}), **values} for values, before in changes]
    others = await store.sales_reps_of(connection, [(each["location_id"], each["user_id"]) for each in held])
    return [
        _refused(each, others.get((each["location_id"], each["user_id"]))) or dict(values)
        for each, (values, _) in zip(held, changes, strict=True)
    ]


def _refused(held: Values, other: int | None) -> RecordExists | None:
    if other in {None, held["id"]}:
        return None
    return RecordExists(f"SalesRep {other} is that user in that outlet already; send its id to change it")


SALES_REP = Entity(
    name="SalesRep",
    table="sales_rep",
    meaning="User who looks after an outlet",
    fields=(external_code("SalesRep"),),
    references=(
        Reference(
            wire="UserId",
            to="User",
            required=True,
            outlived=True,
            by={"SalesRepEmail": "PrimaryEmail", "PrimaryEmail": "PrimaryEmail"},
            shows={
                "SalesRepEmail": "email",
                "FirstName": "first_name",
                "LastName": "last_name",
                "PrimaryPhone": "primary_phone",
                "Role": "role",
            },
            meaning="User",
        ),
        Reference(
            wire="LocationId",
            to="Location",
            required=True,
            by={"LocationCode": "Code", "ExternalLocationCode": "ExternalLocationCode"},
            shows={"LocationCode": "code", "Location": "name"},
            meaning="Outlet",
        ),
    ),
    keys={"ExternalSalesRepCode": "ExternalSalesRepCode"},
    location="location_id",
    handlers=("SalesReps",),
    before_saves=_once_an_outlet,
)
