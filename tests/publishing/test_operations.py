"""What an operator asks of published files: are they whole, are they what the database has, what is left over."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import asyncpg
import pytest

from coldshelf.access.models import Client
from coldshelf.access.principal import Role
from coldshelf.access.service import LimitDraft, add_user, set_limit
from coldshelf.entrypoints.bootstrap import known
from coldshelf.entrypoints.bootstrap import registry as registry_of_house
from coldshelf.kit.ids import ClientId
from coldshelf.kit.runtime import Runtime
from coldshelf.kit.testing import FakeClock
from coldshelf.publishing.comparing import Comparison
from coldshelf.publishing.destinations import open_destination
from coldshelf.publishing.errors import NotComparable
from coldshelf.publishing.inspecting import Flaw, validate
from coldshelf.publishing.models import Consistency, FileFormat, Layout, Mode, RunManifest
from coldshelf.publishing.reconciling import reconcile
from coldshelf.publishing.repairing import repair
from coldshelf.publishing.scheduling import look, start_run
from coldshelf.records.registry import Registry
from tests.publishing.conftest import Publish
from tests.publishing.support import (
    Cast,
    dictionaries,
    files_below,
    many_outlets,
    perform_waiting,
    publish_now,
    runs_of,
)

TOMORROW = datetime.now(UTC).replace(hour=2, minute=0, second=0, microsecond=0) + timedelta(days=2)
TORN = "20260101T000000000000Z-0000000a"
OTHER = "20260101T000000000000Z-0000000b"


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock(TOMORROW + timedelta(minutes=1))


@pytest.fixture
async def timed(run: Runtime, clock: FakeClock) -> Runtime:
    return replace(run, clock=clock)


@pytest.fixture
def exports(run: Runtime) -> Path:
    return run.settings.data_dir.absolute() / "exports"


def flaws(folder: Path, manifest: RunManifest) -> list[Flaw]:
    place, head = open_destination(folder), manifest.head
    return validate(place, head.client, head.mode, head.run_id)


# What is wrong with a run.


@pytest.mark.parametrize(
    ("form", "consistency"),
    [*((form, Consistency.SNAPSHOT) for form in FileFormat), (FileFormat.PARQUET, Consistency.CHUNKED)],
)
async def test_a_finished_run_has_no_flaw(
    publish: Publish, cast: Cast, folder: Path, form: FileFormat, consistency: Consistency
) -> None:
    await cast.outlets([1, 2, 3])

    manifest = await publish(mode=Mode.DELTA, layout=Layout(format=form, part_rows=2), consistency=consistency)

    assert flaws(folder, manifest) == []


def _change(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def _grow(path: Path) -> None:
    path.write_bytes(path.read_bytes() + b"\0")


BREAKS: dict[str, Callable[[Path, Path], object]] = {
    "_SUCCESS: is not there: the run is not finished": lambda run, _: (run / "_SUCCESS").unlink(),
    "_SUCCESS: is not there, though that of the run is": lambda _, table: (table / "_SUCCESS").unlink(),
    "manifest.json: sha256: the manifest says": lambda _, table: _change(table / "_manifest.json", "demo", "demi"),
    "manifest.json: client: the manifest says demo, it is demi": lambda run, _: _change(
        run / "manifest.json", '"client": "demo"', '"client": "demi"'
    ),
    "part-00001.parquet: is not there": lambda _, table: (table / "part-00001.parquet").unlink(),
    "part-00000.parquet: bytes: the manifest says": lambda _, table: _grow(table / "part-00000.parquet"),
    "part-00000.parquet: cannot be read": lambda _, table: (table / "part-00000.parquet").write_bytes(b"PAR1"),
    "part-00000.parquet: greatest ModifiedOn": lambda _, table: (table / "part-00000.parquet").write_bytes(
        (table / "part-00001.parquet").read_bytes()
    ),
    "_manifest.json: is not there": lambda _, table: (table / "_manifest.json").unlink(),
    "which is not among this client's files": lambda run, _: _change(
        run / "manifest.json", "../../Location", "../../../../Full/other/Location"
    ),
    "manifest.json: runId: Field required": lambda run, _: (run / "manifest.json").write_text("{}"),
}


@pytest.mark.parametrize("words", BREAKS)
async def test_what_is_broken_is_found_and_named(publish: Publish, cast: Cast, folder: Path, words: str) -> None:
    await cast.outlets([1, 2, 3])
    manifest = await publish(mode=Mode.FULL, datasets=["Location"], layout=Layout(part_rows=2))
    (table,) = manifest.tables

    BREAKS[words](folder / manifest.head.run_folder, folder / table.folder)

    found = flaws(folder, manifest)
    assert any(words in f"{flaw.where}: {flaw.what}" for flaw in found), found
    assert not any(flaw.is_note for flaw in found if words in f"{flaw.where}: {flaw.what}")


@pytest.mark.parametrize("suffix", ["json", "html"])
async def test_a_dictionary_that_was_changed_or_went_is_found(
    publish: Publish, cast: Cast, folder: Path, suffix: str
) -> None:
    manifest = await publish(mode=Mode.FULL, datasets=["Location"])
    (path,) = [folder / file.path for file in manifest.dictionary if file.path.endswith(suffix)]
    _change(path, "Location", "Loca-tion")

    changed = flaws(folder, manifest)
    path.unlink()
    gone = flaws(folder, manifest)

    assert {flaw.what.partition(":")[0] for flaw in changed} == {"bytes", "sha256"}
    assert [flaw.what for flaw in gone] == ["is not there"]
    assert {flaw.where for flaw in (*changed, *gone)} == {str(path.relative_to(folder))}


async def test_what_stands_in_no_manifest_is_noted_and_breaks_nothing(
    publish: Publish, cast: Cast, folder: Path
) -> None:
    await cast.outlets([1])
    manifest = await publish(mode=Mode.FULL, datasets=["Location"])
    (folder / manifest.tables[0].folder / "notes.txt").write_text("read me")

    (note,) = flaws(folder, manifest)

    assert (note.where.rpartition("/")[2], note.what, note.is_note) == ("notes.txt", "stands in no manifest", True)


# Files against the database.


@pytest.fixture
def compared(run: Runtime, registry: Registry, url: str, client: Client, folder: Path) -> Callable[..., object]:
    async def compare(manifest: RunManifest) -> list[Comparison]:
        head = manifest.head
        place = open_destination(folder)
        return await reconcile(run, registry, url=url, client=client, place=place, mode=head.mode, run_id=head.run_id)

    return compare


@pytest.mark.parametrize("mode", [Mode.FULL, Mode.DELTA])
async def test_a_run_equals_the_database_but_for_what_changed_since(
    publish: Publish, cast: Cast, compared: Publish, mode: Mode
) -> None:
    first, second, _ = await cast.outlets([1, 2, 3])
    manifest = await publish(mode=mode, layout=Layout(part_rows=2))
    before = {table.dataset: table for table in await compared(manifest)}
    await cast.save("Location", id=first, Name="Renamed")
    await cast.delete("Location", second)
    await cast.outlets([4])

    after = {table.dataset: table for table in await compared(manifest)}

    assert all(table.is_equal for table in [*before.values(), *after.values()])
    assert (before["Location"].rows_of_files, before["Location"].changed_since) == (3, 0)
    assert (after["Location"].rows_of_database, after["Location"].changed_since) == (4, 3)
    assert before["Location"].checksum_of_files != after["Location"].checksum_of_files


async def test_rows_that_files_lack_have_too_many_or_hold_otherwise_are_named(
    publish: Publish, cast: Cast, compared: Publish, url: str, client: Client
) -> None:
    await many_outlets(url, client.id, 60)
    manifest = await publish(mode=Mode.FULL, datasets=["Location"])
    connection = await asyncpg.connect(url)
    await connection.execute("SET session_replication_role = replica")
    ids = [row["id"] for row in await connection.fetch("SELECT id FROM location ORDER BY id")]
    await connection.execute("DELETE FROM location WHERE id = $1", ids[0])
    await connection.execute("UPDATE location SET modified_on = modified_on - interval '1 s' WHERE id = $1", ids[1])
    await connection.execute(
        "INSERT INTO location (client_id, id, code, name, created_on, created_by_user, modified_on, modified_by_user,"
        " revision) OVERRIDING SYSTEM VALUE SELECT client_id, id + 1000, 'N' || code, name, created_on,"
        " created_by_user, modified_on, modified_by_user, revision FROM location"
    )
    await connection.close()

    (table,) = await compared(manifest)

    assert not table.is_equal
    assert (table.surplus.count, table.surplus.first) == (1, (str(ids[0]),))
    assert (table.differing.count, table.differing.first) == (1, (str(ids[1]),))
    assert (table.missing.count, table.missing.first) == (59, tuple(str(one + 1000) for one in ids[1:21]))
    assert table.checksum_of_files != table.checksum_of_database


async def test_a_run_within_the_sight_of_a_partner_is_compared_within_it(
    timed: Runtime, cast: Cast, client_id: ClientId, client: Client, exports: Path, url: str, registry: Registry
) -> None:
    north, south = [await cast.save("Market", Name=name) for name in ("North", "South")]
    for code, market in (("L1", north), ("L2", south)):
        await cast.save("Location", Code=code, Name=code, City=code, MarketId=market)
    user_id, _ = await add_user(
        timed, client_id, "partner", password="correct horse battery", role=Role.SALES_REP, email="p@example.org"
    )
    async with timed.database.scope(client_id) as connection:
        draft = LimitDraft({"market": [north]}, ["Location"], [])
        await set_limit(connection, client_id, user_id, None, draft=draft, known=known(registry_of_house()))
    await cast.save("Publication", Name="Partner", Datasets="Location", PrimaryEmail="p@example.org")
    row = await publish_now(timed, client_id, "Partner")

    (table,) = await reconcile(
        timed, registry, url=url, client=client, place=open_destination(exports), mode=Mode.DELTA, run_id=row["run_id"]
    )

    assert (table.is_equal, table.rows_of_files, table.rows_of_database) == (True, 1, 1)


async def test_what_cannot_be_compared_says_why(publish: Publish, cast: Cast, compared: Publish, folder: Path) -> None:
    await cast.outlets([1])
    text = await publish(mode=Mode.FULL, datasets=["Location"], layout=Layout(format=FileFormat.CSV))
    torn = await publish(mode=Mode.FULL, datasets=["Location"])
    (folder / torn.head.run_folder / "_SUCCESS").unlink()

    with pytest.raises(NotComparable, match="is no Parquet file"):
        await compared(text)
    with pytest.raises(NotComparable, match="has no marker"):
        await compared(torn)


# What broken runs leave.


def _leave(exports: Path, run_id: str, *names: str) -> None:
    folder = exports / "Full/demo/Location/2026-01-01" / run_id
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        (folder / name).write_bytes(b"half")


@pytest.fixture
def nobody_writes(run: Runtime) -> Runtime:
    """An hour and more after the last write of a run by hand."""
    return replace(run, clock=FakeClock(datetime.now(UTC) + timedelta(hours=2)))


async def test_repair_lists_what_broken_runs_left_and_removes_it_when_told(
    run: Runtime, nobody_writes: Runtime, cast: Cast, client_id: ClientId, client: Client, exports: Path
) -> None:
    await cast.outlets([1])
    await cast.save("Publication", Name="Now", Mode="full", Datasets="Location")
    await publish_now(run, client_id, "Now")
    whole = files_below(exports)
    _leave(exports, TORN, ".part-00000.parquet.0a0b0c0d.tmp", "part-00000.parquet", "_manifest.json", "_SUCCESS")
    place = open_destination(exports)

    fresh = await repair(run, client, place, remove=True)
    listed = await repair(nobody_writes, client, place, remove=False)
    still = files_below(exports)
    await repair(nobody_writes, client, place, remove=True)

    path = f"Full/demo/Location/2026-01-01/{TORN}"
    assert [(one.path, one.kept) for one in fresh] == [(path, "it was written a moment ago")]
    assert [(one.path, one.what, one.kept) for one in listed] == [
        (path, "folder of a run by hand, without a marker", "")
    ]
    assert len(still - whole) == 4
    assert files_below(exports) == whole


async def test_repair_leaves_what_is_under_way_and_what_is_finished(
    nobody_writes: Runtime, run: Runtime, cast: Cast, client_id: ClientId, client: Client, exports: Path
) -> None:
    await cast.outlets([1])
    await cast.save("Publication", Name="Now", Mode="full", Datasets="Location")
    done = await publish_now(run, client_id, "Now")
    async with run.database.scope(client_id) as connection:
        await start_run(run, connection, client_id, "Now")
        await connection.execute("UPDATE publication_run SET run_id = $1 WHERE state = 'running'", TORN)
    _leave(exports, TORN, "part-00000.parquet")
    _leave(exports, OTHER, "part-00000.parquet")
    (exports / f"Full/demo/_runs/{done['run_id']}/.manifest.json.0a0b0c0d.tmp").write_bytes(b"half")
    (exports / "Full/demo/_dictionary/.dictionary-0a.json.0a0b0c0d.tmp").write_bytes(b"half")
    described = dictionaries(exports)
    before = files_below(exports)

    found = await repair(nobody_writes, client, open_destination(exports), remove=True)

    assert [(one.path.rpartition("/")[2], one.kept) for one in found] == [
        (TORN, "its run is under way"),
        (OTHER, ""),
        (".manifest.json.0a0b0c0d.tmp", ""),
        (".dictionary-0a.json.0a0b0c0d.tmp", ""),
    ]
    assert len(described) - len(dictionaries(exports)) == 1
    gone = before - files_below(exports)
    assert sorted(Path(name).name for name in gone) == [".manifest.json.0a0b0c0d.tmp", "part-00000.parquet"]
    assert not [name for name in gone if TORN in name]


async def test_a_done_run_that_lost_its_marker_is_said_and_stays(
    nobody_writes: Runtime, run: Runtime, cast: Cast, client_id: ClientId, client: Client, exports: Path
) -> None:
    await cast.save("Publication", Name="Now", Mode="full", Datasets="Location")
    done = await publish_now(run, client_id, "Now")
    (exports / f"Full/demo/_runs/{done['run_id']}/_SUCCESS").unlink()
    before = files_below(exports)

    found = await repair(nobody_writes, client, open_destination(exports), remove=True)

    assert {one.kept for one in found} == {"its run is done: `coldshelf validate` says what is wrong with it"}
    assert files_below(exports) == before


async def test_temporary_files_of_exchanges_go_and_those_of_others_stay(
    nobody_writes: Runtime, cast: Cast, client: Client, exports: Path
) -> None:
    await cast.save("Publication", Name="P", Mode="since", Datasets="Location", Format="csv",
        FileName="partner/{client}_{table}_{yyyyMMddHHmmss}")  # fmt: skip
    (exports / "partner").mkdir(parents=True)
    names = [
        ".demo_Location_20260101020000.csv.0a0b0c0d.tmp",
        ".other_Location_20260101020000.csv.0a0b0c0d.tmp",
        "demo_Location_20260101020000.csv",
    ]
    for name in names:
        (exports / "partner" / name).write_bytes(b"half")

    await repair(nobody_writes, client, open_destination(exports), remove=True)

    assert files_below(exports) == {f"partner/{name}" for name in names[1:]}


async def test_a_temporary_file_of_a_killed_attempt_is_not_in_the_way_of_the_next(
    timed: Runtime, cast: Cast, client_id: ClientId, exports: Path
) -> None:
    await cast.outlets([1])
    await cast.save("Publication", Name="P", Mode="since", Datasets="Location", Format="csv", Schedule="0 2 * * *",
        FileName="partner/{client}_{table}_{yyyyMMddHHmmss}")  # fmt: skip
    await look(timed)
    (exports / "partner").mkdir(parents=True)
    name = f"demo_Location_{TOMORROW:%Y%m%d}020000.csv"
    (exports / f"partner/.{name}.tmp").write_bytes(b"half")
    async with timed.database.system() as connection:
        await connection.execute("UPDATE publication_run SET attempts = 1, run_id = $1", TORN)

    await perform_waiting(timed)

    assert (await runs_of(timed, client_id))[-1]["state"] == "done"
    assert (exports / "partner" / name).read_text().count("\n") == 2
