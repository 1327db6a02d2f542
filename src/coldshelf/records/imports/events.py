"""Facts about imports."""

from coldshelf.kit.events import EventType

DATASET = "ImportRun"
RECEIVED = EventType("import.received", 1, public=False, meaning="A file is kept and waits to be imported")
EVENT_TYPES = (RECEIVED,)
