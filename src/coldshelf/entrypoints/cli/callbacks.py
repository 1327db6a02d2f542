"""`deliveries`, `resend`, `trigger`: what was pushed to others, letting it begin anew, and trying an event out."""

import asyncio
import json
from collections.abc import Mapping, Sequence
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from coldshelf.access.service import client_by_code
from coldshelf.deliveries.catalogue import kind_of
from coldshelf.deliveries.models import State
from coldshelf.deliveries.service import ENDED, Selection, list_deliveries, replay
from coldshelf.deliveries.triggering import find_trigger, publish_trigger
from coldshelf.entrypoints.bootstrap import PUBLIC_TYPES, database_url, runtime, surroundings
from coldshelf.entrypoints.cli.options import ClientCode
from coldshelf.kit.errors import InputInvalid
from coldshelf.kit.events import Event
from coldshelf.kit.settings import load_settings

WIDTH = 140


def add_to(app: typer.Typer) -> None:
    """Register the commands."""
    app.command()(deliveries)
    app.command()(resend)
    app.command()(trigger)


def deliveries(
    client: ClientCode,
    state: Annotated[State | None, typer.Option(help="Only those in this state.")] = None,
    event: Annotated[str, typer.Option(help="Only those of this event, such as image.processed.")] = "",
    limit: Annotated[int, typer.Option(help="How many of the latest.", min=1, max=1000)] = 20,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """List what was pushed to others, the latest first."""
    settings = load_settings()
    url = database_url(settings)

    async def work() -> Sequence[Mapping[str, Any]]:  # rows of the table
        async with runtime(settings, url) as run:
            owner = await client_by_code(run, client)
            async with run.database.scope(owner.id, readonly=True) as connection:
                return await list_deliveries(connection, state=state, event=event, most=limit)

    rows = asyncio.run(work())
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
    failed: Annotated[bool, typer.Option("--failed", help="All that failed.")] = False,
) -> None:
    """Let deliveries that have ended begin anew; receivers know them by the same webhook-id."""
    if bool(delivery) == failed:
        raise InputInvalid("Name deliveries, or say --failed.")
    settings = load_settings()
    url = database_url(settings)
    wanted = Selection(ids=delivery or None, states=(State.FAILED,) if failed else ENDED)

    async def work() -> list[int]:
        async with runtime(settings, url) as run:
            owner = await client_by_code(run, client)
            async with run.database.scope(owner.id, user_name="command line") as connection:
                return await replay(run, connection, wanted)

    found = asyncio.run(work())
    typer.echo(f"{len(found)} deliveries begin anew: {', '.join(str(number) for number in found[:20])}")


def trigger(
    event: Annotated[str, typer.Argument(help="Event, such as image.processed; `coldshelf events` describes them.")],
    client: ClientCode,
    record: Annotated[int | None, typer.Option(help="Key of its record; the newest one when left out.", min=1)] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Publish an event about a real record, to see what it does to those who receive it; nothing else happens."""
    kind = kind_of(PUBLIC_TYPES, event)
    settings = load_settings()
    url = database_url(settings)

    async def work() -> Event:
        async with runtime(settings, url) as run:
            owner = await client_by_code(run, client)
            made = await find_trigger(run, surroundings(), owner.id, kind, record)
            async with run.database.scope(owner.id, user_name="command line") as connection:
                await publish_trigger(run, connection, made)
            return made

    made = asyncio.run(work())
    if as_json:
        said = {"eventId": str(made.id), "type": made.type, "dataset": made.dataset, "record": made.key}
        typer.echo(json.dumps(said))
    else:
        typer.echo(f"{made.type} about {made.dataset} {made.key} is on its way: {made.id}")
