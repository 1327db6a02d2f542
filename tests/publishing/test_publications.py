"""Publications by their schedule: slots, attempts, marks and notices."""

import asyncio
import csv
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pyarrow.parquet as pq
import pytest
from fastapi import FastAPI

from coldshelf.access.principal import Role
from coldshelf.access.service import LimitDraft, add_user, set_limit
from coldshelf.entrypoints.bootstrap import known
from coldshelf.entrypoints.bootstrap import registry as registry_of_house
from coldshelf.kit.ids import ClientId
from coldshelf.kit.runtime import Runtime
from coldshelf.kit.testing import FakeClock
from coldshelf.publishing.scheduling import look
from coldshelf.records.errors import FieldInvalid
from tests.conftest import signed_in_client
from tests.publishing.support import Cast, files_below, perform_waiting, public_events, runs_of

TOMORROW = datetime.now(UTC).replace(hour=2, minute=0, second=0, microsecond=0) + timedelta(days=2)


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock(TOMORROW + timedelta(minutes=1))


@pytest.fixture
async def timed(run: Runtime, clock: FakeClock) -> Runtime:
    return replace(run, clock=clock)


@pytest.fixture
def exports(run: Runtime) -> Path:
    return run.settings.data_dir.absolute() / "exports"


def tables(row: dict[str, Any]) -> dict[str, int]:
    return {table["dataset"]: table["rows"] for table in json.loads(row["tables"])}


def parquet_rows(exports: Path, row: dict[str, Any]) -> list[dict[str, Any]]:
    (folder,) = [exports / table["path"] for table in json.loads(row["tables"])]
    return [one for path in sorted(folder.glob("*.parquet")) for one in pq.read_table(path).to_pylist()]


async def test_a_due_publication_writes_its_run_and_tells(
    timed: Runtime, cast: Cast, client_id: ClientId, exports: Path
) -> None:
    await cast.outlets([1, 2])
    await cast.save("Publication", Name="Nightly", Mode="full", Datasets="Location,Asset", Schedule="0 2 * * *")

    begun = await look(timed)
    await perform_waiting(timed)

    row = (await runs_of(timed, client_id))[-1]
    assert (begun, row["state"], row["due_on"], row["attempts"]) == (1, "done", TOMORROW, 1)
    assert tables(row) == {"Location": 2, "Asset": 0}
    manifest = json.loads((exports / row["manifest"]).read_bytes())
    assert [(table["dataset"], table["rows"]) for table in manifest["tables"]] == [("Location", 2), ("Asset", 0)]
    assert await public_events(timed, client_id) == [("export.completed", row["id"])]


async def test_however_many_schedulers_look_a_slot_has_one_run(
    timed: Runtime, cast: Cast, client_id: ClientId, clock: FakeClock
) -> None:
    await cast.save("Publication", Name="Nightly", Datasets="Location", Schedule="0 2 * * *", CatchUp="all")

    for _ in range(10):
        await asyncio.gather(look(timed), look(timed))
        await perform_waiting(timed)
        clock.advance(timedelta(days=1))

    found = await runs_of(timed, client_id)
    done = [row["due_on"] for row in found if row["state"] == "done"]
    assert len(done) == len(set(done)) == len(found)
    assert [slot for slot in done if slot >= TOMORROW] == [TOMORROW + timedelta(days=day) for day in range(10)]


async def test_missed_slots_are_noted_and_the_latest_is_made_up(
    timed: Runtime, cast: Cast, client_id: ClientId, clock: FakeClock
) -> None:
    await cast.save("Publication", Name="Nightly", Datasets="Location", Schedule="0 2 * * *")
    clock.advance(timedelta(days=3))

    await look(timed)
    await perform_waiting(timed)

    states = [(row["due_on"], row["state"]) for row in await runs_of(timed, client_id)]
    assert states[-4:] == [
        (TOMORROW, "skipped"),
        (TOMORROW + timedelta(days=1), "skipped"),
        (TOMORROW + timedelta(days=2), "skipped"),
        (TOMORROW + timedelta(days=3), "done"),
    ]


async def test_one_run_of_a_publication_at_a_time(
    timed: Runtime, cast: Cast, client_id: ClientId, clock: FakeClock
) -> None:
    await cast.save("Publication", Name="Nightly", Datasets="Location", Schedule="0 2 * * *", CatchUp="all")
    clock.advance(timedelta(days=1))

    await look(timed)
    await look(timed)

    states = [row["state"] for row in await runs_of(timed, client_id)]
    assert states.count("running") == 1
    assert states.count("waiting") == len(states) - 1
    await perform_waiting(timed)
    assert {row["state"] for row in await runs_of(timed, client_id)} == {"done"}


async def test_a_run_that_has_not_finished_in_time_is_told_once_as_late(
    timed: Runtime, cast: Cast, client_id: ClientId, clock: FakeClock
) -> None:
    await cast.save(
        "Publication", Name="Nightly", Datasets="Location", Schedule="0 2 * * *", LateAfter="30", CatchUp="none"
    )
    await look(timed)
    clock.advance(timedelta(minutes=31))

    await look(timed)
    await look(timed)

    assert [name for name, _ in await public_events(timed, client_id)] == ["export.late"]


async def test_a_destination_that_nobody_knows_fails_with_its_cure_and_is_told(
    timed: Runtime, cast: Cast, client_id: ClientId
) -> None:
    await cast.save("Publication", Name="Lake", Datasets="Location", Destination="lake", Schedule="0 2 * * *")

    await look(timed)
    await perform_waiting(timed)

    row = (await runs_of(timed, client_id))[-1]
    assert (row["state"], row["error"]) == ("failed", "There is no destination 'lake' for demo")
    assert row["cure"] == "Choose exports, or let the operator add it to COLDSHELF_DESTINATIONS_FILE."
    assert ("export.failed", row["id"]) in await public_events(timed, client_id)


async def test_a_run_that_was_killed_behind_its_marker_is_taken_over(
    timed: Runtime, cast: Cast, client_id: ClientId, exports: Path, url: str
) -> None:
    await cast.outlets([1])
    await cast.save("Publication", Name="Nightly", Mode="full", Datasets="Location", Schedule="0 2 * * *")
    await look(timed)
    async with timed.database.system() as connection:
        await connection.execute("CREATE TABLE kept AS SELECT * FROM pgqueuer")
    await perform_waiting(timed)
    before = files_below(exports)
    async with timed.database.system() as connection:  # as if the worker had died before it could say so
        await connection.execute(
            "UPDATE publication_run SET state = 'running', finished_on = NULL WHERE state = 'done'"
        )
        await connection.execute("UPDATE event_step SET done_on = NULL WHERE handler = 'publishing.export'")
        payload = await connection.fetchval("SELECT payload FROM kept WHERE entrypoint = 'publishing.export'")

    await timed.events.perform(timed, payload)

    row = (await runs_of(timed, client_id))[-1]
    assert (row["state"], row["attempts"], tables(row)) == ("done", 2, {"Location": 1})
    assert files_below(exports) == before


async def test_what_a_torn_attempt_left_is_removed_by_the_next(
    timed: Runtime, cast: Cast, client_id: ClientId, exports: Path
) -> None:
    await cast.outlets([1])
    await cast.save("Publication", Name="Nightly", Mode="full", Datasets="Location", Schedule="0 2 * * *")
    await look(timed)
    torn = "20260101T000000000000Z-00000000"
    folder = exports / "Full/demo/Location/2026-01-01" / torn
    folder.mkdir(parents=True)
    (folder / ".part-00000.parquet.tmp").write_bytes(b"half")
    async with timed.database.system() as connection:
        await connection.execute("UPDATE publication_run SET run_id = $1 WHERE state = 'running'", torn)

    await perform_waiting(timed)

    row = (await runs_of(timed, client_id))[-1]
    assert (row["state"], torn in row["run_id"]) == ("done", False)
    assert [path for path in files_below(exports) if torn in path] == []


async def test_batches_of_exchanged_files_hold_each_change_once(
    timed: Runtime, cast: Cast, client_id: ClientId, exports: Path, clock: FakeClock
) -> None:
    first, _ = await cast.outlets([1, 2])
    await cast.save(
        "Publication", Name="Partner", Mode="since", Datasets="Location", Format="csv", Schedule="0 2 * * *",
        FileName="partner/{client}_{table}_{yyyyMMddHHmmss}", TimeZone="Europe/Berlin",
        Columns='{"Location": {"LocationCode": "Outlet", "Name": "Name", "IsDeleted": "Gone"}}',
    )  # fmt: skip
    clock.advance(timedelta(hours=1))
    await look(timed)
    await perform_waiting(timed)
    await cast.save("Location", id=first, Name="Renamed")
    await cast.delete("Location", first + 1)
    clock.advance(timedelta(days=1))
    await look(timed)
    await perform_waiting(timed)
    clock.advance(timedelta(days=1))
    await look(timed)
    await perform_waiting(timed)

    found = sorted((exports / "partner").iterdir())
    contents = [list(csv.DictReader(path.read_text().splitlines())) for path in found][-3:]
    assert contents == [
        [
            {"Outlet": "L1", "Name": "Outlet 1", "Gone": "0"},
            {"Outlet": "L2", "Name": "Outlet 2", "Gone": "0"},
        ],
        [{"Outlet": "L1", "Name": "Renamed", "Gone": "0"}, {"Outlet": "L2", "Name": "Outlet 2", "Gone": "1"}],
        [],
    ]
    assert [path.name for path in found][-1] == f"demo_Location_{TOMORROW + timedelta(days=2):%Y%m%d}020000.csv"


async def test_a_chunked_run_goes_on_behind_its_last_finished_chunk(
    timed: Runtime, cast: Cast, client_id: ClientId, exports: Path
) -> None:
    await cast.outlets(range(6))
    await cast.save(
        "Publication", Name="Big", Mode="full", Datasets="Location,Asset", Consistency="chunked", Schedule="0 2 * * *"
    )
    await look(timed)
    await perform_waiting(timed)

    row = (await runs_of(timed, client_id))[-1]
    folder = exports / json.loads(row["tables"])[0]["path"]
    manifest = json.loads((folder / "_manifest.json").read_bytes())
    assert (row["state"], manifest["consistency"], manifest["rows"]) == ("done", "chunked", 6)
    assert [chunk["path"] for chunk in manifest["chunks"]] == ["part-00000.parquet"]
    assert sum(pq.read_table(path).num_rows for path in folder.glob("*.parquet")) == 6


async def test_a_partner_gets_the_rows_and_fields_of_its_limits_and_deletions_of_what_left(
    timed: Runtime, cast: Cast, client_id: ClientId, exports: Path, clock: FakeClock
) -> None:
    north, south = [await cast.save("Market", Name=name) for name in ("North", "South")]
    here, there = [
        await cast.save("Location", Code=code, Name=code, City=code, MarketId=market)
        for code, market in (("L1", north), ("L2", south))
    ]
    user_id, _ = await add_user(
        timed, client_id, "partner", password="correct horse battery", role=Role.SALES_REP, email="p@example.org"
    )
    async with timed.database.scope(client_id) as connection:
        draft = LimitDraft({"market": [north]}, ["Location"], [])
        await set_limit(connection, client_id, user_id, None, draft=draft, known=known(registry_of_house()))
    await cast.save(
        "Publication", Name="Partner", Datasets="Location", Schedule="0 2 * * *", PrimaryEmail="p@example.org"
    )
    await look(timed)
    await perform_waiting(timed)
    await cast.save("Location", id=here, MarketId=south)
    await cast.save("Location", id=there, Name="never seen")
    clock.advance(timedelta(days=1))
    await look(timed)
    await perform_waiting(timed)

    before, after = [parquet_rows(exports, row) for row in (await runs_of(timed, client_id))[-2:]]
    assert [(row["LocationId"], row["Name"], row["IsDeleted"]) for row in before] == [(here, "L1", 0)]
    assert [(row["LocationId"], row["Name"], row["IsDeleted"]) for row in after] == [(here, None, 1)]
    assert not {"ModifiedByUser", "CreatedByUser", "PrimaryPhone"} & before[0].keys()
    (described,) = exports.glob("Delta/demo/_dictionary/*.json")
    (table,) = json.loads(described.read_bytes())["tables"]
    assert {column["name"] for column in table["columns"]} == before[0].keys()


async def test_a_publication_for_a_user_who_is_shut_out_fails_with_its_cure(
    timed: Runtime, cast: Cast, client_id: ClientId
) -> None:
    user_id, _ = await add_user(
        timed, client_id, "partner", password="correct horse battery", role=Role.SALES_REP, email="p@example.org"
    )
    await cast.save("Publication", Name="Partner", Datasets="Location", Schedule="0 2 * * *", UserId=user_id)
    await cast.save("User", id=user_id, IsActive=False)

    await look(timed)
    await perform_waiting(timed)

    row = (await runs_of(timed, client_id))[-1]
    assert (row["state"], row["cure"]) == ("failed", "Give the publication another user, or let that one in again.")


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"Schedule": "every night"}, "has not five fields"),
        ({"TimeZone": "Mars/Olympus"}, "TimeZone takes a zone"),
        ({"Datasets": "Location,Wishes"}, "Wishes is not published in bulk"),
        ({"Columns": "[1]"}, "Columns takes JSON"),
        ({"Columns": '{"Location": {"Name": "my name"}}'}, "is no name for a column"),
        ({"Columns": '{"Location": {"Name": "A", "City": "A"}}'}, "two columns the same name"),
        ({"Mode": "since", "Consistency": "chunked"}, "Mode since reads one snapshot"),
        ({"FileName": "batch"}, "FileName must hold {table}"),
        ({"OpenTables": "true", "Format": "csv"}, "OpenTables are written beside Parquet"),
        ({"OpenTables": "true", "Mode": "since"}, "OpenTables need runs that overlap"),
        ({"KeepDays": "7"}, "KeepDays"),
        ({"Mode": "hourly"}, "Mode"),
    ],
)
async def test_a_publication_that_cannot_be_is_refused(cast: Cast, wrong: dict[str, str], words: str) -> None:
    with pytest.raises(FieldInvalid, match=words):
        await cast.save("Publication", Name="Wrong", **wrong)


async def test_a_run_is_started_followed_and_cancelled_over_the_api(
    run: Runtime, admin: httpx.AsyncClient, cast: Cast, client_id: ClientId
) -> None:
    await cast.save("Publication", Name="Now", Mode="full", Datasets="Location")

    started = await admin.post("/api/v1/exports", json={"Publication": "now"})
    second = await admin.post("/api/v1/exports", json={"Publication": "Now", "Mode": "delta"})
    cancelled = await admin.post(f"{second.headers['Location']}/cancel")
    await perform_waiting(run)
    followed = (await admin.get(started.headers["Location"])).json()
    again = await admin.post(f"{started.headers['Location']}/cancel")

    assert (started.status_code, started.json()["State"]) == (202, "running")
    assert (cancelled.status_code, cancelled.json()["State"]) == (202, "cancelled")
    assert (followed["State"], followed["TablesDone"], followed["Publication"]) == ("done", 1, "Now")
    assert (again.status_code, again.json()["code"]) == (409, "export_ended")
    listed = (await admin.get("/api/v1/exports")).json()["data"]
    assert [one["State"] for one in listed] == ["cancelled", "done"]


async def test_nobody_starts_or_cancels_a_foreign_run(
    run: Runtime, admin: httpx.AsyncClient, stranger: httpx.AsyncClient, cast: Cast
) -> None:
    await cast.save("Publication", Name="Now", Datasets="Location")
    started = await admin.post("/api/v1/exports", json={"Publication": "Now"})

    answers = [
        await stranger.post("/api/v1/exports", json={"Publication": "Now"}),
        await stranger.post(f"{started.headers['Location']}/cancel"),
        await stranger.get(started.headers["Location"]),
    ]

    assert [answer.status_code for answer in answers] == [404, 404, 404]


async def test_who_is_no_admin_starts_no_run(run: Runtime, app: FastAPI, client_id: ClientId) -> None:
    async with await signed_in_client(run, app, client_id, "rep", Role.SALES_REP) as rep:
        answer = await rep.post("/api/v1/exports", json={"Publication": "Now"})

    assert answer.status_code == 403
