"""`export`, `openapi`, `doctor`: data out, and is everything well."""

import asyncio
import json
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from coldshelf.access.service import client_by_code
from coldshelf.entrypoints.api import build_app
from coldshelf.entrypoints.bootstrap import database_url, registry, runtime
from coldshelf.entrypoints.doctor import diagnose
from coldshelf.entrypoints.openapi import part_of
from coldshelf.entrypoints.reference import reference_page
from coldshelf.entrypoints.roles import roles_page
from coldshelf.kit.errors import InputInvalid
from coldshelf.kit.settings import load_settings
from coldshelf.publishing.models import BULK_DATASETS, Mode, RunManifest
from coldshelf.publishing.schemas import run_manifest_json
from coldshelf.publishing.service import export


def add_to(app: typer.Typer) -> None:
    """Register the commands."""
    app.command("export")(export_command)
    app.command()(openapi)
    app.command()(reference)
    app.command()(roles)
    app.command()(doctor)


def export_command(
    client: Annotated[str, typer.Option(help="Code of the client.")],
    full: Annotated[bool, typer.Option("--full", help="Everything.")] = False,
    delta: Annotated[bool, typer.Option("--delta", help="What changed in the last 30 days.")] = False,
    dataset: Annotated[list[str] | None, typer.Option(help="Only these datasets.")] = None,
    to: Annotated[Path, typer.Option(help="Folder.")] = Path("exports"),
    as_json: Annotated[bool, typer.Option("--json", help="Print the run's manifest.")] = False,
) -> None:
    """Write Parquet files to a folder; `_SUCCESS` comes last."""
    if full == delta:
        raise InputInvalid("Say --full or --delta.")
    settings = load_settings()
    url = database_url(settings)

    async def work() -> RunManifest:
        async with runtime(settings, url) as run:
            return await export(
                run,
                registry(),
                url=url,
                client=await client_by_code(run, client),
                mode=Mode.FULL if full else Mode.DELTA,
                datasets=tuple(dataset or BULK_DATASETS),
                destination=to.absolute(),
            )

    manifest = asyncio.run(work())
    if as_json:
        typer.echo(run_manifest_json(manifest).decode())
    else:
        for table in manifest.tables:
            typer.echo(f"{table.dataset}: {table.rows} rows")
        typer.echo(f"run {manifest.head.run_id} in {to / manifest.head.run_folder}")


def openapi(
    out: Annotated[Path | None, typer.Option(help="File; standard output when left out.")] = None,
    entity: Annotated[str, typer.Option(help="Only the part of this entity.")] = "",
) -> None:
    """Write the OpenAPI document."""
    settings = load_settings()
    document = build_app(settings, runtime(settings, "")).openapi()
    text = json.dumps(part_of(document, entity) if entity else document, indent=1)
    if out:
        out.write_text(text)
    else:
        typer.echo(text)


def reference(out: Annotated[Path, typer.Option(help="File.")] = Path("docs/reference.md")) -> None:
    """Write the reference page: settings, events, errors, datasets."""
    out.write_text(reference_page())


def doctor(as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False) -> None:
    """Check the installation; exit code 1 when something is wrong, each finding with its cure."""
    findings = asyncio.run(diagnose(load_settings()))
    if as_json:
        typer.echo(json.dumps([finding.as_json() for finding in findings]))
    else:
        console = Console()
        for finding in findings:
            mark = {"ok": "[green]ok   [/green]", "warn": "[yellow]warn [/yellow]", "bad": "[red]bad  [/red]"}
            console.print(f"{mark[finding.state]} {finding.what}" + (f"\n      {finding.cure}" if finding.cure else ""))
    if any(finding.state == "bad" for finding in findings):
        raise typer.Exit(1)


def roles(out: Annotated[Path, typer.Option(help="File.")] = Path("docs/roles.md")) -> None:
    """Write the page of roles: who may do what, and what limits see."""
    out.write_text(roles_page())
