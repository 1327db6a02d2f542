"""One attempt at one delivery: written, signed, posted, and what came of it noted."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

from coldshelf.deliveries import store
from coldshelf.deliveries.events import DISABLED
from coldshelf.deliveries.models import (
    FAILS_FOR,
    KEPT_ANSWER,
    LARGEST_ANSWER,
    LONGEST_RETRY_AFTER,
    SUBSCRIPTIONS,
    WITHIN,
    Delivery,
    Outcome,
    State,
    wait_before,
)
from coldshelf.deliveries.payload import Withheld, write_body
from coldshelf.deliveries.surroundings import Surroundings
from coldshelf.kit.db import Connection
from coldshelf.kit.events import Event
from coldshelf.kit.http import Reply
from coldshelf.kit.http.errors import CallFailed, UrlInvalid
from coldshelf.kit.logs import get_logger
from coldshelf.kit.runtime import Runtime
from coldshelf.kit.signing import new_secret, signed_headers

log = get_logger("deliveries")
GONE = 410


async def deliver(run: Runtime, around: Surroundings, delivery: Delivery) -> Outcome:
    """Make the attempt and write it down; whatever happens to the receiver is an Outcome."""
    outcome = await _attempt(run, around, delivery)
    await _note(run, delivery, outcome)
    log.info("delivery", id=delivery.id, type=delivery.type, number=delivery.number, state=outcome.state)
    return outcome


async def _attempt(run: Runtime, around: Surroundings, delivery: Delivery) -> Outcome:
    sent_on = run.clock.now()
    blank = Outcome(state=State.WAITING, sent_on=sent_on, took=timedelta(0))
    if not delivery.is_on:
        return replace(blank, state=State.FAILED, error="The subscription is switched off")
    try:
        body = await write_body(run, around, delivery)
    except Withheld as error:
        return replace(blank, state=State.WITHHELD, error=error.why)
    blank = replace(blank, body=body)
    try:
        reply = await _post(run, delivery, body, sent_on)
    except UrlInvalid as error:
        return replace(blank, state=State.REFUSED, error=f"{error.message} {error.cure}".strip())
    except CallFailed as error:
        return replace(blank, error=error.message, took=run.clock.now() - sent_on)
    return _judged(replace(blank, took=run.clock.now() - sent_on), reply)


async def _post(run: Runtime, delivery: Delivery, body: bytes, sent_on: datetime) -> Reply:
    held = await _secrets(run, delivery, sent_on)
    headers = {
        "content-type": "application/json",
        "coldshelf-event": delivery.type,
        "coldshelf-attempt": str(delivery.number),
        **signed_headers(held, str(delivery.event_id), sent_on, body),
    }
    return await run.outgoing.send(
        "POST", delivery.url, body=body, headers=headers, largest=LARGEST_ANSWER, within=WITHIN
    )


async def _secrets(run: Runtime, delivery: Delivery, now: datetime) -> list[str]:
    async with run.database.scope(delivery.client_id, user_name="deliveries") as connection:
        held = await store.secrets_of(connection, delivery.subscription_id, now)
        if held:
            return held
        await store.first_secret(connection, delivery.subscription_id, new_secret())
        return await store.secrets_of(connection, delivery.subscription_id, now)


def _judged(blank: Outcome, reply: Reply) -> Outcome:
    answer = reply.body.decode(errors="replace").replace("\0", "")[:KEPT_ANSWER]
    known = replace(blank, status=reply.status, answer=answer)
    if reply.status in range(200, 300):
        return replace(known, state=State.DELIVERED)
    is_gone = reply.status == GONE
    state = State.FAILED if is_gone else State.WAITING
    asked = retry_after(reply.headers, blank.sent_on)
    return replace(known, state=state, error=f"Status {reply.status}", is_gone=is_gone, again_after=asked)


def retry_after(headers: Mapping[str, str], now: datetime) -> timedelta:
    """Read `Retry-After`, seconds or a date; at most a day, nothing when it cannot be read."""
    said = next((value.strip() for name, value in headers.items() if name.lower() == "retry-after"), "")
    if said.isdecimal():
        wait = timedelta(seconds=min(int(said), int(LONGEST_RETRY_AFTER.total_seconds())))
    else:
        try:
            moment = parsedate_to_datetime(said)
        except ValueError:
            return timedelta(0)
        wait = (moment if moment.tzinfo else moment.replace(tzinfo=UTC)) - now
    return min(max(wait, timedelta(0)), LONGEST_RETRY_AFTER)


async def _note(run: Runtime, delivery: Delivery, outcome: Outcome) -> None:
    now = run.clock.now()
    wait = wait_before(delivery.number + 1) if outcome.state is State.WAITING else None
    async with run.database.scope(delivery.client_id, user_name="deliveries") as connection:
        # The subscription comes first: whoever switches it off then changes every delivery that waits for it.
        if not await _note_receiver(run, connection, delivery, outcome):
            wait = None
        state = State.FAILED if outcome.state is State.WAITING and wait is None else outcome.state
        due_on = None if wait is None else now + max(wait, outcome.again_after)
        await store.add_attempt(connection, delivery.id, delivery.number, outcome)
        await store.note_outcome(connection, delivery.id, delivery.number, replace(outcome, state=state), due_on)


async def _note_receiver(run: Runtime, connection: Connection, delivery: Delivery, outcome: Outcome) -> bool:
    """Remember whether the receiver works; say whether it is to be called again.

    Its subscription is switched off when it is gone, or has failed for five days.
    """
    if delivery.subscription_id is None:
        return True
    subscription = await store.lock_subscription(connection, delivery.subscription_id)
    if subscription is None:
        return False
    now, since = run.clock.now(), subscription["failing_since"]
    if outcome.state is State.DELIVERED and since is not None:
        await store.note_arrival(connection, delivery.subscription_id)
    elif outcome.is_gone:
        await _switch_off(run, connection, delivery, "the receiver answered 410 Gone")
    elif outcome.state is State.WAITING and since is None:
        await store.note_failure(connection, delivery.subscription_id, now)
    elif outcome.state is State.WAITING and now - since >= FAILS_FOR:
        await _switch_off(run, connection, delivery, "nothing has arrived for 5 days")
        return False
    return True


async def _switch_off(run: Runtime, connection: Connection, delivery: Delivery, because: str) -> None:
    now, subscription_id = run.clock.now(), delivery.subscription_id or 0
    await store.switch_off(connection, subscription_id, now, because)
    told = Event.of(DISABLED, delivery.client_id, SUBSCRIPTIONS, subscription_id, now)
    await run.events.publish(connection, told)
