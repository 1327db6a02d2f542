"""`reprocess`: look at processed pictures again, list what would change, and replace it when told to."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn
from rich.table import Table

from coldshelf.access.principal import house
from coldshelf.access.service import client_by_code
from coldshelf.entrypoints.bootstrap import database_url, registry, runtime
from coldshelf.entrypoints.worker import works_of
from coldshelf.kit.errors import InputInvalid
from coldshelf.kit.ids import ClientId
from coldshelf.kit.queue import work_forever
from coldshelf.kit.runtime import Runtime
from coldshelf.kit.settings import load_settings
from coldshelf.kit.web.params import Params
from coldshelf.kpis.service import summarise_candidates
from coldshelf.recognition.routes import read_selection
from coldshelf.recognition.service import Decision, accept_candidates, start_reprocessing
from coldshelf.records.dataset import Dataset
from coldshelf.records.listing import BATCH, list_records, read_list_request

WHO = "command line"
LOOK_EVERY = 0.5
"""Seconds between two looks at the progress."""
SHOWN = 50
"""Pictures in the table; `--json` gives all of them."""
REGISTRY = registry()
TOLD = ("TotalFacings", "OwnShareOfShelf", "OccupancyPercentage", "PlanogramCompliance", "OOSPercentage")
"""Figures that the table shows; of others it says how many change."""
RUNS, PICTURES = REGISTRY.datasets["Reprocessing"], REGISTRY.datasets["ReprocessingPicture"]

Record = dict[str, Any]  # a record of a list: any JSON values


def add_to(app: typer.Typer) -> None:
    """Register the command."""
    app.command()(reprocess)


def reprocess(
    client: Annotated[str, typer.Option(help="Code of the client.")],
    picture: Annotated[list[int] | None, typer.Option(help="AssetPurityId; may be given several times.")] = None,
    wanted: Annotated[str, typer.Option("--filter", help="Filter of the AssetPurity list, as JSON.")] = "",
    everything: Annotated[bool, typer.Option("--all", help="Every processed picture.")] = False,
    run_id: Annotated[int | None, typer.Option("--run", help="Go on with this run instead of starting one.")] = None,
    recogniser: Annotated[str, typer.Option(help="Recogniser; the one that workers use when left out.")] = "",
    apply: Annotated[bool, typer.Option("--apply", help="Replace the served results, after a question.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Recognise processed pictures again; nothing is replaced without --apply. Works along as one more worker."""
    params = [("AssetPurityId", ",".join(map(str, picture or []))), ("filters", wanted)]
    chosen = Params([*((name, text) for name, text in params if text), ("all", str(everything).lower())])
    if run_id is not None and (picture or wanted or everything):
        raise InputInvalid("--run goes on with what was chosen before: leave out --picture, --filter and --all.")
    found = asyncio.run(_compare(Order(client, chosen, recogniser), run_id, quiet=as_json))
    if not as_json:
        _print(found)
    question = f"Replace the results of {found.run['Ready']} pictures?"
    if apply and found.run["Ready"] and (yes or typer.confirm(question, err=True)):
        found = asyncio.run(_apply(client, found, quiet=as_json))
        if not as_json:
            typer.echo(f"{found.run['Applied']} applied, {found.run['Stale']} stale, {found.run['Failed']} failed")
    if as_json:
        typer.echo(json.dumps({"run": found.run, "totals": found.totals, "pictures": found.pictures}))


@dataclass(frozen=True, slots=True)
class Order:
    """What is to be started."""

    client: str
    chosen: Params
    recogniser: str


@dataclass(frozen=True, slots=True)
class Found:
    """A run and its pictures as their lists show them."""

    run: Record
    pictures: list[Record]
    totals: Record


@dataclass(frozen=True, slots=True)
class Session:
    """One client's view of the house."""

    run: Runtime
    client_id: ClientId

    async def records(self, dataset: Dataset, **wanted: object) -> list[Record]:
        """Read every record of a list."""
        principal = house(self.client_id, WHO)
        found: list[Record] = []
        while True:
            page = [("start", str(len(found))), ("limit", str(BATCH))]
            params = Params([*page, *((name, str(value)) for name, value in wanted.items())])
            answer = await list_records(self.run, principal, read_list_request(dataset, params, most=BATCH))
            assert isinstance(answer.body, bytes)  # noqa: S101  # a page of at most BATCH records is read at once
            records = json.loads(answer.body)["records"]
            found += records
            if len(records) < BATCH:
                return found

    async def open_steps(self, picture_ids: list[int]) -> int:
        """Count the steps of pictures that are still to do: what is served is compared and measured as well."""
        async with self.run.database.scope(self.client_id, readonly=True) as connection:
            return await self.run.events.open_steps(connection, "AssetPurity", picture_ids)

    async def load(self, run_id: int) -> Record:
        found = await self.records(RUNS, ReprocessingId=run_id)
        if not found:
            raise InputInvalid(f"There is no Reprocessing with id {run_id}")
        return found[0]

    async def found(self, run_id: int) -> Found:
        pictures = await self.records(PICTURES, ReprocessingId=run_id)
        for record in pictures:
            for name in ("Differences", "KpiDifferences"):
                record[name] = json.loads(record[name] or "[]")
        async with self.run.database.scope(self.client_id, readonly=True) as connection:
            totals = await summarise_candidates(connection, run_id)
        return Found(await self.load(run_id), pictures, totals)


@asynccontextmanager
async def _session(client: str) -> AsyncIterator[Session]:
    """Open a session, and work along as one more worker as long as it lasts."""
    settings = load_settings()
    url = database_url(settings)
    async with runtime(settings, url) as run:
        client_id = (await client_by_code(run, client)).id
        stop = asyncio.Event()
        works, threads = works_of(run), settings.worker_threads
        worker = asyncio.create_task(work_forever(url, works, lease=settings.lease, concurrency=threads, stop=stop))
        try:
            yield Session(run, client_id)
        finally:
            stop.set()
            with contextlib.suppress(asyncio.CancelledError):
                await worker


async def _compare(order: Order, run_id: int | None, *, quiet: bool) -> Found:
    """Start a run, or take an earlier one, and wait until every picture is compared."""
    async with _session(order.client) as session:
        if run_id is None:
            run_id = await _start(session, order)
        await _wait(session, run_id, "Waiting", "looking again", quiet=quiet)
        return await session.found(run_id)


async def _start(session: Session, order: Order) -> int:
    dataset = REGISTRY.datasets["AssetPurity"]
    chosen = read_selection(dataset, order.chosen)
    async with session.run.database.scope(session.client_id, user_name=WHO) as connection:
        return await start_reprocessing(
            session.run, connection, dataset, house(session.client_id, WHO), recogniser=order.recogniser, chosen=chosen
        )


async def _apply(client: str, found: Found, *, quiet: bool) -> Found:
    """Serve every candidate that was shown."""
    run_id = int(found.run["ReprocessingId"])
    shown = [record["AssetPurityId"] for record in found.pictures if record["State"] == "ready"]
    async with _session(client) as session:
        async with session.run.database.scope(session.client_id, user_name=WHO) as connection:
            await accept_candidates(session.run, connection, session.client_id, run_id, Decision(shown))
        await _wait(session, run_id, "Accepted", "replacing", quiet=quiet)
        await _settle(session, shown)
        return await session.found(run_id)


async def _wait(session: Session, run_id: int, column: str, words: str, *, quiet: bool) -> None:
    """Show the progress until no picture of the run is in the state of this column."""
    with _progress(quiet=quiet) as progress:
        task: TaskID = progress.add_task(f"Run {run_id}: {words}", total=None)
        while left := (record := await session.load(run_id))[column]:
            progress.update(task, total=record["Pictures"], completed=record["Pictures"] - left)
            await asyncio.sleep(LOOK_EVERY)
        progress.update(task, total=record["Pictures"], completed=record["Pictures"])


async def _settle(session: Session, picture_ids: list[int]) -> None:
    """Wait until what was served is compared and measured."""
    left = await session.open_steps(picture_ids)
    while left:
        await asyncio.sleep(LOOK_EVERY)
        left = await session.open_steps(picture_ids)


def _progress(*, quiet: bool) -> Progress:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    return Progress(*columns, console=Console(stderr=True), disable=quiet)


def _print(found: Found) -> None:
    table = Table("Picture", "State", "Added", "Gone", "Renamed", "Moved", "Same", "Figures that change")
    differing = [record for record in found.pictures if record["State"] != "ready" or _differs(record)]
    for record in differing[:SHOWN]:
        counts = [_text(record[name]) for name in ("Added", "Gone", "Renamed", "Moved", "Same")]
        state = f"{record['State']}: {record['Reason']}" if record["Reason"] else record["State"]
        table.add_row(str(record["AssetPurityId"]), state, *counts, _figures(record["KpiDifferences"]))
    console = Console()
    console.print(table)
    if len(differing) > SHOWN:
        console.print(f"… and {len(differing) - SHOWN} more; --json shows all of them")
    for one in found.totals["Renames"]:
        console.print(f"{one['Facings']} x {one['Before']} → {one['After']}")
    run = found.run
    console.print(
        f"Run {run['ReprocessingId']} ({run['Recogniser']}): {run['Pictures']} pictures, {run['Ready']} ready, "
        f"{run['Differing']} of them differ, {run['Failed']} failed"
    )


def _differs(record: Record) -> bool:
    return any(record[name] for name in ("Added", "Gone", "Renamed", "Moved"))


def _text(value: int | None) -> str:
    return "" if value is None else str(value)


def _figures(changes: list[Record]) -> str:
    told = [f"{one['name']} {one['before']} → {one['after']}" for one in changes if one["name"] in TOLD]
    more = len(changes) - len(told)
    return ", ".join([*told, f"{more} more"] if more else told)
