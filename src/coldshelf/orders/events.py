"""Facts about missed opportunities and orders."""

from coldshelf.kit.events import EventType

MISSED = EventType(
    "missed_opportunity.found",
    1,
    public=True,
    meaning="A product that sells is not in the cooler",
    dataset="MissedOpportunity",
)
RECOMMENDED = EventType(
    "order.recommended", 1, public=True, meaning="An order is recommended for an outlet", dataset="OrderRecommendation"
)
ACCEPTED = EventType(
    "order.accepted", 1, public=True, meaning="A recommended order was accepted", dataset="OrderRecommendation"
)
MODIFIED = EventType(
    "order.modified",
    1,
    public=True,
    meaning="A recommended order was accepted with changes",
    dataset="OrderRecommendation",
)
CANCELLED = EventType(
    "order.cancelled", 1, public=True, meaning="A recommended order was turned down", dataset="OrderRecommendation"
)
EVENT_TYPES = (MISSED, RECOMMENDED, ACCEPTED, MODIFIED, CANCELLED)
