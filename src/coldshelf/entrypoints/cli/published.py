"""`validate`, `reconcile`, `repair`: is a run whole, is it what the database has, what did broken runs leave."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import timedelta
from pathlib import Path
from typing import Annotated, TypeVar

import typer

from coldshelf.access.models import Client
from coldshelf.access.service import client_by_code
from coldshelf.entrypoints.bootstrap import database_url, registry, runtime
from coldshelf.entrypoints.cli.options import ClientCode
from coldshelf.kit.runtime import Runtime
from coldshelf.kit.settings import load_settings
from coldshelf.publishing.comparing import Comparison, Keys
from coldshelf.publishing.destination import Destination
from coldshelf.publishing.destinations import open_destination
from coldshelf.publishing.errors import RunNotFound
from coldshelf.publishing.inspecting import Flaw, validate
from coldshelf.publishing.manifests import RunPlace
from coldshelf.publishing.models import Mode
from coldshelf.publishing.named import EXPORTS, open_named, read_destinations
from coldshelf.publishing.reconciling import reconcile
from coldshelf.publishing.repairing import ABANDONED_AFTER, Leftover, repair
from coldshelf.publishing.scheduling import load_run

RunName = Annotated[str, typer.Argument(metavar="RUN", help="Number of the run, or the RunId of its files.")]
To = Annotated[str, typer.Option(help="Folder, or the name of a destination: where the files lie.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Done = TypeVar("Done")


def add_to(app: typer.Typer) -> None:
    """Register the commands."""
    app.command("validate")(validate_command)
    app.command("reconcile")(reconcile_command)
    app.command("repair")(repair_command)


def validate_command(run_name: RunName, client: ClientCode, to: To = EXPORTS, as_json: AsJson = False) -> None:
    """Compare every file of a run with its manifests; exit code 1 when something is wrong."""

    async def work(at: "_At") -> list[Flaw]:
        mode, run_id = await at.find(run_name)
        return await at.run.off_loop(validate, at.place, at.client.code, mode, run_id)

    flaws = asyncio.run(_at(client, to, work))
    if as_json:
        typer.echo(json.dumps([flaw.as_json() for flaw in flaws]))
    else:
        for flaw in flaws:
            typer.echo(f"{'note ' if flaw.is_note else ''}{flaw.where}: {flaw.what}\n    {flaw.cure}")
        typer.echo(f"{sum(not flaw.is_note for flaw in flaws)} flaws")
    _exit_with(any(not flaw.is_note for flaw in flaws))


def reconcile_command(run_name: RunName, client: ClientCode, to: To = EXPORTS, as_json: AsJson = False) -> None:
    """Compare a run with the database, row by row; exit code 1 when they differ."""

    async def work(at: "_At") -> list[Comparison]:
        mode, run_id = await at.find(run_name)
        return await reconcile(
            at.run, registry(), url=at.url, client=at.client, place=at.place, mode=mode, run_id=run_id
        )

    tables = asyncio.run(_at(client, to, work))
    if as_json:
        typer.echo(json.dumps([{**asdict(table), "is_equal": table.is_equal} for table in tables]))
    else:
        for table in tables:
            _print_comparison(table)
    _exit_with(any(not table.is_equal for table in tables))


def repair_command(
    client: ClientCode,
    to: To = EXPORTS,
    remove: Annotated[bool, typer.Option("--remove", help="Remove what is listed.")] = False,
    older_than: Annotated[
        int, typer.Option(min=1, help="Minutes without a write after which a run by hand is given up.")
    ] = int(ABANDONED_AFTER.total_seconds() // 60),
    as_json: AsJson = False,
) -> None:
    """List what broken runs left, and with --remove remove it; exit code 1 when something could not be removed."""

    async def work(at: "_At") -> list[Leftover]:
        return await repair(at.run, at.client, at.place, remove=remove, older_than=timedelta(minutes=older_than))

    found = asyncio.run(_at(client, to, work))
    if as_json:
        typer.echo(json.dumps([one.as_json() for one in found]))
    else:
        for one in found:
            typer.echo(f"{one.path}: {one.what}" + (f"; stays: {one.kept}" if one.kept else ""))
        going = sum(not one.kept for one in found)
        typer.echo(f"{going} removed" if remove else f"{going} to remove: repeat with --remove")
    _exit_with(any(one.is_stuck for one in found))


@dataclass(frozen=True, slots=True)
class _At:
    """A client and a destination, opened."""

    run: Runtime
    url: str
    client: Client
    place: Destination

    async def find(self, name: str) -> tuple[Mode, str]:
        """Find a run by its number, or by the id of its files; raise RunNotFound."""
        if name.isdecimal():
            async with self.run.database.scope(self.client.id, readonly=True) as connection:
                row = await load_run(connection, int(name))
            if row["manifest"] is None:
                raise RunNotFound(f"Run {name} has no manifest: it is {row['state']}, or a file exchange")
            return Mode(row["mode"]), row["run_id"]
        for mode in Mode:
            place = RunPlace(self.place, self.client.code, mode, name)
            if await self.run.off_loop(self.place.size, place.manifest) is not None:
                return mode, name
        raise RunNotFound(f"There is no run {name} of {self.client.code} there", cure="Say with --to where it lies.")


async def _at(client: str, to: str, work: Callable[[_At], Awaitable[Done]]) -> Done:
    settings = load_settings()
    url = database_url(settings)
    async with runtime(settings, url) as run:
        owner = await client_by_code(run, client)
        is_named = to in read_destinations(settings)
        place = await run.off_loop(open_named, settings, to, client) if is_named else open_destination(Path(to))
        try:
            return await work(_At(run, url, owner, place))
        finally:
            await run.off_loop(place.close)


def _print_comparison(table: Comparison) -> None:
    said = "equal" if table.is_equal else "DIFFERS"
    typer.echo(
        f"{table.dataset}: {said}, {table.rows_of_files:,} rows in files, {table.rows_of_database:,} in the database,"
        f" {table.changed_since:,} changed since, checksum {table.checksum_of_files}"
    )
    kinds: Sequence[tuple[str, Keys]] = (
        ("missing", table.missing),
        ("surplus", table.surplus),
        ("differing", table.differing),
    )
    for name, keys in kinds:
        if keys.count:
            typer.echo(
                f"    {keys.count:,} {name}: {', '.join(keys.first)}" + (" …" if keys.count > len(keys.first) else "")
            )
    if table.twice:
        typer.echo(f"    {table.twice:,} rows have a key that came before")


def _exit_with(is_bad: bool) -> None:
    if is_bad:
        raise typer.Exit(1)
