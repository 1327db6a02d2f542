"""Facts about alerts."""

from coldshelf.kit.events import EventType

OPENED = EventType("alert.opened", 1, public=True, meaning="Something needs to be done", dataset="Alert")
UPDATED = EventType("alert.updated", 1, public=True, meaning="An open alert changed", dataset="Alert")
CLOSED = EventType("alert.closed", 1, public=True, meaning="What an alert was about is done or over", dataset="Alert")
EVENT_TYPES = (OPENED, UPDATED, CLOSED)
