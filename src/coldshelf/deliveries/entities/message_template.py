"""Words of a client's own for messages: one template for an event, a channel and a language."""

from collections.abc import Callable, Collection
from typing import Any

from coldshelf.access.principal import ADMINS
from coldshelf.deliveries.messages.placeholders import check_placeholders, one_line
from coldshelf.deliveries.messages.templates import FALLBACK, LONGEST_LANGUAGE, check_language
from coldshelf.deliveries.models import DIGEST, MESSAGES, TEMPLATES
from coldshelf.kit.db import Connection
from coldshelf.records.entity import BeforeSave, Entity, Field, Values
from coldshelf.records.errors import FieldInvalid, RecordExists

LONGEST_SUBJECT, LONGEST_BODY = 250, 5000
WORDS = {"event", "channel", "language", "subject", "body"}
Placeholders = Callable[[str], Collection[str]]
"""Takes the name of an event or `digest`; gives its placeholders."""
TAKEN = """
    SELECT name FROM message_template
    WHERE event = $1 AND channel = $2 AND lower(language) = lower($3) AND id <> $4 AND NOT is_deleted"""


def _rule(events: Collection[str], placeholders: Placeholders) -> BeforeSave:
    async def checked(connection: Connection, values: Values, before: Values | None) -> dict[str, Any]:
        if before is not None and not WORDS & values.keys():
            return dict(values)
        held = {"language": FALLBACK, **(before or {}), **values}
        event = held["event"]
        if event not in events and event != DIGEST:
            raise FieldInvalid(f"Event: there is no {event[:60]}; there are {', '.join((*events, DIGEST))}")
        check_language(held["language"])
        for wire in ("Subject", "Body"):
            check_placeholders(wire, held.get(wire.lower()) or "", placeholders(event))
        if (held.get("subject") or "") != one_line(held.get("subject") or ""):
            raise FieldInvalid("Subject takes one line without controls or blanks around it")
        words = (event, held["channel"], held["language"])
        taken = await connection.fetchval(TAKEN, *words, before["id"] if before else 0)
        if taken is not None:
            raise RecordExists(f"MessageTemplate {taken!r} has the words of {', '.join(words)} already")
        return dict(values)

    return checked


def message_template(events: Collection[str], placeholders: Placeholders) -> Entity:
    """Declare the words for events of these names."""
    return Entity(
        name=TEMPLATES,
        table="message_template",
        meaning="Words of a message for an event, a channel and a language",
        fields=(
            Field(wire="Name", required=True, unique=True, max_length=150, meaning="Unique name"),
            Field(wire="Event", required=True, max_length=100, meaning="Event, or digest"),
            Field(wire="Channel", required=True, choices=MESSAGES, meaning="How the message is sent"),
            Field(wire="Language", max_length=LONGEST_LANGUAGE, meaning="Language tag, such as en or pt-BR"),
            Field(wire="Subject", max_length=LONGEST_SUBJECT, meaning="Subject; empty: the one that is built in"),
            Field(
                wire="Body",
                required=True,
                max_length=LONGEST_BODY,
                meaning="Text with placeholders such as {|Location|}; a line whose placeholders are empty is left out",
            ),
        ),
        keys={"Name": "Name", "MessageTemplate": "Name"},
        client_wide="Words are those of all outlets.",
        every_outlet=True,
        readers=ADMINS,
        before_save=_rule(events, placeholders),
    )
