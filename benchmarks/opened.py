"""What the product works with, opened for one benchmark: little is imported, since its start is measured as well."""

import tempfile
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from pathlib import Path

from coldshelf.kit.clock import SystemClock
from coldshelf.kit.db import Database
from coldshelf.kit.events import EventBus
from coldshelf.kit.http import open_outgoing
from coldshelf.kit.objects import open_store
from coldshelf.kit.runtime import Runtime
from coldshelf.kit.settings import load_settings


@asynccontextmanager
async def open_runtime(url: str, *, connections: int) -> AsyncIterator[Runtime]:
    database = await Database.connect(url, size=connections)
    with ThreadPoolExecutor(1) as threads, tempfile.TemporaryDirectory() as folder:
        settings, clock = load_settings(data_dir=Path(folder)), SystemClock()
        yield Runtime(
            settings=settings,
            database=database,
            objects=open_store(settings.objects_url),
            events=EventBus(database, clock, ()),
            clock=clock,
            threads=threads,
            secret=b"",
            outgoing=open_outgoing(settings),
        )
    await database.close()
