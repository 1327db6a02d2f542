"""A client's rows come out for that client only."""

import asyncio
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import adbc_driver_manager
import adbc_driver_postgresql
import pyarrow as pa
import pytest

from coldshelf.access.models import Client
from coldshelf.access.service import load_client
from coldshelf.kit.ids import ClientId
from coldshelf.kit.runtime import Runtime
from coldshelf.publishing.errors import SnapshotFailed
from coldshelf.publishing.formats.snapshot import open_snapshot, reader_url
from coldshelf.publishing.models import BULK_DATASETS, Mode
from tests.publishing.conftest import Publish
from tests.publishing.support import Cast, files_below, many_outlets, rows


async def test_a_foreign_clients_rows_never_come_out(
    publish: Publish, run: Runtime, cast: Cast, other_client_id: ClientId, folder: Path
) -> None:
    for number, owner in enumerate((cast, cast.of(other_client_id))):
        await owner.save("AssetType", Name="Cooler")
        await owner.outlets([number])
        await owner.save("Asset", SerialNumber=f"A{number}", AssetType="Cooler", LocationCode=f"L{number}")
        await owner.save("Product", Name=f"P{number}", SKU=f"P{number}", ShortName="P")
    other = await load_client(run, other_client_id)

    mine = await publish(mode=Mode.FULL)
    theirs = await publish(mode=Mode.DELTA, client=other)

    for dataset in BULK_DATASETS:
        assert {row["ClientId"] for row in rows(folder, mine, dataset)} <= {cast.client_id}
        assert {row["ClientId"] for row in rows(folder, theirs, dataset)} <= {other.id}
    assert [row["SerialNumber"] for row in rows(folder, mine, "Asset")] == ["A0"]
    assert [row["SerialNumber"] for row in rows(folder, theirs, "Asset")] == ["A1"]
    assert {name.split("/")[1] for name in files_below(folder)} == {"demo", "other"}


def _count(url: str) -> int:
    with (
        adbc_driver_postgresql.connect(url) as database,
        adbc_driver_manager.AdbcConnection(database) as connection,
        adbc_driver_manager.AdbcStatement(connection) as statement,
    ):
        statement.set_sql_query("SELECT count(*) FROM location")
        handle, _ = statement.execute_query()
        return int(pa.RecordBatchReader.from_stream(handle).read_all().column(0)[0].as_py())


async def test_without_the_setting_no_row_comes(url: str, client: Client) -> None:
    await many_outlets(url, client.id, 5)
    with_setting = reader_url(url, client.id)

    without = with_setting.replace(f"coldshelf.client_id%3D{client.id}", "coldshelf.client_id%3D")

    assert without != with_setting
    assert (_count(with_setting), _count(without)) == (5, 0)


def test_the_settings_join_those_of_the_url() -> None:
    made = reader_url("postgresql://u:p%40ss@/db?host=%2Ftmp%2Fa%20b&options=-c%20work_mem%3D64MB&port=5", ClientId(7))

    assert made.startswith("postgresql://u:p%40ss@/db?host=%2Ftmp%2Fa%20b&port=5&options=")
    options = parse_qs(urlsplit(made).query)["options"]
    assert len(options) == 1
    assert options[0].startswith("-c work_mem=64MB -c role=coldshelf_reader -c coldshelf.client_id=7 ")


@pytest.mark.parametrize(
    "url", ["postgresql:///db", "postgresql://h1:1,h2:2/db", "postgres://[::1]:5/db?sslmode=disable"]
)
def test_whatever_the_url_names_stays(url: str) -> None:
    assert reader_url(url, ClientId(7)).startswith(url)


async def test_a_pooler_that_drops_the_settings_is_found_out(
    publish: Publish, url: str, client: Client, folder: Path, tmp_path: Path
) -> None:
    await many_outlets(url, client.id, 5)

    async with forgetful_pooler(url, tmp_path) as pooled:
        with pytest.raises(SnapshotFailed, match=f"not as coldshelf_reader for client {client.id}") as caught:
            await publish(mode=Mode.FULL, datasets=["Location"], url=pooled)

    assert "pooler" in caught.value.cure
    assert files_below(folder) == set()


async def test_a_database_that_does_not_answer_is_unavailable(publish: Publish, folder: Path, tmp_path: Path) -> None:
    with pytest.raises(SnapshotFailed, match="connecting: ") as caught:
        await publish(mode=Mode.FULL, url=f"postgresql://nobody@/nothing?host={tmp_path}")

    assert (caught.value.status, caught.value.retry) == (503, True)
    assert files_below(folder) == set()


async def test_the_connection_cannot_write(url: str, client: Client) -> None:
    with (
        open_snapshot(url, client.id) as snapshot,
        adbc_driver_manager.AdbcStatement(snapshot._connection) as statement,
    ):
        statement.set_sql_query("UPDATE location SET name = ''")
        with pytest.raises(adbc_driver_manager.Error, match=r"read-only transaction|permission denied"):
            statement.execute_update()


@asynccontextmanager
async def forgetful_pooler(url: str, folder: Path) -> AsyncIterator[str]:
    """A server between that passes everything on but the connection's options."""
    parts = urlsplit(url)
    query = parse_qs(parts.query)
    port = query.get("port", ["5432"])[0]
    tasks: set[asyncio.Task[None]] = set()
    writers: list[asyncio.StreamWriter] = []

    async def pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65536):
            writer.write(data)
        writer.close()

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        startup = await reader.readexactly(struct.unpack(">i", await reader.readexactly(4))[0] - 4)
        words = startup[4:].split(b"\0")
        kept = [word for pair in zip(words[::2], words[1::2], strict=False) if pair[0] != b"options" for word in pair]
        body = startup[:4] + b"\0".join(kept).rstrip(b"\0") + b"\0\0"
        server_reader, server_writer = await asyncio.open_unix_connection(f"{query['host'][0]}/.s.PGSQL.{port}")
        writers.extend((writer, server_writer))
        server_writer.write(struct.pack(">i", len(body) + 4) + body)
        for way in (pass_on(reader, server_writer), pass_on(server_reader, writer)):
            tasks.add(asyncio.create_task(way))

    socket_folder = folder / "pool"
    socket_folder.mkdir()
    server = await asyncio.start_unix_server(connected, socket_folder / ".s.PGSQL.5432")
    try:
        yield f"postgresql://{parts.netloc}{parts.path}?host={socket_folder}&port=5432&sslmode=disable&gssencmode=disable"
    finally:
        server.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for writer in writers:
            writer.close()
        await asyncio.gather(*(writer.wait_closed() for writer in writers), return_exceptions=True)
