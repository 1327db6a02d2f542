"""When what did not arrive is tried again: the published table by a clock moved by hand, its beginning in real time."""

import asyncio
import os
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from coldshelf.deliveries.dispatching import deliver_forever
from coldshelf.deliveries.models import wait_before
from coldshelf.entrypoints.bootstrap import surroundings
from coldshelf.kit.clock import SystemClock
from tests.deliveries.conftest import Hook, Pushing, Row
from tests.records.support import Handler
from tests.support.receiver import answer

SOAK = bool(os.environ.get("SOAK"))
TABLE = [
    timedelta(),
    timedelta(seconds=5),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=5),
    timedelta(hours=10),
    timedelta(hours=14),
    timedelta(hours=20),
    timedelta(hours=24),
]
"""The waits before each attempt as docs/callbacks.md and Standard Webhooks publish them."""
DOWN = answer(b"broken", status="500 Internal Server Error")


def busy(*headers: str) -> bytes:
    return answer(b"", *headers, status="503 Service Unavailable")


def test_waits_are_the_table_up_to_a_tenth_longer() -> None:
    assert [wait_before(number, 0) for number in range(1, 12)] == [*TABLE, None]
    assert [wait_before(number, 1) for number in range(1, 12)] == [*(wait * 1.1 for wait in TABLE), None]
    assert len({wait_before(3) for _ in range(20)}) > 1  # what failed together does not come back together


async def test_each_attempt_is_due_by_the_table(push: Pushing, hook: Hook) -> None:
    await push.subscribe(Name="Ours", Url=hook.seen.url)
    await push.happen(await push.outlet("L1"))
    hook.answers += [DOWN] * len(TABLE)

    waits = []
    while (due := await _due(push)) is not None:
        before = push.clock.now()
        push.clock.set(due - timedelta(microseconds=1))
        assert await push.deliver() == 0
        push.clock.set(due)
        assert await push.deliver() == 1
        waits.append(due - before)

    assert len(waits) == len(TABLE)
    assert all(wait <= waited <= wait * 1.1 for wait, waited in zip(TABLE[1:], waits[1:], strict=True))
    assert [one["State"] for one in await push.deliveries()] == ["failed"]


@pytest.mark.parametrize(
    ("said", "least", "most"),
    [
        ("60", timedelta(seconds=60), timedelta(seconds=60)),  # longer than the table: that is what is waited
        ("1", timedelta(seconds=5), timedelta(seconds=5.5)),  # shorter: the table stands
        ("0", timedelta(seconds=5), timedelta(seconds=5.5)),
        ("-5", timedelta(seconds=5), timedelta(seconds=5.5)),
        ("soon", timedelta(seconds=5), timedelta(seconds=5.5)),
        ("Wed, 21 Oct 2015 07:28:00 GMT", timedelta(seconds=5), timedelta(seconds=5.5)),
        ("86400", timedelta(days=1), timedelta(days=1)),
        ("31536000", timedelta(days=1), timedelta(days=1)),  # never longer than a day
        ("9" * 40, timedelta(days=1), timedelta(days=1)),
    ],
)
async def test_a_receiver_may_ask_for_a_longer_wait_but_not_for_a_shorter_one(
    push: Pushing, hook: Hook, said: str, least: timedelta, most: timedelta
) -> None:
    hook.answers.append(busy(f"Retry-After: {said}"))
    await push.subscribe(Name="Ours", Url=hook.seen.url)
    await push.happen(await push.outlet("L1"))

    await push.deliver()

    due = await _due(push)
    assert due is not None
    assert least <= due - push.clock.now() <= most


async def test_a_callback_url_that_is_gone_is_not_called_again(push: Pushing, hook: Hook) -> None:
    hook.answers.append(answer(b"", status="410 Gone"))
    await push.happen(await push.outlet("L1"), callback_urls=(hook.seen.url,))

    assert await push.deliver() == 1

    (delivery,) = await push.deliveries()
    assert (delivery["State"], delivery["Status"], delivery["DueOn"]) == ("failed", 410, None)
    assert await push.deliver(later=timedelta(days=2)) == 0


async def test_five_days_are_counted_from_the_first_failure_after_an_arrival(push: Pushing, hook: Hook) -> None:
    subscription = await push.subscribe(Name="Ours", Url=hook.seen.url)
    outlet = await push.outlet("L1")

    async def day(*, arrives: bool) -> Row:
        """Let a day pass in which one event happens and one attempt is made."""
        push.clock.advance(timedelta(days=1))
        hook.answers[:] = [] if arrives else [DOWN] * 20
        await push.happen(outlet)
        await push.deliver()
        return dict((await Handler(push.http, "Subscription").load(id=subscription))["data"])

    first = [await day(arrives=False) for _ in range(5)]  # the fifth is four days after the first
    arrived = await day(arrives=True)
    second = [await day(arrives=False) for _ in range(6)]

    assert [one["IsActive"] for one in first] == [True] * 5
    assert (arrived["IsActive"], arrived["FailingSince"]) == (True, None)
    assert [one["IsActive"] for one in second] == [True] * 5 + [False]
    assert second[-1]["DisabledBecause"] == "nothing has arrived for 5 days"


@pytest.mark.timeout(420 if SOAK else 60)
async def test_the_first_steps_are_waited_in_real_time(push: Pushing, hook: Hook) -> None:
    """At once, after 5 s, and in `make soak` after 5 minutes, by a worker's own loop."""
    waits = TABLE[: 3 if SOAK else 2]
    run, stop, hook.answers[:] = replace(push.run, clock=SystemClock()), asyncio.Event(), [DOWN] * (len(waits) - 1)
    await push.subscribe(Name="Ours", Url=hook.seen.url)
    push.clock.set(datetime.now(UTC))
    loop = asyncio.create_task(deliver_forever(run, surroundings(), stop))
    await push.happen(await push.outlet("L1"))
    await _called(hook, len(waits))
    stop.set()
    await loop

    attempts = await push.attempts()
    sent = [datetime.fromisoformat(f"{one['SentOn']}+00:00") for one in attempts]
    slack = timedelta(seconds=1.5)  # a look at what is due twice a second, and a busy machine
    for wait, earlier, later in zip(waits[1:], sent, sent[1:], strict=False):
        assert wait <= later - earlier <= wait * 1.1 + slack
    assert [one["Status"] for one in attempts] == [500] * (len(waits) - 1) + [200]


async def _called(hook: Hook, times: int) -> None:
    while True:
        if len(hook.seen.requests) >= times:
            return
        await asyncio.sleep(0.05)


async def _due(push: Pushing) -> datetime | None:
    (delivery,) = await push.deliveries()
    return datetime.fromisoformat(f"{delivery['DueOn']}+00:00") if delivery["DueOn"] else None
