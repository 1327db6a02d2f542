"""What can go wrong with subscriptions and deliveries."""

from coldshelf.kit.errors import InputInvalid, NotFound


class EventsUnknown(InputInvalid):
    """A subscription names no event that there is"""

    code = "events_unknown"


class SubscriptionNotFound(NotFound):
    """There is no such subscription"""

    code = "subscription_not_found"


class NothingToReplay(NotFound):
    """No delivery is meant"""

    code = "nothing_to_replay"
    cure = "Look at /api/v1/deliveries."
