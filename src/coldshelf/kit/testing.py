"""Stand-ins at real seams, with knobs for failure: for our tests and for those of who builds on Coldshelf."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta
from typing import BinaryIO

from coldshelf.kit.objects import Content, ObjectStore, ObjectWriter

NO_SPACE = 28
"""errno ENOSPC."""
UNKNOWN_NAME = -2
"""EAI_NONAME of getaddrinfo."""


class FakeClock:
    """A clock that stands still until it is moved."""

    def __init__(self, now: datetime = datetime(2026, 11, 21, 8, 30, tzinfo=UTC)) -> None:
        self._now = now

    def now(self) -> datetime:
        return self._now

    def advance(self, by: timedelta) -> None:
        """Move it forward, or back."""
        self._now += by

    def set(self, now: datetime) -> None:
        self._now = now


class ScriptedNames:
    """A lookup of names for the guarded client. Each name gives its answers in turn, and then the last one again.

    `asked` are the names in the order in which they were looked up.
    """

    def __init__(self, answers: Mapping[str, Sequence[Sequence[str]]]) -> None:
        self.asked: list[str] = []
        self._answers = answers

    async def __call__(self, host: str) -> Sequence[str]:
        self.asked.append(host)
        if host not in self._answers:
            raise OSError(UNKNOWN_NAME, "name not known")
        answers = self._answers[host]
        return answers[min(self.asked.count(host), len(answers)) - 1]


class FaultyStore:
    """An object store in front of another one. Each knob counts down with every failure; negative fails for ever.

    `fail_writes`: a chunk finds no room on the disk. `fail_commits`: bytes do not become durable. `fail_late_commits`:
    the same, after they are already visible under their key. `fail_reads`: an object cannot be read.
    """

    def __init__(
        self,
        store: ObjectStore,
        *,
        fail_writes: int = 0,
        fail_commits: int = 0,
        fail_late_commits: int = 0,
        fail_reads: int = 0,
    ) -> None:
        self.store = store
        self.fail_writes = fail_writes
        self.fail_commits = fail_commits
        self.fail_late_commits = fail_late_commits
        self.fail_reads = fail_reads

    def writer(self) -> "FaultyWriter":
        return FaultyWriter(self, self.store.writer())

    def put(self, key: str, content: bytes) -> None:
        writer = self.writer()
        try:
            writer.write(content)
            writer.commit(key)
        except BaseException:
            writer.abort()
            raise

    def get(self, key: str) -> bytes:
        self.fail("fail_reads", "cannot be read")
        return self.store.get(key)

    def chunks(self, key: str, size: int = 256 * 1024) -> Iterator[bytes]:
        self.fail("fail_reads", "cannot be read")
        return self.store.chunks(key, size)

    def delete(self, key: str) -> None:
        self.store.delete(key)

    def delete_folder(self, folder: str) -> None:
        self.store.delete_folder(folder)

    def sweep(self, older_than: timedelta) -> int:
        return self.store.sweep(older_than)

    def fail(self, knob: str, words: str) -> None:
        """Raise OSError when the knob says so, and count it down."""
        left: int = getattr(self, knob)
        if left:
            setattr(self, knob, left - 1)
            raise OSError(NO_SPACE, words)


class FaultyWriter:
    """The writer of a FaultyStore."""

    def __init__(self, faulty: FaultyStore, writer: ObjectWriter) -> None:
        self._faulty = faulty
        self._writer = writer

    @property
    def size(self) -> int:
        return self._writer.size

    def write(self, chunk: bytes | bytearray | memoryview) -> None:
        self._faulty.fail("fail_writes", "no space left on device")
        self._writer.write(chunk)

    def content(self) -> AbstractContextManager[Content]:
        return self._writer.content()

    def reader(self) -> BinaryIO:
        return self._writer.reader()

    def commit(self, key: str) -> None:
        self._faulty.fail("fail_commits", "no space left on device")
        self._writer.commit(key)
        self._faulty.fail("fail_late_commits", "the folder cannot be synced")

    def abort(self) -> None:
        self._writer.abort()
