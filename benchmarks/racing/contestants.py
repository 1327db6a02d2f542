"""Who races, and how each is started: with what its own pages recommend, and the codec that is named."""

import json
import os
import shutil
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import parse_qs, quote, urlsplit

from racing.table import COLUMNS, stored_columns, table_of

BENCHMARKS = Path(__file__).parents[1]
SCRIPTS = BENCHMARKS / "peers" / "exports"
RIVET_CHUNK = 250_000
LIMIT = "COPY to nowhere"


@dataclass(frozen=True, slots=True)
class Task:
    """An export: the rows of one table, those changed `since` then or all, into a folder."""

    url: str
    rows: int
    folder: Path
    since: str = ""

    @property
    def query(self) -> str:
        """Compose what everybody has to read."""
        where = f" WHERE modified_on >= '{self.since}'" if self.since else ""
        return f"SELECT {stored_columns()} FROM {table_of(self.rows)}{where}"

    @property
    def host_url(self) -> str:
        """Give the address with the folder of the socket as its host, as programs in Rust want it."""
        parts = urlsplit(self.url)
        folder = parse_qs(parts.query).get("host")
        if not folder:
            return self.url
        return f"postgresql://{parts.username}:{parts.password}@{quote(folder[0], safe='')}:5432{parts.path}"


@dataclass(frozen=True, slots=True)
class Start:
    """A command and what it finds in its environment."""

    command: Sequence[str]
    environment: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Contestant:
    """One who races. `needs` is the file without which it cannot."""

    name: str
    codec: str
    start: Callable[[Task], Start]
    needs: Path | None = None
    has_delta: bool = True

    @property
    def missing(self) -> str:
        """Say why it cannot race; empty when it can."""
        return f"no {self.needs.name}: make bench-export installs it" if self.needs and not self.needs.exists() else ""


def copy_to_nowhere(task: Task) -> Start:
    """Read the rows as they are stored, in the database's own form, and drop them: the limit."""
    return Start(["psql", task.url, "-q", "-c", f"COPY ({task.query}) TO STDOUT (FORMAT binary)", "-o", os.devnull])


def contestants(peers: Path) -> tuple[Contestant, ...]:
    """Give all who may race; peers are looked for in a virtual environment."""
    packages = peers / "lib" / f"python{sys.version_info.major}.{sys.version_info.minor}" / "site-packages"
    rivet = peers / "bin" / "rivet"
    sling = packages / "sling_linux_amd64" / "bin" / "sling-linux-amd64"
    return (
        Contestant("Coldshelf snapshot", "snappy", _coldshelf("snapshot", "snappy")),
        Contestant("Coldshelf chunked", "snappy", _coldshelf("chunked", "snappy")),
        Contestant("Coldshelf chunked", "zstd", _coldshelf("chunked", "zstd")),
        Contestant("DuckDB", "snappy", _script(peers, "duckdb_scanner", "snappy"), packages / "duckdb"),
        Contestant("DuckDB", "zstd", _script(peers, "duckdb_scanner", "zstd"), packages / "duckdb"),
        Contestant("rivet chunked", "zstd", _rivet(rivet, chunked=True), rivet, has_delta=False),
        Contestant("rivet full", "zstd", _rivet(rivet, chunked=False), rivet),
        Contestant("connectorx", "snappy", _script(peers, "connectorx_pyarrow", "snappy"), packages / "connectorx"),
        Contestant("dlt with connectorx", "snappy", _dlt(peers, "connectorx"), packages / "dlt", has_delta=False),
        Contestant("dlt with pyarrow", "snappy", _dlt(peers, "pyarrow"), packages / "dlt", has_delta=False),
        Contestant("sling", "zstd", _sling(sling), sling),
    )


def _coldshelf(consistency: str, codec: str) -> Callable[[Task], Start]:
    def start(task: Task) -> Start:
        said = {
            "url": task.url,
            "rows": str(task.rows),
            "folder": str(task.folder),
            "mode": "delta" if task.since else "full",
            "compression": codec,
            "consistency": consistency,
        }
        folders = [str(BENCHMARKS), *(str(Path(folder).resolve()) for folder in sys.path if folder)]
        environment = {"PYTHONPATH": os.pathsep.join(folders)}  # it is started in another folder
        return Start([sys.executable, "-m", "racing.product", json.dumps(said)], environment)

    return start


def _script(peers: Path, name: str, codec: str) -> Callable[[Task], Start]:
    def start(task: Task) -> Start:
        said = {
            "url": task.url if name == "duckdb_scanner" else task.host_url,
            "table": table_of(task.rows),
            "columns": stored_columns(),
            "since": task.since,
            "folder": str(task.folder),
            "compression": codec,
        }
        return _python(peers, name, said)

    return start


def _dlt(peers: Path, backend: str) -> Callable[[Task], Start]:
    def start(task: Task) -> Start:
        said = {
            "url": task.host_url,
            "libpq": task.url,
            "table": table_of(task.rows),
            "stored": [column.name for column in COLUMNS],
            "folder": str(task.folder),
            "backend": backend,
        }
        return _python(peers, "dlt_filesystem", said)

    return start


def _python(peers: Path, name: str, said: Mapping[str, object]) -> Start:
    return Start([str(peers / "bin" / "python"), str(SCRIPTS / f"{name}.py"), json.dumps(said)])


def _rivet(program: Path, *, chunked: bool) -> Callable[[Task], Start]:
    def start(task: Task) -> Start:
        export: dict[str, object] = {
            "name": "sample",
            "query": task.query.replace("guid AS", "guid::text AS"),
            "format": "parquet",
            "compression": "zstd",
            "destination": {"type": "local", "path": str(task.folder / "files")},
            "columns": {"Price": "decimal(12,2)", "Share": "decimal(6,4)"},
            "mode": "full",
        }
        if chunked:
            export |= {"mode": "chunked", "chunk_column": "SampleId", "chunk_size": RIVET_CHUNK, "parallel": 2}
        source = {"type": "postgres", "url_env": "RACE_URL", "tls": {"mode": "disable"}}
        # JSON is YAML.
        (task.folder / "rivet.yaml").write_text(json.dumps({"source": source, "exports": [export]}))
        return Start([str(program), "run", "--config", "rivet.yaml"], {"RACE_URL": task.host_url})

    return start


def _sling(program: Path) -> Callable[[Task], Start]:
    def start(task: Task) -> Start:
        options = json.dumps({"format": "parquet", "compression": "zstd"})
        target = ["--tgt-object", f"file://{task.folder}/all.parquet", "--tgt-options", options]
        # Without the last one it fetches DuckDB from the net.
        environment = {
            "RACE_URL": task.url,
            "HOME": str(task.folder),
            "SLING_HOME_DIR": str(task.folder),
            "SLING_DISABLE_TELEMETRY": "true",
            "SLING_DUCKDB_COMPUTE": "false",
        }
        return Start([str(program), "run", "--src-conn", "RACE_URL", "--src-stream", task.query, *target], environment)

    return start


def missing_psql() -> str:
    """Say what to do where the program for the limit is missing."""
    return "" if shutil.which("psql") else "psql is needed for the limit: apt-get install postgresql-client"
