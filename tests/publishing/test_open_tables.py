"""Open tables beside the runs: current state at every commit, whatever was missed, repeated or came late."""

import json
import os
import subprocess
import sys
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from deltalake import DeltaTable

from coldshelf.kit.ids import ClientId
from coldshelf.kit.runtime import Runtime
from coldshelf.publishing.destination import HoldsTables, TablePlace
from coldshelf.publishing.destinations import open_destination
from coldshelf.publishing.destinations.file import FileDestination
from coldshelf.publishing.errors import TableBehind, TableFailed, TablesRefused, TableTaken
from coldshelf.publishing.models import Mode
from coldshelf.publishing.open_tables import MOST_FILES, keep_table
from coldshelf.publishing.scheduling import start_run
from tests.publishing.servers import Places
from tests.publishing.support import Cast, files_below, parquet_of, perform_waiting, public_events, runs_of

START = datetime(2026, 5, 1, 2, tzinfo=UTC)


@pytest.fixture
def exports(run: Runtime) -> Path:
    return run.settings.data_dir.absolute() / "exports"


async def start(run: Runtime, client_id: ClientId, mode: Mode) -> dict[str, Any]:
    """Run the publication `Lake` to its end, or to its first failure; give the run."""
    async with run.database.scope(client_id, user_name="admin") as connection:
        started = await start_run(run, connection, client_id, "Lake", mode)
    await perform_waiting(run)
    return next(row for row in await runs_of(run, client_id) if row["id"] == started["id"])


def table_rows(root: Path, dataset: str = "Location", client: str = "demo") -> list[dict[str, Any]]:
    table = pa.table(DeltaTable(root / "Tables" / client / dataset).to_pyarrow_table())
    return sorted(table.to_pylist(), key=lambda row: row[f"{dataset}Id"])


def current(exports: Path, row: dict[str, Any]) -> list[dict[str, Any]]:
    return [one for one in parquet_of(exports, row) if one["IsDeleted"] == 0]


async def test_after_missed_runs_the_table_equals_the_source(
    run: Runtime, cast: Cast, client_id: ClientId, exports: Path
) -> None:
    first, second, third = await cast.outlets([1, 2, 3])
    await cast.save("Publication", Name="Lake", Mode="delta", Datasets="Location", OpenTables="true")
    begun = await start(run, client_id, Mode.FULL)
    assert table_rows(exports) == current(exports, begun)

    await cast.save("Location", id=first, Name='Nhà hàng "Übersee" 🧊')
    await cast.delete("Location", second)
    await cast.outlets([4])
    gone = (await cast.outlets([5]))[0]
    await cast.delete("Location", gone)
    changed = await start(run, client_id, Mode.DELTA)

    found = table_rows(exports)
    assert (begun["state"], changed["state"]) == ("done", "done")
    assert found == current(exports, changed)
    assert [row["Name"] for row in found] == ['Nhà hàng "Übersee" 🧊', "Outlet 3", "Outlet 4"]
    assert found[1]["LocationId"] == third


async def test_a_delta_without_a_table_fails_with_its_cure_and_its_files_are_finished(
    run: Runtime, cast: Cast, client_id: ClientId, exports: Path
) -> None:
    await cast.outlets([1])
    await cast.save("Publication", Name="Lake", Mode="delta", Datasets="Location", OpenTables="true")

    row = await start(run, client_id, Mode.DELTA)

    assert row["state"] == "failed"
    assert row["error"].startswith("Tables/demo/Location is not there")
    assert "--mode full" in row["cure"]
    assert f"Delta/demo/_runs/{row['run_id']}/_SUCCESS" in files_below(exports)
    assert ("export.failed", row["id"]) in await public_events(run, client_id)
    assert (await start(run, client_id, Mode.FULL))["state"] == "done"
    assert (await start(run, client_id, Mode.DELTA))["state"] == "done"


@pytest.mark.parametrize("consistency", ["snapshot", "chunked"])
async def test_a_table_that_could_not_be_written_is_brought_up_by_the_next_attempt(
    run: Runtime, cast: Cast, client_id: ClientId, exports: Path, consistency: str
) -> None:
    await cast.outlets([1])
    await cast.save(
        "Publication", Name="Lake", Mode="full", Datasets="Location", OpenTables="true", Consistency=consistency
    )
    exports.mkdir(parents=True)
    (exports / "Tables").write_text("in the way")
    async with run.database.scope(client_id, user_name="admin") as connection:
        await start_run(run, connection, client_id, "Lake")
    async with run.database.system() as connection:
        payload = await connection.fetchval("SELECT payload FROM pgqueuer WHERE entrypoint = 'publishing.export'")
    await run.events.perform(run, payload)
    (failed,) = await runs_of(run, client_id)
    before = files_below(exports)

    (exports / "Tables").unlink()
    await run.events.perform(run, payload)

    (row,) = await runs_of(run, client_id)
    assert (failed["state"], failed["error"].startswith("Tables/demo/Location: ")) == ("running", True)
    assert (row["state"], row["attempts"], row["run_id"], row["error"]) == ("done", 2, failed["run_id"], "")
    assert {path for path in files_below(exports) if "Tables" not in path} == before - {"Tables"}
    assert [one["Name"] for one in table_rows(exports)] == ["Outlet 1"]


def test_who_keeps_no_tables_does_not_load_their_library() -> None:
    done = subprocess.run(
        [sys.executable, "-c", "import sys, coldshelf.entrypoints.bootstrap as _; print('deltalake' in sys.modules)"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip

    assert done.stdout.strip() == "False"


class Writer:
    """Writes finished runs of the dataset Location by hand."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.place = FileDestination(root)
        self.number = 0

    def run(self, mode: str, as_of: datetime, rows: list[dict[str, Any]], *, parts: int = 1) -> str:
        self.number += 1
        folder = f"{mode.capitalize()}/demo/Location/2026-05-01/run-{self.number}"
        (self.root / folder).mkdir(parents=True)
        names = [f"part-{number:05d}.parquet" for number in range(parts)]
        for number, name in enumerate(names):
            table = pa.Table.from_pylist(rows[number::parts], schema=_schema(rows))
            pq.write_table(table, self.root / folder / name)
        said = {
            "dataset": "Location", "key": ["LocationId"], "client": "demo", "runId": f"run-{self.number}", "mode": mode,
            "asOf": _wire(as_of), "windowFrom": _wire(as_of - timedelta(days=30)) if mode == "delta" else None,
            "files": [{"path": name} for name in names],
        }  # fmt: skip
        (self.root / folder / "_manifest.json").write_text(json.dumps(said))
        return folder

    def keep(self, folder: str, view: str = "all") -> bool:
        return keep_table(self.place, folder, view)

    @property
    def version(self) -> int:
        return DeltaTable(self.root / "Tables/demo/Location").version()


@pytest.fixture
def writer(tmp_path: Path) -> Writer:
    return Writer(tmp_path)


def _wire(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%S.%fZ}"


def _schema(rows: list[dict[str, Any]]) -> pa.Schema:
    inferred = pa.Table.from_pylist(rows).schema
    return pa.schema([(name, pa.int32() if name == "IsDeleted" else inferred.field(name).type) for name in rows[0]])


def outlet(number: int, name: str, day: int, *, deleted: int = 0, **more: object) -> dict[str, Any]:
    return {
        "LocationId": number, "Name": name, "IsDeleted": deleted, "ModifiedOn": START + timedelta(days=day), **more,
    }  # fmt: skip


def test_a_run_that_comes_again_changes_nothing(writer: Writer) -> None:
    full = writer.run("full", START, [outlet(1, "one", -1), outlet(2, "gone", -1, deleted=1)], parts=2)
    delta = writer.run("delta", START + timedelta(days=1), [outlet(1, "uno", 0)])

    first = [writer.keep(full), writer.keep(delta)]
    version = writer.version
    again = [writer.keep(delta), writer.keep(full)]

    assert (first, again, writer.version) == ([True, True], [False, False], version)
    assert table_rows(writer.root) == [outlet(1, "uno", 0)]
    (commit, *_) = DeltaTable(writer.root / "Tables/demo/Location").history(1)
    assert (commit["runId"], commit["asOf"]) == ("run-2", "2026-05-02T02:00:00.000000Z")


def test_a_deleted_row_does_not_come_back_with_a_late_run(writer: Writer) -> None:
    writer.keep(writer.run("full", START, [outlet(1, "one", -1), outlet(2, "two", -1)]))
    late = writer.run("delta", START + timedelta(days=1), [outlet(2, "two, renamed", 1)])
    writer.keep(writer.run("delta", START + timedelta(days=2), [outlet(2, "two, renamed", 2, deleted=1)]))

    assert writer.keep(late) is False
    assert table_rows(writer.root) == [outlet(1, "one", -1)]


def test_a_delta_that_does_not_reach_back_to_the_table_is_refused(writer: Writer) -> None:
    writer.keep(writer.run("full", START, [outlet(1, "one", -1)]))
    reaching = writer.run("delta", START + timedelta(days=30), [outlet(1, "uno", 20)])
    late = writer.run("delta", START + timedelta(days=60, microseconds=1), [outlet(1, "eins", 50)])

    with pytest.raises(
        TableBehind, match="as of 2026-05-01 02:00; run run-3 holds what changed since 2026-05-31 02:00"
    ):
        writer.keep(late)
    assert table_rows(writer.root) == [outlet(1, "one", -1)]
    assert writer.keep(reaching) is True
    assert writer.keep(writer.run("full", START + timedelta(days=99), [outlet(1, "eins", 50)])) is True
    assert table_rows(writer.root) == [outlet(1, "eins", 50)]


def test_rows_of_another_sight_never_reach_a_table(writer: Writer) -> None:
    writer.keep(writer.run("full", START, [outlet(1, "one", -1)]), "house")

    with pytest.raises(TableTaken):
        writer.keep(writer.run("full", START + timedelta(days=1), [outlet(2, "two", -1)]), "partner")

    assert table_rows(writer.root) == [outlet(1, "one", -1)]


def test_a_new_column_comes_with_the_next_delta(writer: Writer) -> None:
    writer.keep(writer.run("full", START, [outlet(1, "one", -40), outlet(2, "two", -1), outlet(3, "three", -1)]))

    writer.keep(
        writer.run(
            "delta",
            START + timedelta(days=1),
            [outlet(2, "two", -1, City="Hanoi"), outlet(3, "three", 1, deleted=1, City=None)],
        )
    )

    assert table_rows(writer.root) == [outlet(1, "one", -40, City=None), outlet(2, "two", -1, City="Hanoi")]


def test_small_files_are_put_together_and_earlier_versions_stay_readable(writer: Writer) -> None:
    writer.keep(writer.run("full", START, [outlet(0, "zero", -1)]))
    torn, young = (writer.root / f"Tables/demo/Location/{name}.parquet" for name in ("torn", "young"))
    for path, days in ((torn, 36), (young, 34)):
        path.touch()
        os.utime(path, times=(time.time() - days * 86_400,) * 2)
    days = range(1, MOST_FILES + 20)

    for day in days:
        writer.keep(writer.run("delta", START + timedelta(days=day), [outlet(day, "new", day)]))

    table = DeltaTable(writer.root / "Tables/demo/Location")
    operations = [one["operation"] for one in table.history()]
    assert len(table.file_uris()) <= MOST_FILES
    assert "OPTIMIZE" in operations
    assert (torn.exists(), young.exists()) == (False, True)
    assert len(table_rows(writer.root)) == len(days) + 1
    assert DeltaTable(writer.root / "Tables/demo/Location", version=0).to_pyarrow_table().num_rows == 1


@pytest.mark.parametrize("kind", ["azure_places", "s3_places"])
def test_tables_are_kept_in_object_stores(writer: Writer, request: pytest.FixtureRequest, kind: str) -> None:
    found: Places = request.getfixturevalue(kind)
    account = found()
    place = open_destination(account.address, account.secret)
    full = writer.run("full", START, [outlet(1, "one", -1), outlet(2, "two", -1)])
    delta = writer.run("delta", START + timedelta(days=1), [outlet(1, "uno", 0), outlet(2, "two", 0, deleted=1)])
    for path in sorted(files_below(writer.root)):
        part = place.part(path)
        part.write((writer.root / path).read_bytes())
        part.commit()

    kept = [keep_table(place, folder, "all") for folder in (full, delta, delta)]

    assert kept == [True, True, False]
    assert isinstance(place, HoldsTables)
    where = place.table("Tables/demo/Location")
    rows = DeltaTable(where.uri, storage_options=dict(where.options)).to_pyarrow_table().to_pylist()
    assert rows == [outlet(1, "uno", 0)]
    assert next(iter(place.entries("Tables/demo/Location/_delta_log")), None) is not None


def test_tables_are_refused_where_they_cannot_be(writer: Writer) -> None:
    folder = writer.run("full", START, [{"LocationId": 1, "IsDeleted": 0}])

    with pytest.raises(TablesRefused, match="columns ModifiedOn are left out"):
        writer.keep(folder)
    with pytest.raises(TablesRefused, match="cannot be kept at this destination"):
        keep_table(object(), folder, "all")  # type: ignore[arg-type]  # a destination without `table`


def test_what_signs_in_is_not_told_in_errors(writer: Writer, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = writer.run("full", START, [outlet(1, "one", -1)])
    options = {"account_name": "demo", "account_key": "c2VjcmV0LXNlY3JldA==", "endpoint": "http://127.0.0.1:9/demo"}
    place = TablePlace("az://exports/Tables", {**options, "allow_http": "true", "max_retries": "0", "timeout": "2s"})
    monkeypatch.setattr(writer.place, "table", lambda _: place)

    with pytest.raises(TableFailed) as caught:
        writer.keep(folder)

    assert options["account_key"] not in f"{caught.value}{caught.value.__cause__}{place!r}"
    assert replace(place, options={}).uri in repr(place)
