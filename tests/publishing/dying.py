"""Runs of publications in processes that die. A child performs one step and is killed whenever the test likes.

Children are forked from a server that has imported everything: a start takes milliseconds, so hundreds may die.
"""

import asyncio
import multiprocessing
import os
import signal
from dataclasses import dataclass
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path
from types import TracebackType
from typing import Self

from coldshelf.entrypoints.bootstrap import runtime
from coldshelf.kit.settings import load_settings

CONTEXT = multiprocessing.get_context("forkserver")
CONTEXT.set_forkserver_preload(["tests.publishing.dying"])
SIGNED = b"ready"
DESTINATIONS = "destinations.json"
"""The file of destinations that children know, in the data folder."""


@dataclass(slots=True)
class Child:
    """A worker for one step. Leaving the block kills it, wherever it is."""

    process: BaseProcess
    pipe: Connection

    @classmethod
    def start(cls, url: str, data: Path, payload: bytes) -> "Child":
        ours, theirs = CONTEXT.Pipe()
        process = CONTEXT.Process(target=_perform, args=(url, str(data), payload, theirs))
        process.start()
        theirs.close()
        return cls(process, ours)

    async def ready(self) -> None:
        """Wait until it begins to work."""
        assert await asyncio.to_thread(self.pipe.poll, 60)
        assert self.pipe.recv_bytes() == SIGNED

    async def end(self) -> int:
        """Wait until it has done its step; give the exit code."""
        await asyncio.to_thread(self.process.join, 120)
        assert self.process.exitcode is not None
        return self.process.exitcode

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        if self.process.is_alive():
            assert self.process.pid
            os.kill(self.process.pid, signal.SIGKILL)
        self.process.join()
        self.pipe.close()


def _perform(url: str, data: str, payload: bytes, pipe: Connection) -> None:
    asyncio.run(_work(url, Path(data), payload, pipe))


async def _work(url: str, data: Path, payload: bytes, pipe: Connection) -> None:
    named = data / DESTINATIONS
    settings = load_settings(data_dir=data, destinations_file=named if named.exists() else None)
    async with runtime(settings, url, migrate=False) as run:
        pipe.send_bytes(SIGNED)
        await run.events.perform(run, payload)
