"""One attempt at one delivery: written, carried to its receiver, and what came of it noted."""

from dataclasses import replace
from datetime import timedelta

from coldshelf.deliveries import store
from coldshelf.deliveries.channel import Channel
from coldshelf.deliveries.channels import CHANNELS
from coldshelf.deliveries.events import DISABLED
from coldshelf.deliveries.models import (
    FAILS_FOR,
    KEPT_ANSWER,
    SUBSCRIPTIONS,
    Answer,
    Delivery,
    Outcome,
    State,
    wait_before,
)
from coldshelf.deliveries.payload import Withheld
from coldshelf.deliveries.surroundings import Surroundings
from coldshelf.kit.db import Connection
from coldshelf.kit.events import Event
from coldshelf.kit.http.errors import CallFailed, UrlInvalid
from coldshelf.kit.logs import get_logger
from coldshelf.kit.runtime import Runtime

log = get_logger("deliveries")


async def deliver(run: Runtime, around: Surroundings, delivery: Delivery) -> Outcome:
    """Make the attempt and write it down; whatever happens to the receiver is an Outcome."""
    outcome = await _attempt(run, around, delivery)
    await _note(run, delivery, outcome)
    log.info("delivery", id=delivery.id, type=delivery.type, number=delivery.number, state=outcome.state)
    return outcome


async def _attempt(run: Runtime, around: Surroundings, delivery: Delivery) -> Outcome:
    outcome = Outcome(state=State.WAITING, sent_on=run.clock.now(), took=timedelta(0))
    if not delivery.is_on:
        return replace(outcome, state=State.FAILED, error="The subscription is switched off")
    channel = CHANNELS[delivery.channel]
    try:
        parcel = await channel.pack(run, around, delivery, outcome.sent_on)
        outcome = replace(outcome, body=parcel.body)
        answer = await (around.carry or channel.carry)(run, delivery, parcel)
    except Withheld as error:
        return replace(outcome, state=State.WITHHELD, error=error.why)
    except UrlInvalid as error:
        return replace(outcome, state=State.REFUSED, error=f"{error.message} {error.cure}".strip())
    except CallFailed as error:
        return replace(outcome, error=error.message, took=run.clock.now() - outcome.sent_on)
    return _judged(replace(outcome, took=run.clock.now() - outcome.sent_on), channel, answer)


def _judged(outcome: Outcome, channel: Channel, answer: Answer) -> Outcome:
    verdict = channel.judge(answer, outcome.sent_on)
    return replace(
        outcome,
        state=verdict.state,
        status=answer.status,
        answer=answer.text.replace("\0", "")[:KEPT_ANSWER],
        error=verdict.error,
        again_after=verdict.again_after,
        is_gone=verdict.is_gone,
    )


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
