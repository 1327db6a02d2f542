"""Legal erasure: a tombstone at once; after 35 days what was published of the record is gone, or named."""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from deltalake import DeltaTable
from fastapi import FastAPI

from coldshelf.access.models import Client
from coldshelf.access.principal import Role, house
from coldshelf.access.service import add_user
from coldshelf.kit.ids import ClientId
from coldshelf.kit.runtime import Runtime
from coldshelf.kit.testing import FakeClock
from coldshelf.publishing.cleaning import Cleaning, Erased
from coldshelf.publishing.destination import PartWriter
from coldshelf.publishing.destinations import open_destination
from coldshelf.publishing.destinations.file import FileDestination
from coldshelf.publishing.erasing import Wish, erase, look, outlook
from coldshelf.publishing.errors import DestinationFailed, NotErasable
from coldshelf.publishing.inspecting import validate
from coldshelf.publishing.models import FileFormat, Layout, Mode, RunManifest
from coldshelf.publishing.repairing import repair
from coldshelf.publishing.scheduling import start_run
from coldshelf.publishing.schemas import bulk_columns
from coldshelf.records.errors import RecordInUse, RecordNotFound
from coldshelf.records.registry import Registry
from tests.conformance.world import save_world
from tests.conftest import PASSWORD, signed_in_client
from tests.publishing.conftest import Publish
from tests.publishing.servers import Places
from tests.publishing.support import Cast, files_below, perform_waiting, rows, runs_of
from tests.publishing.test_missed_runs import ADD_PICTURES

LATER = timedelta(days=36)


@dataclass(frozen=True, slots=True)
class Desk:
    """Erases records of `demo`, and lets days pass."""

    run: Runtime
    registry: Registry
    client: Client
    clock: FakeClock

    async def erase(self, dataset: str, row_id: int) -> int:
        return await erase(self.run, self.registry, house(self.client.id, "clerk"), Wish(dataset, row_id, "asked for"))

    async def outlook(self, dataset: str, row_id: int) -> list[dict[str, Any]]:
        found = await outlook(self.run, self.registry, house(self.client.id, "clerk"), Wish(dataset, row_id))
        return [one.as_json() for one in found]

    async def pass_days(self, by: timedelta = LATER) -> int:
        """Let a scheduler look after that time, and a worker do what it asks for; give how many steps there were."""
        self.clock.set(datetime.now(UTC) + by)
        await look(self.run)
        return await perform_waiting(self.run, "publishing.erase")

    async def erasure(self, erasure_id: int) -> dict[str, Any]:
        async with self.run.database.scope(self.client.id, readonly=True) as connection:
            row = await connection.fetchrow("SELECT * FROM erasure WHERE id = $1", erasure_id)
        assert row is not None
        return {**row, "report": json.loads(row["report"])}

    async def publish(self, name: str, mode: Mode | None = None) -> dict[str, Any]:
        async with self.run.database.scope(self.client.id, user_name="admin") as connection:
            started = await start_run(self.run, connection, self.client.id, name, mode)
        await perform_waiting(self.run)
        row = next(row for row in await runs_of(self.run, self.client.id) if row["id"] == started["id"])
        assert row["state"] == "done", row["error"]
        return row


@pytest.fixture
def desk(run: Runtime, registry: Registry, client: Client) -> Desk:
    clock = FakeClock(datetime.now(UTC))
    return Desk(replace(run, clock=clock), registry, client, clock)


@pytest.fixture
def exports(run: Runtime) -> Path:
    return run.settings.data_dir.absolute() / "exports"


def texts_of(folder: Path) -> str:
    """Give all that can be read in files below a folder: values of Parquet files, the text of others."""
    said = []
    for path in sorted(folder.rglob("*")):
        if path.suffix == ".parquet":
            said.append(str(pq.ParquetFile(path).read().to_pylist()))
            said.append(str(path.read_bytes()))
        elif path.is_file():
            said.append(path.read_bytes().decode("utf-8", "replace"))
    return "".join(said)


def what(report: list[dict[str, Any]]) -> list[tuple[str, str]]:
    return sorted({(one["What"], one["Path"].split("/")[0]) for one in report if one["Destination"]})


async def outlets_of_anna(desk: Desk, cast: Cast) -> tuple[int, list[int]]:
    """Add the user Anna, who made two outlets of four."""
    user = await cast.save(
        "User", FirstName="Annabel", LastName="Quist", PrimaryEmail="anna@example.org", Role="Sales Rep"
    )
    async with desk.run.database.scope(desk.client.id, user_id=user, user_name="anna@example.org") as connection:  # type: ignore[arg-type]  # ids are plain here
        text = "INSERT INTO location (client_id, code, name) VALUES ($1, $2, $2) RETURNING id"
        made = [await connection.fetchval(text, desk.client.id, code) for code in ("A1", "A2")]
    return user, [*made, *await cast.outlets([1, 2])]


async def test_a_user_leaves_every_row_file_and_table_and_everything_else_stays(
    desk: Desk, cast: Cast, exports: Path, client: Client
) -> None:
    user, _ = await outlets_of_anna(desk, cast)
    await cast.save("Publication", Name="Lake", Mode="full", Datasets="User,Location", OpenTables="true")
    old = await desk.publish("Lake")
    before = rows_below(exports, old, "Location")
    assert "anna@example.org" in texts_of(exports)

    erasure = await desk.erase("User", user)
    new = await desk.publish("Lake", Mode.DELTA)
    early = await desk.pass_days(timedelta(days=34))

    tombstone = next(row for row in rows_below(exports, new, "User") if row["UserId"] == user)
    assert {name for name, value in tombstone.items() if value not in (None, "", False)} == {
        *("UserId", "ClientId", "IsDeleted", "CreatedOn", "CreatedByUser", "ModifiedByUser", "ModifiedOn")
    }
    assert (tombstone["IsDeleted"], tombstone["ModifiedByUser"]) == (1, "clerk")
    assert "anna" not in str(rows_below(exports, new, "Location")).lower()
    assert (early, (await desk.erasure(erasure))["state"]) == (0, "waiting")
    assert "anna@example.org" in texts_of(exports)

    assert await desk.pass_days() == 1

    done = await desk.erasure(erasure)
    assert (done["state"], done["error"], done["created_by_user"], done["reason"]) == ("done", "", "clerk", "asked for")
    assert what(done["report"]) == [("cleaned", "Tables"), ("rewritten", "Full")]
    for name in ("anna@example.org", "Annabel", "Quist"):
        assert name not in texts_of(exports)
    assert validate(FileDestination(exports), client.code, Mode.FULL, old["run_id"]) == []
    assert [row for row in rows_below(exports, old, "User") if row["UserId"] == user] == []
    after = rows_below(exports, old, "Location")
    changed = {"CreatedByUser", "ModifiedByUser"}
    assert [without(row, changed) for row in after] == [without(row, changed) for row in before]
    assert [row["CreatedByUser"] for row in after] == [None, None, "admin", "admin"]
    table = pa.table(DeltaTable(exports / "Tables" / "demo" / "Location").to_pyarrow_table())
    assert table.num_rows == 4
    assert await desk.pass_days(LATER * 2) == 0


def rows_below(exports: Path, row: dict[str, Any], dataset: str) -> list[dict[str, Any]]:
    table = next(table for table in json.loads(row["tables"]) if table["dataset"] == dataset)
    folder = exports / table["path"]
    named = {file["path"] for file in json.loads((folder / "_manifest.json").read_bytes())["files"]}
    assert {path.name for path in folder.glob("*.parquet")} == named
    found = [one for path in folder.glob("*.parquet") for one in pq.ParquetFile(path).read().to_pylist()]
    return sorted(found, key=lambda one: one[f"{dataset}Id"])


def without(row: dict[str, Any], names: set[str]) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name not in names}


async def test_every_entity_can_be_erased_and_nothing_of_it_is_left(
    admin: httpx.AsyncClient, desk: Desk, registry: Registry
) -> None:
    world = await save_world(admin)

    for name in reversed(list(registry.entities)):
        await desk.erase(name, world[name])

    async with desk.run.database.scope(desk.client.id, readonly=True) as connection:
        for name, entity in registry.entities.items():
            row = await connection.fetchrow(f"SELECT * FROM {entity.table} WHERE id = $1", world[name])
            assert row is not None
            assert row["is_deleted"]
            texts = {key: value for key, value in row.items() if isinstance(value, str) and len(value) > 1}
            assert set(texts) <= {"created_by_user", "modified_by_user", "planogram_use"}, name


async def test_a_record_in_use_unknown_or_of_no_entity_is_refused_and_stays(
    desk: Desk, cast: Cast, registry: Registry, other_client_id: ClientId
) -> None:
    (outlet,) = await cast.outlets([1])
    await cast.save("AssetType", Name="Cooler")
    await cast.save("Asset", SerialNumber="S", AssetType="Cooler", LocationCode="L1")
    (foreign,) = await cast.of(other_client_id).outlets([7])

    for wish, error in (
        (("Location", outlet), RecordInUse),
        (("Location", 10**9), RecordNotFound),
        (("Location", foreign), RecordNotFound),
        (("AssetPurityProduct", 1), NotErasable),
    ):
        with pytest.raises(error):
            await desk.erase(*wish)
        with pytest.raises(error):
            await desk.outlook(*wish)

    async with desk.run.database.scope(desk.client.id, readonly=True) as connection:
        assert await connection.fetchval("SELECT count(*) FROM erasure") == 0
        assert await connection.fetchval("SELECT name FROM location WHERE id = $1", outlet) == "Outlet 1"


async def test_a_deleted_record_can_be_erased(desk: Desk, cast: Cast) -> None:
    first, second = await cast.outlets([1, 2])
    await cast.delete("Location", first)

    await desk.erase("Location", first)

    async with desk.run.database.scope(desk.client.id, readonly=True) as connection:
        found = await connection.fetch("SELECT id, name, code, is_deleted FROM location ORDER BY id")
    assert [tuple(row) for row in found] == [(first, "", "", True), (second, "Outlet 2", "L2", False)]


async def test_a_check_names_what_would_be_reached_and_changes_nothing(
    desk: Desk, cast: Cast, exports: Path, registry: Registry
) -> None:
    first, _ = await cast.outlets([1, 2])
    await cast.save("Publication", Name="Lake", Mode="full", Datasets="Location,Asset", OpenTables="true")
    run = await desk.publish("Lake")
    before = {name: (exports / name).read_bytes() for name in files_below(exports)}

    found = await desk.outlook("Location", first)

    assert {name: (exports / name).read_bytes() for name in files_below(exports)} == before
    assert [(one["What"], one["Path"]) for one in found] == [
        ("made a tombstone", f"Location {first}"),
        ("rewritten", f"{table_path(run, 'Location')}/part-00000.parquet"),
        ("cleaned", "Tables/demo/Location"),
        ("out of reach", "backups of the database, exports by hand to other folders, copies that readers made"),
    ]
    async with desk.run.database.scope(desk.client.id, readonly=True) as connection:
        assert await connection.fetchval("SELECT count(*) FROM location WHERE is_deleted") == 0


def table_path(row: dict[str, Any], dataset: str) -> str:
    return str(next(table["path"] for table in json.loads(row["tables"]) if table["dataset"] == dataset))


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({"Format": "csv"}, "no Parquet"),
        ({"Columns": '{"Location": ["Name", "ModifiedOn", "IsDeleted"]}'}, "lack LocationId"),
    ],
)
async def test_files_that_cannot_be_filtered_go_with_their_run(
    desk: Desk, cast: Cast, exports: Path, fields: dict[str, str], why: str
) -> None:
    (outlet,) = await cast.outlets([77])
    await cast.save("Publication", Name="Text", Mode="full", Datasets="Location", **fields)
    old = await desk.publish("Text")
    erasure = await desk.erase("Location", outlet)
    new = await desk.publish("Text")

    await desk.pass_days()

    report = (await desk.erasure(erasure))["report"]
    assert [(one["What"], one["RunId"]) for one in report if one["RunId"]] == [("removed", old["run_id"])]
    assert why in report[0]["Why"]
    runs = {row["id"]: row for row in await runs_of(desk.run, desk.client.id)}
    assert (runs[old["id"]]["expired_on"] is None, runs[new["id"]]["expired_on"] is None) == (False, True)
    left = files_below(exports)
    assert not [name for name in left if old["run_id"] in name]
    assert [name for name in left if new["run_id"] in name]
    assert "Outlet 77" not in texts_of(exports)


async def test_a_column_with_a_name_of_its_own_is_found_by_the_key_of_the_manifest(
    desk: Desk, cast: Cast, exports: Path
) -> None:
    first, _ = await cast.outlets([77, 78])
    columns = '{"Location": {"LocationId": "Outlet", "Name": "Shop"}}'
    await cast.save("Publication", Name="Own", Mode="full", Datasets="Location", Columns=columns)
    old = await desk.publish("Own")
    await desk.erase("Location", first)

    await desk.pass_days()

    (path,) = (exports / table_path(old, "Location")).glob("*.parquet")
    assert [row["Shop"] for row in pq.ParquetFile(path).read().to_pylist()] == ["Outlet 78"]


async def test_what_was_handed_over_is_named_with_path_run_and_date(
    desk: Desk, cast: Cast, exports: Path, tmp_path: Path, sftp_places: Places
) -> None:
    (outlet,) = await cast.outlets([1])
    partner = sftp_places()
    listed = tmp_path / "destinations.json"
    listed.write_text(
        json.dumps(
            {
                "partner": {"address": partner.address, "secret": partner.secret},
                "gone": {"address": "file:///nowhere", "clients": ["demo"]},
            }
        )
    )
    settings = desk.run.settings.model_copy(update={"destinations_file": listed})
    desk = replace(desk, run=replace(desk.run, settings=settings))
    await cast_with(desk, "Publication", Name="Files", Mode="full", Datasets="Location", FileName="in/{table}")
    await cast_with(desk, "Publication", Name="Far", Mode="full", Datasets="Location", Destination="partner")
    handed, far = await desk.publish("Files"), await desk.publish("Far")
    erasure = await desk.erase("Location", outlet)

    await desk.pass_days()

    done = await desk.erasure(erasure)
    named = {(one["Destination"], one["Path"], one["RunId"]) for one in done["report"] if one["RunId"]}
    assert named == {
        ("exports", "in/Location.parquet", handed["run_id"]),
        ("partner", table_path(far, "Location"), far["run_id"]),
    }
    assert {one["What"] for one in done["report"]} == {"out of reach"}
    dates = {one["AsOf"] for one in done["report"] if one["RunId"]}
    assert dates == {row["as_of"].astimezone(UTC).isoformat() for row in (handed, far)}
    assert (exports / "in/Location.parquet").exists()


async def cast_with(desk: Desk, entity: str, **params: object) -> int:
    return await Cast(desk.run, desk.registry, desk.client.id).save(entity, **params)


async def test_a_destination_that_does_not_answer_is_tried_again(
    desk: Desk, cast: Cast, exports: Path, tmp_path: Path
) -> None:
    (outlet,) = await cast.outlets([1])
    await cast.save("Publication", Name="Lake", Mode="full", Datasets="Location")
    await desk.publish("Lake")
    listed = tmp_path / "destinations.json"
    far = "s3://nobody/x?region=eu-west-1&endpoint=http://127.0.0.1:9"
    secret = {"access_key_id": "a", "secret_access_key": "b"}
    listed.write_text(json.dumps({"far": {"address": far, "secret": secret}}))
    away = replace(desk.run, settings=desk.run.settings.model_copy(update={"destinations_file": listed}))
    erasure = await desk.erase("Location", outlet)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("coldshelf.publishing.destinations.s3.RETRIES", {"max_retries": 0})
        await replace(desk, run=away).pass_days()

    waiting = await desk.erasure(erasure)
    assert (waiting["state"], waiting["error"].startswith("s3://nobody/x")) == ("waiting", True)
    assert await desk.pass_days(LATER + timedelta(hours=1)) == 0
    assert await desk.pass_days(LATER + timedelta(days=2)) == 1
    assert (await desk.erasure(erasure))["state"] == "done"
    assert "Outlet 1" not in texts_of(exports)


class Breaking(FileDestination):
    """A folder that lets so many changes pass, and then none."""

    def __init__(self, root: Path, changes: int) -> None:
        super().__init__(root)
        self.changes = changes

    def _count(self, path: str) -> None:
        self.changes -= 1
        if self.changes < 0:
            raise DestinationFailed(f"{path}: broken off")

    def replacement(self, path: str) -> PartWriter:
        self._count(path)
        return super().replacement(path)

    def remove(self, path: str) -> None:
        self._count(path)
        super().remove(path)


async def published_twice(publish: Publish, cast: Cast) -> tuple[RunManifest, list[int]]:
    outlets = await cast.outlets(range(1, 8))
    await cast.save("AssetType", Name="Cooler")
    return await publish(mode=Mode.FULL, datasets=["Location", "AssetType"], layout=Layout(part_rows=3)), outlets


def clean(place: FileDestination, registry: Registry, outlet: int, erasure: int = 5) -> list[str]:
    columns = {name: frozenset(shown for shown, _ in bulk_columns(one)) for name, one in registry.datasets.items()}
    erased = Erased(id=erasure, dataset="Location", row_id=outlet, erased_on=datetime.now(UTC))
    return [one.path for one in Cleaning(place, "exports", "demo", [erased], columns, True).runs()]


@pytest.mark.parametrize("changes", range(4))  # the part, the manifest of the table, that of the run, the old part
async def test_wherever_it_is_broken_off_the_next_attempt_makes_the_run_whole(
    publish: Publish, cast: Cast, folder: Path, registry: Registry, run: Runtime, client: Client, changes: int
) -> None:
    manifest, outlets = await published_twice(publish, cast)

    with pytest.raises(DestinationFailed, match="broken off"):
        clean(Breaking(folder, changes), registry, outlets[4])
    left = [row["Name"] for row in readable(folder, manifest)]
    clean(Breaking(folder, 4), registry, outlets[4])

    cleaned = [f"Outlet {n}" for n in (1, 2, 3, 4, 6, 7)]
    assert left == ([f"Outlet {n}" for n in range(1, 8)] if changes < 2 else cleaned)
    assert [row["Name"] for row in rows(folder, manifest, "Location")] == cleaned
    assert validate(FileDestination(folder), "demo", Mode.FULL, manifest.head.run_id) == []
    assert await repair(run, client, FileDestination(folder), remove=False) == []
    assert len(list((folder / manifest.head.table_folder("Location")).glob("part-*"))) == 3


@pytest.mark.parametrize("changes", range(4))  # the marker, two tables, the folder of the run
async def test_a_removal_that_is_broken_off_is_ended_by_the_next_attempt(
    publish: Publish, cast: Cast, folder: Path, registry: Registry, changes: int
) -> None:
    outlets = await cast.outlets([1])
    layout = Layout(format=FileFormat.CSV)
    await publish(mode=Mode.FULL, datasets=["AssetType", "Location"], layout=layout)

    with pytest.raises(DestinationFailed, match="broken off"):
        clean(Breaking(folder, changes), registry, outlets[0])
    left = files_below(folder)
    clean(Breaking(folder, 4), registry, outlets[0])

    assert left
    assert [name for name in left if name.endswith("_SUCCESS") and "_runs" in name] == [] or changes == 0
    assert files_below(folder) == set()


def readable(folder: Path, manifest: RunManifest) -> Iterator[dict[str, Any]]:
    """Read a table as one does who takes the manifest of the table for granted."""
    table = folder / manifest.head.table_folder("Location")
    for file in json.loads((table / "_manifest.json").read_bytes())["files"]:
        content = (table / file["path"]).read_bytes()
        assert hashlib.sha256(content).hexdigest() == file["sha256"]
        yield from pq.ParquetFile(pa.BufferReader(content)).read().to_pylist()


async def test_a_part_is_written_anew_as_it_was_and_again_by_the_next_erasure(
    publish: Publish, cast: Cast, folder: Path, registry: Registry
) -> None:
    manifest, outlets = await published_twice(publish, cast)
    table = folder / manifest.head.table_folder("Location")
    old = pq.ParquetFile(table / "part-00001.parquet")
    expected = [row for row in old.read().to_pylist() if row["LocationId"] != outlets[4]]

    clean(FileDestination(folder), registry, outlets[4], 5)
    first = {path.name for path in table.glob("*.parquet")}
    kept = pq.ParquetFile(table / "part-00001-e5.parquet")
    clean(FileDestination(folder), registry, outlets[5], 6)

    assert first == {"part-00000.parquet", "part-00001-e5.parquet", "part-00002.parquet"}
    assert kept.schema.equals(old.schema)
    assert kept.read().to_pylist() == expected
    second = {path.name for path in table.glob("*.parquet")}
    assert (first - second, second - first) == ({"part-00001-e5.parquet"}, {"part-00001-e6.parquet"})
    assert validate(FileDestination(folder), "demo", Mode.FULL, manifest.head.run_id) == []
    assert clean(FileDestination(folder), registry, outlets[5], 7) == []


async def test_a_manifest_that_something_else_changed_is_not_made_good(
    publish: Publish, cast: Cast, folder: Path, registry: Registry
) -> None:
    manifest, outlets = await published_twice(publish, cast)
    path = folder / manifest.head.table_folder("Location") / "_manifest.json"
    path.write_text(path.read_text().replace('"schemaVersion": ', '"schemaVersion":  '))

    clean(FileDestination(folder), registry, 10**9)

    assert "sha256" in str(validate(FileDestination(folder), "demo", Mode.FULL, manifest.head.run_id))
    assert outlets


@pytest.mark.parametrize("places", ["azure_places", "s3_places"])
async def test_object_stores_are_rewritten_too(
    publish: Publish, cast: Cast, registry: Registry, places: str, request: pytest.FixtureRequest
) -> None:
    made: Places = request.getfixturevalue(places)
    at = made()
    place = open_destination(at.address, at.secret)
    outlets = await cast.outlets([1, 2, 3])
    manifest = await publish(mode=Mode.FULL, datasets=["Location"], destination=place)

    reached = clean(place, registry, outlets[1])  # type: ignore[arg-type]  # any destination will do

    assert len(reached) == 1
    assert validate(place, "demo", Mode.FULL, manifest.head.run_id) == []
    with place.open(f"{manifest.head.table_folder('Location')}/part-00000-e5.parquet") as file:
        assert pq.ParquetFile(file).read().column("Name").to_pylist() == ["Outlet 1", "Outlet 3"]


async def test_a_picture_goes_with_all_that_was_made_of_it(desk: Desk, exports: Path, app: FastAPI) -> None:
    objects = desk.run.objects
    async with desk.run.database.scope(desk.client.id, user_name="admin") as connection:
        await connection.execute(ADD_PICTURES, desk.client.id, 2)
        await connection.execute("UPDATE picture SET notes = 'a man in a red coat', imei = '490154203237518'")
        picture, other = (row["id"] for row in await connection.fetch("SELECT id FROM picture ORDER BY id"))
        for owner in (picture, other):
            objects.put(f"originals/{owner}", b"pixels")
            objects.put(f"renditions/{owner}", b"pixels")
            await connection.execute(
                "INSERT INTO picture_file (client_id, picture_id, number, place, file_name, object_key, sha256, bytes)"
                " VALUES ($1, $2, 1, 1, 'anna.jpg', 'originals/' || $2::bigint, '', 6)",
                desk.client.id,
                owner,
            )
            await connection.execute(
                "INSERT INTO rendition (client_id, picture_id, kind, made_by, object_key, width, height, bytes)"
                " VALUES ($1, $2, 'stitched', 'x', 'renditions/' || $2::bigint, 1, 1, 6)",
                desk.client.id,
                owner,
            )
        guid = await connection.fetchval("SELECT guid FROM picture WHERE id = $1", picture)
    found = await desk.outlook("AssetPurity", picture)

    erasure = await desk.erase("AssetPurity", picture)

    assert [one["Path"] for one in found][:3] == [
        f"AssetPurity {picture}",
        f"originals/{picture}",
        f"renditions/{picture}",
    ]
    store = desk.run.settings.data_dir
    kept = {path.name for path in store.rglob("*") if path.parent.name in {"originals", "renditions"}}
    assert kept == {str(other)}
    async with desk.run.database.scope(desk.client.id, readonly=True) as connection:
        row = await connection.fetchrow("SELECT * FROM picture WHERE id = $1", picture)
        names = await connection.fetch("SELECT file_name FROM picture_file ORDER BY picture_id")
    assert row is not None
    assert (row["is_deleted"], row["notes"], row["imei"]) == (True, "", None)
    assert [name["file_name"] for name in names] == ["", "anna.jpg"]
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://coldshelf.test") as http:
        assert (await http.get(f"/controllers/imagepreview.ashx?guid={guid}")).status_code in {302, 404}
    await desk.pass_days()
    assert (await desk.erasure(erasure))["state"] == "done"


async def test_what_imports_noted_goes_and_their_files_are_named(desk: Desk, cast: Cast) -> None:
    first, second = await cast.outlets([1, 2])
    async with desk.run.database.scope(desk.client.id, user_name="admin") as connection:
        imported = await connection.fetchval(
            "INSERT INTO import_run (client_id, guid, type, state, source, file_name, object_key, sha256, file_size)"
            " VALUES ($1, gen_random_uuid(), 'outlet', 'done', 'api', 'outlets.csv', 'imports/ab/1', '', 1)"
            " RETURNING id",
            desk.client.id,
        )
        for number, outlet in enumerate((first, second)):
            await connection.execute(
                "INSERT INTO import_change (client_id, import_run_id, number, row_number, entity, kind, entity_id,"
                " before_image) VALUES ($1, $2, $3, 1, 'Location', 'update', $4, '{\"name\": \"was\"}')",
                desk.client.id,
                imported,
                number,
                outlet,
            )

    erasure = await desk.erase("Location", first)
    await desk.pass_days()

    report = (await desk.erasure(erasure))["report"]
    assert (report[0]["Path"], report[0]["What"]) == ("imports/ab/1", "out of reach")
    assert "outlets.csv" in report[0]["Why"]
    async with desk.run.database.scope(desk.client.id, readonly=True) as connection:
        kept = await connection.fetch("SELECT before_image IS NULL AS gone FROM import_change ORDER BY number")
    assert [row["gone"] for row in kept] == [True, False]


async def test_the_door_takes_admins_once_and_says_what_came(
    admin: httpx.AsyncClient, run: Runtime, app: FastAPI, client_id: ClientId, cast: Cast, stranger: httpx.AsyncClient
) -> None:
    (outlet,) = await cast.outlets([1])
    wish = {"Dataset": "Location", "RecordId": outlet, "Reason": "letter of 3 May"}

    async with await signed_in_client(run, app, client_id, "rep", Role.SALES_REP) as rep:
        refused = await rep.post("/api/v1/erasures", json=wish)
    foreign = await stranger.post("/api/v1/erasures", json=wish)
    checked = await admin.post("/api/v1/erasures", json={**wish, "Check": True})
    begun = await admin.post("/api/v1/erasures", json=wish, headers={"Idempotency-Key": "k"})
    again = await admin.post("/api/v1/erasures", json=wish, headers={"Idempotency-Key": "k"})

    assert (refused.status_code, foreign.status_code, checked.status_code) == (403, 404, 200)
    assert checked.json()["Reached"][0]["Path"] == f"Location {outlet}"
    assert (begun.status_code, again.status_code, again.json()) == (202, 202, begun.json())
    shown = (await admin.get(begun.headers["Location"])).json()
    assert (shown["State"], shown["RecordId"], shown["Reason"]) == ("waiting", outlet, "letter of 3 May")
    assert shown["CreatedByUser"] == "admin"
    assert (await stranger.get(begun.headers["Location"])).status_code == 404


async def test_an_erased_user_cannot_sign_in(desk: Desk, app: FastAPI, client_id: ClientId) -> None:
    user, _ = await add_user(
        desk.run, client_id, "gone", password=PASSWORD, role=Role.CLIENT_ADMIN, email="gone@example.org"
    )
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app), base_url="http://coldshelf.test", auth=("gone", PASSWORD)
    ) as http:
        before = (await http.get("/api/v1/locations")).status_code

        await desk.erase("User", user)

        assert (before, (await http.get("/api/v1/locations")).status_code) == (200, 401)
