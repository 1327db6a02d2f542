"""Writes the message of a loaded delivery: one event with its links and picture, or the list of a digest."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from coldshelf.access.principal import Principal
from coldshelf.access.service import mint
from coldshelf.deliveries.loading import HIDDEN, SWITCHED_OFF, load_records, reader
from coldshelf.deliveries.messages import store as message_store
from coldshelf.deliveries.messages.message import (
    Desk,
    Message,
    address_of,
    check_may_go,
    open_desk,
    subject_of,
    told,
    worded,
    words_of,
)
from coldshelf.deliveries.messages.templates import Words
from coldshelf.deliveries.models import DIGEST, EMAIL, Delivery, Json, Withheld
from coldshelf.deliveries.surroundings import Surroundings
from coldshelf.kit.errors import NotAllowed, NotSignedIn
from coldshelf.kit.ids import UserId
from coldshelf.kit.runtime import Runtime

MOST_ENTRIES = 50
"""Events that a digest lists; of more it says how many."""
MOST_LOADED = 1000
"""Records that are looked at in one go."""
TRIED = "Somebody tries this message out: nothing has happened."


async def write_message(run: Runtime, around: Surroundings, delivery: Delivery, sent_on: datetime) -> Message:
    """Write a message; raise Withheld when it must not go, PutOff when it is quiet where its receiver is."""
    desk = await open_desk(run, delivery)
    address = address_of(desk)
    await check_may_go(run, desk, address, sent_on)
    if delivery.type == DIGEST:
        words, values = await _digest(run, around, desk)
        return worded(words, values, desk.frame, address=address, sender=desk.sender)
    links = await _links(run, around, delivery, address)
    values = told(around, desk.frame, delivery.type, delivery.occurred_on, delivery.record)
    values["Link"] = next(iter(links.values()), "")
    words = (await _words(run, desk, [delivery.type]))[delivery.type]
    message = worded(words, values, desk.frame, address=address, sender=desk.sender)
    if delivery.triggered:
        message = replace(message, text=f"{message.text.rstrip()}\n\n{TRIED}")
    return replace(message, links=links, picture=await _picture(run, around, delivery))


async def _words(run: Runtime, desk: Desk, events: Sequence[str]) -> dict[str, Words]:
    """Choose the words of events: the client's own in the best language, else those that are built in."""
    delivery = desk.delivery
    async with run.database.scope(delivery.client_id, readonly=True) as connection:
        return {event: await words_of(connection, event, delivery.channel, desk.languages) for event in events}


async def _reader(run: Runtime, delivery: Delivery) -> Principal:
    try:
        return await reader(run, delivery.client_id, delivery.user_id)
    except NotSignedIn as error:
        raise Withheld(SWITCHED_OFF) from error


async def _links(run: Runtime, around: Surroundings, delivery: Delivery, address: str) -> dict[str, str]:
    """Mint what the event has links for, the same ones at each attempt: addresses by what they are for.

    Their pages show more than fields: who is limited to some fields or datasets gets none.
    """
    principal = await _reader(run, delivery)
    if principal.limit.hidden or principal.limit.datasets is not None:
        return {}
    found = {}
    async with run.database.scope(delivery.client_id, user_name="deliveries") as connection:
        for purpose in (around.purposes[name] for name in delivery.links if name in around.purposes):
            try:
                if purpose.permission:
                    principal.require_permission(purpose.permission)
            except NotAllowed:
                continue
            minted = await mint(
                run,
                connection,
                delivery.client_id,
                purpose,
                delivery.key,
                recipient=address,
                user_id=None if delivery.user_id is None else UserId(delivery.user_id),
                once=str(delivery.event_id),
            )
            found[purpose.title] = minted.url
    return found


async def _picture(run: Runtime, around: Surroundings, delivery: Delivery) -> bytes | None:
    find = around.pictures.get(delivery.dataset)
    if find is None or delivery.channel != EMAIL:
        return None
    return await find(run, delivery.client_id, delivery.record)


async def _digest(run: Runtime, around: Surroundings, desk: Desk) -> tuple[Words, dict[str, str]]:
    """List the events of a digest that its receiver may see, the first 50 by their subjects."""
    async with run.database.scope(desk.delivery.client_id, readonly=True) as connection:
        held = [dict(row) for row in await message_store.entries(connection, desk.delivery.id)]
    records = await _records(run, around, desk.delivery, held)
    seen = [one for one in held if (one["dataset"], one["record_key"]) in records]
    if not seen:
        raise Withheld(HIDDEN)
    words = await _words(run, desk, [DIGEST, *{one["event_type"] for one in seen[:MOST_ENTRIES]}])
    lines = []
    for one in seen[:MOST_ENTRIES]:
        record = records[one["dataset"], one["record_key"]]
        values = told(around, desk.frame, one["event_type"], one["occurred_on"], record)
        lines.append(f"- {values['EventTime']} {subject_of(words[one['event_type']], values)}")
    if len(seen) > MOST_ENTRIES:
        lines.append(f"and {len(seen) - MOST_ENTRIES} more")
    values = {"Count": str(len(seen)), "Entries": "\n".join(lines)}
    return words[DIGEST], values | {"ClientName": desk.frame.client, "Subscription": desk.frame.subscription}


async def _records(
    run: Runtime, around: Surroundings, delivery: Delivery, held: Sequence[Mapping[str, Any]]
) -> dict[tuple[str, int], Json]:
    """Load the records of entries that the receiver may see, by dataset and key."""
    found: dict[tuple[str, int], Json] = {}
    principal = await _reader(run, delivery)
    for name in dict.fromkeys(one["dataset"] for one in held):
        keys = list(dict.fromkeys(one["record_key"] for one in held if one["dataset"] == name))
        for start in range(0, len(keys), MOST_LOADED):
            part = keys[start : start + MOST_LOADED]
            try:
                loaded = await load_records(run, principal, around.registry.datasets[name], part)
            except NotAllowed:
                break
            found |= {(name, key): record for key, record in loaded.items()}
    return found
