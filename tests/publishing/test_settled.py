"""Append-only tables: days that can change no more are copied at the destination, and everything stays right."""

import json
import os
import random
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import asyncpg
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from deltalake import DeltaTable

from coldshelf.access.models import Client
from coldshelf.kit.events import EventBus
from coldshelf.kit.ids import ClientId
from coldshelf.kit.runtime import Runtime
from coldshelf.publishing.destination import Destination
from coldshelf.publishing.destinations import open_destination
from coldshelf.publishing.destinations.file import FileDestination
from coldshelf.publishing.formats.snapshot import open_snapshot
from coldshelf.publishing.inspecting import validate
from coldshelf.publishing.jobs import export_handler
from coldshelf.publishing.models import PLAIN, Layout, Mode, RunManifest
from coldshelf.publishing.plan import Plan, RunBefore
from coldshelf.publishing.reconciling import reconcile
from coldshelf.publishing.repairing import repair
from coldshelf.publishing.scheduling import start_run
from coldshelf.publishing.settled import Days, Settled, plan_days
from coldshelf.publishing.writing import Source, Writing
from coldshelf.records.bulk import Window
from coldshelf.records.dataset import Dataset, common_columns
from coldshelf.records.fields import TYPE_MAPS
from coldshelf.records.registry import Registry
from coldshelf.telemetry.datasets.device_events import DOOR_EVENT
from tests.publishing.servers import Places
from tests.publishing.support import Cast, merged, perform_waiting, rows, runs_of

DOORS = replace(DOOR_EVENT, relation="door_event")
"""The declaration as it will be when devices are taken in: the table is the test's."""
COMMON = {column.wire for column in common_columns()}
SEED = int(time.time())
SOAK = bool(os.environ.get("SOAK"))
EVENTS = """
    INSERT INTO door_event (client_id, smart_device_id, device_serial, door_open_duration, created_on, modified_on,
        created_by_user, modified_by_user, revision)
    SELECT $1, n % 50, 'D' || n % 50, n, moment, moment, '', '', (SELECT generation FROM server_generation) << 48 | 3
    FROM generate_series(1, $2::int) AS n
    CROSS JOIN LATERAL (SELECT $3::timestamptz + n * interval '1 day' / ($2::int + 1) AS moment) AS at"""


@dataclass(frozen=True, slots=True)
class Doors:
    """The owner's connection, and rows of the past: `days` ago, as many a day as wanted."""

    connection: asyncpg.Connection
    client: Client

    async def open_on(self, days_ago: int, count: int) -> None:
        await self.connection.execute("SET session_replication_role = replica")
        await self.connection.execute(EVENTS, self.client.id, count, begin(days_ago))
        await self.connection.execute("SET session_replication_role = DEFAULT")

    async def edit(self, which: str, change: str) -> int:
        """Change rows as the house does: with a new ModifiedOn."""
        return int((await self.connection.execute(f"UPDATE door_event SET {change} WHERE {which}")).split()[1])

    async def fetched(self) -> int:
        """Count the rows of the table that the server has fetched so far, by whatever plan."""
        await self.connection.execute("SELECT pg_stat_clear_snapshot()")
        return int(
            await self.connection.fetchval(
                "SELECT seq_tup_read + coalesce(idx_tup_fetch, 0) FROM pg_stat_user_tables WHERE relname = 'door_event'"
            )
        )


def begin(days_ago: int) -> datetime:
    return datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=days_ago)


@pytest.fixture
async def doors(url: str, client: Client) -> AsyncIterator[Doors]:
    connection = await asyncpg.connect(url)
    columns = ", ".join(
        f"{column.name} {TYPE_MAPS[column.type].postgres}"
        for column in DOORS.columns
        if column.wire not in COMMON | {"EventId"}
    )
    await connection.execute(f"CREATE TABLE door_event ({columns}); SELECT coldshelf_tenant_table('door_event')")
    yield Doors(connection, client)
    await connection.close()


@pytest.fixture
def doors_registry(registry: Registry) -> Registry:
    return replace(registry, datasets={**registry.datasets, "DoorEvent": DOORS})


@dataclass(slots=True)
class Recorded:
    """A source that tells what is asked of it; `as_of` may be that of an earlier time."""

    source: Source
    as_of: datetime
    fence: int
    windows: list[Window]
    rows: list[int] = field(default_factory=lambda: [0])

    @contextmanager
    def batches(self, dataset: Dataset, window: Window) -> Iterator[Iterator[pa.RecordBatch]]:
        self.windows.append(window)
        with self.source.batches(dataset, window) as batches:
            yield (self._counted(batch) for batch in batches)

    def _counted(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        self.rows[0] += batch.num_rows
        return batch

    def chunks(self, dataset: Dataset, window: Window, after_id: int) -> Any:  # as the source gives them
        return self.source.chunks(dataset, window, after_id)

    def first_edited(self, dataset: Dataset, since: datetime) -> datetime | None:
        return self.source.first_edited(dataset, since)

    def days(self, dataset: Dataset, since: datetime | None) -> Mapping[date, int]:
        return self.source.days(dataset, since)

    def cancel(self) -> None:
        self.source.cancel()


@dataclass(frozen=True, slots=True)
class Daily:
    """Runs of the table at one place, each after the one before; `days_ago` dates one back."""

    run: Runtime
    url: str
    client: Client
    place: Destination

    async def write(
        self,
        mode: Mode,
        before: RunManifest | None,
        *,
        days_ago: int = 0,
        dataset: Dataset = DOORS,
        generation: int = 1,
        layout: Layout = PLAIN,
    ) -> tuple[RunManifest, list[Window], int]:
        """Give the manifest, the windows that were asked of the database, and the rows that came."""
        windows, counted = list[Window](), [0]
        plan = Plan(
            client=self.client,
            mode=mode,
            datasets=(dataset,),
            started_on=datetime.now(UTC) - timedelta(days=days_ago),
            layout=layout,
            before=RunBefore(before.head.run_id, generation) if before else None,
        )

        @contextmanager
        def source() -> Iterator[Source]:
            with open_snapshot(self.url, self.client.id) as snapshot:
                as_of = snapshot.as_of - timedelta(days=days_ago)
                yield Recorded(snapshot, as_of, snapshot.fence, windows, counted)

        writing = Writing(plan=plan, destination=self.place, open_source=source)
        return await self.run.off_loop(writing.run), windows, counted[0]


@pytest.fixture
def daily(run: Runtime, url: str, client: Client, folder: Path) -> Daily:
    return Daily(run, url, client, FileDestination(folder))


def said(folder: Path, manifest: RunManifest) -> dict[str, Any]:
    table = json.loads((folder / manifest.tables[0].folder / "_manifest.json").read_bytes())
    assert isinstance(table, dict)
    return table


def counted(table: dict[str, Any]) -> dict[str, int]:
    return {file["day"]: file["rows"] for file in table["files"]}


def day(days_ago: int) -> str:
    return begin(days_ago).date().isoformat()


async def test_a_daily_delta_reads_two_days_from_the_database(doors: Doors, daily: Daily, folder: Path) -> None:
    for days_ago in range(35):
        await doors.open_on(days_ago, 400)
    await doors.connection.execute("VACUUM ANALYZE door_event")
    yesterday, _, first_read = await daily.write(Mode.DELTA, None, days_ago=1)
    before = await doors.fetched()

    manifest, windows, read = await daily.write(Mode.DELTA, yesterday)

    assert (first_read, read) == (32 * 400, 2 * 400)
    assert [(window.since, window.before) for window in windows] == [(begin(1), begin(0)), (begin(0), begin(-1))]
    assert await doors.fetched() - before <= 3 * 2 * 400  # two days of 35: looked for edits, counted, read
    table = said(folder, manifest)
    assert counted(table) == {day(days_ago): 400 for days_ago in range(31)}
    assert table["windowFrom"] == f"{day(30)}T00:00:00.000000Z"
    assert manifest.tables[0].rows_copied == 29 * 400
    old, new = ({file["day"]: file["sha256"] for file in said(folder, run)["files"]} for run in (yesterday, manifest))
    assert {when for when in new if new[when] == old.get(when)} >= {day(days_ago) for days_ago in range(2, 31)}
    whole, _, _ = await daily.write(Mode.FULL, None)
    window = [row for row in rows(folder, whole, "DoorEvent") if row["ModifiedOn"] >= begin(30)]
    assert by_key(rows(folder, manifest, "DoorEvent")) == by_key(window)


def by_key(found: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return sorted(found, key=lambda row: row["EventId"])


@pytest.mark.parametrize(
    ("which", "change"),
    [
        ("door_open_duration = 7", "is_deleted = true"),
        ("door_open_duration = 7", "device_serial = '', is_deleted = true"),
        ("door_open_duration IN (1, 2)", "door_open_duration = 99"),
        ("created_on < now() - interval '20 days'", "device_serial = device_serial"),
    ],
)
@pytest.mark.parametrize("mode", [Mode.FULL, Mode.DELTA])
async def test_a_settled_day_of_which_a_row_changed_is_read_again(
    doors: Doors, daily: Daily, folder: Path, mode: Mode, which: str, change: str
) -> None:
    for days_ago in range(1, 25):
        await doors.open_on(days_ago, 10)
    first, _, _ = await daily.write(mode, None)
    assert await doors.edit(f"{which} AND created_on < '{begin(9).isoformat()}'", change)

    second, _, read = await daily.write(mode, first)
    third, windows, _ = await daily.write(mode, second)

    whole, _, all_rows = await daily.write(mode, None)
    assert by_key(rows(folder, second, "DoorEvent")) == by_key(rows(folder, whole, "DoorEvent"))
    assert by_key(rows(folder, third, "DoorEvent")) == by_key(rows(folder, whole, "DoorEvent"))
    assert 0 < read < all_rows
    assert [window.since for window in windows] == [begin(0)]


async def test_what_was_committed_late_is_in_the_next_run(doors: Doors, daily: Daily, folder: Path, url: str) -> None:
    await doors.open_on(3, 5)
    slow = await asyncpg.connect(url)
    transaction = slow.transaction()
    await transaction.start()
    await slow.execute(
        "INSERT INTO door_event (client_id, smart_device_id, device_serial) VALUES ($1, 1, 'late')", doors.client.id
    )
    first, _, _ = await daily.write(Mode.FULL, None)

    await transaction.commit()
    await slow.close()
    second, _, _ = await daily.write(Mode.FULL, first)

    assert first.tables[0].rows == 5
    assert [row["DeviceSerial"] for row in rows(folder, second, "DoorEvent")].count("late") == 1


async def test_random_edits_never_leave_a_stale_row(doors: Doors, daily: Daily, folder: Path) -> None:
    chance = random.Random(SEED)
    for days_ago in range(12):
        await doors.open_on(days_ago, 6)
    before: dict[Mode, RunManifest | None] = {Mode.FULL: None, Mode.DELTA: None}
    for _ in range(200 if SOAK else 12):
        if chance.random() < 0.6:
            which = f"id % 17 = {chance.randrange(17)}"
            await doors.edit(which, chance.choice(["is_deleted = true", "device_serial = device_serial || 'x'"]))
        mode = chance.choice([Mode.FULL, Mode.DELTA])
        days_ago = chance.choice([0, 0, 1, 2])
        before[mode], _, _ = await daily.write(mode, before[mode], days_ago=days_ago)
        whole, _, _ = await daily.write(mode, None)
        found = by_key(rows(folder, before[mode], "DoorEvent"))  # type: ignore[arg-type]  # it was written just now
        assert found == by_key(rows(folder, whole, "DoorEvent")), SEED


@pytest.mark.parametrize("change", ["columns", "layout", "generation", "gone", "damaged", "started earlier"])
async def test_what_the_run_before_cannot_give_is_read_again(
    doors: Doors, daily: Daily, folder: Path, change: str
) -> None:
    for days_ago in range(1, 5):
        await doors.open_on(days_ago, 10)
    first, _, _ = await daily.write(Mode.DELTA, None)
    dataset, generation, days_ago = DOORS, 1, 0
    if change == "columns":
        dataset = replace(DOORS, columns=tuple(one for one in DOORS.columns if one.wire != "MacAddress"))
    elif change == "generation":
        generation = 2
    elif change == "gone":
        (folder / first.tables[0].files[1].path).unlink()
    elif change == "damaged":
        (folder / first.tables[0].files[1].path).write_bytes(b"PAR1")
    elif change == "started earlier":
        days_ago = 40
    layout = Layout(part_rows=7) if change == "layout" else PLAIN

    manifest, _, _ = await daily.write(
        Mode.DELTA, first, dataset=dataset, generation=generation, days_ago=days_ago, layout=layout
    )

    whole, _, _ = await daily.write(Mode.DELTA, None, dataset=dataset)
    assert by_key(rows(folder, manifest, "DoorEvent")) == by_key(rows(folder, whole, "DoorEvent"))
    assert manifest.tables[0].rows_copied == (30 if change in {"gone", "damaged"} else 0)


@pytest.mark.usefixtures("doors")
async def test_a_run_without_a_row_has_one_empty_part(daily: Daily, folder: Path) -> None:
    first, _, _ = await daily.write(Mode.DELTA, None)
    second, _, _ = await daily.write(Mode.DELTA, first)

    assert [file.rows for file in second.tables[0].files] == [0]
    assert rows(folder, second, "DoorEvent") == []


@dataclass(frozen=True, slots=True)
class Counted:
    """Counts of days as they are told."""

    counts: Mapping[date, int]
    edited: datetime | None = None

    def first_edited(self, _dataset: Dataset, _since: datetime) -> datetime | None:
        return self.edited

    def days(self, _dataset: Dataset, since: datetime | None) -> Mapping[date, int]:
        return {day: rows for day, rows in self.counts.items() if since is None or day >= since.date()}


@pytest.mark.parametrize("hour", [0, 2, 12, 23])
def test_a_daily_run_reads_two_days_at_whatever_hour(hour: int) -> None:
    as_of = datetime(2026, 5, 31, hour, 10, tzinfo=UTC)
    all_days = [date(2026, 5, 1) + timedelta(days=n) for n in range(32)]
    file = type("File", (), {"rows": 5})()
    settled = Settled(as_of, as_of.date(), {day: (("path", file),) for day in all_days if day < as_of.date()})

    days = plan_days(Counted(dict.fromkeys(all_days, 5)), DOORS, date(2026, 5, 2), settled)

    assert days == Days(dict.fromkeys(all_days[1:30], (("path", file),)), (date(2026, 5, 31), date(2026, 6, 1)))


class Publications:
    """A publication of the table, run by a worker with the declarations of the test."""

    def __init__(self, run: Runtime, registry: Registry, client_id: ClientId) -> None:
        self.run = replace(run, events=EventBus(run.database, run.clock, (export_handler(lambda: registry),)))
        self.client_id = client_id

    async def start(self, mode: Mode | None = None) -> dict[str, Any]:
        async with self.run.database.scope(self.client_id, user_name="admin") as connection:
            started = await start_run(self.run, connection, self.client_id, "Doors", mode)
        await perform_waiting(self.run)
        return next(row for row in await runs_of(self.run, self.client_id) if row["id"] == started["id"])


@pytest.fixture
def publications(run: Runtime, doors_registry: Registry, client_id: ClientId) -> Publications:
    return Publications(run, doors_registry, client_id)


def table_of(exports: Path, row: dict[str, Any]) -> tuple[Path, dict[str, Any]]:
    assert row["state"] == "done", row["error"]
    (table,) = json.loads(row["tables"])
    folder = exports / table["path"]
    return folder, table


async def test_a_publication_copies_and_every_tool_knows_its_files(
    doors: Doors, publications: Publications, cast: Cast, client: Client, url: str, doors_registry: Registry
) -> None:
    exports = publications.run.settings.data_dir.absolute() / "exports"
    for days_ago in range(1, 6):
        await doors.open_on(days_ago, 10)
    await cast.save("Publication", Name="Doors", Mode="full", Datasets="DoorEvent", OpenTables="true", KeepDays="35")
    first = await publications.start()
    await doors.edit("door_open_duration = 3 AND created_on < now() - interval '4 days'", "is_deleted = true")

    second = await publications.start()

    folder, table = table_of(exports, second)
    changed = await doors.connection.fetchval("SELECT count(*) FROM door_event WHERE is_deleted")
    assert (table["rows"], table["rowsCopied"]) == (50, 50 - 10 * changed)
    place = FileDestination(exports)
    assert validate(place, client.code, Mode.FULL, second["run_id"]) == []
    comparison = await reconcile(
        publications.run,
        doors_registry,
        url=url,
        client=client,
        place=place,
        mode=Mode.FULL,
        run_id=second["run_id"],
    )
    assert [one.is_equal for one in comparison] == [True]
    assert await repair(publications.run, client, place, remove=True) == []
    present = pa.table(DeltaTable(exports / "Tables" / "demo" / "DoorEvent").to_pyarrow_table())
    assert present.num_rows == 50 - changed

    place.remove(json.loads(first["tables"])[0]["path"])  # as retention does

    assert validate(place, client.code, Mode.FULL, second["run_id"]) == []
    assert sum(pq.read_metadata(path).num_rows for path in folder.glob("*.parquet")) == 50
    assert (await publications.start())["state"] == "done"


async def test_a_file_that_holds_another_day_is_told(doors: Doors, daily: Daily, folder: Path, client: Client) -> None:
    await doors.open_on(2, 5)
    manifest, _, _ = await daily.write(Mode.FULL, None)
    path = folder / manifest.tables[0].folder / "_manifest.json"
    path.write_text(path.read_text().replace(f'"day": "{day(2)}"', f'"day": "{day(3)}"'))

    flaws = validate(daily.place, client.code, Mode.FULL, manifest.head.run_id)

    assert f"holds other days than {day(3)}" in [flaw.what for flaw in flaws]


@pytest.mark.parametrize(
    "fields", [{"Consistency": "chunked"}, {"FileName": "in/{table}"}, {"Mode": "since"}, {"Datasets": "Location"}]
)
async def test_other_ways_of_writing_and_other_tables_are_not_cut_by_day(
    doors: Doors, publications: Publications, cast: Cast, fields: dict[str, str]
) -> None:
    await doors.open_on(2, 5)
    await doors.open_on(1, 5)
    await cast.outlets(range(10))
    await cast.save("Publication", **{"Name": "Doors", "Mode": "full", "Datasets": "DoorEvent", **fields})

    row = await publications.start()

    assert row["state"] == "done", row["error"]
    (table,) = json.loads(row["tables"])
    assert (table["rows"], "rowsCopied" in table) == (10, False)


async def test_deltas_that_copy_make_base_and_deltas_equal_to_full(doors: Doors, daily: Daily, folder: Path) -> None:
    for days_ago in range(0, 40, 3):
        await doors.open_on(days_ago, 8)
    base, _, _ = await daily.write(Mode.FULL, None, days_ago=2)
    first, _, _ = await daily.write(Mode.DELTA, None, days_ago=1)
    await doors.edit("id % 8 = 5 AND created_on < now() - interval '20 days'", "is_deleted = true")

    second, _, _ = await daily.write(Mode.DELTA, first)

    full, _, _ = await daily.write(Mode.FULL, base)
    pulled = merged(("EventId",), rows(folder, base, "DoorEvent"), rows(folder, second, "DoorEvent"))
    assert pulled == by_key(rows(folder, full, "DoorEvent"))
    assert full.tables[0].rows_copied > 0


@pytest.mark.parametrize("places", ["azure_places", "s3_places", "sftp_places", "ftps_places"])
async def test_remote_destinations_copy_where_they_can(
    doors: Doors, daily: Daily, places: str, request: pytest.FixtureRequest, client: Client
) -> None:
    made: Places = request.getfixturevalue(places)
    made_at = made()
    place = open_destination(made_at.address, made_at.secret)
    for days_ago in range(1, 4):
        await doors.open_on(days_ago, 10)
    remote = replace(daily, place=place)
    first, _, _ = await remote.write(Mode.DELTA, None)

    second, _, read = await remote.write(Mode.DELTA, first)

    assert read == (0 if place.can_copy() else 30)
    assert place.can_copy() is (places != "ftps_places")
    assert second.tables[0].rows == 30
    assert validate(place, client.code, Mode.DELTA, second.head.run_id) == []
    place.close()
