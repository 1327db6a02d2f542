"""Facts about comparisons."""

from coldshelf.kit.events import EventType

COMPARED = EventType("picture.compared", 1, public=False, meaning="The served result was held against the planogram")
EVENT_TYPES = (COMPARED,)
