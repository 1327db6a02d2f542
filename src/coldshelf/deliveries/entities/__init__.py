"""The entities of this room."""

from collections.abc import Collection

from coldshelf.deliveries.entities.bounced_address import BOUNCED_ADDRESS
from coldshelf.deliveries.entities.message_setting import MESSAGE_SETTING
from coldshelf.deliveries.entities.message_template import Placeholders, message_template
from coldshelf.deliveries.entities.subscription import subscription
from coldshelf.records.entity import Entity


def entities(events: Collection[str], placeholders: Placeholders) -> tuple[Entity, ...]:
    """Declare them for events of these names."""
    return (subscription(events), message_template(events, placeholders), MESSAGE_SETTING, BOUNCED_ADDRESS)
