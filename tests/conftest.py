"""Common fixtures: one PostgreSQL for each test worker, one cloned database for each test, and the standing cast.

`COLDSHELF_TEST_POSTGRES=15` runs on Debian's PostgreSQL 15 instead of the embedded one; `COLDSHELF_TEST_SERVER` names a
running server as `postgresql://user@/{}?host=…`. `COLDSHELF_SAMPLES` names the folder of sample pictures.
"""

import os
import secrets
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import asyncpg
import cv2
import httpx
import pytest
from fastapi import FastAPI
from hypothesis import HealthCheck, settings

from coldshelf.access.principal import Role
from coldshelf.access.service import add_client, add_user
from coldshelf.entrypoints.api import build_app
from coldshelf.entrypoints.bootstrap import runtime
from coldshelf.kit import embedded
from coldshelf.kit.ids import ClientId
from coldshelf.kit.runtime import Runtime
from coldshelf.kit.settings import load_settings
from coldshelf.masterdata.service import prepare_client
from coldshelf.migrations.upgrade import upgrade
from tests.support.debian import debian_server

# Machines are shared: nothing is wrong with an example that takes long.
settings.register_profile("shared", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("shared")

REPOSITORY = Path(__file__).parent.parent
PASSWORD = "correct horse battery"
cv2.setNumThreads(1)


def pytest_report_header() -> str:
    return f"samples: {samples_folder() or 'not found, tests that need them are skipped'}"


def samples_folder() -> Path | None:
    """Find the sample pictures, which are not part of the repository."""
    for folder in (os.environ.get("COLDSHELF_SAMPLES", ""), REPOSITORY.parent / "shared" / "samples"):
        if folder and Path(folder).is_dir():
            return Path(folder)
    return None


@pytest.fixture(scope="session")
def samples() -> Path:
    folder = samples_folder()
    if folder is None:
        pytest.skip("sample pictures not found: set COLDSHELF_SAMPLES")
    return folder


@pytest.fixture(scope="session")
def server() -> Iterator[str]:
    """A PostgreSQL with fsync off: a URL with a place for the database's name."""
    named = os.environ.get("COLDSHELF_TEST_SERVER", "")
    if named:
        yield named
        return
    if os.environ.get("COLDSHELF_TEST_POSTGRES") == "15":
        with debian_server() as pattern:
            yield pattern
        return
    folder = Path(tempfile.mkdtemp(prefix="coldshelf-test-"))
    folder.chmod(0o711)  # the server's own user has to reach its folder inside
    fast = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off", "max_connections": "300"}
    handle = embedded.start(folder, settings=fast)
    yield handle.url.replace("/coldshelf?", "/{}?")
    embedded.stop(folder)
    embedded.remove(folder)
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
async def template(server: str) -> AsyncIterator[str]:
    name = f"template_{os.getpid()}"
    admin = await asyncpg.connect(server.format("postgres"))
    await admin.execute(f"CREATE DATABASE {name}")
    await upgrade(server.format(name))
    yield name
    await admin.execute(f"DROP DATABASE {name} WITH (FORCE)")
    await admin.close()


@pytest.fixture
async def url(server: str, template: str) -> AsyncIterator[str]:
    """A migrated database of this test's own."""
    name = f"test_{os.getpid()}_{secrets.token_hex(4)}"
    admin = await asyncpg.connect(server.format("postgres"))
    await admin.execute(f"CREATE DATABASE {name} TEMPLATE {template}")
    yield server.format(name)
    await admin.execute(f"DROP DATABASE {name} WITH (FORCE)")
    await admin.close()


@pytest.fixture
async def run(url: str, tmp_path: Path) -> AsyncIterator[Runtime]:
    settings = load_settings(data_dir=tmp_path / "data", requests_per_minute=1_000_000)
    async with runtime(settings, url, migrate=False) as opened:
        yield opened


@pytest.fixture
async def client_id(run: Runtime) -> ClientId:
    """The client `demo` with its pseudo-products."""
    client_id = await add_client(run, "demo", "Demo Bottler")
    await prepare_client(run, client_id)
    return client_id


@pytest.fixture
async def other_client_id(run: Runtime) -> ClientId:
    """A second client, whose rows the first one must never see."""
    client_id = await add_client(run, "other", "Other Bottler")
    await prepare_client(run, client_id)
    return client_id


@pytest.fixture
def app(run: Runtime) -> FastAPI:
    application = build_app(run.settings, _already_open(run))
    application.state.run = run
    return application


class _already_open:  # noqa: N801  # reads as a verb where it is used
    def __init__(self, run: Runtime) -> None:
        self._run = run

    async def __aenter__(self) -> Runtime:
        return self._run

    async def __aexit__(self, *_: object) -> None:
        return None


async def signed_in_client(run: Runtime, app: FastAPI, client_id: ClientId, name: str, role: Role) -> httpx.AsyncClient:
    await add_user(run, client_id, name, password=PASSWORD, role=role, email=f"{name}@example.org")
    return httpx.AsyncClient(
        transport=httpx.ASGITransport(app=app), base_url="http://coldshelf.test", auth=(name, PASSWORD)
    )


@pytest.fixture
async def admin(run: Runtime, app: FastAPI, client_id: ClientId) -> AsyncIterator[httpx.AsyncClient]:
    """A client admin of `demo`."""
    async with await signed_in_client(run, app, client_id, "admin", Role.CLIENT_ADMIN) as http:
        yield http


@pytest.fixture
async def stranger(run: Runtime, app: FastAPI, other_client_id: ClientId) -> AsyncIterator[httpx.AsyncClient]:
    """A client admin of `other`."""
    async with await signed_in_client(run, app, other_client_id, "stranger", Role.CLIENT_ADMIN) as http:
        yield http
