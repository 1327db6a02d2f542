"""Publishes datasets of a client as files: one run appears whole or not at all."""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from functools import partial
from pathlib import Path

from coldshelf.access.models import Client
from coldshelf.kit.runtime import Runtime
from coldshelf.publishing.destination import Destination
from coldshelf.publishing.destinations import open_destination
from coldshelf.publishing.errors import ClientNotPublished, DatasetNotPublished
from coldshelf.publishing.formats.snapshot import open_snapshot
from coldshelf.publishing.models import BULK_DATASETS, PLAIN, Consistency, Layout, Mode, OnProgress, RunManifest
from coldshelf.publishing.plan import Plan
from coldshelf.publishing.writing import Source, Writing
from coldshelf.records.dataset import Dataset
from coldshelf.records.registry import Registry


async def export(
    run: Runtime,
    registry: Registry,
    *,
    url: str,
    client: Client,
    mode: Mode,
    destination: str | Path | Destination,
    datasets: Sequence[str] = tuple(BULK_DATASETS),
    layout: Layout = PLAIN,
    consistency: Consistency = Consistency.SNAPSHOT,
    on_progress: OnProgress | None = None,
) -> RunManifest:
    """Write datasets of a client to a folder or another destination; return the manifest of the run.

    `url` is that of the database; `on_progress` is called from the thread that writes. Nothing is marked as finished
    before everything is written and compared. A run that fails removes what it wrote; one that is killed leaves
    folders without `_SUCCESS`, which no later run touches.
    """
    plan = Plan(
        client=client,
        mode=mode,
        datasets=published(registry, datasets),
        started_on=run.clock.now(),
        layout=layout,
        consistency=consistency,
    )
    place = open_destination(destination) if isinstance(destination, (str, Path)) else destination
    writing = Writing(plan=plan, destination=place, open_source=source_of(url, plan), on_progress=on_progress)
    try:
        return await write(run, writing)
    finally:
        if place is not destination:
            await run.off_loop(place.close)


async def write(run: Runtime, writing: Writing) -> RunManifest:
    """Write a run in a thread; one who is cancelled meanwhile stops it and waits for its end."""
    if not writing.plan.client.code:
        raise ClientNotPublished(f"{writing.plan.client.name} has no code to publish under")
    working = asyncio.ensure_future(run.off_loop(writing.run))
    try:
        return await asyncio.shield(working)
    except asyncio.CancelledError:
        writing.cancel()
        await asyncio.gather(working, return_exceptions=True)
        raise


def source_of(url: str, plan: Plan) -> Callable[[], AbstractContextManager[Source]]:
    """Say where a run reads."""
    return partial(open_snapshot, url, plan.client.id)


def published(registry: Registry, names: Sequence[str]) -> tuple[Dataset, ...]:
    """Find published datasets; raise DatasetNotPublished."""
    for name in names:
        if name not in BULK_DATASETS or name not in registry.datasets:
            raise DatasetNotPublished(
                f"{name} is not published in bulk", cure=f"Choose from {', '.join(BULK_DATASETS)}"
            )
    return tuple(registry.datasets[name] for name in dict.fromkeys(names))
