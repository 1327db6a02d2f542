"""Facts about alerts."""

from coldshelf.kit.events import EventType

OPENED = EventType("alert.opened", 1, public=True, meaning="Something needs to be done")
UPDATED = EventType("alert.updated", 1, public=True, meaning="An open alert changed")
CLOSED = EventType("alert.closed", 1, public=True, meaning="What an alert was about is done or over")
EVENT_TYPES = (OPENED, UPDATED, CLOSED)
