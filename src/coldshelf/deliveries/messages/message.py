"""A message to a person: whom it reaches, in which words, and whether it may go now. Each channel gives it a form."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from coldshelf.access.service import Contact, contacts, load_client
from coldshelf.deliveries import store
from coldshelf.deliveries.catalogue import TEST
from coldshelf.deliveries.messages import store as message_store
from coldshelf.deliveries.messages.addresses import is_mailbox, is_phone
from coldshelf.deliveries.messages.hours import quiet_until, read_wall_time, zone_of
from coldshelf.deliveries.messages.placeholders import COMMON, OF_ALERTS, OF_DIGESTS, fill, one_line, shown
from coldshelf.deliveries.messages.templates import Words, built_in, languages
from coldshelf.deliveries.models import DIGEST, EMAIL, SMS, Delivery, PutOff, Withheld
from coldshelf.deliveries.surroundings import Surroundings
from coldshelf.kit.db import Connection
from coldshelf.kit.runtime import Runtime

GAPS = re.compile(r"[\s()/.-]")
"""What people write between the digits of a telephone number."""
NO_SUBSCRIPTION = dict.fromkeys(("recipient_id", "time_zone", "language", "quiet_from", "quiet_to")) | {
    "name": "Notices to client admins"
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """What a person reads. `links` are addresses by what they are for; `sender` is a name."""

    address: str
    subject: str
    text: str
    links: Mapping[str, str] = field(default_factory=dict)
    picture: bytes | None = None
    sender: str
    client: str
    subscription: str
    language: str


@dataclass(frozen=True, slots=True)
class Frame:
    """What every message of a subscription has alike."""

    zone: ZoneInfo
    client: str
    subscription: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """What is known of one delivery before its words are chosen."""

    delivery: Delivery
    subscription: Mapping[str, Any]
    settings: Mapping[str, Any]
    person: Contact | None
    frame: Frame

    @property
    def sender(self) -> str:
        return self.settings.get("sender_name") or self.frame.client

    @property
    def languages(self) -> list[str]:
        return languages(self.subscription["language"], self.settings.get("language"))


def placeholders_of(around: Surroundings, event: str) -> frozenset[str]:
    """Name the placeholders of an event: those of every message, and the columns of what it is about."""
    if event == DIGEST:
        return frozenset(OF_DIGESTS)
    about = around.registry.datasets.get(around.about.get(event, ""))
    columns = [column.wire for column in about.columns] if about and event != TEST else []
    return frozenset((*COMMON, *columns, *(OF_ALERTS if event.startswith("alert.") else ())))


async def words_of(connection: Connection, event: str, channel: str, wished: Sequence[str]) -> Words:
    own = await message_store.find_template(connection, event, channel, wished)
    if own is None:
        return built_in(event)
    return Words(own["subject"] or built_in(event).subject, own["body"], own["language"])


async def open_desk(run: Runtime, delivery: Delivery) -> Desk:
    """Find out what is known of a delivery; raise Withheld."""
    client = await load_client(run, delivery.client_id)
    async with run.database.scope(delivery.client_id, readonly=True) as connection:
        subscription = await _subscription(connection, delivery)
        settings = await message_store.find_settings(connection)
        recipient = subscription["recipient_id"]
        person = (await contacts(connection, [recipient])).get(recipient) if recipient else None
    return Desk(
        delivery=delivery,
        subscription=subscription,
        settings=dict(settings) if settings else {},
        person=person,
        frame=Frame(
            zone_of(subscription["time_zone"], person.time_zone if person else None, client.time_zone),
            client.name,
            subscription["name"],
        ),
    )


async def _subscription(connection: Connection, delivery: Delivery) -> Mapping[str, Any]:
    """Load the subscription; what its admins are told without one stands for itself."""
    if delivery.subscription_id is None:
        return {**NO_SUBSCRIPTION, "url": delivery.url}
    found = await store.find_subscription(connection, delivery.subscription_id)
    if found is None:
        raise Withheld("There is no such subscription any more")
    return dict(found)


def address_of(desk: Desk) -> str:
    """Give the address as it is now; raise Withheld when there is none that can be used."""
    channel, person = desk.delivery.channel, desk.person
    given = desk.subscription["url"] or ""
    if not given and desk.subscription["recipient_id"] and (person is None or not person.is_active):
        raise Withheld("The recipient is switched off or gone")
    held = {EMAIL: person.email, SMS: person.phone} if person else {}
    address = (given or held.get(channel, "")).strip()
    if channel == SMS:
        address = GAPS.sub("", address)
    if channel == EMAIL and not is_mailbox(address):
        raise Withheld("The recipient has no e-mail address that can be used")
    if channel == SMS and not is_phone(address):
        raise Withheld("The recipient has no phone number that can be used: +, country, number")
    return address


async def check_may_go(run: Runtime, desk: Desk, address: str, now: datetime) -> None:
    """Raise Withheld when nothing may go to the address, PutOff when it is quiet there."""
    delivery, held = desk.delivery, desk.subscription
    if not desk.settings.get(f"{delivery.channel}_is_on", delivery.channel != SMS):
        raise Withheld(f"The client has switched {delivery.channel} off (MessageSetting)")
    if delivery.channel == EMAIL:
        async with run.database.scope(delivery.client_id, readonly=True) as connection:
            if await message_store.has_bounced(connection, address):
                raise Withheld("Mail to this address came back (BouncedAddress)")
    if delivery.type == TEST or not held["quiet_from"] or not held["quiet_to"]:
        return
    begin, end = read_wall_time("QuietFrom", held["quiet_from"]), read_wall_time("QuietTo", held["quiet_to"])
    until = quiet_until(now, desk.frame.zone, begin, end)
    if until is not None:
        raise PutOff(until)


def told(
    around: Surroundings, frame: Frame, event: str, occurred_on: datetime, record: Mapping[str, Any]
) -> dict[str, str]:
    """Give what the placeholders of a record's event stand for."""
    return {name: shown(value) for name, value in record.items()} | {
        "Event": event,
        "EventMeaning": around.meanings.get(event, event),
        "EventTime": shown(occurred_on, frame.zone),
        "ClientName": frame.client,
        "Subscription": frame.subscription,
    }


def subject_of(words: Words, values: Mapping[str, str]) -> str:
    """Fill a subject: one line, and no loose end where a value is missing."""
    return one_line(fill(words.subject, values)).rstrip(" :-")


def worded(words: Words, values: Mapping[str, str], frame: Frame, *, address: str = "", sender: str = "") -> Message:
    """Put the values into the words."""
    return Message(
        address=address,
        subject=subject_of(words, values) or values.get("EventMeaning", frame.subscription),
        text=fill(words.body, values),
        sender=one_line(sender or frame.client),
        client=frame.client,
        subscription=frame.subscription,
        language=words.language,
    )
