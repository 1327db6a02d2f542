"""File exchange: a file is whole and its batch's own, or it is not there."""

import json
from pathlib import Path

import pytest

from coldshelf.access.models import Client
from coldshelf.kit.ids import ClientId
from coldshelf.kit.runtime import Runtime
from coldshelf.publishing import running
from coldshelf.publishing.errors import PartDiffers
from coldshelf.publishing.models import FileFormat, Layout, Mode
from coldshelf.publishing.plan import FileNames, Plan
from coldshelf.publishing.scheduling import start_run
from coldshelf.publishing.service import published, source_of, write
from coldshelf.publishing.writing import Writing
from coldshelf.records.registry import Registry
from tests.publishing.support import (
    Cast,
    Forgetful,
    files_below,
    many_outlets,
    perform_waiting,
    publish_now,
    runs_of,
)


@pytest.fixture
def exports(run: Runtime) -> Path:
    return run.settings.data_dir.absolute() / "exports"


async def test_a_batch_that_was_killed_before_it_began_takes_no_file_of_another_for_its_own(
    run: Runtime, cast: Cast, client_id: ClientId, exports: Path
) -> None:
    await cast.outlets([1])
    await cast.save("Publication", Name="P", Mode="since", Datasets="Location", Format="csv", FileName="in/{table}")
    await publish_now(run, client_id, "P")
    given = (exports / "in/Location.csv").read_bytes()
    await cast.outlets([2])
    async with run.database.scope(client_id) as connection:
        await start_run(run, connection, client_id, "P")
        await connection.execute("UPDATE publication_run SET attempts = 1 WHERE state = 'running'")

    await perform_waiting(run)
    second = (await runs_of(run, client_id))[-1]
    (exports / "in/Location.csv").unlink()  # by the receiver
    third = await publish_now(run, client_id, "P")

    assert (second["state"], second["error"]) == ("failed", "in/Location.csv is there already, from another batch")
    assert (b"L1" in given, b"L2" in given, json.loads(third["tables"])[0]["rows"]) == (True, False, 1)
    assert b"L2" in (exports / "in/Location.csv").read_bytes()


async def test_an_exchanged_dataset_that_does_not_fit_one_file_is_refused_and_not_cut(
    run: Runtime, cast: Cast, client_id: ClientId, exports: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(running, "ONE_FILE", 2)
    await cast.outlets([1, 2, 3])
    await cast.save("Publication", Name="Partner", Datasets="Location", FileName="in/{table}")

    row = await publish_now(run, client_id, "Partner")

    assert (row["state"], row["error"]) == ("failed", "Location has more rows than one file of this format holds")
    assert files_below(exports) == set()
    assert row["cure"] == "Choose CSV or JSON in place of Excel, or publish without FileName."


async def test_an_exchanged_file_that_reads_back_differently_is_no_file_of_the_next_attempt(
    run: Runtime, registry: Registry, folder: Path, url: str, client: Client
) -> None:
    await many_outlets(url, client.id, 10)
    plan = Plan(
        client=client,
        mode=Mode.SINCE,
        datasets=published(registry, ["Location"]),
        started_on=run.clock.now(),
        layout=Layout(format=FileFormat.CSV),
        names=FileNames("in/{table}", run.clock.now()),
    )

    with pytest.raises(PartDiffers):
        await write(run, Writing(plan=plan, destination=Forgetful(folder, 0.5), open_source=source_of(url, plan)))

    assert files_below(folder) == set()
