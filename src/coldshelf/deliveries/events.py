"""Facts about subscriptions."""

from coldshelf.deliveries import catalogue
from coldshelf.kit.events import EventType

DISABLED = EventType(
    "subscription.disabled", 1, public=True, meaning="A receiver is gone or failed for five days; it gets nothing more"
)
TEST = EventType(catalogue.TEST, 1, public=True, meaning="Somebody wants to see whether callbacks arrive")
EVENT_TYPES = (DISABLED, TEST)
