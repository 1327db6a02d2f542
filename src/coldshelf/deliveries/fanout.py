"""Each public event goes on its way to everyone who wants it, in the transaction of its step."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from yarl import URL

from coldshelf.access.service import Contact, admin_contacts, client_time_zone, contacts
from coldshelf.deliveries import store
from coldshelf.deliveries.catalogue import EVERYTHING, means, split
from coldshelf.deliveries.messages import store as message_store
from coldshelf.deliveries.messages.addresses import is_mailbox
from coldshelf.deliveries.messages.hours import slot_after, zone_of
from coldshelf.deliveries.models import CALLBACK, EMAIL, PREFERRED, SLACK, SMS, Pace
from coldshelf.deliveries.surroundings import FindPlace, OutletPlace
from coldshelf.kit.db import Connection
from coldshelf.kit.events import Event

TEXT_WORDS = frozenset({"sms", "text", "text message", "phone", "mobile"})
"""What a person's preferred way says for SMS; everything else is e-mail."""


@dataclass(frozen=True, slots=True)
class Receiver:
    """Where an event goes: the subscription (None: callbackUrl of an upload), the channel, the address.

    An empty address is that of the subscription's recipient at the time of sending.
    """

    subscription_id: int | None
    channel: str
    url: str

    @property
    def endpoint(self) -> str:
        """Name the server behind the address: what shares it waits for each other, and for nobody else."""
        if self.channel not in {CALLBACK, SLACK}:
            return self.channel
        try:
            return str(URL(self.url).origin())
        except ValueError:
            return self.url


async def send_to_all(connection: Connection, event: Event, find_place: FindPlace, now: datetime) -> None:
    """Write one delivery for each subscription that means the event, and for each `callbackUrl` that it carries.

    Subscriptions to a digest get an entry in the one of their slot instead.
    """
    found = await store.listening(connection)
    place: OutletPlace | None = None
    if event.location_id is not None and any(one["market_id"] or one["channel_id"] for one in found):
        place = await find_place(connection, event.location_id)
    wanted = [dict(one) for one in found if _means(dict(one), event, place)]
    people = await _people(connection, wanted)
    at_once = [_receiver(one, people) for one in wanted if one["digest"] == Pace.EACH]
    at_once += [Receiver(None, CALLBACK, url) for url in event.callback_urls]
    await put_on_its_way(connection, event, at_once, now)
    for one in wanted:  # in the order of their ids: two steps that fill the same digests wait, they do not lock up
        if one["digest"] != Pace.EACH:
            await _add_to_digest(connection, event, one, people, now)


async def tell_admins(connection: Connection, event: Event, now: datetime) -> None:
    """Write a mail to each admin of the client who has an address, whatever they subscribe to."""
    boxes = sorted({one.email for one in await admin_contacts(connection) if is_mailbox(one.email)})
    await put_on_its_way(connection, event, [Receiver(None, EMAIL, box) for box in boxes], now)


async def receiver_of(connection: Connection, subscription: Mapping[str, Any]) -> Receiver:
    """Say where the messages of a subscription go now."""
    return _receiver(subscription, await _people(connection, [subscription]))


async def put_on_its_way(connection: Connection, event: Event, receivers: Iterable[Receiver], now: datetime) -> None:
    """Write the deliveries of an event to these receivers; the first attempt is due now."""
    told = [(one.subscription_id, one.channel, one.url, one.endpoint) for one in receivers]
    if told:
        await store.add_deliveries(connection, event, told, now)


async def _people(connection: Connection, found: Iterable[Mapping[str, Any]]) -> Mapping[int, Contact]:
    """Look up the recipients whose wishes decide now."""
    wanted = {
        one["recipient_id"]
        for one in found
        if one["recipient_id"] and (one["deliver_by"] == PREFERRED or one["digest"] != Pace.EACH)
    }
    return await contacts(connection, wanted) if wanted else {}


def _receiver(subscription: Mapping[str, Any], people: Mapping[int, Contact]) -> Receiver:
    channel = subscription["deliver_by"]
    if channel == PREFERRED:
        person = people.get(subscription["recipient_id"])
        channel = SMS if person and person.preferred.strip().lower() in TEXT_WORDS else EMAIL
    return Receiver(subscription["id"], channel, subscription["url"] or "")


async def _add_to_digest(
    connection: Connection, event: Event, one: Mapping[str, Any], people: Mapping[int, Contact], now: datetime
) -> None:
    """Add an event to the digest of its slot; when that one is on its way already, to the next."""
    receiver, person = _receiver(one, people), people.get(one["recipient_id"])
    zone = zone_of(one["time_zone"], person.time_zone if person else None, await client_time_zone(connection))
    slot, digest = now, None
    address = (one["id"], receiver.channel, receiver.url, receiver.endpoint)
    while digest is None:
        slot = slot_after(slot, Pace(one["digest"]), zone)
        digest_id = uuid5(NAMESPACE_URL, f"{event.client_id}/{one['id']}/{slot.isoformat()}")
        digest = await message_store.open_digest(connection, address, digest_id, slot)
    await message_store.add_entry(connection, digest, event)


def _means(subscription: Mapping[str, Any], event: Event, place: OutletPlace | None) -> bool:
    words = split(subscription["events"] or EVERYTHING)
    return any(means(word, event.type) for word in words) and all(
        subscription[name] is None or subscription[name] in held
        for name, held in (
            ("location_id", (event.location_id,)),
            ("asset_id", (event.asset_id,)),
            ("channel_id", (place.channel_id,) if place else ()),
            ("market_id", place.market_ids if place else ()),
        )
    )
