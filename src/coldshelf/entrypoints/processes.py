"""Starts and ends API and worker processes and waits until they answer."""

import contextlib
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from coldshelf.kit.errors import Unavailable
from coldshelf.kit.logs import get_logger
from coldshelf.kit.settings import Settings

log = get_logger("entrypoints")

PATIENCE = timedelta(seconds=60)
GRACE = timedelta(seconds=20)
"""Time that a process has to finish its steps before it is killed."""
YOUNG = timedelta(seconds=10)
"""A process that ends by itself is started again, unless it ended at once: then a new one would do the same."""


@dataclass(slots=True)
class Child:
    """A running process and how to start it again."""

    command: tuple[str, ...]
    process: subprocess.Popen[bytes]
    started: float


@dataclass(slots=True)
class Processes:
    """Child processes by name; each is started as `python -m coldshelf.entrypoints <command>`."""

    environment: Mapping[str, str]
    log: int | None = None
    running: dict[str, Child] = field(default_factory=dict)

    def start(self, name: str, command: Sequence[str]) -> None:
        process = subprocess.Popen(  # noqa: S603  # our own command line
            [sys.executable, "-m", "coldshelf.entrypoints", *command],
            env={**os.environ, **self.environment},
            stdout=self.log,
            stderr=self.log,
            start_new_session=True,
        )
        self.running[name] = Child(tuple(command), process, time.monotonic())

    def check(self) -> None:
        """Start processes again that ended by themselves; raise Unavailable when one did so at once."""
        for name, child in list(self.running.items()):
            code = child.process.poll()
            if code is None:
                continue
            _signal(child.process, signal.SIGKILL)  # children that it left behind
            if time.monotonic() - child.started < YOUNG.total_seconds():
                raise Unavailable(f"The {name} ended with code {code}", cure="Look into its log.")
            log.error("process.ended", name=name, code=code)
            self.start(name, child.command)

    def stop(self) -> None:
        """End all of them: asked first, killed after a while, their children as well."""
        processes = [child.process for child in self.running.values()]
        for process in processes:
            _signal(process, signal.SIGTERM)
        deadline = time.monotonic() + GRACE.total_seconds()
        for process in processes:
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(max(0.1, deadline - time.monotonic()))
        for process in processes:
            _signal(process, signal.SIGKILL)
            process.wait()
        self.running.clear()


def _signal(process: subprocess.Popen[bytes], number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, number)


@contextlib.contextmanager
def served(processes: Processes, settings: Settings, *, workers: int = 1) -> Iterator[str]:
    """Run an API, workers and a scheduler inside this block; give the URL once it answers."""
    try:
        processes.start("api", ["api"])
        for number in range(1, workers + 1):
            processes.start(f"worker {number}", ["worker"])
        processes.start("scheduler", ["scheduler"])
        url = f"http://{settings.host}:{settings.port}"
        await_ready(processes, url)
        yield url
    finally:
        processes.stop()


def await_ready(processes: Processes, url: str) -> None:
    """Wait until the API says that it is ready."""
    deadline = time.monotonic() + PATIENCE.total_seconds()
    while time.monotonic() < deadline:
        processes.check()
        if _answers(f"{url}/health/ready"):
            return
        time.sleep(0.1)
    raise Unavailable(f"The API did not answer at {url} within {PATIENCE.seconds} s", cure="Look into its log.")


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:  # noqa: S310  # our own http URL
            return bool(answer.status == 200)
    except (urllib.error.URLError, ConnectionError, TimeoutError):
        return False
