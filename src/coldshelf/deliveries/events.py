"""Facts about subscriptions."""

from coldshelf.deliveries import catalogue
from coldshelf.deliveries.models import SUBSCRIPTIONS
from coldshelf.kit.events import EventType

DISABLED = EventType(
    "subscription.disabled",
    1,
    public=True,
    meaning="A receiver is gone, unsubscribed or failed for five days",
    dataset=SUBSCRIPTIONS,
)
TEST = EventType(
    catalogue.TEST, 1, public=True, meaning="Somebody wants to see whether callbacks arrive", dataset=SUBSCRIPTIONS
)
EVENT_TYPES = (DISABLED, TEST)
