"""Debian's PostgreSQL 15 on a scratch folder, run by an ordinary user."""

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

PROGRAMS = Path("/usr/lib/postgresql/15/bin")


@contextmanager
def debian_server() -> Iterator[str]:
    """Start a server with fsync off; give its URL with a place for the database's name."""
    if not (PROGRAMS / "initdb").exists():
        pytest.skip(f"Debian's PostgreSQL 15 is not installed in {PROGRAMS}: apt install postgresql-15")
    folder = Path(tempfile.mkdtemp(prefix="coldshelf-pg15-"))
    user = "postgres" if os.geteuid() == 0 else pwd.getpwuid(os.geteuid()).pw_name
    if os.geteuid() == 0:
        shutil.chown(folder, user)
    options = f"-c listen_addresses= -c unix_socket_directories={folder} -c fsync=off -c max_connections=300"
    _run(user, "initdb", "-D", f"{folder}/data", "-A", "trust", "-U", "postgres", "--locale=C.UTF-8", "-E", "UTF8")
    _run(user, "pg_ctl", "-D", f"{folder}/data", "-o", options, "-l", f"{folder}/log", "-w", "start")
    try:
        yield f"postgresql://postgres@/{{}}?host={folder}"
    finally:
        _run(user, "pg_ctl", "-D", f"{folder}/data", "-m", "fast", "-w", "stop")
        shutil.rmtree(folder, ignore_errors=True)


def _run(user: str, program: str, *arguments: str) -> None:
    switch = {"user": user, "extra_groups": []} if os.geteuid() == 0 else {}
    subprocess.run([PROGRAMS / program, *arguments], check=True, stdout=subprocess.DEVNULL, **switch)  # type: ignore[call-overload]
