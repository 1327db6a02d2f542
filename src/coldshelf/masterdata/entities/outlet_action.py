"""What is to be done in an outlet, and by whom (contract 5.3, 7.5)."""

from coldshelf.access.principal import ADMINS
from coldshelf.masterdata.naming import external_code
from coldshelf.records.entity import Entity, Field, Reference
from coldshelf.records.fields import FieldType

OUTLET_ACTION = Entity(
    name="OutletAction",
    table="outlet_action",
    meaning="Task in an outlet",
    fields=(
        Field(wire="OutletAction", required=True, max_length=200, meaning="What is to be done"),
        external_code("OutletAction"),
        Field(wire="PlannedDate", type=FieldType.DATE, meaning="When it is planned"),
        Field(wire="CompletionDate", type=FieldType.DATE, meaning="When it was done"),
    ),
    references=(
        Reference(
            wire="AssignedToUserId",
            to="User",
            outlived=True,
            by={"AssignedToUser": "PrimaryEmail"},
            shows={"AssignedToUser": "email"},
            meaning="Who is to do it",
        ),
        Reference(
            wire="LocationId",
            to="Location",
            required=True,
            by={"LocationCode": "Code", "Code": "Code", "ExternalLocationCode": "ExternalLocationCode"},
            shows={"LocationCode": "code", "Location": "name"},
            meaning="Outlet",
        ),
    ),
    keys={"ExternalOutletActionCode": "ExternalOutletActionCode"},
    location="location_id",
    writers=ADMINS,
)
