"""Coldshelf in the race, one export a process: `python -m racing.product TASK`, the task as JSON."""

import asyncio
import json
import sys
from pathlib import Path

from opened import open_runtime

from coldshelf.access.service import client_by_code
from coldshelf.publishing.models import Compression, Consistency, Layout, Mode
from coldshelf.publishing.service import export
from racing.table import CLIENT, PUBLISHED, registry_of


async def main(task: dict[str, str]) -> None:
    async with open_runtime(task["url"], connections=2) as run:
        await export(
            run,
            registry_of(int(task["rows"])),
            url=task["url"],
            client=await client_by_code(run, CLIENT),
            mode=Mode(task["mode"]),
            datasets=[PUBLISHED],
            destination=Path(task["folder"]),
            layout=Layout(Compression(task["compression"])),
            consistency=Consistency(task["consistency"]),
        )


if __name__ == "__main__":
    asyncio.run(main(json.loads(sys.argv[1])))
