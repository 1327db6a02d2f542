"""The processes of the embedded PostgreSQL: whether they live, are ready, and how they begin and end.

A server holds a lock on `data_dir/pgalive` as long as one of its processes lives, and so does initdb: the file is
opened and locked here, and they inherit it. So a free lock means that nobody writes to the cluster, whatever
`postmaster.pid` says: its PID may by now be a zombie or somebody else's.
"""

import contextlib
import fcntl
import os
import signal
import socket
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from pathlib import Path

from coldshelf.kit.embedded_layout import SOCKET_NAME, Site, remove_leftovers, socket_folder
from coldshelf.kit.embedded_programs import EmbeddedPostgresFailed, own_account, run_as

SETTINGS = {
    "max_connections": "200",
    "shared_buffers": "128MB",
    # One file a weekday, begun anew each week: what is kept is bounded without a person.
    "logging_collector": "on",
    "log_filename": "postgresql-%a.log",
    "log_truncate_on_rotation": "on",
    "log_rotation_age": "1d",
    "log_rotation_size": "0",
}
POLL = timedelta(milliseconds=20)
PROC = Path("/proc")


class EmbeddedPostgresSlow(EmbeddedPostgresFailed):
    """The embedded PostgreSQL is not ready yet"""

    code = "embedded_postgres_slow"
    retry = True


class Holder(StrEnum):
    """Who has the PID that a postmaster.pid names."""

    NOBODY = "nobody"
    OURS = "ours"
    FOREIGN = "foreign"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class PidFile:
    """What a server wrote into `postmaster.pid`, as far as it has come."""

    pid: int
    socket_dir: Path | None
    status: str

    @property
    def accepts(self) -> bool:
        """Whether the server says that it is ready, and somebody listens on its socket."""
        if self.status != "ready" or self.socket_dir is None:
            return False
        with socket.socket(socket.AF_UNIX) as probe:
            try:
                probe.connect(str(self.socket_dir / SOCKET_NAME))
            except OSError:
                return False
        return True

    @property
    def lost_its_socket(self) -> bool:
        return self.status == "ready" and self.socket_dir is not None and not (self.socket_dir / SOCKET_NAME).exists()


class Deadline:
    """The time that all waiting of one call may take together."""

    def __init__(self, limit: timedelta) -> None:
        self.limit = limit
        self._end = time.monotonic() + limit.total_seconds()

    def pause(self, site_folder: Path, what: str) -> None:
        if time.monotonic() > self._end:
            raise EmbeddedPostgresSlow(
                f"PostgreSQL in {site_folder}: {what}, even after {self.limit.total_seconds():g} s",
                cure="Look into its log folder; when it is only slow, try again or give a longer limit.",
            )
        time.sleep(POLL.total_seconds())


@contextlib.contextmanager
def only_one(data_dir: Path, deadline: Deadline) -> Iterator[None]:
    """Let one process at a time start or stop the server of this data folder."""
    with _opened(data_dir / "pglock") as lock:
        while not _locked(lock, fcntl.LOCK_EX):
            deadline.pause(data_dir, "another process is starting or stopping it")
        yield


@contextlib.contextmanager
def token_of_life(site: Site, deadline: Deadline) -> Iterator[int]:
    """Lock `pgalive` for the processes that inherit it; wait while others of this cluster still hold it."""
    with _opened(site.data_dir / "pgalive") as token:
        while not _locked(token, fcntl.LOCK_EX):
            deadline.pause(site.pgdata, "what a killed start left behind does not end")
        yield token


def read_pid_file(site: Site) -> PidFile | None:
    try:
        lines = (site.pgdata / "postmaster.pid").read_text().splitlines()
        pid = int(lines[0])
    except (FileNotFoundError, IndexError, ValueError):
        return None
    lines += [""] * 8
    return PidFile(pid, Path(lines[4]) if lines[4] else None, lines[7].strip())


def lives(site: Site) -> bool:
    """Whether a process of this cluster runs, the postmaster or what a killed one left behind."""
    with contextlib.suppress(FileNotFoundError), (site.data_dir / "pgalive").open() as alive:
        if not _locked(alive.fileno(), fcntl.LOCK_SH):
            return True
    noted = read_pid_file(site)
    return noted is not None and holder(noted.pid, site) is Holder.OURS


def ensure_running(site: Site, settings: Mapping[str, str], deadline: Deadline) -> Path:
    """Attach to the server or start it, wait until it is ready, and return the folder of its socket."""
    while lives(site):
        noted = read_pid_file(site)
        if noted is not None and noted.accepts and noted.socket_dir is not None:
            return noted.socket_dir
        if noted is not None and noted.lost_its_socket:
            end(site)
        deadline.pause(site.pgdata, "the running server does not become ready or end")
    _forget_stale_pid_file(site)
    remove_leftovers(site)
    folder = socket_folder(site)
    _launch(site, {**SETTINGS, **settings}, folder, deadline)
    _await_ready(site, deadline)
    return folder


def end(site: Site) -> None:
    """Ask for a fast shutdown: transactions are rolled back, clients disconnected, everything is on disk."""
    noted = read_pid_file(site)
    if noted is not None and holder(noted.pid, site) is Holder.OURS:
        with contextlib.suppress(ProcessLookupError):
            os.kill(noted.pid, signal.SIGINT)


def await_end(site: Site, deadline: Deadline) -> None:
    while lives(site):
        deadline.pause(site.pgdata, "the server does not end")


def holder(pid: int, site: Site) -> Holder:
    """Say whether the process is a server of this cluster."""
    if not PROC.joinpath("self", "stat").exists():
        return _holder_by_ps(pid, site.pgdata)
    process = PROC / str(pid)
    try:
        # "PID (command) state …", and a command may itself hold brackets and blanks
        command, _, rest = (process / "stat").read_text().partition(" (")[2].rpartition(") ")
        uid = process.stat().st_uid
    except (FileNotFoundError, ProcessLookupError):
        return Holder.NOBODY
    if rest.startswith(("Z", "X")) or command != "postgres" or uid != site.account.uid:
        return Holder.FOREIGN
    return _holder_by_folder(process / "cwd", site)


def _holder_by_folder(working_folder: Path, site: Site) -> Holder:
    try:
        return Holder.OURS if working_folder.samefile(site.pgdata) else Holder.FOREIGN
    except FileNotFoundError:
        return Holder.NOBODY
    except PermissionError:
        # Root without CAP_SYS_PTRACE, as in containers, may not look where the process's own user may.
        looked = run_as(
            site.account, ["/bin/sh", "-c", 'cd "$1" && test . -ef "$2"', "sh", working_folder, site.pgdata]
        )
        return {0: Holder.OURS, 1: Holder.FOREIGN}.get(looked.returncode, Holder.UNKNOWN)


def _holder_by_ps(pid: int, pgdata: Path) -> Holder:
    """Say the same without /proc (macOS), by the command line that `_launch` gave."""
    looked = run_as(own_account(), ["ps", "-ww", "-o", "stat=,args=", "-p", str(pid)])
    state, _, command = looked.stdout.strip().partition(" ")
    if not state:
        return Holder.NOBODY
    ours = f"/postgres -D {pgdata} " in command and not state.startswith("Z")
    return Holder.OURS if ours else Holder.FOREIGN


def _forget_stale_pid_file(site: Site) -> None:
    """Remove a postmaster.pid whose PID is now a zombie or another program; PostgreSQL would take it for a server.

    A PID that nobody has is left to PostgreSQL, which knows and looks for shared memory still in use as well.
    """
    file = site.pgdata / "postmaster.pid"
    noted = read_pid_file(site)
    found = Holder.FOREIGN if noted is None else holder(noted.pid, site)
    if found is Holder.FOREIGN:
        file.unlink(missing_ok=True)
    elif found is Holder.UNKNOWN and noted is not None:
        raise EmbeddedPostgresFailed(
            f"Process {noted.pid} may be a PostgreSQL that uses {site.pgdata}; this user cannot find out",
            cure=f"Stop process {noted.pid}, or remove {file} if it is something else.",
        )


def _launch(site: Site, settings: Mapping[str, str], folder: Path, deadline: Deadline) -> None:
    """Start the postmaster as a process of its own session, which inherits the locked `pgalive`."""
    for leftover in (SOCKET_NAME, f"{SOCKET_NAME}.lock"):
        (folder / leftover).unlink(missing_ok=True)
    private = {
        "listen_addresses": "",
        "port": "5432",
        "unix_socket_directories": f'"{folder}"',
        "unix_socket_permissions": "0700",
        "log_directory": str(site.log),
    }
    options = [part for name, value in {**settings, **private}.items() for part in ("-c", f"{name}={value}")]
    command: list[str | Path] = [site.programs / "postgres", "-D", site.pgdata, *options]
    with token_of_life(site, deadline) as token, _opened(site.log / "start.log", os.O_TRUNC) as log:
        # The shell ends at once and leaves the server to init, so that no process has to wait for it.
        run_as(site.account, ["/bin/sh", "-c", '"$@" >&2 &', "sh", *command], stderr=log, inherit=(token,))


def _await_ready(site: Site, deadline: Deadline) -> None:
    while True:
        noted = read_pid_file(site)
        if noted is not None and noted.accepts:
            return
        if not lives(site):
            raise EmbeddedPostgresFailed(
                f"PostgreSQL in {site.pgdata} ended at its start:\n{_last_words(site)}",
                cure=f"The whole log is in {site.log}.",
            )
        deadline.pause(site.pgdata, "it does not become ready")


def _last_words(site: Site) -> str:
    logs = sorted(site.log.glob("*.log"), key=lambda log: log.stat().st_mtime)
    return "\n".join(line for log in logs[-2:] for line in log.read_text(errors="replace").splitlines()[-5:])


@contextlib.contextmanager
def _opened(file: Path, flags: int = 0) -> Iterator[int]:
    descriptor = os.open(file, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | flags, 0o600)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _locked(descriptor: int, kind: int) -> bool:
    try:
        fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
