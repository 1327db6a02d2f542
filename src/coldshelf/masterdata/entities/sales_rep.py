"""Which users look after which outlets (contract 5.4: columns 40 to 45)."""

from typing import Any

from coldshelf.kit.db import Connection
from coldshelf.masterdata import store
from coldshelf.masterdata.naming import external_code
from coldshelf.records.entity import Entity, Reference, Values
from coldshelf.records.errors import RecordExists


async def _once_an_outlet(connection: Connection, values: Values, before: Values | None) -> dict[str, Any]:
    # values have the types of their columns
    held = {**(before or {"id": None}), **values}
    other = await store.sales_rep_of(connection, held["location_id"], held["user_id"])
    if other not in {None, held["id"]}:
        raise RecordExists(f"SalesRep {other} is that user in that outlet already; send its id to change it")
    return dict(values)


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
    before_save=_once_an_outlet,
)
