"""`deliveries`, `resend`, `trigger`: what was pushed to others, letting it begin anew, and trying an event out."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import asdict, replace
from datetime import UTC, datetime
from typing import Annotated, Any, TypeVar

import typer
from rich.console import Console
from rich.table import Table

from coldshelf.access.service import client_by_code
from coldshelf.deliveries.catalogue import kind_of
from coldshelf.deliveries.developing.triggering import find_trigger, publish_trigger
from coldshelf.deliveries.models import Selection, State
from coldshelf.deliveries.service import ENDED, Begun, list_deliveries, replay
from coldshelf.entrypoints.bootstrap import PUBLIC_TYPES, database_url, runtime, surroundings
from coldshelf.entrypoints.cli.options import ClientCode
from coldshelf.kit.errors import InputInvalid
from coldshelf.kit.events import Event
from coldshelf.kit.ids import ClientId
from coldshelf.kit.runtime import Runtime
from coldshelf.kit.settings import load_settings
from coldshelf.masterdata.service import outlet_by_code

WIDTH = 140
MOST_SHOWN = 20
T = TypeVar("T")
EventName = Annotated[str, typer.Option(help="Only those of this event, such as image.processed.")]
StoreCode = Annotated[str, typer.Option(help="Only those about what happened at the outlet with this code.")]


def add_to(app: typer.Typer) -> None:
    """Register the commands."""
    app.command()(deliveries)
    app.command()(resend)
    app.command()(trigger)


def deliveries(
    client: ClientCode,
    state: Annotated[State | None, typer.Option(help="Only those in this state.")] = None,
    event: EventName = "",
    store: StoreCode = "",
    limit: Annotated[int, typer.Option(help="How many of the latest.", min=1, max=1000)] = 20,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """List what was pushed to others, the latest first."""

    async def work(run: Runtime, owner: ClientId) -> Sequence[Mapping[str, Any]]:  # rows of the table
        wanted = Selection(states=[state] if state else None, event_type=event or None)
        wanted = replace(wanted, location_id=await _outlet(run, owner, store))
        async with run.database.scope(owner, readonly=True) as connection:
            return await list_deliveries(connection, wanted, limit)

    rows = _with_client(client, work)
    if as_json:
        typer.echo(json.dumps(rows, default=str))
        return
    table = Table("id", "event", "to", "state", "attempts", "due", "why")
    for row in rows:
        due = f"{row['due_on']:%Y-%m-%d %H:%M:%S}" if row["due_on"] else ""
        values = (row["id"], row["event_type"], row["url"], row["state"], row["attempts"], due, row["error"])
        table.add_row(*(str(value) for value in values))
    Console(width=WIDTH).print(table)


def resend(
    client: ClientCode,
    delivery: Annotated[list[int] | None, typer.Argument(help="Ids of deliveries.")] = None,
    failed: Annotated[bool, typer.Option("--failed", help="All that failed, or those that the others choose.")] = False,
    event: EventName = "",
    store: StoreCode = "",
    since: Annotated[datetime | None, typer.Option(help="Only those that began then or later (UTC).")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Let deliveries that have ended begin anew; receivers know them by the same webhook-id."""
    if bool(delivery) == failed:
        raise InputInvalid("Name deliveries, or say --failed.")
    states = (State.FAILED,) if failed else ENDED
    wanted = Selection(ids=delivery or None, states=states, event_type=event or None, since=_utc(since))

    async def work(run: Runtime, owner: ClientId) -> list[Begun]:
        chosen = replace(wanted, location_id=await _outlet(run, owner, store))
        async with run.database.scope(owner, user_name="command line") as connection:
            return await replay(run, connection, chosen)

    found = _with_client(client, work)
    if as_json:
        typer.echo(json.dumps([asdict(one) for one in found]))
        return
    typer.echo(f"{len(found)} deliveries begin anew")
    for one in found[:MOST_SHOWN]:
        typer.echo(f"{one.id}  {one.event}  {one.url}")
    if len(found) > MOST_SHOWN:
        typer.echo("…")


def _with_client(code: str, work: Callable[[Runtime, ClientId], Awaitable[T]]) -> T:
    """Work on the records of one client."""
    settings = load_settings()
    url = database_url(settings)

    async def opened() -> T:
        async with runtime(settings, url) as run:
            return await work(run, (await client_by_code(run, code)).id)

    return asyncio.run(opened())


async def _outlet(run: Runtime, owner: ClientId, code: str) -> int | None:
    """Find an outlet by its code; None where none is named."""
    if not code:
        return None
    async with run.database.scope(owner, readonly=True) as connection:
        found = await outlet_by_code(connection, code)
    if found is None:
        raise InputInvalid(f"--store {code}: there is no such outlet")
    return found.id


def _utc(moment: datetime | None) -> datetime | None:
    return moment.replace(tzinfo=UTC) if moment else None


def trigger(
    event: Annotated[str, typer.Argument(help="Event, such as image.processed; `coldshelf events` describes them.")],
    client: ClientCode,
    record: Annotated[int | None, typer.Option(help="Key of its record; the newest one when left out.", min=1)] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Publish an event about a real record, to see what it does to those who receive it; nothing else happens."""
    kind = kind_of(PUBLIC_TYPES, event)

    async def work(run: Runtime, owner: ClientId) -> Event:
        made = await find_trigger(run, surroundings(), owner, kind, record)
        async with run.database.scope(owner, user_name="command line") as connection:
            await publish_trigger(run, connection, made)
        return made

    made = _with_client(client, work)
    if as_json:
        said = {"eventId": str(made.id), "type": made.type, "dataset": made.dataset, "record": made.key}
        typer.echo(json.dumps(said))
    else:
        typer.echo(f"{made.type} about {made.dataset} {made.key} is on its way: {made.id}")
