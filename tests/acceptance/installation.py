"""A whole installation for acceptance tests: a cluster of its own, and real API and worker processes."""

import asyncio
import os
import shutil
import tempfile
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import asyncpg
import httpx
import psutil

from coldshelf.access.principal import Role
from coldshelf.access.service import add_client, add_user
from coldshelf.entrypoints.bootstrap import runtime
from coldshelf.entrypoints.cli.demo import free_port
from coldshelf.entrypoints.processes import Processes, await_ready
from coldshelf.kit import embedded
from coldshelf.kit.settings import load_settings
from coldshelf.masterdata.service import prepare_client
from tests.conftest import PASSWORD
from tests.pictures.uploading import open_shop

QUICK = {"fsync": "off", "synchronous_commit": "off"}


@dataclass(slots=True)
class Installation:
    """Where it lies, how it is reached, and the processes that run."""

    folder: Path
    database_url: str
    address: str
    processes: Processes

    @property
    def log(self) -> str:
        return (self.folder / "processes.log").read_text()

    def http(self) -> httpx.AsyncClient:
        return httpx.AsyncClient(base_url=self.address, auth=("admin", PASSWORD), timeout=120)

    async def fetch(self, statement: str) -> list[asyncpg.Record]:
        connection = await asyncpg.connect(self.database_url)
        try:
            return list(await connection.fetch(statement))
        finally:
            await connection.close()

    async def settle(self, within: float = 120) -> None:
        """Wait until no step is open."""
        deadline = time.monotonic() + within
        statement = "SELECT handler, attempts, error FROM event_step WHERE done_on IS NULL AND given_up_on IS NULL"
        while left := await self.fetch(statement):
            if time.monotonic() > deadline:
                raise AssertionError([dict(row) for row in left], self.log[-3000:])
            await asyncio.sleep(0.2)

    def peak_memory(self, name: str) -> dict[str, int]:
        """Give the greatest resident size so far of each process of a child's tree, in KiB."""
        parent = psutil.Process(self.processes.running[name].process.pid)
        tree = [parent, *parent.children(recursive=True)]
        return {f"{one.name()} {one.pid}": _peak(one.pid) for one in tree}

    def is_alive(self) -> bool:
        return all(child.process.poll() is None for child in self.processes.running.values())


def _peak(pid: int) -> int:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith("VmHWM")).split()[1])


@asynccontextmanager
async def installed(
    *, workers: int = 1, cluster: Mapping[str, str] = QUICK, environment: Mapping[str, str] | None = None
) -> AsyncIterator[Installation]:
    """Run a migrated installation with the shop of the picture tests."""
    folder = Path(tempfile.mkdtemp(prefix="coldshelf-acceptance-"))
    folder.chmod(0o711)
    handle = await asyncio.to_thread(embedded.start, folder, settings=cluster)
    port = free_port(0)
    variables = {
        "COLDSHELF_DATABASE_URL": handle.url,
        "COLDSHELF_DATA_DIR": str(folder),
        "COLDSHELF_PORT": str(port),
        "COLDSHELF_LEASE": "PT3S",
        "COLDSHELF_SWEEP_EVERY": "PT1S",
        "OPENBLAS_NUM_THREADS": "1",
        **(environment or {}),
    }
    async with runtime(load_settings(data_dir=folder), handle.url) as run:
        client_id = await add_client(run, "demo", "Demo")
        await prepare_client(run, client_id)
        await add_user(run, client_id, "admin", password=PASSWORD, role=Role.CLIENT_ADMIN)
        await open_shop(run, client_id)
    log = os.open(folder / "processes.log", os.O_CREAT | os.O_WRONLY | os.O_APPEND)
    processes = Processes(variables, log)
    try:
        processes.start("api", ["api"])
        for number in range(1, workers + 1):
            processes.start(f"worker {number}", ["worker"])
        address = f"http://127.0.0.1:{port}"
        await asyncio.to_thread(await_ready, processes, address)
        yield Installation(folder, handle.url, address, processes)
    finally:
        await asyncio.to_thread(processes.stop)
        os.close(log)
        await asyncio.to_thread(embedded.stop, folder)
        await asyncio.to_thread(embedded.remove, folder)
        shutil.rmtree(folder, ignore_errors=True)
