"""What a client has set about messages: one record, or what is built in."""

from decimal import Decimal
from typing import Any

from coldshelf.access.principal import ADMINS
from coldshelf.deliveries.messages.placeholders import one_line
from coldshelf.deliveries.messages.templates import LONGEST_LANGUAGE, check_language
from coldshelf.deliveries.models import SETTINGS
from coldshelf.kit.db import Connection
from coldshelf.records.entity import Entity, Field, Values
from coldshelf.records.errors import FieldInvalid, RecordExists
from coldshelf.records.fields import FieldType

OTHER = "SELECT id FROM message_setting WHERE NOT is_deleted"


async def _checked(connection: Connection, values: Values, before: Values | None) -> dict[str, Any]:
    if values.get("language"):
        check_language(values["language"])
    name = values.get("sender_name")
    if name and name != one_line(name):
        raise FieldInvalid("SenderName takes one line without controls")
    if before is None and (other := await connection.fetchval(OTHER)) is not None:
        raise RecordExists(f"This client has its MessageSetting {other} already: change that one")
    return dict(values)


MESSAGE_SETTING = Entity(
    name=SETTINGS,
    table="message_setting",
    meaning="Which ways to people a client has switched on, and as whom it writes",
    fields=(
        Field(wire="SenderName", required=True, unique=True, max_length=100, meaning="Name from which messages come"),
        Field(wire="EmailIsOn", type=FieldType.BOOLEAN, meaning="Mails are sent"),
        Field(wire="SlackIsOn", type=FieldType.BOOLEAN, meaning="Slack is told"),
        Field(wire="SmsIsOn", type=FieldType.BOOLEAN, meaning="SMS are sent; off unless it is switched on"),
        Field(
            wire="SmsMonthlyCap",
            type=FieldType.INTEGER,
            minimum=Decimal(0),
            maximum=Decimal(10_000_000),
            unit="segments",
            meaning="Most segments of SMS in a month; empty: no cap",
        ),
        Field(wire="Language", max_length=LONGEST_LANGUAGE, meaning="Language of messages where nothing else is said"),
    ),
    keys={"SenderName": "SenderName"},
    client_wide="One record for the client.",
    every_outlet=True,
    readers=ADMINS,
    before_save=_checked,
)
