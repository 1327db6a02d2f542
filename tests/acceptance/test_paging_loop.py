"""The published paging loop, run in Node against a real server process, as docs/paging.md prints it."""

import asyncio
import json
import os
import random
import re
import secrets
import shutil
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass

import asyncpg
import pytest

from coldshelf.access.principal import Role
from coldshelf.access.service import add_client, add_user
from coldshelf.entrypoints.bootstrap import runtime
from coldshelf.entrypoints.cli.demo import free_port
from coldshelf.entrypoints.processes import Processes, await_ready
from coldshelf.kit.ids import ClientId
from coldshelf.kit.runtime import Runtime
from coldshelf.kit.settings import load_settings
from coldshelf.records.filters import OPERATORS
from coldshelf.records.listing import PAGE_PARAMETERS
from tests.conftest import PASSWORD, REPOSITORY
from tests.records.rows import add_outlets, add_pictures

UNTOLD = {"action", "format", "asarray", "_dc"}
"""Parameters of every handler, and of formats that are not there yet."""
PICTURES = 730
PAGE = (REPOSITORY / "docs" / "paging.md").read_text(encoding="utf-8")
PUBLISHED = REPOSITORY.parent / "shared" / "seeds" / "integration-protocols.txt"
SHOW = "console.log(JSON.stringify({ ids: pulled.map(record => record.AssetPurityId), start }));"


def code(name: str) -> str:
    """Give a block of code of the page."""
    found = re.search(rf"```js {name}\n(.*?)```", PAGE, re.DOTALL)
    assert found
    return found[1]


@dataclass(frozen=True)
class Pulled:
    """The ids that the loop received, in order, and where it stood at its end."""

    ids: list[int]
    start: int


@dataclass(frozen=True)
class Integrator:
    """Somebody who runs the published loop in Node against a server, for a client of its own."""

    run: Runtime
    client_id: ClientId
    node: str
    environment: Mapping[str, str]

    async def pull(self, loop: str | None = None, *, seconds_a_page: float = 0, **changed: str) -> Pulled:
        """Run the adapter and the loop; `seconds_a_page` is what the integrator's own work on a page takes."""
        work = f"start += limit; await new Promise(done => setTimeout(done, {seconds_a_page * 1000}));"
        shown = await self.run_in_node((loop or code("loop")).replace("start += limit;", work) + SHOW, **changed)
        return Pulled(**json.loads(shown))

    async def run_in_node(self, script: str, **changed: str) -> str:
        process = await asyncio.create_subprocess_exec(
            self.node,
            "--input-type=module",
            "--eval",
            code("adapter") + script,
            env={"PATH": os.environ["PATH"], **self.environment, **changed},
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        out, err = await asyncio.wait_for(process.communicate(), timeout=120)
        assert process.returncode == 0, err.decode()
        return out.decode()

    async def add_pictures(self, count: int) -> list[int]:
        """Add images; give the ids of all there are."""
        async with self.run.database.scope(self.client_id) as connection:
            await add_pictures(connection, count)
            return [row["id"] for row in await connection.fetch("SELECT id FROM picture ORDER BY id")]


@pytest.fixture(scope="module")
async def installation(
    server: str, template: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[tuple[Runtime, str]]:
    """A database and an API process of this module, whose tests are clients of it."""
    data, port = tmp_path_factory.mktemp("data"), free_port(0)
    name = f"{template}_paging"
    admin = await asyncpg.connect(server.format("postgres"))
    await admin.execute(f"CREATE DATABASE {name} TEMPLATE {template}")
    url = server.format(name)
    processes = Processes({"COLDSHELF_DATABASE_URL": url, "COLDSHELF_PORT": str(port), "COLDSHELF_DATA_DIR": str(data)})
    try:
        processes.start("api", ["api"])
        await asyncio.to_thread(await_ready, processes, f"http://127.0.0.1:{port}")
        async with runtime(load_settings(data_dir=data), url, migrate=False) as run:
            yield run, f"http://127.0.0.1:{port}"
    finally:
        await asyncio.to_thread(processes.stop)
        await admin.execute(f"DROP DATABASE {name} WITH (FORCE)")
        await admin.close()


@pytest.fixture
async def integrator(installation: tuple[Runtime, str]) -> Integrator:
    node = shutil.which("node")
    if not node:
        pytest.skip("Node is not installed: the published loop is JavaScript")
    run, url = installation
    name = f"integrator-{secrets.token_hex(4)}"
    client_id = await add_client(run, name, "Integrator")
    await add_user(run, client_id, name, password=PASSWORD, role=Role.SALES_REP)
    return Integrator(
        run, client_id, node, {"COLDSHELF_URL": url, "COLDSHELF_USER": name, "COLDSHELF_PASSWORD": PASSWORD}
    )


@pytest.fixture
async def pictures(integrator: Integrator) -> list[int]:
    return await integrator.add_pictures(PICTURES)


async def test_the_published_loop_fetches_every_record_once(integrator: Integrator, pictures: list[int]) -> None:
    found = await integrator.pull()

    assert found == Pulled(pictures, 800)


class Modifiers:
    """Three writers that modify images at random until told to stop."""

    def __init__(self, run: Runtime, client_id: ClientId, pictures: list[int]) -> None:
        self._run = run
        self._client_id = client_id
        self._pictures = pictures
        self._dice = random.Random(7)
        self._stop = asyncio.Event()
        self.modified = 0

    @asynccontextmanager
    async def at_work(self) -> AsyncIterator[None]:
        tasks = [asyncio.create_task(self._modify()) for _ in range(3)]
        while self.modified < 30:  # noqa: ASYNC110  # under way before the first page
            await asyncio.sleep(0.01)
        yield
        self._stop.set()
        await asyncio.gather(*tasks)

    async def _modify(self) -> None:
        while not self._stop.is_set():
            chosen = sorted(self._dice.sample(self._pictures, 5))
            async with self._run.database.scope(self._client_id) as connection:
                for picture_id in chosen:
                    await connection.execute("UPDATE picture SET notes = notes || '.' WHERE id = $1", picture_id)
                await asyncio.sleep(self._dice.uniform(0, 0.03))
            self.modified += len(chosen)


async def test_the_published_loop_fetches_every_record_while_they_are_modified(
    integrator: Integrator, pictures: list[int]
) -> None:
    modifiers = Modifiers(integrator.run, integrator.client_id, pictures)
    async with modifiers.at_work():
        found = await integrator.pull(seconds_a_page=0.1)

    print(f"{modifiers.modified} modifications, {len(found.ids)} rows for {PICTURES} records")
    assert modifiers.modified > 100
    assert sorted(set(found.ids)) == pictures
    assert found.start < 3 * 800


async def test_the_published_loop_fetches_every_record_while_others_are_added(
    integrator: Integrator, pictures: list[int]
) -> None:
    pulling = asyncio.create_task(integrator.pull(seconds_a_page=0.05))
    while not pulling.done():
        await integrator.add_pictures(1)
        await asyncio.sleep(0.05)

    assert (await pulling).ids[:PICTURES] == pictures


@pytest.mark.usefixtures("pictures")
async def test_the_published_loop_ends_when_the_server_answers_with_an_error(integrator: Integrator) -> None:
    nothing = Pulled([], 100)

    assert await integrator.pull(COLDSHELF_PASSWORD="not the password") == nothing
    for spoilt in (
        code("loop").replace('"modifiedOn"', '"modifiedAt"'),
        code("loop").replace('operator: ">"', 'operator: "after"'),
        code("loop").replace('"2024-08-01T00:00:00"', '"last summer"'),
        code("loop").replace("AssetPurity.ashx", "Nothing.ashx"),
        code("loop").replace("action: 'list'", "action: 'lost'"),
    ):
        assert await integrator.pull(spoilt) == nothing
    assert await integrator.pull(code("loop").replace("limit = 100", "limit = 50001")) == Pulled([], 50001)


async def test_the_published_loop_sees_the_records_of_its_own_client_only(
    integrator: Integrator, installation: tuple[Runtime, str]
) -> None:
    run, _ = installation
    other = await add_client(run, f"other-{secrets.token_hex(4)}", "Other")
    async with run.database.scope(other) as connection:
        await add_pictures(connection, 3)

    assert await integrator.pull() == Pulled([], 100)


async def test_the_loop_by_cursor_fetches_every_record_once(integrator: Integrator) -> None:
    async with integrator.run.database.scope(integrator.client_id) as connection:
        await add_outlets(connection, 2500)
    show = "console.log(JSON.stringify(pulled.map(record => record.Code)));"
    wanted = [f"L{n}" for n in range(1, 2501)]

    async with asyncio.timeout(60):  # the fence of cursors waits for the writers of other tests too
        while (found := json.loads(await integrator.run_in_node(code("cursor") + show))) != wanted:  # noqa: ASYNC110  # nobody tells
            await asyncio.sleep(0.5)

    assert found == wanted


def test_the_adapter_has_at_most_fifteen_lines() -> None:
    assert len(code("adapter").strip().splitlines()) <= 15


def test_the_loop_is_the_published_one_after_await_and_two_slips_of_typing() -> None:
    if not PUBLISHED.exists():
        pytest.skip(f"the published page is not here to compare with: {PUBLISHED}")
    published = re.search(r"const lastPull.*?\n}\n}", PUBLISHED.read_text(encoding="utf-8"), re.DOTALL)
    assert published

    mended = _replaced_once(
        published[0], ("cons limit", "const limit"), ("});\n});", "})\n});"), ("} = fetch(", "} = await fetch(")
    )

    assert code("loop").strip() == mended


def _replaced_once(text: str, *changes: tuple[str, str]) -> str:
    for before, after in changes:
        assert text.count(before) == 1
        text = text.replace(before, after)
    return text


def test_every_parameter_and_operator_of_a_list_stands_on_the_page() -> None:
    missing = {name for name in PAGE_PARAMETERS - UNTOLD if f"`{name}" not in PAGE.lower()}
    missing |= {operator for operator in OPERATORS if f"`{operator}`" not in PAGE}

    assert missing == set()
