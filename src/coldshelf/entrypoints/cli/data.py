"""`dictionary`, `openapi`, `reference`, `events`, `roles`, `doctor`: what the house says of itself, and its health."""

import asyncio
import json
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from coldshelf.entrypoints.api import build_app
from coldshelf.entrypoints.bootstrap import registry, runtime
from coldshelf.entrypoints.doctor import diagnose
from coldshelf.entrypoints.events_page import events_page
from coldshelf.entrypoints.openapi import part_of
from coldshelf.entrypoints.reference import reference_page
from coldshelf.entrypoints.roles import roles_page
from coldshelf.kit.settings import load_settings
from coldshelf.publishing.dictionary import dictionary_files
from coldshelf.publishing.models import BULK_DATASETS
from coldshelf.publishing.service import published


def add_to(app: typer.Typer) -> None:
    """Register the commands."""
    app.command()(dictionary)
    app.command()(openapi)
    app.command()(reference)
    app.command()(events)
    app.command()(roles)
    app.command()(doctor)


def dictionary(out: Annotated[Path, typer.Option(help="Folder.")] = Path("dictionary")) -> None:
    """Write the data dictionary of the bulk files: a page and JSON."""
    out.mkdir(parents=True, exist_ok=True)
    for name, content in dictionary_files(published(registry(), tuple(BULK_DATASETS))).items():
        (out / name).write_bytes(content)
        typer.echo(out / name)


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


def events(out: Annotated[Path, typer.Option(help="File.")] = Path("docs/events.md")) -> None:
    """Write the page of events: what each says."""
    out.write_text(events_page())


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
