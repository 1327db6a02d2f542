"""How a person ends what reaches it, by the link in a mail: looking changes nothing, posting ends it."""

from dataclasses import dataclass
from enum import StrEnum

from coldshelf.access.service import contacts
from coldshelf.deliveries import store
from coldshelf.deliveries.events import DISABLED
from coldshelf.deliveries.messages.links import is_for, read_unsubscribe
from coldshelf.deliveries.models import SUBSCRIPTIONS
from coldshelf.kit.db import Connection
from coldshelf.kit.events import Event
from coldshelf.kit.runtime import Runtime

BECAUSE = "the receiver unsubscribed"


class Standing(StrEnum):
    """Where the subscription behind a link stands."""

    UNKNOWN = "unknown"
    ON = "on"
    OFF = "off"


@dataclass(frozen=True, slots=True)
class Link:
    """What a link leads to; without a name where it leads nowhere."""

    standing: Standing
    name: str = ""


async def look(run: Runtime, token: str) -> Link:
    """Say what a link would end."""
    found = read_unsubscribe(run, token)
    if found is None:
        return Link(Standing.UNKNOWN)
    client_id, subscription_id, mark = found
    async with run.database.scope(client_id, readonly=True) as connection:
        return await _standing(run, connection, subscription_id, mark)


async def end(run: Runtime, token: str) -> Link:
    """End the subscription; a second time changes nothing."""
    found = read_unsubscribe(run, token)
    if found is None:
        return Link(Standing.UNKNOWN)
    client_id, subscription_id, mark = found
    async with run.database.scope(client_id, user_name="unsubscribe link") as connection:
        link = await _standing(run, connection, subscription_id, mark)
        if link.standing is not Standing.ON:
            return link
        now = run.clock.now()
        if await store.unsubscribe(connection, subscription_id, now, BECAUSE):
            await run.events.publish(connection, Event.of(DISABLED, client_id, SUBSCRIPTIONS, subscription_id, now))
        return Link(Standing.OFF, link.name)


async def _standing(run: Runtime, connection: Connection, subscription_id: int, mark: str) -> Link:
    held = await store.find_subscription(connection, subscription_id)
    if held is None:
        return Link(Standing.UNKNOWN)
    recipient = held["recipient_id"]
    people = await contacts(connection, [recipient]) if recipient else {}
    address = held["url"] or (people[recipient].email if recipient in people else "")
    if not is_for(run, mark, address):  # it goes to somebody else now
        return Link(Standing.UNKNOWN)
    return Link(Standing.ON if held["is_active"] else Standing.OFF, held["name"])
