"""`erase`, `erasures`: a record is erased for legal reasons, and what that reached."""

import asyncio
import json
from collections.abc import Mapping, Sequence
from typing import Annotated, Any

import typer

from coldshelf.access.principal import house
from coldshelf.access.service import client_by_code
from coldshelf.entrypoints.bootstrap import database_url, registry, runtime
from coldshelf.entrypoints.cli.options import ClientCode
from coldshelf.kit.settings import load_settings
from coldshelf.publishing.erasing import Wish, erase, list_erasures, outlook

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def add_to(app: typer.Typer) -> None:
    """Register the commands."""
    app.command("erase")(erase_command)
    app.command("erasures")(erasures_command)


def erase_command(
    dataset: Annotated[str, typer.Argument(help="Entity of the record, such as User; AssetPurity for a picture.")],
    record: Annotated[int, typer.Argument(min=1, help="Its id.")],
    client: ClientCode,
    reason: Annotated[str, typer.Option(help="Why, without saying who.")] = "",
    check: Annotated[bool, typer.Option("--check", help="Only list what would be reached.")] = False,
    as_json: AsJson = False,
) -> None:
    """Erase a record for legal reasons: now here, after 35 days in what was published."""
    settings = load_settings()
    url = database_url(settings)
    wish = Wish(dataset, record, reason)

    async def work() -> tuple[int, Sequence[Mapping[str, object]]]:
        async with runtime(settings, url) as run:
            principal = house((await client_by_code(run, client)).id, "command line")
            found = [one.as_json() for one in await outlook(run, registry(), principal, wish)]
            return (0 if check else await erase(run, registry(), principal, wish)), found

    erasure, found = asyncio.run(work())
    if as_json:
        typer.echo(json.dumps({"erasure": erasure or None, "reached": found}))
        return
    _print_reached(found)
    typer.echo(f"erasure {erasure}: what was published is reached after 35 days" if erasure else "nothing was changed")


def erasures_command(
    client: ClientCode,
    limit: Annotated[int, typer.Option(help="How many of the latest.", min=1, max=1000)] = 20,
    as_json: AsJson = False,
) -> None:
    """List erasures with their reports, the latest first."""
    settings = load_settings()
    url = database_url(settings)

    async def work() -> Sequence[Mapping[str, Any]]:  # rows of the table
        async with runtime(settings, url) as run:
            owner = await client_by_code(run, client)
            async with run.database.scope(owner.id, readonly=True) as connection:
                return await list_erasures(connection, limit)

    rows = asyncio.run(work())
    if as_json:
        typer.echo(json.dumps([{**row, "report": json.loads(row["report"])} for row in rows], default=str))
        return
    for row in rows:
        done = f"done {row['done_on']:%Y-%m-%d}" if row["done_on"] else f"due {row['due_on']:%Y-%m-%d} {row['error']}"
        typer.echo(f"{row['id']}: {row['dataset']} {row['row_id']}, erased {row['erased_on']:%Y-%m-%d}, {done}")
        _print_reached(json.loads(row["report"]))


def _print_reached(found: Sequence[Mapping[str, object]]) -> None:
    for one in found:
        said = [one[name] for name in ("What", "Destination", "Path", "RunId", "AsOf", "Why")]
        typer.echo("  " + ", ".join(str(text) for text in said if text))
