"""Who sends a resumable upload, and how its row and its parts begin and end."""

from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from coldshelf.access.principal import Principal
from coldshelf.kit.db import Connection
from coldshelf.kit.ids import ClientId
from coldshelf.kit.runtime import Runtime
from coldshelf.pictures import store
from coldshelf.pictures.models import STORED, Resumable
from coldshelf.pictures.tus import OffsetMismatch, TooManyUploads

REFUSED = 400


@dataclass(frozen=True, slots=True)
class Uploader:
    """Who uploads."""

    run: Runtime
    principal: Principal
    client_id: ClientId

    @property
    def now(self) -> datetime:
        return self.run.clock.now()

    @property
    def expires_on(self) -> datetime:
        return self.now + self.run.settings.resumable_kept

    def scope(self) -> AbstractAsyncContextManager[Connection]:
        principal = self.principal
        return self.run.database.scope(self.client_id, user_id=principal.user_id, user_name=principal.user_name)


def folder_of(client_id: ClientId, guid: UUID) -> str:
    """Name the folder of the parts of one upload."""
    return f"uploads/{client_id}/{guid}"


async def add(uploader: Uploader, connection: Connection, upload: Resumable) -> None:
    """Write the row of an upload; raise TooManyUploads."""
    most = uploader.run.settings.max_open_uploads
    credential = uploader.principal.credential
    if not await store.add_resumable(connection, upload, credential=credential, now=uploader.now, most_open=most):
        raise TooManyUploads(f"{most:,} uploads of this credential are under way.")


async def end(
    uploader: Uploader, connection: Connection, upload: Resumable, *, status: int | None = None, answer: bytes = b""
) -> None:
    """End an open upload; raise OffsetMismatch when another request was first."""
    received = upload.length if status == STORED else upload.received
    kept = answer or None
    if not await store.end_resumable(
        connection, upload, received=received, status=status, answer=kept, now=uploader.now
    ):
        raise OffsetMismatch


async def forget_parts(uploader: Uploader, guid: UUID) -> None:
    run = uploader.run
    await run.off_loop(run.objects.delete_folder, folder_of(uploader.client_id, guid))
