"""Fetches pictures that an upload names by their URLs: outside of any transaction, through the guarded client."""

import asyncio
from collections.abc import Sequence
from pathlib import PurePosixPath
from urllib.parse import unquote, urlsplit

from coldshelf.kit.http.errors import OutgoingFailed
from coldshelf.kit.logs import get_logger
from coldshelf.kit.runtime import Runtime
from coldshelf.pictures.errors import PictureNotFetched, SaveFailed, UploadTooLarge
from coldshelf.pictures.intake import Intake, kept_name
from coldshelf.pictures.models import ReceivedFile
from coldshelf.pictures.service.examine import Examined, examine

log = get_logger("pictures")

AT_ONCE = 4
"""Pictures of one upload that are fetched at the same time."""


async def fetch_pictures(run: Runtime, intake: Intake, urls: Sequence[str], *, max_pixels: int) -> list[Examined]:
    """Fetch and examine one picture for each URL; what cannot be fetched is a fault of that picture alone.

    Raises UploadTooLarge when the pictures, sent and fetched, are larger together than a body may be, and SaveFailed
    when they cannot be staged.
    """
    fetching = Fetching(run, intake)
    try:
        async with asyncio.TaskGroup() as tasks:
            fetches = [tasks.create_task(fetching.fetch(url, max_pixels)) for url in urls]
    except* UploadTooLarge as group:
        raise UploadTooLarge(str(group.exceptions[0])) from group
    except* OSError as group:
        log.exception("upload.staging_failed")
        raise SaveFailed from group
    return [fetch.result() for fetch in fetches]


class Fetching:
    """The fetches of one upload, which share its limit of bytes."""

    def __init__(self, run: Runtime, intake: Intake) -> None:
        self._run = run
        self._intake = intake
        self._turns = asyncio.Semaphore(AT_ONCE)
        self._left = run.settings.max_body_bytes - sum(file.size for file in intake.files)

    async def fetch(self, url: str, max_pixels: int) -> Examined:
        file = self._intake.add_file(_name_of(url))
        try:
            async with self._turns:
                await self._receive(url, file)
        except OutgoingFailed as error:
            log.info("upload.not_fetched", code=error.code)  # not the URL: it may hold a secret
            file.writer.abort()
            return Examined(file, b"", fault=PictureNotFetched(error))
        return await self._run.off_loop(examine, file, max_pixels=max_pixels)

    async def _receive(self, url: str, file: ReceivedFile) -> None:
        largest = self._run.settings.max_body_bytes
        async with self._run.outgoing.fetch(url, largest=largest) as answer:
            async for chunk in answer.chunks():
                self._left -= len(chunk)
                if self._left < 0:
                    raise UploadTooLarge(f"The pictures of the upload are larger than {largest:,} bytes together")
                file.writer.write(chunk)


def _name_of(url: str) -> str:
    try:
        name = PurePosixPath(unquote(urlsplit(url).path)).name
    except ValueError:
        name = ""
    return kept_name(name)
