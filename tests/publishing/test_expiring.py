"""How long published files are kept."""

import asyncio
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from coldshelf.entrypoints.worker import work
from coldshelf.kit.ids import ClientId
from coldshelf.kit.runtime import Runtime
from coldshelf.kit.testing import FakeClock
from coldshelf.publishing import running
from coldshelf.publishing.models import Mode
from coldshelf.publishing.removing import expire
from coldshelf.publishing.scheduling import start_run
from tests.publishing.support import Cast, dictionaries, files_below, perform_waiting, publish_now, runs_of


@pytest.fixture
def exports(run: Runtime) -> Path:
    return run.settings.data_dir.absolute() / "exports"


def after(run: Runtime, **time: float) -> Runtime:
    return replace(run, clock=FakeClock(datetime.now(UTC) + timedelta(**time)))


async def test_finished_runs_go_when_their_days_are_over_and_the_latest_of_each_mode_stays(
    run: Runtime, cast: Cast, client_id: ClientId, exports: Path
) -> None:
    await cast.outlets([1])
    await cast.save("Publication", Name="Now", Datasets="Location", KeepDays=35)
    for mode in (Mode.FULL, Mode.DELTA, Mode.DELTA):
        async with run.database.scope(client_id) as connection:
            await start_run(run, connection, client_id, "Now", mode)
        await perform_waiting(run)
    full, old, new = await runs_of(run, client_id)

    after_34 = await expire(after(run, days=34, hours=23))
    before = files_below(exports)
    after_35 = await expire(after(run, days=35, hours=1))

    kept = [row["run_id"] for row in await runs_of(run, client_id) if row["expired_on"] is None]
    assert (after_34, after_35) == (0, 1)
    assert kept == [full["run_id"], new["run_id"]]
    assert {Path(name).parent.name for name in before} == {*kept, old["run_id"]}
    assert {Path(name).parent.name for name in files_below(exports)} == set(kept)
    assert len(dictionaries(exports)) == 4


async def test_without_keep_days_nothing_goes(run: Runtime, cast: Cast, client_id: ClientId) -> None:
    await cast.save("Publication", Name="Now", Datasets="Location")
    for _ in range(2):
        await publish_now(run, client_id, "Now")

    assert await expire(after(run, days=400)) == 0

    assert [row["expired_on"] for row in await runs_of(run, client_id)] == [None, None]


async def test_a_run_whose_removal_broke_off_is_removed_by_the_next(
    run: Runtime, cast: Cast, client_id: ClientId, exports: Path
) -> None:
    await cast.save("Publication", Name="Now", Mode="full", Datasets="Location,Asset", KeepDays=35)
    old = await publish_now(run, client_id, "Now")
    run_folder = exports / f"Full/demo/_runs/{old['run_id']}"
    for name in ("_SUCCESS", "manifest.json"):
        (run_folder / name).unlink()
    await publish_now(run, client_id, "Now")

    assert await expire(after(run, days=36)) == 1

    assert (await runs_of(run, client_id))[0]["expired_on"] is not None
    assert [name for name in files_below(exports) if str(old["run_id"]) in name] == []


async def test_exchanged_files_go_with_their_run(run: Runtime, cast: Cast, client_id: ClientId, exports: Path) -> None:
    await cast.save("Publication", Name="P", Mode="since", Datasets="Location", Format="csv", KeepDays=35,
        FileName="partner/{client}_{table}_{yyyyMMddHHmmss}")  # fmt: skip
    old = await publish_now(run, client_id, "P")
    async with run.database.system() as connection:
        await connection.execute("UPDATE publication_run SET created_on = created_on - interval '1 day'")
    (path,) = [table["path"] for table in json.loads(str(old["tables"]))]
    (exports / "partner/theirs.csv").write_text("not ours")
    await asyncio.sleep(1)  # the names of files tell seconds
    new = await publish_now(run, client_id, "P")
    (new_path,) = [table["path"] for table in json.loads(str(new["tables"]))]
    assert files_below(exports) == {path, new_path, "partner/theirs.csv"}

    assert await expire(after(run, days=36)) == 1

    assert files_below(exports) == {new_path, "partner/theirs.csv"}


async def test_files_of_a_run_whose_open_tables_failed_go_when_their_days_are_over(
    run: Runtime, cast: Cast, client_id: ClientId, exports: Path
) -> None:
    await cast.save("Publication", Name="Now", Mode="full", Datasets="Location,Asset", KeepDays=35, OpenTables="true",
        Columns='{"Asset": ["AssetId", "SerialNumber"]}')  # fmt: skip
    failed = await publish_now(run, client_id, "Now")
    whole = files_below(exports)

    early = await expire(after(run, days=34))
    late = await expire(after(run, days=36))

    assert (failed["state"], early, late) == ("failed", 0, 1)
    assert "columns IsDeleted, ModifiedOn are left out" in str(failed["error"])
    assert (exports / str(failed["manifest"])).relative_to(exports).as_posix() in whole
    assert {name.partition("/")[0] for name in files_below(exports)} == {"Tables"}


async def test_files_of_an_exchange_that_failed_in_the_middle_go_when_their_days_are_over(
    run: Runtime, cast: Cast, client_id: ClientId, exports: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(running, "ONE_FILE", 1)
    await cast.outlets([1, 2])
    await cast.save("Publication", Name="P", Mode="since", Datasets="Asset,Location", Format="csv", KeepDays=35,
        FileName="partner/{client}_{table}")  # fmt: skip
    failed = await publish_now(run, client_id, "P")
    given = files_below(exports)

    assert await expire(after(run, days=36)) == 1

    assert (failed["state"], given) == ("failed", {"partner/demo_Asset.csv"})
    assert files_below(exports) == set()


async def test_a_destination_that_is_away_holds_up_no_other(
    run: Runtime, cast: Cast, client_id: ClientId, exports: Path
) -> None:
    for name in ("Away", "Gone"):
        await cast.save("Publication", Name=name, Mode="full", Datasets="Location", KeepDays=35)
        for _ in range(2):
            last = await publish_now(run, client_id, name)
    async with run.database.scope(client_id) as connection:
        await connection.execute("UPDATE publication SET destination = 'lake' WHERE name = 'Away'")
        await connection.execute("UPDATE publication SET is_deleted = true WHERE name = 'Gone'")

    assert await expire(after(run, days=36)) == 1

    states = [row["expired_on"] is not None for row in await runs_of(run, client_id)]
    assert states == [False, False, True, False]
    assert (exports / str(last["manifest"])).exists()


async def test_a_worker_removes_what_is_old_though_no_run_finishes(
    run: Runtime, cast: Cast, client_id: ClientId, exports: Path, url: str
) -> None:
    await cast.save("Publication", Name="Now", Mode="full", Datasets="Location", KeepDays=35)
    new = [await publish_now(run, client_id, "Now") for _ in range(2)][-1]
    async with run.database.system() as connection:
        await connection.execute("UPDATE publication_run SET finished_on = finished_on - interval '36 days'")
    stop = asyncio.Event()

    working = asyncio.create_task(work(run.settings, url, stop))
    async with asyncio.timeout(60):
        while (await runs_of(run, client_id))[0]["expired_on"] is None:  # noqa: ASYNC110  # told by the database
            await asyncio.sleep(0.05)
    stop.set()
    await working

    assert {Path(name).parent.name for name in files_below(exports)} == {new["run_id"]}
