"""`export`, `publish`, `exports`: bulk files now, a publication now, and what came of its runs."""

import asyncio
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import Progress as Bar
from rich.progress import SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from coldshelf.access.models import Client
from coldshelf.access.service import client_by_code
from coldshelf.entrypoints.bootstrap import database_url, registry, runtime
from coldshelf.entrypoints.cli.options import ClientCode
from coldshelf.kit.errors import InputInvalid
from coldshelf.kit.runtime import Runtime
from coldshelf.kit.settings import load_settings
from coldshelf.publishing.models import (
    BULK_DATASETS,
    Compression,
    Consistency,
    FileFormat,
    Layout,
    Mode,
    Progress,
    RunManifest,
)
from coldshelf.publishing.named import read_destinations
from coldshelf.publishing.scheduling import list_runs, load_run, start_run
from coldshelf.publishing.schemas import run_manifest_json
from coldshelf.publishing.service import export

ASKED_EVERY = 0.5
"""Seconds between two looks at a run that is followed."""
WIDTH = 140


def add_to(app: typer.Typer) -> None:
    """Register the commands."""
    app.command("export")(export_command)
    app.command()(publish)
    app.command()(exports)


def export_command(
    client: ClientCode,
    full: Annotated[bool, typer.Option("--full", help="Everything.")] = False,
    delta: Annotated[bool, typer.Option("--delta", help="What changed in the last 30 days.")] = False,
    dataset: Annotated[list[str] | None, typer.Option(help="Only these datasets.")] = None,
    to: Annotated[str, typer.Option(help="Folder, or the name of a destination.")] = "exports",
    form: Annotated[FileFormat, typer.Option("--format", help="Form of the files.")] = FileFormat.PARQUET,
    compression: Annotated[Compression | None, typer.Option(help="How they are packed.")] = None,
    chunked: Annotated[bool, typer.Option("--chunked", help="Short transactions in place of one snapshot.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the run's manifest.")] = False,
) -> None:
    """Write bulk files of a client; `_SUCCESS` comes last."""
    if full == delta:
        raise InputInvalid("Say --full or --delta.")
    settings = load_settings()
    url = database_url(settings)
    named = read_destinations(settings).get(to) if settings.destinations_file else None

    async def work() -> RunManifest:
        async with runtime(settings, url) as run:
            with _bar() as bar:
                task = bar.add_task("Connecting")

                def tell(progress: Progress) -> None:
                    place = f"{progress.number} of {progress.datasets}"
                    bar.update(task, description=f"{progress.dataset} ({place}): {progress.rows:,} rows")

                return await export(
                    run,
                    registry(),
                    url=url,
                    client=await client_by_code(run, client),
                    mode=Mode.FULL if full else Mode.DELTA,
                    datasets=tuple(dataset or BULK_DATASETS),
                    destination=named.open() if named else Path(to).absolute(),
                    layout=Layout(compression, format=form),
                    consistency=Consistency.CHUNKED if chunked else Consistency.SNAPSHOT,
                    on_progress=tell,
                )

    manifest = asyncio.run(work())
    if as_json:
        typer.echo(run_manifest_json(manifest).decode())
        return
    for table in manifest.tables:
        typer.echo(f"{table.dataset}: {table.rows} rows")
    where = named.address if named else to
    typer.echo(f"run {manifest.head.run_id} in {where}/{manifest.head.run_folder}")


def publish(
    name: Annotated[str, typer.Argument(help="Name of the publication.")],
    client: ClientCode,
    mode: Annotated[Mode | None, typer.Option(help="Another mode than that of the publication.")] = None,
    follow: Annotated[bool, typer.Option(help="Wait for its end; a worker must be running.")] = True,
) -> None:
    """Run a publication now and follow it; exit code 1 unless it is done."""
    settings = load_settings()
    url = database_url(settings)

    async def work() -> Mapping[str, Any]:
        async with runtime(settings, url) as run:
            owner = await client_by_code(run, client)
            async with run.database.scope(owner.id, user_name="command line") as connection:
                row = await start_run(run, connection, owner.id, name, mode)
            return await _follow(run, owner, row) if follow else row

    row = asyncio.run(work())
    _print_run(row)
    if follow and row["state"] != "done":
        raise typer.Exit(1)


async def _follow(run: Runtime, client: Client, row: Mapping[str, Any]) -> Mapping[str, Any]:
    with _bar() as bar:
        task = bar.add_task("Waiting")
        while row["state"] in {"waiting", "running"}:
            await asyncio.sleep(ASKED_EVERY)
            async with run.database.scope(client.id, readonly=True) as connection:
                row = await load_run(connection, row["id"])
            said = f"{row['phase'] or row['state']}, {row['tables_done']} of {row['tables_total']} tables"
            bar.update(task, description=f"{said}, {row['rows_done']:,} rows")
    return row


def exports(
    client: ClientCode,
    run_id: Annotated[int | None, typer.Option("--run", help="Only this run, with its tables.")] = None,
    limit: Annotated[int, typer.Option(help="How many of the latest.", min=1, max=1000)] = 20,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """List the runs of a client's publications, the latest first."""
    settings = load_settings()
    url = database_url(settings)

    async def work() -> list[Mapping[str, Any]]:
        async with runtime(settings, url) as run:
            owner = await client_by_code(run, client)
            async with run.database.scope(owner.id, readonly=True) as connection:
                if run_id is not None:
                    return [await load_run(connection, run_id)]
                return await list_runs(connection, limit)

    found = asyncio.run(work())
    if as_json:
        typer.echo(json.dumps([dict(row) for row in found], default=str))
    elif run_id is not None:
        _print_run(found[0])
    else:
        _print_runs(found)


def _print_runs(found: list[Mapping[str, Any]]) -> None:
    table = Table("Run", "Publication", "Mode", "Due", "State", "Rows", "As of", "Why")
    for row in found:
        due = f"{row['due_on']:%Y-%m-%d %H:%M}" if row["due_on"] else "by hand"
        as_of = f"{row['as_of']:%Y-%m-%d %H:%M:%S}" if row["as_of"] else ""
        cells = (row["id"], row["name"], row["mode"], due, row["state"], f"{row['rows_done']:,}", as_of, row["error"])
        table.add_row(*map(str, cells))
    _console().print(table)


def _print_run(row: Mapping[str, Any]) -> None:
    typer.echo(f"run {row['id']}: {row['state']}, {row['rows_done']:,} rows, {row['bytes_done']:,} bytes")
    for table in json.loads(row["tables"]):
        rows = "begun" if table["rows"] is None else f"{table['rows']} rows"
        typer.echo(f"{table['dataset']}: {rows} in {table['path']}")
    for text in filter(None, (row["manifest"], row["error"], row["cure"])):
        typer.echo(text)


def _bar() -> Bar:
    console = Console(stderr=True)
    columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    return Bar(*columns, console=console, disable=not console.is_terminal, transient=True)


def _console() -> Console:
    console = Console()
    return console if console.is_terminal else Console(width=WIDTH)
