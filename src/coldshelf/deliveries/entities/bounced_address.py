"""Addresses that came back: while a hard one stands here nothing is sent to it; deleting it clears it."""

from coldshelf.access.principal import ADMINS
from coldshelf.deliveries.models import BOUNCES
from coldshelf.records.entity import Entity, Field
from coldshelf.records.fields import FieldType

KINDS = ("hard", "soft")

BOUNCED_ADDRESS = Entity(
    name=BOUNCES,
    table="bounced_address",
    meaning="Address from which messages came back",
    fields=(
        Field(
            wire="Address", required=True, unique=True, max_length=254, personal=True, meaning="Mailbox that bounced"
        ),
        Field(
            wire="Kind", choices=KINDS, meaning="hard: nothing more is sent to it until this is deleted; soft: noted"
        ),
        Field(wire="Diagnostic", max_length=1000, meaning="What the other side said"),
        Field(wire="BouncedOn", type=FieldType.TIMESTAMP, unit="UTC", read_only=True, meaning="When it bounced last"),
    ),
    keys={"Address": "Address"},
    client_wide="An address belongs to no outlet.",
    every_outlet=True,
    readers=ADMINS,
    resource="bounced-addresses",
)
