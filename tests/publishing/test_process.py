"""A whole export in its own process: killed in the middle, and what it takes of the machine."""

import asyncio
import json
import signal
import sys
from pathlib import Path
from typing import Any

import pytest

from coldshelf.access.models import Client
from coldshelf.publishing.models import Mode
from tests.publishing.conftest import Publish
from tests.publishing.support import files_below, many_outlets, rows

SCRIPT = Path(__file__).parent / "exporting.py"


async def run_export(**task: object) -> tuple[int, dict[str, Any]]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-W", "error", SCRIPT, json.dumps(task), stdout=asyncio.subprocess.PIPE
    )
    out, _ = await process.communicate()
    lines = out.decode().splitlines()
    assert process.returncode is not None
    return process.returncode, json.loads(lines[-1]) if process.returncode == 0 else {}


@pytest.mark.parametrize("kill_after", [1, 3, 6, 7])
async def test_a_run_that_is_killed_leaves_no_marker(
    publish: Publish, folder: Path, url: str, client: Client, kill_after: int
) -> None:
    await many_outlets(url, client.id, 500)
    before = await publish(mode=Mode.FULL, datasets=["Location"])
    files_before = files_below(folder)

    code, _ = await run_export(
        url=url, client_id=client.id, folder=str(folder), part_rows=200, row_group_rows=100, kill_after=kill_after
    )

    left = files_below(folder) - files_before
    assert code == -signal.SIGKILL
    assert left
    assert not [name for name in left if Path(name).name in {"_SUCCESS", "_manifest.json", "manifest.json"}]
    after = await publish(mode=Mode.FULL, datasets=["Location"])
    assert rows(folder, after, "Location") == rows(folder, before, "Location")
    assert left < files_below(folder)
    assert all(before.head.run_id < Path(name).parent.name < after.head.run_id for name in left)


async def test_memory_does_not_grow_with_the_table(url: str, client: Client, tmp_path: Path) -> None:
    await many_outlets(url, client.id, 20_000)
    _, small = await run_export(url=url, client_id=client.id, folder=str(tmp_path / "small"))
    await many_outlets(url, client.id, 180_000, first=20_001)

    _, large = await run_export(url=url, client_id=client.id, folder=str(tmp_path / "large"))

    assert large["rows"] - small["rows"] == 180_000
    assert large["peak_kib"] - small["peak_kib"] < 24 * 1024, (small, large)


async def test_an_export_imports_no_data_frame_library(url: str, client: Client, tmp_path: Path) -> None:
    await many_outlets(url, client.id, 10)

    _, seen = await run_export(url=url, client_id=client.id, folder=str(tmp_path / "exports"))

    assert seen["imported"] == []
    assert seen["rows"] >= 10
