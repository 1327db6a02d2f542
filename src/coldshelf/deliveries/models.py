"""What deliveries are made of: states, the retry table, and one delivery as it is sent."""

import random
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

from coldshelf.kit.ids import ClientId

Json = dict[str, Any]  # a JSON object

DELIVERIES = "Delivery"
ATTEMPTS = "DeliveryAttempt"
SUBSCRIPTIONS = "Subscription"
SMS_MESSAGES = "SmsMessage"
SMS_MONTHS = "SmsMonth"
SMS_OPT_OUTS = "SmsOptOut"
OUTBOX = "Outbox"
"""Dataset of what a sandbox keeps."""
SETTINGS = "MessageSetting"
TEMPLATES = "MessageTemplate"
BOUNCES = "BouncedAddress"
CALLBACK, EMAIL, SLACK, SMS = "callback", "email", "slack", "sms"
MESSAGES = (EMAIL, SLACK, SMS)
"""The channels to people; whatever names no channel is a callback."""
PREFERRED = "preferred"
"""E-mail or SMS, as the person prefers."""
DIGEST = "digest"
"""The type of the deliveries that tell of several events."""
TRIGGERED = "coldshelf-trigger"
"""The header of a message about which nothing happened."""
WHY_WIDE = "Only client admins see what is sent, and they see every outlet."

WITHIN = timedelta(seconds=15)
"""How long a receiver may take to answer."""
RETRIES = tuple(
    timedelta(seconds=seconds)
    for seconds in (0, 5, 300, 1800, 2 * 3600, 5 * 3600, 10 * 3600, 14 * 3600, 20 * 3600, 24 * 3600)
)
"""Waits before the first, second … attempt; after the last one the delivery has failed."""
JITTER = 0.1
"""A wait is up to so much longer, so that what failed together does not come back together."""
LONGEST_RETRY_AFTER = timedelta(days=1)
FAILS_FOR = timedelta(days=5)
"""A subscription whose receiver has failed for so long is switched off."""
LARGEST_BODY = 20_000
"""Bytes of a callback; a larger record is sent as a link to it."""
LARGEST_ANSWER = 256 * 1024
KEPT_BODY = 20_000
"""Bytes of a message that are kept with its attempt: a mail's picture comes last, and goes first."""
KEPT_ANSWER = 2_000
"""Characters of an answer that are kept with its attempt."""


class Withheld(Exception):  # no error: limits, wishes and settings say so
    """The receiver must not have the message."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


class PutOff(Exception):  # no error: a person is not to be disturbed
    """It is quiet time where the receiver is."""

    def __init__(self, until: datetime) -> None:
        super().__init__(until)
        self.until = until


class Pace(StrEnum):
    """How often a subscription sends: each event, or a digest of those since the last one."""

    EACH = "each"
    HOURLY = "hourly"
    DAILY = "daily"
    WEEKLY = "weekly"


class State(StrEnum):
    """Where a delivery stands."""

    WAITING = "waiting"
    DELIVERED = "delivered"
    FAILED = "failed"
    REFUSED = "refused"
    WITHHELD = "withheld"


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """Which deliveries are meant; what is left out does not narrow. Times are those of their beginning."""

    ids: Collection[int] | None = None
    states: Collection[State] | None = None
    event_type: str | None = None
    subscription_id: int | None = None
    location_id: int | None = None
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """One message to one receiver, taken by a worker; `number` is that of the attempt to be made, from 1.

    `is_on`: its subscription is not switched off; `links`: what the links of its message are for. `triggered`: nothing
    happened, somebody tries the event out. What is loaded right before it is sent: `record`, what it is about as its
    receiver may see it, with `added` to it, or why the receiver may not (`withheld`); `secrets`, the current first.
    """

    client_id: ClientId
    id: int
    subscription_id: int | None
    user_id: int | None
    url: str
    number: int
    event_id: UUID
    type: str
    version: int
    occurred_on: datetime
    dataset: str
    key: int
    is_on: bool = True
    channel: str = CALLBACK
    links: Sequence[str] = ()
    endpoint: str = ""
    record: Json = field(default_factory=dict)
    added: Json = field(default_factory=dict)
    withheld: str = ""
    secrets: Sequence[str] = ()
    triggered: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Parcel:
    """A message as it goes over the wire to one address: a URL, a mailbox, a telephone number."""

    address: str
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """What a sandbox notes of a parcel: what a list shows of it, and how it was answered."""

    subject: str
    behaviour: str
    status: int | None
    error: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What the other side said to a parcel: `status` as its protocol counts, HTTP or SMTP."""

    status: int
    text: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What an answer means. `again_after`: the least wait that was asked for; `is_gone`: nothing more is to be sent.

    `has_bounced`: the address takes no messages, whoever sends them.
    """

    state: State
    error: str = ""
    again_after: timedelta = timedelta(0)
    is_gone: bool = False
    has_bounced: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What came of one attempt. `again_after`: the least wait that the receiver asked for.

    `put_off_until`: it was no attempt, the receiver is not to be disturbed until then.
    """

    state: State
    sent_on: datetime
    took: timedelta
    status: int | None = None
    answer: str = ""
    error: str = ""
    address: str = ""
    body: bytes = b""
    again_after: timedelta = timedelta(0)
    is_gone: bool = False
    has_bounced: bool = False
    put_off_until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Noted:
    """A delivery and what came of an attempt at it; `due_on`: when the next one is due."""

    delivery: Delivery
    outcome: Outcome
    due_on: datetime | None = None


def wait_before(number: int, chance: float | None = None) -> timedelta | None:
    """Say how long the attempt of this number waits after the one before it; None when there is no further one."""
    if number > len(RETRIES):
        return None
    drawn = random.random() if chance is None else chance  # noqa: S311  # spreads load, guards nothing
    return RETRIES[number - 1] * (1 + JITTER * drawn)
