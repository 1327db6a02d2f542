"""Facts that one room publishes and others act on, each at least once, with an effect that counts once.

`publish` writes the event, one step row per subscribed handler and one job hint in the caller's transaction. A
handler does its slow work first and then opens `effect()`: a transaction that marks the step done; a second run finds
it done, raises StepDone, and changes nothing. A step that fails is tried again with back-off and given up visibly; the
sweep gives lost steps a new job.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import orjson

from coldshelf.kit import queue
from coldshelf.kit.clock import Clock
from coldshelf.kit.db import Connection, Database
from coldshelf.kit.errors import ColdshelfError
from coldshelf.kit.ids import ClientId, new_sorted_id
from coldshelf.kit.logs import get_logger

log = get_logger("kit")

BACK_OFF = (timedelta(seconds=1), timedelta(seconds=10), timedelta(minutes=1), timedelta(minutes=10))
"""Waits after the first, second … failed run of a step; after the last one the step is given up."""

LONGEST_RUN = timedelta(minutes=10)

MOST_PICKS = 10
"""Workers that may die over one run before it counts as failed: what kills a worker must not kill all of them."""


BACKGROUND = -1
"""Priority of the jobs of handlers that run when nothing else waits."""


class StepDone(ColdshelfError):
    """This step was done before"""

    code = "step_done"


class WorkersDied(ColdshelfError):
    """Every worker that took this step died"""

    code = "workers_died"


@dataclass(frozen=True, slots=True)
class EventType:
    """A kind of fact: `noun.past`, version, whether outsiders may subscribe, and what it means.

    `dataset`: what the record is that it is about; every public one names it, since its payload is that record.
    """

    name: str
    version: int
    public: bool
    meaning: str
    dataset: str = ""


@dataclass(frozen=True, slots=True)
class Event:
    """The envelope of every fact. `dataset` and `key` name the record that it is about.

    `triggered`: nothing happened; somebody wants to see what such an event does to those who receive it.
    """

    type: str
    version: int
    client_id: ClientId
    dataset: str
    key: int
    occurred_on: datetime
    id: UUID = field(default_factory=new_sorted_id)
    location_id: int | None = None
    asset_id: int | None = None
    public: bool = False
    links: tuple[str, ...] = ()
    callback_urls: tuple[str, ...] = ()
    triggered: bool = False

    @classmethod
    def of(cls, kind: EventType, client_id: ClientId, dataset: str, key: int, occurred_on: datetime) -> "Event":
        """Make the envelope of a fact about a record that stands at no outlet."""
        return cls(kind.name, kind.version, client_id, dataset, key, occurred_on, public=kind.public)


Handle = Callable[["Step"], Awaitable[None]]
GiveUp = Callable[["Step", Connection], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Handler:
    """One reaction to one kind of event; `give_up` writes its visible end after the last failed run.

    `in_background`: it runs when nothing else waits. `longest`: a run that takes longer counts as failed.
    """

    name: str
    event_type: str
    handle: Handle
    give_up: GiveUp | None = None
    in_background: bool = False
    longest: timedelta = LONGEST_RUN


@dataclass(frozen=True, slots=True)
class Step:
    """One run of one handler for one event. `run` is the Runtime of this process."""

    event: Event
    handler: Handler
    run: Any  # the Runtime of kit.runtime, which holds this module's EventBus: typed where it is used
    bus: "EventBus"

    @asynccontextmanager
    async def effect(self) -> AsyncIterator[Connection]:
        """Open the transaction of this step's effect; raise StepDone when another run was first."""
        async with self.bus.database.scope(self.event.client_id, user_name=self.handler.name) as connection:
            await self.bus.mark_done(connection, self.event, self.handler.name)
            yield connection


class EventBus:
    """Writes events and runs their handlers."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        handlers: Sequence[Handler],
        *,
        back_off: Sequence[timedelta] = BACK_OFF,
        longest_run: timedelta | None = None,
    ) -> None:
        self.database = database
        self.clock = clock
        self.handlers: Mapping[str, Handler] = {handler.name: handler for handler in handlers}
        self._back_off = tuple(back_off)
        self._longest_run = longest_run

    async def publish(self, connection: Connection, event: Event, *, only: str = "") -> None:
        """Record the event and its steps in the caller's transaction; `only`: handlers of the room of this name."""
        names = [
            handler.name
            for handler in self.handlers.values()
            if handler.event_type == event.type and (not only or handler.name.startswith(f"{only}."))
        ]
        await connection.execute(INSERT_EVENT_WITH_STEPS, *_event_row(event), names)
        await queue.enqueue(connection, [self._hint(event.client_id, event.id, name) for name in names])

    async def mark_done(self, connection: Connection, event: Event, handler: str) -> None:
        """Mark a step as done in the transaction of its effect; raise StepDone when it is done or given up."""
        done = await connection.fetchval(MARK_DONE, event.client_id, event.id, handler)
        if done is None:
            raise StepDone

    async def perform(self, run: object, payload: bytes, picks: int = 1) -> None:
        """Run the step that a job names; failures are kept on the step, which is tried again with back-off.

        `picks` says how many workers have taken the job, this one included: the others died over it.
        """
        wanted = orjson.loads(payload)
        handler = self.handlers[wanted["handler"]]
        client_id = ClientId(wanted["client"])
        async with self.database.scope(client_id, readonly=True) as connection:
            row = await connection.fetchrow(LOAD_OPEN_STEP, client_id, UUID(wanted["event"]), handler.name)
        if row is None:
            return
        step = Step(event_from(dict(row)), handler, run, self)
        try:
            await self._handle(step, picks)
        except StepDone:
            return
        except Exception as error:  # noqa: BLE001  # the worker loop: a failed step is kept, logged and tried again
            await self._failed(step, error)

    async def sweep(self, older_than: timedelta) -> int:
        """Give every open step whose job got lost a new one; return how many there were."""
        async with self.database.system() as connection:
            open_steps = await connection.fetch(OPEN_STEPS, older_than)
            hints = [
                self._hint(row["client_id"], row["event_id"], row["handler"], attempt=row["attempts"])
                for row in open_steps
            ]
            lost = await queue.without_job(connection, [hint.key for hint in hints])
            await queue.enqueue(connection, [hint for hint in hints if hint.key in lost])
            await queue.prune(connection)
        return len(lost)

    async def given_up(self, connection: Connection) -> int:
        """Count the steps that were given up, over all tenants; the connection is the owner's."""
        return int(await connection.fetchval("SELECT count(*) FROM event_step WHERE given_up_on IS NOT NULL"))

    async def open_steps(self, connection: Connection, dataset: str, keys: Sequence[int]) -> int:
        """Count the steps about these records that are neither done nor given up."""
        return int(await connection.fetchval(OPEN_STEPS_OF, dataset, list(keys)))

    async def withdraw(self, connection: Connection, kind: EventType, dataset: str, key: int) -> bool:
        """Take back what nobody has acted on: end the open steps of such events about a record.

        False when a handler was done with one of them, or gave it up: then the caller rolls back.
        """
        await connection.execute(WITHDRAW, kind.name, dataset, key)
        return not await connection.fetchval(ACTED_ON, kind.name, dataset, key)

    async def _handle(self, step: Step, picks: int) -> None:
        if picks > MOST_PICKS:
            raise WorkersDied(f"{picks - 1} workers died over this step")
        async with asyncio.timeout((self._longest_run or step.handler.longest).total_seconds()):
            await step.handler.handle(step)
        with suppress(StepDone):  # a handler that found nothing to do opened no effect
            async with step.effect():
                pass

    async def _failed(self, step: Step, error: Exception) -> None:
        event, name = step.event, step.handler.name
        async with self.database.scope(event.client_id, user_name=name) as connection:
            words = f"{type(error).__name__}: {error}"[:2000].replace("\0", "")
            attempts = await connection.fetchval(COUNT_FAILURE, event.client_id, event.id, name, words)
            if attempts is None:
                return
            log.error("step.failed", handler=name, key=event.key, attempts=attempts, exc_info=error)
            is_permanent = isinstance(error, ColdshelfError) and not error.retry
            if is_permanent or attempts > len(self._back_off):
                await connection.execute(GIVE_UP, event.client_id, event.id, name)
                if step.handler.give_up:
                    await step.handler.give_up(step, connection)
                return
            delay = self._back_off[attempts - 1]
            await connection.execute(POSTPONE, event.client_id, event.id, name, delay)
            hint = self._hint(event.client_id, event.id, name, attempt=attempts, delay=delay)
            await queue.enqueue(connection, [hint])

    def _hint(
        self, client_id: int, event_id: UUID, handler: str, *, attempt: int = 0, delay: timedelta = timedelta(0)
    ) -> queue.Hint:
        payload = orjson.dumps({"client": client_id, "event": str(event_id), "handler": handler})
        known = self.handlers.get(handler)  # a step may be older than this release
        priority = BACKGROUND if known and known.in_background else 0
        return queue.Hint(handler, payload, f"{event_id}/{handler}/{attempt}", delay, priority)


OPEN_STEPS_OF = """
    SELECT count(*) FROM event_step s JOIN event e ON e.client_id = s.client_id AND e.id = s.event_id
    WHERE s.done_on IS NULL AND s.given_up_on IS NULL AND e.dataset = $1 AND e.key = ANY($2)"""
EVENT_COLUMNS = (
    "client_id, id, type, version, public, occurred_on, location_id, asset_id, dataset, key, links, callback_urls,"
    " triggered"
)
INSERT_EVENT_WITH_STEPS = f"""
    WITH made AS (
        INSERT INTO event ({EVENT_COLUMNS}) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
        RETURNING client_id, id)
    INSERT INTO event_step (client_id, event_id, handler) SELECT client_id, id, unnest($14::text[]) FROM made"""
WITHDRAW = """
    UPDATE event_step s SET done_on = clock_timestamp(), error = 'withdrawn' FROM event e
    WHERE e.client_id = s.client_id AND e.id = s.event_id AND e.type = $1 AND e.dataset = $2 AND e.key = $3
        AND s.done_on IS NULL AND s.given_up_on IS NULL"""
ACTED_ON = """
    SELECT EXISTS (
        SELECT FROM event_step s JOIN event e ON e.client_id = s.client_id AND e.id = s.event_id
        WHERE e.type = $1 AND e.dataset = $2 AND e.key = $3
            AND (s.given_up_on IS NOT NULL OR s.error <> 'withdrawn'))"""
MARK_DONE = """
    UPDATE event_step SET done_on = clock_timestamp(), error = ''
    WHERE client_id = $1 AND event_id = $2 AND handler = $3 AND done_on IS NULL AND given_up_on IS NULL RETURNING 1"""
LOAD_OPEN_STEP = """
    SELECT e.* FROM event_step s JOIN event e ON e.client_id = s.client_id AND e.id = s.event_id
    WHERE s.client_id = $1 AND s.event_id = $2 AND s.handler = $3 AND s.done_on IS NULL AND s.given_up_on IS NULL"""
COUNT_FAILURE = """
    UPDATE event_step SET attempts = attempts + 1, error = $4
    WHERE client_id = $1 AND event_id = $2 AND handler = $3 AND done_on IS NULL AND given_up_on IS NULL
    RETURNING attempts"""
GIVE_UP = """
    UPDATE event_step SET given_up_on = clock_timestamp() WHERE client_id = $1 AND event_id = $2 AND handler = $3"""
POSTPONE = """
    UPDATE event_step SET due_on = clock_timestamp() + $4 WHERE client_id = $1 AND event_id = $2 AND handler = $3"""
OPEN_STEPS = """
    SELECT client_id, event_id, handler, attempts FROM event_step
    WHERE done_on IS NULL AND given_up_on IS NULL AND due_on < clock_timestamp() - $1::interval
    ORDER BY due_on LIMIT 1000"""


def _event_row(event: Event) -> tuple[object, ...]:
    return (
        event.client_id,
        event.id,
        event.type,
        event.version,
        event.public,
        event.occurred_on,
        event.location_id,
        event.asset_id,
        event.dataset,
        event.key,
        list(event.links),
        list(event.callback_urls),
        event.triggered,
    )


def event_from(row: Mapping[str, Any]) -> Event:  # an asyncpg record: columns of any type
    """Read an envelope from its row."""
    values = {name: row[name] for name in EVENT_COLUMNS.split(", ")}
    values["links"] = tuple(values["links"])
    values["callback_urls"] = tuple(values["callback_urls"])
    return Event(**values)
