"""The object store: what is acknowledged is durable, what is not leaves nothing."""

import os
import shutil
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest

from coldshelf.kit.errors import SettingsInvalid
from coldshelf.kit.objects import KEPT_IN_MEMORY, LocalStore, ObjectNotFound, open_store
from coldshelf.kit.testing import FaultyStore

SMALL, LARGE = b"small", b"large" * KEPT_IN_MEMORY
STRACE = shutil.which("strace")


@pytest.fixture
def store(tmp_path: Path) -> LocalStore:
    return LocalStore(tmp_path / "deep" / "objects")


@pytest.fixture(params=[SMALL, LARGE], ids=["in memory", "on disk"])
def content(request: pytest.FixtureRequest) -> bytes:
    return bytes(request.param)


def files(store: LocalStore) -> list[str]:
    return sorted(str(path.relative_to(store.root)) for path in store.root.rglob("*") if path.is_file())


def test_object_appears_under_its_key_at_once_and_whole(store: LocalStore, content: bytes) -> None:
    writer = store.writer()
    for at in range(0, len(content), 100_000):
        writer.write(memoryview(content)[at : at + 100_000])
    assert not any(name.startswith("a/") for name in files(store))

    writer.commit("a/b/c")

    assert (writer.size, store.get("a/b/c"), b"".join(store.chunks("a/b/c", 70_000))) == (
        len(content),
        content,
        content,
    )
    assert files(store) == ["a/b/c"]


def test_aborted_writer_leaves_nothing(store: LocalStore, content: bytes) -> None:
    writer = store.writer()
    writer.write(content)
    writer.abort()
    writer.abort()

    assert files(store) == []
    with pytest.raises(ValueError):
        writer.write(b"more")
    with pytest.raises(ValueError):
        writer.commit("a")


def test_abort_after_commit_keeps_the_object(store: LocalStore, content: bytes) -> None:
    writer = store.writer()
    writer.write(content)
    writer.commit("a")
    writer.abort()

    assert store.get("a") == content


def test_what_was_written_can_be_looked_at_before_it_is_committed(store: LocalStore, content: bytes) -> None:
    writer = store.writer()
    writer.write(content)

    with writer.content() as seen:
        assert seen[:] == content
    with writer.reader() as stream:
        assert stream.read() == content
    writer.write(b"!")
    with writer.content() as seen:
        assert seen[:] == content + b"!"
    writer.commit("a")
    assert store.get("a") == content + b"!"


def test_empty_object_is_an_object(store: LocalStore) -> None:
    store.put("a", b"")

    assert store.get("a") == b""
    writer = store.writer()
    writer.reader().close()
    with writer.content() as seen:
        assert seen == b""
    writer.abort()


def test_object_is_replaced_as_a_whole(store: LocalStore) -> None:
    store.put("a", SMALL)
    stop = threading.Event()
    seen: set[int] = set()

    def read() -> None:
        while not stop.is_set():
            seen.add(len(store.get("a")))

    reader = threading.Thread(target=read)
    reader.start()
    for _ in range(20):
        store.put("a", LARGE)
        store.put("a", SMALL)
    stop.set()
    reader.join()

    assert seen <= {len(SMALL), len(LARGE)}


def test_missing_object_is_told(store: LocalStore) -> None:
    with pytest.raises(ObjectNotFound, match="There is no object a/b"):
        store.get("a/b")
    with pytest.raises(ObjectNotFound):
        next(store.chunks("a/b"))
    store.delete("a/b")


@pytest.mark.parametrize("key", ["", "/etc/passwd", "../x", "a/../../x", ".staging/x", "a/.hidden", "."])
def test_key_cannot_leave_the_store(store: LocalStore, key: str) -> None:
    with pytest.raises(ValueError, match="not a key"):
        store.put(key, SMALL)
    with pytest.raises(ValueError, match="not a key"):
        store.get(key)
    assert files(store) == []


def test_folder_that_was_removed_meanwhile_is_made_again(store: LocalStore) -> None:
    store.put("day/one", SMALL)
    shutil.rmtree(store.root / "day")

    store.put("day/two", SMALL)

    assert files(store) == ["day/two"]


def test_many_writers_make_their_folders_at_once(store: LocalStore) -> None:
    with ThreadPoolExecutor(16) as threads:
        list(threads.map(lambda n: store.put(f"a/{n % 3}/b/{n}", SMALL), range(100)))

    assert len(files(store)) == 100


def test_sweep_removes_what_killed_processes_left(store: LocalStore) -> None:
    left, fresh = store.writer(), store.writer()
    left.write(LARGE)
    store.put("a", SMALL)
    (stale,) = store.staging.iterdir()
    os.utime(stale, (0, 0))
    fresh.write(LARGE)

    assert store.sweep(timedelta(days=1)) == 1

    fresh.commit("b")
    left.abort()
    assert files(store) == ["a", "b"]


def test_store_is_named_by_its_url(tmp_path: Path) -> None:
    folder = tmp_path / "with blank"
    open_store(folder.as_uri()).put("a", SMALL)

    assert (folder / "a").read_bytes() == SMALL
    with pytest.raises(SettingsInvalid, match="only file:///folder"):
        open_store("s3://bucket")


@pytest.fixture
def faulty(store: LocalStore) -> FaultyStore:
    return FaultyStore(store)


@pytest.mark.parametrize("knob", ["fail_writes", "fail_commits"])
def test_failed_put_leaves_nothing(store: LocalStore, faulty: FaultyStore, content: bytes, knob: str) -> None:
    setattr(faulty, knob, 1)

    with pytest.raises(OSError, match="no space left"):
        faulty.put("a", content)

    assert files(store) == []
    faulty.put("a", content)
    assert faulty.get("a") == content


PUT = """
import sys
from pathlib import Path
from coldshelf.kit.objects import LocalStore
store = LocalStore(Path(sys.argv[1]))
store.put("warm/up", b"x")
Path(sys.argv[1], "begin").touch()
store.put("warm/acknowledged", b"picture")
Path(sys.argv[1], "end").touch()
"""


@pytest.mark.skipif(STRACE is None, reason="strace is not installed")
def test_acknowledged_object_is_synced_file_and_folder(tmp_path: Path) -> None:
    trace = tmp_path / "trace"
    calls = "trace=openat,fsync,fdatasync,rename,renameat,renameat2,write,close"
    subprocess.run(
        [str(STRACE), "-f", "-y", "-e", calls, "-o", str(trace), sys.executable, "-c", PUT, str(tmp_path / "o")],
        check=True,
        timeout=120,
    )

    lines = trace.read_text().splitlines()
    begin = next(n for n, line in enumerate(lines) if "/begin" in line)
    end = next(n for n, line in enumerate(lines) if "/end" in line)
    steps = [line for line in lines[begin + 1 : end] if str(tmp_path / "o") in line]
    synced = [n for n, line in enumerate(steps) if "fsync(" in line]
    written = next(n for n, line in enumerate(steps) if "write(" in line and '"picture"' in line)
    renamed = next(n for n, line in enumerate(steps) if "rename" in line)
    assert len(synced) == 2
    assert written < synced[0] < renamed < synced[1]
    assert "/.staging/" in steps[synced[0]]
    assert f"{tmp_path}/o/warm>" in steps[synced[1]]


def test_deleted_folder_takes_its_objects_and_no_others_and_can_be_filled_again(store: LocalStore) -> None:
    for key in ("a/b/1", "a/b/c/2", "a/bc/3"):
        store.put(key, SMALL)

    store.delete_folder("a/b")
    store.delete_folder("a/b")
    assert files(store) == ["a/bc/3"]
    with pytest.raises(ValueError):
        store.delete_folder("../a")

    store.put("a/b/1", LARGE)
    assert store.get("a/b/1") == LARGE


def test_process_remembers_a_bounded_number_of_folders(store: LocalStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("coldshelf.kit.objects.MOST_REMEMBERED", 5)

    for number in range(20):
        store.put(f"a/{number}/b", SMALL)

    assert len(store._durable) <= 5
    assert len(files(store)) == 20
