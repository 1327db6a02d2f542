"""An export in a process of its own: python exporting.py '{"url": …}'. Prints what it took.

`kill_after`: ends itself by SIGKILL in the middle, once so many row groups are written.
"""

import asyncio
import json
import os
import signal
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from coldshelf.access.models import Client
from coldshelf.kit.clock import SystemClock
from coldshelf.kit.db import Database
from coldshelf.kit.events import EventBus
from coldshelf.kit.http import open_outgoing
from coldshelf.kit.ids import ClientId
from coldshelf.kit.objects import open_store
from coldshelf.kit.runtime import Runtime
from coldshelf.kit.settings import load_settings
from coldshelf.masterdata.entities import ENTITIES
from coldshelf.publishing.models import Layout, Mode, Progress
from coldshelf.publishing.service import export
from coldshelf.records.registry import build_registry


async def main(task: dict[str, Any]) -> None:
    database = await Database.connect(task["url"], size=2)
    settings = load_settings(data_dir=f"{task['folder']}-data")
    clock = SystemClock()
    groups = 0

    def note(_: Progress) -> None:
        nonlocal groups
        groups += 1
        if groups == task.get("kill_after"):
            os.kill(os.getpid(), signal.SIGKILL)

    with ThreadPoolExecutor(1) as threads:
        manifest = await export(
            Runtime(
                settings,
                database,
                open_store(settings.objects_url),
                EventBus(database, clock, ()),
                clock,
                threads,
                b"",
                open_outgoing(settings),
            ),
            build_registry(ENTITIES, ()),
            url=task["url"],
            client=Client(ClientId(task["client_id"]), "demo", "Demo", "UTC", False, False, True),
            mode=Mode(task.get("mode", "full")),
            datasets=["Location", "Product"],
            destination=task["folder"],
            layout=Layout(part_rows=task.get("part_rows", 100_000), row_group_rows=task.get("row_group_rows", 5_000)),
            on_progress=note,
        )
    await database.close()
    taken = {
        "rows": manifest.rows,
        "peak_kib": peak_kib(),
        "imported": sorted({"pandas", "polars", "duckdb"} & set(sys.modules)),
    }
    sys.stdout.write(f"{json.dumps(taken)}\n")


def peak_kib() -> int:
    """Read this program's own peak: what getrusage says counts the memory of the process that started it."""
    return int(Path("/proc/self/status").read_text().partition("VmHWM:")[2].split()[0])


if __name__ == "__main__":
    asyncio.run(main(json.loads(sys.argv[1])))
