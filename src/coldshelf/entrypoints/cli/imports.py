"""`import`: a file of master data, without a server."""

import asyncio
import json
from pathlib import Path
from typing import Annotated, Any, Self

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from coldshelf.access.principal import house
from coldshelf.access.service import client_by_code
from coldshelf.entrypoints.bootstrap import database_url, imports, runtime
from coldshelf.kit.errors import InputInvalid
from coldshelf.kit.runtime import Runtime
from coldshelf.kit.settings import load_settings
from coldshelf.records.imports.checking import FileCheck
from coldshelf.records.imports.child import spool_file
from coldshelf.records.imports.problems import Problem
from coldshelf.records.imports.runs import Options, Sender, check_json, find_type, measure
from coldshelf.records.imports.service import Importing, import_file

MOST_SHOWN = 50
WIDTH = 140


def add_to(app: typer.Typer) -> None:
    """Register the command."""
    app.command("import")(import_command)


def import_command(
    kind: Annotated[str, typer.Argument(metavar="TYPE", help="Type of the file, for example Outlet.")],
    file: Annotated[Path, typer.Argument(help=".csv, .xlsx, .xls or .json", exists=True, dir_okay=False)],
    client: Annotated[str, typer.Option(envvar="COLDSHELF_CLIENT", help="Code of the client.")] = "",
    check: Annotated[bool, typer.Option("--check", help="Write nothing; list every bad cell.")] = False,
    marked: Annotated[Path | None, typer.Option(help="Write a marked-up copy there (.xlsx), with --check.")] = None,
    clear: Annotated[bool, typer.Option("--clear", help="Empty cells empty their fields.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Import a file, whole or not at all; exit code 1 when a cell is bad."""
    if not client:
        raise InputInvalid("An import belongs to a client", cure="Say --client CODE.")

    async def work() -> dict[str, Any]:  # a JSON document
        async with runtime(settings, url) as run:
            sender = Sender((await client_by_code(run, client)).id, None, "command line")
            with _Bar() as bar:
                if check:
                    return await _check(run, sender, (kind, file), Options(clear), marked, bar)
                at_work = Importing(run, imports(), sender)
                found = find_type(at_work.imports, kind)
                outcome = await import_file(at_work, found, measure(file, file.name), Options(clear), progress=bar.tell)
                return outcome.as_json()

    settings = load_settings()
    url = database_url(settings)
    answer = asyncio.run(work())
    if as_json:
        typer.echo(json.dumps(answer))
    else:
        _print(answer, is_check=check)
    if not answer["success"]:
        raise typer.Exit(1)


async def _check(
    run: Runtime, sender: Sender, said: tuple[str, Path], options: Options, marked: Path | None, bar: "_Bar"
) -> dict[str, Any]:
    kind, path = find_type(imports(), said[0]), said[1]
    check = FileCheck(run, imports(), house(sender.client_id), kind)
    file = measure(path, path.name)
    async with spool_file() as spool:
        checked = await check.run(file, spool, options, bar.tell)
    if marked:
        await check.mark(file, checked.problems, marked.absolute())
    return check_json(checked)


class _Bar:
    """Shows the phases on standard error, to people only."""

    def __init__(self) -> None:
        console = Console(stderr=True)
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
        self._progress = Progress(*columns, console=console, disable=not console.is_terminal, transient=True)
        self._tasks: dict[str, Any] = {}  # rich's TaskID
        self._rows: int | None = None

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    async def tell(self, phase: str, rows: int) -> None:
        if phase not in self._tasks:
            self._tasks[phase] = self._progress.add_task(phase.capitalize(), total=self._rows)
        if phase == "reading":
            self._rows = rows
        self._progress.update(self._tasks[phase], completed=rows)


def _print(answer: dict[str, Any], *, is_check: bool) -> None:
    console = Console()
    if not console.is_terminal:
        console = Console(width=WIDTH)
    for warning in answer.get("warnings", ()):
        console.print(f"note: {warning}", markup=False)
    if answer["success"]:
        new, there = (answer["toInsert"], answer["toUpdate"]) if is_check else (answer["inserted"], answer["updated"])
        console.print(f"{answer['totalRows']} rows: {new} new, {there} there already", markup=False)
        console.print("nothing written" if is_check else f"importId {answer['importId']}", markup=False)
        return
    table = Table("Row", "Column", "Value", "What is wrong", "Cure")
    for item in answer["errors"][:MOST_SHOWN]:
        shown = Problem(**item)
        table.add_row(str(shown.row), shown.column, shown.value, shown.message, shown.cure)
    console.print(table)
    console.print(f"{answer['errorCount']} bad cells in {answer['totalRows']} rows; nothing written", markup=False)
