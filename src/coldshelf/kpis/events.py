"""Facts about figures."""

from coldshelf.kit.events import EventType

PROCESSED = EventType(
    "image.processed", 1, public=True, meaning="A picture has its result and its KPIs", dataset="AssetPurity"
)
EVENT_TYPES = (PROCESSED,)
