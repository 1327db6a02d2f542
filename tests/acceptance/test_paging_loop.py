"""The published paging loop, run in Node against a real server process."""

import asyncio
import json
import os
import re
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import pytest

from coldshelf.access.principal import Role
from coldshelf.access.service import add_user
from coldshelf.entrypoints.cli.demo import free_port
from coldshelf.entrypoints.processes import Processes, await_ready
from coldshelf.kit.ids import ClientId
from coldshelf.kit.runtime import Runtime
from tests.conftest import PASSWORD, REPOSITORY

PICTURES = 730
REPORT = "console.log(JSON.stringify({ ids: pulled.map(record => record.AssetPurityId), start }));"
ADD = """
    INSERT INTO picture (client_id, guid, scene_type, image_received_from, before_after, is_stitched, file_count,
        image_name, total_bytes, received_on, captured_on, captured_local, capture_time_source, status_id,
        submission_outcome)
    SELECT coldshelf_client(), gen_random_uuid(), 'ProductAnalysis', 1, 0, false, 1, 'a.jpg', 1, now(), now(),
        now()::timestamp, 'received', 13, 'AutoProvisioned' FROM generate_series(1, $1)"""


def block(name: str) -> str:
    found = re.search(
        rf"```js {name}\n(.*?)```", (REPOSITORY / "docs" / "paging.md").read_text(encoding="utf-8"), re.DOTALL
    )
    assert found
    return found[1]


@pytest.fixture
def node() -> str:
    found = shutil.which("node")
    if not found:
        pytest.skip("node is not installed")
    return found


@pytest.fixture
async def pictures(run: Runtime, client_id: ClientId) -> list[int]:
    async with run.database.scope(client_id) as connection:
        await connection.execute(ADD, PICTURES)
        return [row["id"] for row in await connection.fetch("SELECT id FROM picture ORDER BY id")]


@pytest.fixture
async def served(run: Runtime, client_id: ClientId, url: str, tmp_path: Path) -> AsyncIterator[dict[str, str]]:
    await add_user(run, client_id, "puller", password=PASSWORD, role=Role.SALES_REP)
    port = str(free_port(0))
    settings = {"COLDSHELF_DATABASE_URL": url, "COLDSHELF_PORT": port, "COLDSHELF_DATA_DIR": str(tmp_path / "data")}
    processes = Processes({**settings, "COLDSHELF_MAX_PAGE": os.environ.get("COLDSHELF_MAX_PAGE", "50000")})
    processes.start("api", ["api"])
    try:
        await asyncio.to_thread(await_ready, processes, f"http://127.0.0.1:{port}")
        yield {
            "COLDSHELF_URL": f"http://127.0.0.1:{port}",
            "COLDSHELF_USER": "puller",
            "COLDSHELF_PASSWORD": PASSWORD,
        }
    finally:
        await asyncio.to_thread(processes.stop)


async def pull(node: str, environment: dict[str, str], script: str) -> dict[str, list[int]]:
    process = await asyncio.create_subprocess_exec(
        node,
        "--input-type=module",
        "-e",
        script,
        env={**os.environ, **environment},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await asyncio.wait_for(process.communicate(), timeout=120)
    assert process.returncode == 0, err.decode()
    return json.loads(out)  # type: ignore[no-any-return]  # what REPORT prints


def script() -> str:
    return block("adapter") + block("loop") + REPORT


async def test_the_published_loop_fetches_every_record(node: str, served: dict[str, str], pictures: list[int]) -> None:
    found = await pull(node, served, script())

    assert found["ids"] == pictures


async def test_the_published_loop_misses_nothing_while_records_are_modified(
    node: str, served: dict[str, str], pictures: list[int], run: Runtime, client_id: ClientId, url: str
) -> None:
    stop = asyncio.Event()

    async def modify(offset: int) -> int:
        changed, connection = 0, await asyncpg.connect(url)
        await connection.execute(f"SET coldshelf.client_id = '{client_id}'")
        while not stop.is_set():
            async with connection.transaction():
                for number in range(5):
                    picture_id = pictures[(offset + changed * 7 + number) % 400]
                    await connection.execute("UPDATE picture SET notes = 'seen' WHERE id = $1", picture_id)
                await asyncio.sleep(0.02)
            changed += 5
        await connection.close()
        return changed

    writers = [asyncio.create_task(modify(offset)) for offset in (0, 120, 240)]
    await asyncio.sleep(0.2)
    slow = block("loop").replace("start += limit;", "start += limit; await new Promise(done => setTimeout(done, 150));")
    found = await pull(node, served, block("adapter") + slow + REPORT)
    stop.set()
    changes = sum(await asyncio.gather(*writers))

    untouched = set(pictures[400:])
    assert changes > 50
    assert untouched <= set(found["ids"])
    assert found["start"]
    again = await pull(node, served, script())
    assert again["ids"] == pictures


async def test_the_published_loop_ends_when_the_server_answers_with_an_error(
    node: str, served: dict[str, str], pictures: list[int]
) -> None:
    refused = await pull(node, {**served, "COLDSHELF_PASSWORD": "not the password"}, script())
    unknown = await pull(node, served, script().replace('"modifiedOn"', '"modifiedAt"'))

    assert refused["ids"] == []
    assert unknown["ids"] == []


def test_the_adapter_is_at_most_fifteen_lines() -> None:
    assert len(block("adapter").strip().splitlines()) <= 15


def test_the_loop_is_the_published_one_after_await_and_two_slips() -> None:
    page = REPOSITORY.parent / "shared" / "seeds" / "integration-protocols.txt"
    if not page.exists():
        pytest.skip("the published page is not here to compare with")
    published = re.search(r"const lastPull.*?\n}\n}", page.read_text(encoding="utf-8"), re.DOTALL)
    assert published

    mended = published[0].replace("cons limit", "const limit").replace("});\n});", "})\n});")

    assert block("loop").strip() == mended.replace("= fetch(", "= await fetch(")
