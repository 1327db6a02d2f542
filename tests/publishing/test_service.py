"""One run: what lies where, what the manifests say, and when nothing is published at all."""

import asyncio
import hashlib
import json
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import asyncpg
import pyarrow.parquet as pq
import pytest

from coldshelf.access.models import Client
from coldshelf.kit.errors import InputInvalid
from coldshelf.kit.ids import ClientId
from coldshelf.kit.runtime import Runtime
from coldshelf.publishing.destinations.file import FileDestination, FilePart
from coldshelf.publishing.errors import (
    ClientNotPublished,
    DatasetNotPublished,
    DestinationFailed,
    ExportStopped,
    PartDiffers,
    SnapshotFailed,
)
from coldshelf.publishing.models import BULK_DATASETS, Compression, Layout, Mode, Progress
from coldshelf.publishing.service import export
from coldshelf.records.registry import Registry
from tests.publishing.conftest import Publish
from tests.publishing.support import Cast, Forgetful, age, files_below, many_outlets, parts, rows


async def test_a_full_export_has_the_published_layout(publish: Publish, folder: Path, url: str, client: Client) -> None:
    await many_outlets(url, client.id, 3)

    manifest = await publish(mode=Mode.FULL, datasets=("Location", "Product"))

    run_id = manifest.head.run_id
    day = f"{manifest.head.started_on:%Y-%m-%d}"
    assert re.fullmatch(r"\d{8}T\d{12}Z-[0-9a-f]{8}", run_id)
    assert files_below(folder) == {
        *(
            f"Full/demo/{table}/{day}/{run_id}/{name}"
            for table in ("Location", "Product")
            for name in ("part-00000.parquet", "_manifest.json", "_SUCCESS")
        ),
        f"Full/demo/_runs/{run_id}/manifest.json",
        f"Full/demo/_runs/{run_id}/_SUCCESS",
    }


async def test_the_manifests_say_what_the_contract_says(
    publish: Publish, folder: Path, url: str, client: Client
) -> None:
    await many_outlets(url, client.id, 3)

    manifest = await publish(mode=Mode.DELTA, datasets=["Location"])

    table_folder = folder / manifest.head.table_folder("Location")
    table = json.loads((table_folder / "_manifest.json").read_bytes())
    content = (table_folder / "part-00000.parquet").read_bytes()
    modified = pq.read_table(table_folder / "part-00000.parquet")["ModifiedOn"].to_pylist()
    assert table == {
        "runId": manifest.head.run_id,
        "mode": "delta",
        "consistency": "snapshot",
        "client": "demo",
        "dataset": "Location",
        "key": ["LocationId"],
        "schemaVersion": BULK_DATASETS["Location"],
        "startedOn": _text(manifest.head.started_on),
        "asOf": _text(manifest.head.as_of),
        "windowFrom": table["windowFrom"],
        "rows": 3,
        "files": [
            {
                "path": "part-00000.parquet",
                "rows": 3,
                "bytes": len(content),
                "sha256": hashlib.sha256(content).hexdigest(),
                "minModifiedOn": _text(min(modified)),
                "maxModifiedOn": _text(max(modified)),
            }
        ],
    }
    window = datetime.fromisoformat(table["startedOn"]) - datetime.fromisoformat(table["windowFrom"])
    assert timedelta(days=30) <= window < timedelta(days=30, minutes=1)
    run = json.loads((folder / manifest.head.run_folder / "manifest.json").read_bytes())
    assert run == {
        **{name: table[name] for name in ("runId", "mode", "consistency", "client", "startedOn", "asOf", "windowFrom")},
        "rows": 3,
        "dictionary": [
            {"path": f"../../{file.path.removeprefix('Delta/demo/')}", "bytes": file.bytes, "sha256": file.sha256}
            for file in manifest.dictionary
        ],
        "tables": [
            {
                "dataset": "Location",
                "schemaVersion": BULK_DATASETS["Location"],
                "path": f"../../Location/{manifest.head.started_on:%Y-%m-%d}/{manifest.head.run_id}/_manifest.json",
                "rows": 3,
                "sha256": hashlib.sha256((table_folder / "_manifest.json").read_bytes()).hexdigest(),
            }
        ],
    }


def _text(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


async def test_a_full_export_has_no_window(publish: Publish, folder: Path) -> None:
    manifest = await publish(mode=Mode.FULL, datasets=["Location"])

    table = folder / manifest.head.table_folder("Location") / "_manifest.json"
    assert json.loads(table.read_bytes())["windowFrom"] is None


async def test_every_bulk_dataset_can_be_exported(publish: Publish, folder: Path) -> None:
    manifest = await publish(mode=Mode.FULL)

    assert [table.dataset for table in manifest.tables] == list(BULK_DATASETS)
    assert {dataset: len(parts(folder, manifest, dataset)) for dataset in BULK_DATASETS} == dict.fromkeys(
        BULK_DATASETS, 1
    )


async def test_an_empty_delta_is_a_file_with_schema_and_no_rows(
    publish: Publish, folder: Path, url: str, client: Client
) -> None:
    await many_outlets(url, client.id, 3)
    await age(url, "location", timedelta(days=31))

    full = await publish(mode=Mode.FULL, datasets=["Location"])
    delta = await publish(mode=Mode.DELTA, datasets=["Location"])

    (whole,) = parts(folder, full, "Location")
    (empty,) = parts(folder, delta, "Location")
    assert pq.read_metadata(empty).num_rows == 0
    assert pq.read_schema(empty) == pq.read_schema(whole)
    (file,) = delta.tables[0].files
    assert (file.rows, file.min_modified_on, file.max_modified_on) == (0, None, None)


async def test_parts_and_row_groups_have_the_wanted_size(
    publish: Publish, folder: Path, url: str, client: Client
) -> None:
    await many_outlets(url, client.id, 2_500)
    layout = Layout(part_rows=1_000, row_group_rows=300)

    manifest = await publish(mode=Mode.FULL, datasets=["Location"], layout=layout)

    found = parts(folder, manifest, "Location")
    assert [path.name for path in found] == ["part-00000.parquet", "part-00001.parquet", "part-00002.parquet"]
    groups = [pq.read_metadata(path) for path in found]
    sizes = [[meta.row_group(n).num_rows for n in range(meta.num_row_groups)] for meta in groups]
    assert sizes == [[300, 300, 300, 100], [300, 300, 300, 100], [300, 200]]
    keys = [row["LocationId"] for row in rows(folder, manifest, "Location")]
    assert keys == sorted(set(keys))
    assert len(keys) == 2_500


async def test_a_part_that_is_just_full_is_the_last(publish: Publish, url: str, client: Client) -> None:
    await many_outlets(url, client.id, 1_000)
    layout = Layout(part_rows=500, row_group_rows=500)

    manifest = await publish(mode=Mode.FULL, datasets=["Location"], layout=layout)

    assert [file.rows for file in manifest.tables[0].files] == [500, 500]


@pytest.mark.parametrize("compression", Compression)
async def test_files_are_written_for_all_named_readers(
    publish: Publish, folder: Path, url: str, client: Client, compression: Compression
) -> None:
    await many_outlets(url, client.id, 1_000)

    manifest = await publish(mode=Mode.FULL, datasets=["Location"], layout=Layout(compression))

    (path,) = parts(folder, manifest, "Location")
    metadata = pq.read_metadata(path)
    columns = [metadata.row_group(0).column(n) for n in range(metadata.num_columns)]
    assert {column.compression for column in columns} == {
        {"none": "UNCOMPRESSED"}.get(compression, compression.value.upper())
    }
    encodings = {encoding for column in columns for encoding in column.encodings}
    assert encodings <= {"PLAIN", "RLE", "PLAIN_DICTIONARY", "RLE_DICTIONARY"}
    assert metadata.metadata is None or b"ARROW:schema" not in metadata.metadata
    assert not [column.path_in_schema for column in columns if " " in column.path_in_schema]


async def test_later_runs_sort_after_earlier_ones_and_touch_nothing(publish: Publish, folder: Path) -> None:
    first = await publish(mode=Mode.FULL, datasets=["Location"])
    before = {name: (folder / name).stat().st_mtime_ns for name in files_below(folder)}

    second = await publish(mode=Mode.FULL, datasets=["Location"])

    assert first.head.run_id < second.head.run_id
    assert {name: (folder / name).stat().st_mtime_ns for name in before} == before
    assert len(files_below(folder)) == 2 * len(before)


async def test_progress_counts_rows_and_datasets(publish: Publish, url: str, client: Client) -> None:
    await many_outlets(url, client.id, 250)
    seen: list[Progress] = []

    await publish(
        mode=Mode.FULL, datasets=["Location", "Asset"], layout=Layout(row_group_rows=100), on_progress=seen.append
    )

    written = [progress.bytes for progress in seen]
    assert [size > 0 for size in written] == [False, False, False, True, True]
    assert [replace(progress, bytes=0) for progress in seen] == [
        Progress("Location", 1, 2, 100, finished=False),
        Progress("Location", 1, 2, 200, finished=False),
        Progress("Location", 1, 2, 250, finished=False),
        Progress("Location", 1, 2, 250, finished=True),
        Progress("Asset", 2, 2, 0, finished=True),
    ]


async def test_a_dataset_that_is_not_published_is_refused(publish: Publish, folder: Path) -> None:
    with pytest.raises(DatasetNotPublished, match="Contact is not published in bulk"):
        await publish(mode=Mode.FULL, datasets=["Location", "Contact"])

    assert files_below(folder) == set()


async def test_a_client_without_a_code_is_refused(run: Runtime, registry: Registry, url: str, folder: Path) -> None:
    operators = Client(ClientId(0), "", "Operators", "UTC", False, False, True)

    with pytest.raises(ClientNotPublished):
        await export(run, registry, url=url, client=operators, mode=Mode.FULL, destination=folder)

    assert files_below(folder) == set()


class FullDisk(FileDestination):
    """A folder that has room for so many bytes."""

    def __init__(self, root: Path, room: int) -> None:
        super().__init__(root)
        self.room = room

    def part(self, path: str) -> FilePart:
        destination = self

        class Part(FilePart):
            def write(self, chunk: bytes | memoryview) -> None:
                destination.room -= memoryview(chunk).nbytes
                if destination.room < 0:
                    raise DestinationFailed(f"{path}: No space left on device")
                super().write(chunk)

        return Part(self._path(path))


@pytest.mark.parametrize("share", [0, 0.5, 0.9, 0.96, 0.99])
async def test_a_run_that_fails_removes_what_it_wrote(
    publish: Publish, folder: Path, url: str, client: Client, share: float
) -> None:
    await many_outlets(url, client.id, 1_000)
    await publish(mode=Mode.FULL, datasets=["Location", "Product"])
    before = files_below(folder)
    room = int(share * sum((folder / name).stat().st_size for name in before))

    with pytest.raises(DestinationFailed, match="No space left"):
        await publish(mode=Mode.FULL, datasets=["Location", "Product"], destination=FullDisk(folder, room))

    assert files_below(folder) == before


@pytest.mark.parametrize("place", [0.1, 0.5, 0.9])
async def test_a_file_that_reads_back_differently_is_not_published(
    publish: Publish, folder: Path, url: str, client: Client, place: float
) -> None:
    await many_outlets(url, client.id, 1_000)

    with pytest.raises(PartDiffers, match=r"part-00000\.parquet reads back with other bytes"):
        await publish(mode=Mode.FULL, datasets=["Location"], destination=Forgetful(folder, place))

    assert files_below(folder) == set()


async def test_a_cancelled_run_stops_and_removes_what_it_wrote(
    publish: Publish, folder: Path, url: str, client: Client
) -> None:
    await many_outlets(url, client.id, 20_000)
    going = asyncio.Event()
    loop = asyncio.get_running_loop()
    seen: list[Progress] = []

    def note(progress: Progress) -> None:
        seen.append(progress)
        loop.call_soon_threadsafe(going.set)

    task = asyncio.create_task(
        publish(mode=Mode.FULL, datasets=["Location"], layout=Layout(row_group_rows=100), on_progress=note)
    )
    await going.wait()
    task.cancel()

    with pytest.raises(asyncio.CancelledError):
        await task
    assert files_below(folder) == set()
    assert not any(progress.finished for progress in seen)
    assert ExportStopped.retry


async def test_a_run_that_waits_for_a_lock_can_be_cancelled(
    publish: Publish, folder: Path, url: str, client: Client
) -> None:
    await many_outlets(url, client.id, 10)
    locker = await asyncpg.connect(url)
    async with locker.transaction():
        await locker.execute("LOCK TABLE product")
        task = asyncio.create_task(publish(mode=Mode.FULL, datasets=["Location", "Product"]))
        waits = "SELECT EXISTS (SELECT FROM pg_locks WHERE relation = 'product'::regclass AND NOT granted)"
        while not await locker.fetchval(waits):  # noqa: ASYNC110  # the event is the database's
            await asyncio.sleep(0.01)

        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asyncio.wait_for(task, 10)

    await locker.close()
    assert files_below(folder) == set()


async def test_a_database_that_goes_away_in_the_middle_leaves_nothing(
    publish: Publish, folder: Path, url: str, client: Client
) -> None:
    await many_outlets(url, client.id, 50_000)
    loop = asyncio.get_running_loop()

    async def end_it() -> None:
        admin = await asyncpg.connect(url)
        await admin.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND query LIKE 'COPY %'"
        )
        await admin.close()

    def note(progress: Progress) -> None:
        if progress.rows == 100:
            asyncio.run_coroutine_threadsafe(end_it(), loop).result(30)

    with pytest.raises(SnapshotFailed, match="reading Location: "):
        await publish(mode=Mode.FULL, datasets=["Location"], layout=Layout(row_group_rows=100), on_progress=note)

    assert files_below(folder) == set()


@pytest.mark.parametrize("sizes", [{"part_rows": 0}, {"row_group_rows": 0}, {"row_group_rows": 250_001}])
def test_sizes_that_cannot_be_are_refused(sizes: dict[str, int]) -> None:
    with pytest.raises(InputInvalid, match="Parts of"):
        Layout(**sizes)


async def test_two_tables_of_a_run_are_of_one_moment(publish: Publish, cast: Cast, folder: Path) -> None:
    await cast.outlets(range(2))
    loop = asyncio.get_running_loop()

    def add_meanwhile(progress: Progress) -> None:
        if progress.dataset == "Product" and progress.finished:
            asyncio.run_coroutine_threadsafe(cast.outlets(range(2, 5)), loop).result(30)

    manifest = await publish(mode=Mode.FULL, datasets=["Product", "Location"], on_progress=add_meanwhile)

    assert [row["LocationCode"] for row in rows(folder, manifest, "Location")] == ["L0", "L1"]
    assert manifest.head.as_of >= max(row["ModifiedOn"] for row in rows(folder, manifest, "Location"))
