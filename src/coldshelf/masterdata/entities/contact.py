"""People to talk to in an outlet (contract 5.4: columns 36 to 39)."""

from coldshelf.masterdata.naming import external_code, text
from coldshelf.records.entity import Entity, Field, Reference

CONTACT = Entity(
    name="Contact",
    table="contact",
    meaning="Person to talk to in an outlet",
    fields=(
        Field(wire="Name", aliases=("ContactName",), required=True, max_length=200, personal=True, meaning="Name"),
        external_code("Contact"),
        text("Email", 250, "E-mail address", aliases=("ContactEmail",), personal=True),
        text("Phone", 150, "Phone", aliases=("ContactPhone",), personal=True),
        text("NotificationType", 150, "How the contact wants to be told", aliases=("ContactNotificationType",)),
    ),
    references=(
        Reference(
            wire="LocationId",
            to="Location",
            required=True,
            by={"LocationCode": "Code", "ExternalLocationCode": "ExternalLocationCode"},
            shows={"LocationCode": "code", "Location": "name"},
            meaning="Outlet",
        ),
    ),
    keys={"ExternalContactCode": "ExternalContactCode"},
    location="location_id",
)
