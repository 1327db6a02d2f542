"""What came of attempts is written down: on deliveries, on the subscriptions whose receivers fail, and as attempts."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from http import HTTPStatus

from coldshelf.deliveries import store
from coldshelf.deliveries.channels import CHANNELS
from coldshelf.deliveries.events import DISABLED
from coldshelf.deliveries.messages import store as message_store
from coldshelf.deliveries.models import FAILS_FOR, SUBSCRIPTIONS, Noted, State, wait_before
from coldshelf.kit.db import Connection
from coldshelf.kit.events import Event
from coldshelf.kit.ids import ClientId
from coldshelf.kit.logs import get_logger
from coldshelf.kit.runtime import Runtime

log = get_logger("deliveries")


async def note(run: Runtime, made: Sequence[Noted]) -> None:
    """Write down attempts, those of each client in one transaction.

    What cannot be written is logged, and sent again when its lease ends.
    """
    by_client: dict[ClientId, list[Noted]] = defaultdict(list)
    for one in made:
        by_client[one.delivery.client_id].append(one)
    for client_id, theirs in by_client.items():
        await _note_or_leave(run, client_id, theirs)


async def _note_or_leave(run: Runtime, client_id: ClientId, made: Sequence[Noted]) -> None:
    try:
        await _note(run, client_id, made)
    except Exception:
        if len(made) == 1:
            log.exception("deliveries.failed", id=made[0].delivery.id, client=client_id)
            return
    else:
        return
    for one in made:
        await _note_or_leave(run, client_id, [one])


async def _note(run: Runtime, client_id: ClientId, made: Sequence[Noted]) -> None:
    now = run.clock.now()
    async with run.database.scope(client_id, user_name="deliveries") as connection:
        # Subscriptions come first, in order: whoever switches one off then changes every delivery that waits for it.
        tried = [one for one in made if one.outcome.put_off_until is None]
        ordered = sorted(tried, key=lambda one: (one.delivery.subscription_id or 0, one.delivery.id))
        decided = [await _decide(run, connection, one, now) for one in ordered]
        arrived = {one.delivery.subscription_id for one in made if one.outcome.state is State.DELIVERED}
        await store.note_arrivals(connection, sorted(filter(None, arrived)))
        await store.add_attempts(connection, decided)
        await store.note_outcomes(connection, decided)
        for one in decided:
            if one.outcome.has_bounced:
                await message_store.note_bounce(connection, one.outcome.address, "hard", one.outcome.error, now)
        for one in made:
            if one.outcome.put_off_until is not None:
                await store.put_off(connection, one.delivery.id, one.outcome.put_off_until)
    for one in decided:
        log.info(
            "delivery",
            id=one.delivery.id,
            type=one.delivery.type,
            number=one.delivery.number,
            state=one.outcome.state,
        )


async def _decide(run: Runtime, connection: Connection, one: Noted, now: datetime) -> Noted:
    """Say when the next attempt is due, or that there is none."""
    if one.outcome.state is not State.WAITING and not one.outcome.is_gone:
        return one
    goes_on = await _note_receiver(run, connection, one, now)
    wait = wait_before(one.delivery.number + 1) if goes_on else None
    if wait is None or one.outcome.is_gone:
        return replace(one, outcome=replace(one.outcome, state=State.FAILED))
    return replace(one, due_on=now + max(wait, one.outcome.again_after))


async def _note_receiver(run: Runtime, connection: Connection, one: Noted, now: datetime) -> bool:
    """Remember that a receiver fails; say whether it is to be called again.

    Its subscription is switched off when it is gone, or has failed for five days.
    """
    subscription_id = one.delivery.subscription_id
    if subscription_id is None:
        return True
    subscription = await store.lock_subscription(connection, subscription_id)
    if subscription is None:
        return False
    since = subscription["failing_since"]
    channel = CHANNELS.get(one.delivery.channel)
    if one.outcome.is_gone:
        gone = HTTPStatus(one.outcome.status or HTTPStatus.GONE)
        await _switch_off(run, connection, one, f"the receiver answered {gone.value} {gone.phrase}")
    elif channel is None or not channel.ends_when_failing:
        return True
    elif since is None:
        await store.note_failure(connection, subscription_id, now)
    elif now - since >= FAILS_FOR:
        await _switch_off(run, connection, one, "nothing has arrived for 5 days")
        return False
    return True


async def _switch_off(run: Runtime, connection: Connection, one: Noted, because: str) -> None:
    now, subscription_id = run.clock.now(), one.delivery.subscription_id or 0
    await store.switch_off(connection, subscription_id, now, because)
    told = Event.of(DISABLED, one.delivery.client_id, SUBSCRIPTIONS, subscription_id, now)
    await run.events.publish(connection, told)
