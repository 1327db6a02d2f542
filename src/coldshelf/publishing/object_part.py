"""A part on its way into an object store: one request where it is small, else blocks sent while it is written."""

import queue
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import AbstractContextManager, suppress
from typing import Literal

import obstore
from obstore.store import AzureStore, S3Store

from coldshelf.publishing.errors import AlreadyPublished, DestinationFailed

BLOCK_BYTES = 8 * 1024 * 1024
"""50,000 blocks are the most of an Azure blob (400 GB), 10,000 of an object in S3 (80 GB)."""
BLOCKS_AT_ONCE = 3

Store = AzureStore | S3Store
Named = Callable[[], AbstractContextManager[None]]
"""Gives the block in which errors of the library are translated."""


class ObjectPart:
    """Gathers a block; from the second one on, a thread of its own sends what the queue holds.

    `refuse_to_overwrite` raises where its name is taken; None: it takes the place of what is there.
    """

    def __init__(
        self, store: Store, path: str, *, named: Named, refuse_to_overwrite: Callable[[], None] | None
    ) -> None:
        self._store = store
        self._path = path
        self._named = named
        self._refuse_to_overwrite = refuse_to_overwrite
        self._buffer = bytearray()
        self._sending: _Sending | None = None

    def write(self, chunk: bytes | memoryview) -> None:
        self._buffer += chunk
        if len(self._buffer) >= BLOCK_BYTES:
            if self._sending is None:
                self._sending = _Sending(self._store, self._path, self._named)
            self._flush(self._sending)

    def commit(self) -> None:
        if self._sending is not None:
            self._commit_blocks(self._sending)
            return
        with self._named():
            content = bytes(self._buffer)
            mode: Literal["create", "overwrite"] = "create" if self._refuse_to_overwrite else "overwrite"
            obstore.put(self._store, self._path, content, mode=mode, use_multipart=False)

    def _commit_blocks(self, sending: "_Sending") -> None:
        self._flush(sending)
        try:
            if self._refuse_to_overwrite:
                self._refuse_to_overwrite()
        except BaseException:
            self.discard()
            raise
        sending.finish(whole=True)

    def discard(self) -> None:
        self._buffer.clear()
        if self._sending is not None:
            with suppress(_Discarded, DestinationFailed, AlreadyPublished):
                self._sending.finish(whole=False)

    def _flush(self, sending: "_Sending") -> None:
        sending.send(bytes(self._buffer))
        self._buffer.clear()


class _Discarded(Exception):
    """Raised into the library's upload, so that it takes back the blocks sent so far."""


class _Sending:
    def __init__(self, store: Store, path: str, named: Named) -> None:
        self._store = store
        self._path = path
        self._named = named
        self._blocks: queue.Queue[bytes | bool] = queue.Queue(maxsize=1)
        self._sent: Future[None] = Future()
        threading.Thread(target=self._run, name=f"send {path}", daemon=True).start()

    def send(self, block: bytes | bool) -> None:
        while not self._sent.done():
            with suppress(queue.Full):
                self._blocks.put(block, timeout=0.1)
                return
        self._sent.result()

    def finish(self, *, whole: bool) -> None:
        self.send(whole)
        self._sent.result()

    def _run(self) -> None:
        try:
            with self._named():
                obstore.put(
                    self._store,
                    self._path,
                    self._until_finished(),
                    use_multipart=True,
                    chunk_size=BLOCK_BYTES,
                    max_concurrency=BLOCKS_AT_ONCE,
                )
        except BaseException as error:  # noqa: BLE001  # handed to the thread that writes
            self._sent.set_exception(error)
        else:
            self._sent.set_result(None)

    def _until_finished(self) -> Iterator[bytes]:
        while not isinstance(block := self._blocks.get(), bool):
            yield block
        if not block:
            raise _Discarded
