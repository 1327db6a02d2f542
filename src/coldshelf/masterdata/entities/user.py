"""Users as the admins of their client see them (contract 5.1, 5.3). Passwords are set apart, by action=setPassword."""

from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from coldshelf.access.principal import ADMINS, Permission, Role
from coldshelf.kit.db import Connection
from coldshelf.masterdata.naming import named_by, text
from coldshelf.masterdata.rules import check_sign_in_name
from coldshelf.records.dataset import Column
from coldshelf.records.entity import Entity, Field, Reference, Values
from coldshelf.records.errors import FieldInvalid
from coldshelf.records.fields import FieldType


async def _sign_in_name(connection: Connection, values: Values, before: Values | None) -> dict[str, Any]:
    """Lower the e-mail, and sign the user in by it, unless a name of its own was chosen."""
    # values have the types of their columns
    changed, email = dict(values), values.get("email")
    if values.get("time_zone"):
        _check_zone(values["time_zone"])
    if email is None:
        if before is None or "email" in values:
            raise FieldInvalid("User needs PrimaryEmail: it is the name to sign in with")
        return changed
    changed["email"] = email = email.lower()
    if before is None or before["username"].lower() == before["email"]:
        await check_sign_in_name(connection, email, but=before["id"] if before else None)
        changed["username"] = email
    return changed


def _check_zone(name: str) -> None:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise FieldInvalid(f"TimeZone takes a zone such as Europe/Berlin, not {name[:60]!r}") from error


USER = Entity(
    name="User",
    table="app_user",
    meaning="Person or program that signs in",
    fields=(
        text("FirstName", 150, "First name", personal=True),
        text("LastName", 150, "Last name", personal=True),
        Field(
            wire="PrimaryEmail",
            column="email",
            aliases=("Email",),
            unique=True,
            max_length=250,
            personal=True,
            meaning="E-mail address in lower case; a new user signs in by it",
        ),
        text("PrimaryPhone", 150, "Phone", aliases=("Phone",), personal=True),
        Field(
            wire="Role",
            required=True,
            choices=(Role.CLIENT_ADMIN.value, Role.INSTALLER.value, Role.SALES_REP.value),
            meaning="What the user may do",
        ),
        text("EmployerName", 150, "Employer", aliases=("Employer",)),
        text("PreferredNotificationType", 150, "How the user wants to be told"),
        text("TimeZone", 100, "Zone in which messages wait and gather; empty: the client's", parquet=None),
        Field(wire="IsActive", type=FieldType.BOOLEAN, meaning="No shuts the user out at once, with all tokens"),
    ),
    references=(
        Reference(
            wire="MarketId",
            to="Market",
            by=named_by("Market", "MarketName", "Market"),
            shows={"MarketName": "name"},
            meaning="Market in which the user works",
        ),
        Reference(
            wire="KeyAccountId",
            to="KeyAccount",
            by=named_by("KeyAccount", "KeyAccountName", "KeyAccount"),
            shows={"KeyAccountName": "name"},
            meaning="Key account that the user looks after",
        ),
        Reference(
            wire="ClassificationId",
            to="Classification",
            by=named_by("Classification", "ClassificationName", "Classification"),
            shows={"ClassificationName": "name"},
            meaning="Customer tier that the user looks after",
        ),
        Reference(
            wire="DistributorId",
            to="Distributor",
            by=named_by("Distributor", "DistributorName", "Distributor"),
            shows={"DistributorName": "name"},
            meaning="Distributor for whom the user works",
        ),
    ),
    keys={"PrimaryEmail": "PrimaryEmail", "UserEmail": "PrimaryEmail", "Email": "PrimaryEmail"},
    client_wide="A user is seen by the admins of the client only.",
    every_outlet=True,
    signs=True,
    permission=Permission.ROLES,
    writers=ADMINS,
    readers=ADMINS,
    extra_columns=(Column(wire="Username", type=FieldType.TEXT, personal=True, meaning="Name to sign in with"),),
    before_save=_sign_in_name,
)
