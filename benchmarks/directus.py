"""Directus 11 as a peer: on the same PostgreSQL server, with a table of its own and files in a folder.

It is installed with npm into `benchmarks/peers/directus` (git ignores it); `isolated-vm` is compiled there, for which
the headers of Node must lie below /usr.
"""

import os
import secrets
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

import asyncpg
from upload import free_port

from coldshelf.kit.ids import ClientId
from coldshelf.records.dataset import Dataset
from coldshelf.records.fields import TYPE_MAPS

FOLDER = Path(__file__).parent / "peers" / "directus"
DATABASE, TABLE = "directus", "location"
PATIENCE = 180.0


@dataclass(frozen=True, slots=True)
class Directus:
    """A running peer; the token is its administrator's."""

    port: int
    token: str

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"}


async def make_database(url: str) -> str:
    """Make an empty database on the same server; give its address."""
    owner = await asyncpg.connect(url)
    try:
        await owner.execute(f"DROP DATABASE IF EXISTS {DATABASE}")
        await owner.execute(f"CREATE DATABASE {DATABASE}")
    finally:
        await owner.close()
    parts = urlsplit(url)
    return parts._replace(path=f"/{DATABASE}").geturl()


async def copy_rows(url: str, peer_url: str, client_id: ClientId, dataset: Dataset) -> None:
    """Give the peer the rows of a dataset as one flat table: it needs no join for the names."""
    source, target = await asyncpg.connect(url), await asyncpg.connect(peer_url)
    joins = "".join(
        f' LEFT JOIN {join.relation} AS "{join.name}" ON "{join.name}".client_id = t.client_id'
        f' AND "{join.name}"."{join.key}" = "{join.of or "t"}"."{join.on}"'
        for join in dataset.joins
    )
    fields = ", ".join(f'"{column.of or "t"}"."{column.name}"' for column in dataset.columns)
    columns = ", ".join(f'"{column.wire}" {TYPE_MAPS[column.type].postgres}' for column in dataset.columns)
    try:
        await target.execute(f'CREATE TABLE {TABLE} ({columns}, PRIMARY KEY ("{dataset.key}"))')
        with tempfile.TemporaryFile() as file:
            query = f"SELECT {fields} FROM {dataset.relation} AS t{joins} WHERE t.client_id = {client_id}"
            await source.copy_from_query(query, output=file, format="csv")
            file.seek(0)
            await target.copy_to_table(TABLE, source=file, format="csv")
        await target.execute("VACUUM (ANALYZE)")
    finally:
        await source.close()
        await target.close()


@contextmanager
def run_directus(peer_url: str) -> Iterator[Directus]:
    """Run the peer on its database."""
    install()
    home = Path(tempfile.mkdtemp(prefix="coldshelf-bench-directus-"))
    peer = Directus(free_port(), secrets.token_hex(16))
    environment = {**os.environ, **_environment(peer, peer_url, home)}
    program = ["node", str(FOLDER / "run.mjs")]
    try:
        subprocess.run([*program, "bootstrap"], cwd=home, env=environment, check=True, stdout=subprocess.DEVNULL)
        process = subprocess.Popen([*program, "start"], cwd=home, env=environment, stdout=subprocess.DEVNULL)
        try:
            _await(peer, process)
            yield peer
        finally:
            process.terminate()
            process.wait()
    finally:
        shutil.rmtree(home, ignore_errors=True)


def install() -> None:
    """Install with npm once; of the install scripts only the one that Directus cannot run without."""
    if (FOLDER / "node_modules" / "isolated-vm" / "out").is_dir():
        return
    quiet = ["--no-audit", "--no-fund", "--loglevel=error"]
    subprocess.run(["npm", "install", "--no-package-lock", "--ignore-scripts", *quiet], cwd=FOLDER, check=True)
    environment = {**os.environ, "npm_config_nodedir": "/usr"}
    subprocess.run(["npm", "rebuild", "isolated-vm", *quiet], cwd=FOLDER, env=environment, check=True)


def _environment(peer: Directus, url: str, home: Path) -> Mapping[str, str]:
    parts = urlsplit(url)
    said = parse_qs(parts.query)
    return {
        "HOST": "127.0.0.1",
        "PORT": str(peer.port),
        "PUBLIC_URL": f"http://127.0.0.1:{peer.port}",
        "DB_CLIENT": "pg",
        "DB_HOST": said["host"][0] if "host" in said else parts.hostname or "127.0.0.1",
        "DB_PORT": said["port"][0] if "port" in said else str(parts.port or 5432),
        "DB_DATABASE": DATABASE,
        "DB_USER": unquote(parts.username or ""),
        "DB_PASSWORD": unquote(parts.password or ""),
        "SECRET": secrets.token_hex(16),
        "ADMIN_EMAIL": "bench@example.com",
        "ADMIN_PASSWORD": secrets.token_hex(16),
        "ADMIN_TOKEN": peer.token,
        "STORAGE_LOCATIONS": "local",
        "STORAGE_LOCAL_DRIVER": "local",
        "STORAGE_LOCAL_ROOT": str(home / "files"),
        "EXTENSIONS_PATH": str(home / "extensions"),
        "TELEMETRY": "false",
        "PRESSURE_LIMITER_ENABLED": "false",
        "LOG_LEVEL": "error",
    }


def _await(peer: Directus, process: "subprocess.Popen[bytes]") -> None:
    until = time.monotonic() + PATIENCE
    while process.poll() is None and time.monotonic() < until:
        connection = HTTPConnection("127.0.0.1", peer.port, timeout=5)
        try:
            connection.request("GET", "/server/ping")
            if connection.getresponse().status == 200:
                return
        except OSError:
            time.sleep(0.5)
        finally:
            connection.close()
    raise RuntimeError("Directus did not start: read what it said above")
