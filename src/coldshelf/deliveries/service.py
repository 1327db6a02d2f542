"""What people do with callbacks: change secrets, try a subscription, let deliveries begin anew."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from coldshelf.deliveries import store
from coldshelf.deliveries.errors import NothingToReplay, SubscriptionNotFound
from coldshelf.deliveries.events import TEST
from coldshelf.deliveries.fanout import put_on_its_way, receiver_of
from coldshelf.deliveries.messages import store as message_store
from coldshelf.deliveries.messages.addresses import is_mailbox
from coldshelf.deliveries.messages.placeholders import one_line
from coldshelf.deliveries.models import SUBSCRIPTIONS, Selection, State
from coldshelf.kit.db import Connection
from coldshelf.kit.events import Event
from coldshelf.kit.ids import ClientId
from coldshelf.kit.runtime import Runtime
from coldshelf.kit.signing import new_secret
from coldshelf.records.errors import FieldInvalid

BOTH_COUNT_FOR = timedelta(days=1)
"""Messages carry signatures by the old and the new secret for so long after a change."""
ENDED = (State.DELIVERED, State.FAILED, State.REFUSED, State.WITHHELD)


@dataclass(frozen=True, slots=True)
class Begun:
    """A delivery that begins anew."""

    id: int
    event: str
    url: str


async def change_secret(run: Runtime, connection: Connection, subscription_id: int | None) -> tuple[str, datetime]:
    """Make a new secret of a subscription, or the client's own; give it and when the old one ends to count.

    It is told this once. Raises SubscriptionNotFound.
    """
    if subscription_id is not None:
        await _found(connection, subscription_id)
    secret, now = new_secret(), run.clock.now()
    ends_on = now + BOTH_COUNT_FOR
    await store.change_secret(connection, subscription_id, secret, ends_on=ends_on, now=now)
    return secret, ends_on


async def send_test(run: Runtime, connection: Connection, client_id: ClientId, subscription_id: int) -> Event:
    """Put a test on its way to one subscription; raise SubscriptionNotFound."""
    receiver = await receiver_of(connection, await _found(connection, subscription_id))
    event = Event.of(TEST, client_id, SUBSCRIPTIONS, subscription_id, run.clock.now())
    await put_on_its_way(connection, event, [receiver], event.occurred_on)
    return event


async def note_bounce(run: Runtime, connection: Connection, address: str, kind: str, diagnostic: str) -> int:
    """Note that mail to an address came back; give the id of its BouncedAddress. Raise FieldInvalid."""
    if not is_mailbox(address):
        raise FieldInvalid("Address takes a mailbox such as ann@example.org")
    return await message_store.note_bounce(connection, address, kind, one_line(diagnostic), run.clock.now())


async def replay(run: Runtime, connection: Connection, wanted: Selection) -> list[Begun]:
    """Let deliveries that have ended begin anew, with the same webhook-id; raise NothingToReplay."""
    found = await store.replay(connection, run.clock.now(), wanted)
    if not found:
        raise NothingToReplay("No ended delivery of an active subscription is meant")
    return sorted((Begun(row["id"], row["event_type"], row["url"]) for row in found), key=lambda one: one.id)


async def list_deliveries(
    connection: Connection, wanted: Selection, most: int
) -> Sequence[Mapping[str, Any]]:  # rows of the table
    """Give the latest deliveries that are meant."""
    return [dict(row) for row in await store.latest(connection, wanted, most)]


async def _found(connection: Connection, subscription_id: int) -> Mapping[str, Any]:  # a row of the table
    row = await store.find_subscription(connection, subscription_id)
    if row is None:
        raise SubscriptionNotFound(f"There is no subscription {subscription_id}")
    return dict(row)
