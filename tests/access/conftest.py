"""A Runtime on a scratch database, until the common fixtures of tests/conftest.py take over (same names)."""

import os
import secrets
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import asyncpg
import pytest

from coldshelf.access.service import add_client
from coldshelf.kit.clock import SystemClock
from coldshelf.kit.db import Database
from coldshelf.kit.events import EventBus
from coldshelf.kit.ids import ClientId
from coldshelf.kit.objects import open_store
from coldshelf.kit.runtime import Runtime
from coldshelf.kit.settings import load_settings
from coldshelf.migrations.upgrade import upgrade

SERVER = os.environ.get("COLDSHELF_TEST_SERVER", "postgresql://postgres@/{}?host=/tmp/pg15")


def database_url(name: str) -> str:
    if "{}" in SERVER:
        return SERVER.format(name)
    head, mark, options = SERVER.partition("?")
    return f"{head.rstrip('/')}/{name}{mark}{options}"


@pytest.fixture(scope="session")
async def template() -> AsyncIterator[str]:
    name = f"access_template_{os.getpid()}"
    admin = await asyncpg.connect(database_url("postgres"))
    await admin.execute(f"CREATE DATABASE {name}")
    await upgrade(database_url(name))
    yield name
    await admin.execute(f"DROP DATABASE {name} WITH (FORCE)")
    await admin.close()


@pytest.fixture
async def run(template: str, tmp_path: Path) -> AsyncIterator[Runtime]:
    name = f"access_{os.getpid()}_{secrets.token_hex(4)}"
    admin = await asyncpg.connect(database_url("postgres"))
    await admin.execute(f"CREATE DATABASE {name} TEMPLATE {template}")
    settings = load_settings(data_dir=tmp_path / "data")
    database = await Database.connect(database_url(name), size=20)
    threads = ThreadPoolExecutor(8)
    clock = SystemClock()
    try:
        yield Runtime(
            settings=settings,
            database=database,
            objects=open_store(settings.objects_url),
            events=EventBus(database, clock, ()),
            clock=clock,
            threads=threads,
            secret=b"a secret of thirty-two characters",
        )
    finally:
        threads.shutdown()
        await database.close()
        await admin.execute(f"DROP DATABASE {name} WITH (FORCE)")
        await admin.close()


@pytest.fixture
async def client_id(run: Runtime) -> ClientId:
    return await add_client(run, "demo", "Demo Bottler")
