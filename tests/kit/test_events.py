"""Facts and their steps: run at least once, counted once, tried again, given up visibly, found again."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import asyncpg
import orjson
import pytest

from coldshelf.kit.db import Connection
from coldshelf.kit.errors import Unavailable
from coldshelf.kit.events import MOST_PICKS, Event, EventBus, EventType, Handler, Step
from coldshelf.kit.ids import ClientId
from coldshelf.kit.objects import ObjectNotFound
from coldshelf.kit.runtime import Runtime

NO_WAIT = timedelta(0)
HAPPENED = EventType("thing.happened", 1, public=True, meaning="")
Work = Callable[[Step], Awaitable[None]]


def fact(client_id: ClientId, kind: str = "thing.happened") -> Event:
    return Event(
        type=kind,
        version=1,
        client_id=client_id,
        dataset="Thing",
        key=7,
        occurred_on=datetime(2026, 11, 21, tzinfo=UTC),
        location_id=3,
        asset_id=4,
        public=True,
        links=("order.accept",),
        callback_urls=("https://example.org",),
    )


async def note(connection: Connection, step: Step, what: str = "effect") -> None:
    """An effect that can be counted."""
    await connection.execute(
        "INSERT INTO list_position (client_id, pull, next_start, last_id)"
        " SELECT $1, $2, count(*), $3 FROM list_position",
        step.event.client_id,
        what.encode(),
        step.event.key,
    )


async def noted(run: Runtime, client_id: ClientId, what: str = "effect") -> int:
    async with run.database.scope(client_id, readonly=True) as connection:
        return int(await connection.fetchval("SELECT count(*) FROM list_position WHERE pull = $1", what.encode()))


async def act(step: Step) -> None:
    async with step.effect() as connection:
        await note(connection, step)


async def end(step: Step, connection: Connection) -> None:
    await note(connection, step, "end")


def equipped(run: Runtime, *works: Work, back_off: tuple[timedelta, ...] = (), longest: float = 60) -> Runtime:
    """Give a Runtime whose handlers `one`, `two` … do this work for `thing.happened`."""
    names = ("one", "two", "three")
    handlers = [Handler(name, "thing.happened", work, end) for name, work in zip(names, works, strict=False)]
    bus = EventBus(run.database, run.clock, handlers, back_off=back_off, longest_run=timedelta(seconds=longest))
    return replace(run, events=bus)


async def publish(run: Runtime, event: Event) -> Event:
    async with run.database.scope(event.client_id) as connection:
        await run.events.publish(connection, event)
    return event


def payload(event: Event, handler: str = "one") -> bytes:
    return orjson.dumps({"client": event.client_id, "event": str(event.id), "handler": handler})


async def steps(run: Runtime) -> list[asyncpg.Record]:
    async with run.database.system() as connection:
        return list(await connection.fetch("SELECT * FROM event_step ORDER BY handler"))


async def jobs(run: Runtime) -> list[asyncpg.Record]:
    async with run.database.system() as connection:
        return list(await connection.fetch("SELECT * FROM pgqueuer ORDER BY id"))


async def test_event_its_steps_and_its_jobs_are_written_together(run: Runtime, client_id: ClientId) -> None:
    run = equipped(run, act, act)
    event = await publish(run, fact(client_id))

    async with run.database.scope(client_id) as connection:
        (row,) = await connection.fetch("SELECT * FROM event")
    assert (row["id"], row["type"], row["version"], row["public"]) == (event.id, "thing.happened", 1, True)
    assert (row["dataset"], row["key"], row["location_id"], row["asset_id"]) == ("Thing", 7, 3, 4)
    assert (row["links"], row["callback_urls"]) == (["order.accept"], ["https://example.org"])
    assert [step["handler"] for step in await steps(run)] == ["one", "two"]
    assert [(job["entrypoint"], job["payload"]) for job in await jobs(run)] == [
        ("one", payload(event, "one")),
        ("two", payload(event, "two")),
    ]


async def test_event_that_nobody_awaits_is_kept_without_a_job(run: Runtime, client_id: ClientId) -> None:
    await publish(equipped(run, act), fact(client_id, "other.happened"))

    assert (await steps(run), await jobs(run)) == ([], [])


async def test_transaction_that_fails_publishes_nothing(run: Runtime, client_id: ClientId) -> None:
    run = equipped(run, act)

    async def fail() -> None:
        async with run.database.scope(client_id) as connection:
            await run.events.publish(connection, fact(client_id))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fail()

    assert (await steps(run), await jobs(run)) == ([], [])


async def test_handler_gets_the_event_as_it_was_published(run: Runtime, client_id: ClientId) -> None:
    seen: list[Event] = []

    async def look(step: Step) -> None:
        seen.append(step.event)

    run = equipped(run, look)
    event = await publish(run, fact(client_id))
    await run.events.perform(run, payload(event))

    assert seen == [event]


async def test_effect_counts_once_however_many_run_at_once(run: Runtime, client_id: ClientId) -> None:
    runs = 0

    async def slow(step: Step) -> None:
        nonlocal runs
        runs += 1
        await asyncio.sleep(0.05)
        await act(step)

    run = equipped(run, slow)
    event = await publish(run, fact(client_id))

    await asyncio.gather(*(run.events.perform(run, payload(event)) for _ in range(30)))
    await run.events.perform(run, payload(event))

    assert 1 < runs <= 30
    assert await noted(run, client_id) == 1
    (step,) = await steps(run)
    assert (step["done_on"] is not None, step["attempts"], step["error"]) == (True, 0, "")


async def test_effect_that_fails_half_way_is_no_effect(run: Runtime, client_id: ClientId) -> None:
    tries = 0

    async def stumble(step: Step) -> None:
        nonlocal tries
        tries += 1
        async with step.effect() as connection:
            await note(connection, step)
            if tries == 1:
                raise ZeroDivisionError

    run = equipped(run, stumble, back_off=(NO_WAIT,))
    event = await publish(run, fact(client_id))

    await run.events.perform(run, payload(event))
    assert await noted(run, client_id) == 0
    await run.events.perform(run, payload(event))
    assert await noted(run, client_id) == 1


async def test_step_without_an_effect_is_done_all_the_same(run: Runtime, client_id: ClientId) -> None:
    async def nothing(_: Step) -> None:
        return

    run = equipped(run, nothing)
    event = await publish(run, fact(client_id))
    await run.events.perform(run, payload(event))

    (step,) = await steps(run)
    assert step["done_on"] is not None
    assert await run.events.sweep(timedelta(seconds=-1)) == 0


async def test_failure_is_tried_again_later_and_later_then_given_up(run: Runtime, client_id: ClientId) -> None:
    async def fail(_: Step) -> None:
        raise Unavailable("no luck")

    waits = (timedelta(seconds=5), timedelta(minutes=3))
    run = equipped(run, fail, back_off=waits)
    event = await publish(run, fact(client_id))

    for attempt, wait in enumerate(waits, 1):
        await run.events.perform(run, payload(event))
        (step,) = await steps(run)
        assert (step["attempts"], step["given_up_on"], step["error"]) == (attempt, None, "Unavailable: no luck")
        job = (await jobs(run))[-1]
        for due in (step["due_on"], job["execute_after"]):
            assert abs(due - datetime.now(UTC) - wait) < timedelta(seconds=3)
    assert await noted(run, client_id, "end") == 0

    await run.events.perform(run, payload(event))
    await run.events.perform(run, payload(event))

    (step,) = await steps(run)
    assert (step["attempts"], step["given_up_on"] is not None, step["done_on"]) == (3, True, None)
    assert await noted(run, client_id, "end") == 1
    assert len(await jobs(run)) == 3, "the first job and one for each wait"
    async with run.database.system() as connection:
        assert await run.events.given_up(connection) == 1


async def test_permanent_failure_is_given_up_at_once(run: Runtime, client_id: ClientId) -> None:
    async def fail(_: Step) -> None:
        raise ObjectNotFound

    run = equipped(run, fail, back_off=(NO_WAIT, NO_WAIT))
    event = await publish(run, fact(client_id))
    await run.events.perform(run, payload(event))

    (step,) = await steps(run)
    assert (step["attempts"], step["given_up_on"] is not None) == (1, True)
    assert await noted(run, client_id, "end") == 1
    assert len(await jobs(run)) == 1


async def test_step_that_was_given_up_has_no_late_effect(run: Runtime, client_id: ClientId) -> None:
    """A slow run comes to its effect after another one failed for good."""
    may_go_on, began = asyncio.Event(), asyncio.Event()

    async def first_slow_then_failing(step: Step) -> None:
        if began.is_set():
            raise ObjectNotFound
        began.set()
        await may_go_on.wait()
        await act(step)

    run = equipped(run, first_slow_then_failing)
    event = await publish(run, fact(client_id))
    slow = asyncio.create_task(run.events.perform(run, payload(event)))
    await began.wait()
    await run.events.perform(run, payload(event))
    may_go_on.set()
    await slow

    assert (await noted(run, client_id), await noted(run, client_id, "end")) == (0, 1)
    (step,) = await steps(run)
    assert (step["done_on"], step["attempts"]) == (None, 1)


async def test_run_that_takes_too_long_has_failed(run: Runtime, client_id: ClientId) -> None:
    async def hang(_: Step) -> None:
        await asyncio.sleep(60)

    run = equipped(run, hang, back_off=(NO_WAIT,), longest=0.1)
    event = await publish(run, fact(client_id))
    await run.events.perform(run, payload(event))

    (step,) = await steps(run)
    assert (step["attempts"], step["error"], step["given_up_on"]) == (1, "TimeoutError: ", None)


async def test_step_over_which_workers_die_is_given_up_in_the_end(run: Runtime, client_id: ClientId) -> None:
    run = equipped(run, act)
    event = await publish(run, fact(client_id))

    await run.events.perform(run, payload(event), MOST_PICKS + 1)

    (step,) = await steps(run)
    assert step["given_up_on"] is not None
    assert step["error"] == f"WorkersDied: {MOST_PICKS} workers died over this step"
    assert (await noted(run, client_id), await noted(run, client_id, "end")) == (0, 1)


async def test_end_that_fails_leaves_the_step_open_for_the_sweep(run: Runtime, client_id: ClientId) -> None:
    async def fail(_: Step) -> None:
        raise ObjectNotFound

    async def bad_end(step: Step, connection: Connection) -> None:
        await note(connection, step, "end")
        raise ZeroDivisionError

    bus = EventBus(run.database, run.clock, [Handler("one", "thing.happened", fail, bad_end)])
    run = replace(run, events=bus)
    event = await publish(run, fact(client_id))

    with pytest.raises(ZeroDivisionError):
        await run.events.perform(run, payload(event))

    (step,) = await steps(run)
    assert (step["given_up_on"], await noted(run, client_id, "end")) == (None, 0)


async def test_words_of_a_failure_are_kept_whatever_they_are(run: Runtime, client_id: ClientId) -> None:
    async def fail(_: Step) -> None:
        raise ValueError("a\0b" + "x" * 5000)

    run = equipped(run, fail, back_off=(NO_WAIT,))
    event = await publish(run, fact(client_id))
    await run.events.perform(run, payload(event))

    (step,) = await steps(run)
    assert step["error"].startswith("ValueError: abxxx")
    assert len(step["error"]) <= 2000


async def test_lost_job_is_replaced_and_a_waiting_one_is_enough(run: Runtime, client_id: ClientId) -> None:
    run = equipped(run, act, act)
    event = await publish(run, fact(client_id))
    async with run.database.system() as connection:
        await connection.execute("DELETE FROM pgqueuer WHERE entrypoint = 'one'")

    assert await run.events.sweep(timedelta(minutes=1)) == 0, "young steps are left alone"
    assert await run.events.sweep(timedelta(seconds=-1)) == 1
    assert await run.events.sweep(timedelta(seconds=-1)) == 0

    assert [job["payload"] for job in await jobs(run)] == [payload(event, "two"), payload(event, "one")]


async def test_sweep_leaves_steps_that_are_done_given_up_or_postponed(run: Runtime, client_id: ClientId) -> None:
    async def fail(_: Step) -> None:
        raise ObjectNotFound

    async def fail_once(_: Step) -> None:
        raise Unavailable

    run = equipped(run, act, fail, fail_once, back_off=(timedelta(hours=1),))
    event = await publish(run, fact(client_id))
    for name in ("one", "two", "three"):
        await run.events.perform(run, payload(event, name))
    async with run.database.system() as connection:
        await connection.execute("DELETE FROM pgqueuer")

    assert await run.events.sweep(timedelta(seconds=-1)) == 0
    assert await jobs(run) == []


async def test_step_of_another_client_is_not_found(
    run: Runtime, client_id: ClientId, other_client_id: ClientId
) -> None:
    run = equipped(run, act)
    event = await publish(run, fact(client_id))

    await run.events.perform(run, payload(replace(event, client_id=other_client_id)))

    assert (await noted(run, client_id), await noted(run, other_client_id)) == (0, 0)


async def test_withdrawn_event_is_acted_on_by_nobody(run: Runtime, client_id: ClientId) -> None:
    bus = equipped(run, act, act)
    event = await publish(bus, fact(client_id))

    async with run.database.scope(client_id) as connection:
        is_untouched = await bus.events.withdraw(connection, HAPPENED, "Thing", 7)
    for handler in ("one", "two"):
        await bus.events.perform(bus, payload(event, handler))

    assert is_untouched
    assert await noted(run, client_id) == 0
    assert {row["error"] for row in await steps(run)} == {"withdrawn"}


async def test_event_that_was_acted_on_cannot_be_withdrawn(run: Runtime, client_id: ClientId) -> None:
    bus = equipped(run, act, act)
    event = await publish(bus, fact(client_id))
    await bus.events.perform(bus, payload(event))

    async with run.database.scope(client_id) as connection:
        assert not await bus.events.withdraw(connection, HAPPENED, "Thing", 7)
        assert await bus.events.withdraw(connection, HAPPENED, "Thing", 8)
