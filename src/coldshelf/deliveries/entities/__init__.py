"""The entities of this room."""

from collections.abc import Collection

from coldshelf.deliveries.entities.subscription import subscription
from coldshelf.records.entity import Entity


def entities(events: Collection[str]) -> tuple[Entity, ...]:
    """Declare them for events of these names."""
    return (subscription(events),)
