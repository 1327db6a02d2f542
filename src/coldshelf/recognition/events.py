"""Facts about results."""

from coldshelf.kit.events import EventType

RECOGNISED = EventType("picture.recognised", 1, public=False, meaning="A new result version is served")
EVENT_TYPES = (RECOGNISED,)
