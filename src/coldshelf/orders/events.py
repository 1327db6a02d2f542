"""Facts about missed opportunities and orders."""

from coldshelf.kit.events import EventType

MISSED = EventType("missed_opportunity.found", 1, public=True, meaning="A product that sells is not in the cooler")
RECOMMENDED = EventType("order.recommended", 1, public=True, meaning="An order is recommended for an outlet")
ACCEPTED = EventType("order.accepted", 1, public=True, meaning="A recommended order was accepted")
MODIFIED = EventType("order.modified", 1, public=True, meaning="A recommended order was accepted with changes")
CANCELLED = EventType("order.cancelled", 1, public=True, meaning="A recommended order was turned down")
EVENT_TYPES = (MISSED, RECOMMENDED, ACCEPTED, MODIFIED, CANCELLED)
