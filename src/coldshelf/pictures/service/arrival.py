"""The bytes of one request on their way into a resumable upload: parts made durable, and the end of it."""

import asyncio
import secrets
from collections.abc import AsyncIterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace

import orjson

from coldshelf.kit.db import Connection
from coldshelf.kit.errors import ColdshelfError, TooLarge
from coldshelf.kit.objects import ObjectNotFound, ObjectStore, ObjectWriter
from coldshelf.pictures import store
from coldshelf.pictures.intake import Intake, kept_name
from coldshelf.pictures.models import STORED, ReceivedFile, Resumable
from coldshelf.pictures.service.answers import UploadAnswer, error_answer
from coldshelf.pictures.service.file_sets import guids_of, member_of, others_of
from coldshelf.pictures.service.upload import store_upload
from coldshelf.pictures.service.uploader import REFUSED, Uploader, add, end, folder_of, forget_parts
from coldshelf.pictures.tus import Checksum, FileRefused, LineBroken, OffsetMismatch, read_metadata

PART_BYTES = 4 * 1024 * 1024
"""Bytes of one request that are made durable at a time: so many at most are lost with a killed process."""
PATIENCE_SECONDS = 2.0
"""A request that stalls for so long has its bytes made durable: its line may be gone without a word."""
COPIED_BYTES = 256 * 1024


@dataclass(frozen=True, slots=True)
class Portion:
    """The bytes of one request; `announced` is its Content-Length where there is one."""

    stream: AsyncIterator[bytes]
    announced: int | None = None
    checksum: Checksum | None = None


class Arrival:
    """Takes the bytes of one request; `is_new`: the upload has no row yet."""

    def __init__(self, uploader: Uploader, upload: Resumable, *, is_new: bool = False) -> None:
        self._uploader = uploader
        self._upload = upload
        self._is_new = is_new
        self._member = member_of(uploader, upload)
        self._others: Sequence[Resumable] = ()
        self._objects: ObjectStore = uploader.run.objects
        self._writer: ObjectWriter = self._objects.writer()
        self._turn = asyncio.Lock()

    @property
    def _offset(self) -> int:
        return self._upload.received + self._writer.size

    @property
    def _is_whole(self) -> bool:
        return self._offset == self._upload.length

    async def receive(self, portion: Portion) -> Resumable:
        """Take the bytes and give the upload as it stands then.

        What came before the line broke is kept, unless a checksum covers it or nobody knows the upload yet.
        """
        if portion.announced is not None:
            self._check_room(portion.announced)
        try:
            await self._take(portion)
            return await self._settle()
        except (LineBroken, asyncio.CancelledError):
            if portion.checksum is None and not self._is_new:
                await self._settle()
            raise
        finally:
            self._writer.abort()

    async def _take(self, portion: Portion) -> None:
        checksum = portion.checksum
        if checksum:
            running = checksum.begin()
            async for chunk in portion.stream:
                self._write(chunk)
                running.update(chunk)
            checksum.check(running)
        elif self._is_new:
            async for chunk in portion.stream:
                self._write(chunk)
        else:
            await self._take_in_parts(portion.stream)

    async def _take_in_parts(self, stream: AsyncIterator[bytes]) -> None:
        watcher = asyncio.create_task(self._watch())
        try:
            async for chunk in stream:
                async with self._turn:
                    _raise_of(watcher)
                    self._write(chunk)
                    if self._writer.size >= PART_BYTES and not self._is_whole:
                        await self._keep()
            async with self._turn:
                _raise_of(watcher)
        finally:
            async with self._turn:
                watcher.cancel()
            with suppress(asyncio.CancelledError, ColdshelfError, OSError):
                await watcher

    async def _watch(self) -> None:
        """Make what came durable whenever the request stalls."""
        while True:
            before = self._offset
            await asyncio.sleep(PATIENCE_SECONDS)
            if self._offset == before:
                async with self._turn:
                    if not self._is_whole:
                        await self._keep()

    def _write(self, chunk: bytes) -> None:
        self._check_room(len(chunk))
        self._writer.write(chunk)

    def _check_room(self, size: int) -> None:
        if self._offset + size > self._upload.length:
            raise TooLarge(f"The upload has {self._upload.length:,} bytes; more were sent.")

    async def _settle(self) -> Resumable:
        if self._is_whole and await self._is_the_last():
            return await self._finish()
        if self._is_new:
            async with self._uploader.scope() as connection:
                await add(self._uploader, connection, self._upload)
            self._is_new = False
        await self._keep()
        if self._is_whole and await self._is_the_last():  # two files of a set became whole at the same moment
            return await self._finish()
        return self._upload

    async def _is_the_last(self) -> bool:
        """Say whether no other file is awaited; those of the set are then at hand."""
        if self._member is not None:
            others = await others_of(self._uploader, self._upload, self._member)
            self._others = others or ()
            return others is not None
        return True

    async def _keep(self) -> None:
        """Make what came durable as a part and count it."""
        if self._writer.size == 0:
            return
        upload, uploader, run = self._upload, self._uploader, self._uploader.run
        key = f"{folder_of(uploader.client_id, upload.guid)}/{upload.received:012}-{secrets.token_hex(4)}"
        await run.off_loop(self._writer.commit, key)
        received, expires_on = self._offset, uploader.expires_on
        async with uploader.scope() as connection:
            if self._member is not None:
                await store.extend_resumables(connection, guids_of(uploader, self._member), expires_on)
            is_counted = await store.add_part(
                connection, upload, key, received=received, now=uploader.now, expires_on=expires_on
            )
        if not is_counted:
            self._writer = self._objects.writer()  # nothing is left to keep
            await run.off_loop(self._objects.delete, key)
            raise OffsetMismatch
        self._upload = replace(upload, received=received, part_keys=(*upload.part_keys, key), expires_on=expires_on)
        self._writer = self._objects.writer()

    async def _finish(self) -> Resumable:
        """End the upload as a picture, or as refused; after any other failure the client goes on behind the parts."""
        try:
            answer = await self._store()
        except ColdshelfError as error:
            if error.status == REFUSED:
                await self._refuse(error_answer(error).body)
            raise
        await self._forget_parts()
        refused = _refusal(answer)
        if refused:
            raise FileRefused(refused)
        received = self._upload.length
        return replace(self._upload, received=received, part_keys=(), status=STORED, answer=answer.body)

    async def _store(self) -> UploadAnswer:
        run, params = self._uploader.run, read_metadata(self._upload.metadata)
        if self._upload.part_keys:
            self._writer = await run.off_loop(self._join, self._upload, self._writer)
        intake = Intake.of(self._objects, [])
        try:
            for upload in self._whole_set():
                writer = self._writer if upload is self._upload else await run.off_loop(self._join, upload)
                intake.files.append(ReceivedFile(_name(upload), writer))
            return await store_upload(run, self._uploader.principal, intake, params, settle=self._record)
        finally:
            intake.discard()

    def _whole_set(self) -> list[Resumable]:
        """Give all uploads whose files make the picture, in the order of their files."""
        if self._member is None:
            return [self._upload]
        others = list(self._others)
        others.insert(self._member.number - 1, self._upload)
        return others

    async def _record(self, connection: Connection, answer: UploadAnswer) -> None:
        """End the upload in the transaction that records the picture."""
        status = REFUSED if _refusal(answer) else STORED
        if not self._is_new:
            await self._end(connection, status, answer.body)
        elif status == STORED:
            now, length = self._uploader.now, self._upload.length
            ended = replace(self._upload, received=length, ended_on=now, status=status, answer=answer.body)
            await add(self._uploader, connection, ended)

    async def _refuse(self, answer: bytes) -> None:
        if self._is_new:
            return
        async with self._uploader.scope() as connection:
            await self._end(connection, REFUSED, answer)
        await self._forget_parts()

    async def _end(self, connection: Connection, status: int, answer: bytes) -> None:
        for upload in sorted(self._whole_set(), key=lambda upload: upload.guid):  # one order: nobody waits in a ring
            await end(self._uploader, connection, upload, status=status, answer=answer)

    async def _forget_parts(self) -> None:
        for upload in self._whole_set():
            if upload.part_keys:
                await forget_parts(self._uploader, upload.guid)

    def _join(self, upload: Resumable, last: ObjectWriter | None = None) -> ObjectWriter:
        """Put the parts of an upload and what came last together. Blocking."""
        whole = self._objects.writer()
        try:
            for key in upload.part_keys:
                for chunk in self._objects.chunks(key):
                    whole.write(chunk)
            if last is not None:
                with last.reader() as stream:
                    while chunk := stream.read(COPIED_BYTES):
                        whole.write(chunk)
        except ObjectNotFound as error:  # another request was first and its parts are forgotten
            whole.abort()
            raise OffsetMismatch from error
        except BaseException:
            whole.abort()
            raise
        if last is not None:
            last.abort()
        return whole


def _name(upload: Resumable) -> str:
    said = read_metadata(upload.metadata)
    return kept_name(said.get("filename") or said.get("name", ""))


def _refusal(answer: UploadAnswer) -> str:
    """Give the words with which all was refused; none when something has a record."""
    entries: Sequence[dict[str, object]] = orjson.loads(answer.body)
    return "" if any(entry["Success"] for entry in entries) else str(entries[0]["Info"])


def _raise_of(watcher: asyncio.Task[None]) -> None:
    """Raise what ended the watcher: another request was first, or the disk is full."""
    if watcher.done():
        watcher.result()
