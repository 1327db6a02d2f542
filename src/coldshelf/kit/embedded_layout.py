"""Where the embedded PostgreSQL lies and whose it is.

`data_dir` holds `pgdata` (the cluster), `run` (the socket), `log`, `pgpassword` (0600) and two lock files. PostgreSQL
refuses to run as root, so root runs it as the system user `postgres`, else `nobody`, and gives it the first three.
Where that user cannot reach `data_dir` (below root's home, say), the three go to a new folder of /var/lib/coldshelf,
which `data_dir/pgplace` remembers: back up and move the two together, and in a container keep both. Where it cannot
reach the programs, they are copied into `pgbin-<version>` beside `pgdata`. A socket path that would be too long goes to
a private temporary folder, which `data_dir/pgsocket` remembers. What is there already is never given to another user
or opened.
"""

import hashlib
import os
import pwd
import re
import shutil
import stat
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from coldshelf.kit.embedded_programs import (
    COPY,
    Account,
    EmbeddedPostgresFailed,
    EmbeddedPostgresNotOurs,
    account_of,
    own_account,
    packaged_programs,
    reachable_programs,
    run_as,
    user_name,
)

ELSEWHERE = Path("/var/lib/coldshelf")
UNPRIVILEGED = ("postgres", "nobody")
LONGEST_SOCKET = 100
"""The kernel takes 107 bytes on Linux, 103 on macOS; PostgreSQL refuses what the kernel would cut."""
HALF_MADE = "pginit-"
HALF_WRITTEN = "pgnew-"
SOCKET_NAME = ".s.PGSQL.5432"
PLAIN_PATH = re.compile(r"[\w/.+~ -]+")
"""A comma, a quote or a percent sign in a socket folder is read differently by different clients."""


@dataclass(frozen=True, slots=True)
class Site:
    """One embedded PostgreSQL on disk: `place` is `data_dir` or the folder elsewhere that stands in for it."""

    data_dir: Path
    place: Path
    account: Account
    programs: Path

    @property
    def pgdata(self) -> Path:
        return self.place / "pgdata"

    @property
    def log(self) -> Path:
        return self.place / "log"

    @property
    def password_file(self) -> Path:
        return self.data_dir / "pgpassword"

    def run(self, *command: str | Path, **environment: str) -> subprocess.CompletedProcess[str]:
        """Run a program of PostgreSQL as the server's account, and wait for it."""
        name, *arguments = command
        return run_as(self.account, [self.programs / name, *arguments], environment=environment)


def locate(data_dir: Path) -> Site | None:
    """Find what an earlier start made; None when there is no cluster yet."""
    place = _remembered_place(data_dir) or data_dir
    owner = _owner(place / "pgdata")
    if owner is None:
        return None
    account = _owning_account(owner, place / "pgdata")
    return Site(data_dir, place, account, packaged_programs())


def prepare(data_dir: Path) -> Site:
    """Find or choose the place and the account, and make the programs reachable for it. Call it under the lock."""
    site = locate(data_dir)
    if site is None:
        account = _new_account()
        place = _remembered_place(data_dir) or _choose_place(data_dir, account)
        site = Site(data_dir, place, account, packaged_programs())
    elif not _can_reach(site.account, site.place):
        raise EmbeddedPostgresNotOurs(
            f"User {site.account.name} cannot reach {site.pgdata} any more",
            cure="Give the folders above it back the right x for others, as at the first start.",
        )
    make_private(site.log, site.account)
    return Site(site.data_dir, site.place, site.account, reachable_programs(site.account, site.place))


def make_private(folder: Path, account: Account) -> None:
    """Make a 0700 folder of the account; one that is there already must be exactly that."""
    try:
        folder.mkdir(mode=0o700)
    except FileExistsError:
        if not is_private(folder, account):
            raise EmbeddedPostgresNotOurs(
                f"{folder} is not a private folder (0700) of user {account.name}",
                cure="Remove it if nothing needs it, or choose another data folder.",
            ) from None
    else:
        os.chown(folder, account.uid, account.gid, follow_symlinks=False)


def is_private(folder: Path, account: Account) -> bool:
    try:
        found = folder.lstat()
    except FileNotFoundError:
        return False
    return stat.S_ISDIR(found.st_mode) and found.st_uid == account.uid and stat.S_IMODE(found.st_mode) == 0o700


def socket_folder(site: Site) -> Path:
    """Make the private folder for the socket: `run`, or a remembered temporary one where that is too long."""
    usual = site.place / "run"
    if len(os.fsencode(usual / SOCKET_NAME)) < LONGEST_SOCKET and PLAIN_PATH.fullmatch(str(usual)):
        make_private(usual, site.account)
        return usual
    note = site.data_dir / "pgsocket"
    if note.exists():
        remembered = Path(note.read_text())
        if is_private(remembered, site.account):
            return remembered
    folder = Path(tempfile.mkdtemp(prefix="coldshelf-", dir=_short_temporary_folder()))
    os.chown(folder, site.account.uid, site.account.gid)
    write_private(note, str(folder))
    return folder


def write_private(file: Path, text: str) -> None:
    """Write a 0600 file of the caller, whole or not at all."""
    descriptor, name = tempfile.mkstemp(prefix=HALF_WRITTEN, dir=file.parent)
    with os.fdopen(descriptor, "w") as handle:
        handle.write(text)
        handle.flush()
        os.fsync(handle.fileno())
    Path(name).replace(file)


def remove_leftovers(site: Site) -> None:
    """Delete what killed starts left half made, and programs of earlier versions. No process of the cluster may run."""
    for copy in site.place.glob(f"{COPY}*"):
        if not site.programs.is_relative_to(copy):
            shutil.rmtree(copy)
    for folder in site.place.glob(f"{HALF_MADE}*"):
        shutil.rmtree(folder)
    for file in site.data_dir.glob(f"{HALF_WRITTEN}*"):
        file.unlink()


def remove_folders(site: Site) -> None:
    """Delete everything that belongs to the embedded PostgreSQL, and nothing else."""
    folders = [
        site.pgdata,
        site.place / "run",
        site.log,
        *site.place.glob(f"{COPY}*"),
        *site.place.glob(f"{HALF_MADE}*"),
    ]
    note = site.data_dir / "pgsocket"
    if note.exists() and is_private(Path(note.read_text()), site.account):
        folders.append(Path(note.read_text()))
    if site.place != site.data_dir:
        folders.append(site.place)
    for folder in folders:
        if folder.exists():
            shutil.rmtree(folder)
    for name in ("pgpassword", "pgplace", "pgsocket"):
        (site.data_dir / name).unlink(missing_ok=True)


def _remembered_place(data_dir: Path) -> Path | None:
    note = data_dir / "pgplace"
    if not note.exists():
        return None
    place = Path(note.read_text())
    if not place.is_dir():
        raise EmbeddedPostgresFailed(
            f"The database of {data_dir} lay in {place}, and that folder is gone",
            cure=f"Restore {place} from a backup, or remove {note} to begin with an empty database.",
        )
    return place


def _choose_place(data_dir: Path, account: Account) -> Path:
    if account.is_self or _can_reach(account, data_dir):
        return data_dir
    if not ELSEWHERE.exists():
        ELSEWHERE.mkdir(parents=True)
        ELSEWHERE.chmod(0o711)
    prefix = hashlib.sha256(os.fsencode(data_dir)).hexdigest()[:12] + "-"
    place = Path(tempfile.mkdtemp(prefix=prefix, dir=ELSEWHERE))
    place.chmod(0o711)
    if not _can_reach(account, place):
        place.rmdir()
        raise EmbeddedPostgresFailed(
            f"User {account.name} can reach neither {data_dir} nor {ELSEWHERE}",
            cure=f"Choose a data folder that {account.name} can reach, or run as an ordinary user.",
        )
    write_private(place / "belongs-to", f"{data_dir}\n")
    write_private(data_dir / "pgplace", str(place))
    return place


def _new_account() -> Account:
    if os.geteuid() != 0:
        return own_account()
    for name in UNPRIVILEGED:
        try:
            return account_of(pwd.getpwnam(name).pw_uid)
        except KeyError:
            continue
    raise EmbeddedPostgresFailed(
        "PostgreSQL refuses to run as root, and there is neither a user postgres nor nobody",
        cure="Run as an ordinary user, or make one: useradd --system postgres",
    )


def _owning_account(owner: int, pgdata: Path) -> Account:
    """Give the account of a cluster if we may act for it: our own, or as root one that root would choose."""
    if owner == os.geteuid() or (os.geteuid() == 0 and user_name(owner) in UNPRIVILEGED):
        return account_of(owner)
    them, me = user_name(owner), user_name(os.geteuid())
    raise EmbeddedPostgresNotOurs(
        f"The database in {pgdata} belongs to user {them}, and you are {me}",
        cure=f"Run as {them} (or as root, if root made it), choose another data folder, "
        f"or give it away while it is stopped: chown -R {me} {pgdata.parent}",
    )


def _owner(path: Path) -> int | None:
    try:
        return path.lstat().st_uid
    except FileNotFoundError:
        return None


def _can_reach(account: Account, folder: Path) -> bool:
    return account.is_self or run_as(account, ["/bin/sh", "-c", 'cd "$1"', "sh", folder]).returncode == 0


def _short_temporary_folder() -> Path:
    usual = Path(tempfile.gettempdir())
    fits = len(os.fsencode(usual)) < LONGEST_SOCKET // 2 and PLAIN_PATH.fullmatch(str(usual))
    return usual if fits else Path("/tmp")  # noqa: S108  # mkdtemp makes a private folder in it
