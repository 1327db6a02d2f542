"""Uploads that arrive in parts (tus): begun, gone on with, ended in the service that takes every upload.

Parts are objects of their own and count once they are durable; the last byte counts together with the record, so an
offset that equals the length always means a picture. Whoever comes second with the same bytes is told the offset.
"""

from collections import OrderedDict
from collections.abc import AsyncIterator
from dataclasses import replace
from uuid import UUID

from coldshelf.access.principal import Permission, Principal
from coldshelf.kit.ids import ClientId, new_guid
from coldshelf.kit.memory import Memory
from coldshelf.kit.runtime import Runtime
from coldshelf.pictures import store
from coldshelf.pictures.errors import ClientNotSpecified
from coldshelf.pictures.file_sets import Member
from coldshelf.pictures.intake import drain
from coldshelf.pictures.models import Resumable
from coldshelf.pictures.request import UploadRequest, read_upload_request
from coldshelf.pictures.service.arrival import Arrival, Portion
from coldshelf.pictures.service.file_sets import begin_file, guids_of, member_of
from coldshelf.pictures.service.uploader import Uploader, add, end, folder_of, forget_parts
from coldshelf.pictures.target import find_target
from coldshelf.pictures.tus import AlreadyStored, OffsetMismatch, UploadGone, UploadNotFound, read_metadata

MOST_KNOWN = 10_000
"""Open uploads that a process remembers."""
MOST_SWEPT = 500
"""Expired uploads that one sweep deletes."""


class Standings:
    """Where open uploads stood when this process last saw them: saves a look at the row, whose update decides."""

    def __init__(self) -> None:
        self._known: OrderedDict[tuple[ClientId, UUID], Resumable] = OrderedDict()

    def take(self, uploader: Uploader, guid: UUID, offset: int) -> Resumable | None:
        """Give an upload that may stand at this offset, once."""
        upload = self._known.pop((uploader.client_id, guid), None)
        if upload is None or upload.user_id != uploader.principal.user_id or upload.received != offset:
            return None
        return upload if upload.expires_on > uploader.now else None

    def note(self, uploader: Uploader, upload: Resumable) -> None:
        # A file of a set keeps its GUID when it is begun again, so its row is looked at every time.
        if not upload.is_stored and member_of(uploader, upload) is None:
            self._known[uploader.client_id, upload.guid] = upload
        if len(self._known) > MOST_KNOWN:
            self._known.popitem(last=False)

    def forget(self, uploader: Uploader, guid: UUID) -> None:
        self._known.pop((uploader.client_id, guid), None)


_standings: Memory[Standings] = Memory(lambda _: Standings())


def uploader_of(run: Runtime, principal: Principal) -> Uploader:
    if principal.client_id is None:
        raise ClientNotSpecified
    principal.require_permission(Permission.UPLOAD)
    return Uploader(run, principal, principal.client_id)


async def begin(uploader: Uploader, *, length: int, metadata: str, portion: Portion | None) -> Resumable:
    """Begin an upload, with its first bytes or all of them; refuse at once what the upload would refuse at its end."""
    upload = Resumable(
        guid=new_guid(),
        user_id=uploader.principal.user_id,
        length=length,
        metadata=metadata,
        received=0,
        part_keys=(),
        expires_on=uploader.now + uploader.run.settings.resumable_kept,
    )
    wanted = read_upload_request(read_metadata(metadata))
    member = member_of(uploader, upload)
    if member is not None:
        return await _begin_in_set(uploader, upload, portion, member, wanted)
    if portion is None and length > 0:
        async with uploader.scope() as connection:
            await find_target(connection, uploader.principal, wanted)
            await add(uploader, connection, upload)
    else:
        upload = await Arrival(uploader, upload, is_new=True).receive(portion or Portion(_nothing()))
    _standings.of(uploader.run).note(uploader, upload)
    return upload


async def _begin_in_set(
    uploader: Uploader, upload: Resumable, portion: Portion | None, member: Member, wanted: UploadRequest
) -> Resumable:
    """Begin a file of a set. Of one that was begun before only the offset is told: the bytes come from the start."""
    guid = guids_of(uploader, member)[member.number - 1]
    begun = await begin_file(uploader, replace(upload, guid=guid), member, wanted)
    portion = portion or Portion(_nothing())
    if begun.received == 0 and not begun.is_stored:
        return await Arrival(uploader, begun).receive(portion)
    await drain(portion.stream)
    return begun


async def go_on(uploader: Uploader, guid: UUID, offset: int, portion: Portion) -> Resumable:
    """Take the bytes behind `offset`; give the upload as it stands then, stored when they were the last ones."""
    standings = _standings.of(uploader.run)
    upload = standings.take(uploader, guid, offset) or await find(uploader, guid)
    if offset != upload.received:
        raise OffsetMismatch(f"The upload stands at {upload.received:,}, not at {offset:,}.")
    if not upload.is_stored:
        upload = await Arrival(uploader, upload).receive(portion)
        standings.note(uploader, upload)
    return upload


async def find(uploader: Uploader, guid: UUID) -> Resumable:
    """Find an upload that is open or stored; raise UploadNotFound (also for somebody else's) or UploadGone."""
    upload = await look_up(uploader, guid)
    if upload.ended_on is not None and not upload.is_stored:
        raise UploadGone("The upload was refused." if upload.status else "The upload was ended.")
    if upload.expires_on <= uploader.now:
        raise UploadGone(f"The upload expired on {upload.expires_on:%Y-%m-%d %H:%M:%S} UTC.")
    return upload


async def look_up(uploader: Uploader, guid: UUID) -> Resumable:
    """Find an upload, also one that was refused; raise UploadNotFound."""
    async with uploader.run.database.scope(uploader.client_id, readonly=True) as connection:
        upload = await store.load_resumable(connection, guid)
    if upload is None or upload.user_id != uploader.principal.user_id:
        raise UploadNotFound(f"There is no upload {guid}.")
    return upload


async def terminate(uploader: Uploader, guid: UUID) -> None:
    """End an upload and forget its bytes."""
    upload = await find(uploader, guid)
    _standings.of(uploader.run).forget(uploader, guid)
    if upload.is_stored:
        raise AlreadyStored
    async with uploader.scope() as connection:
        await end(uploader, connection, upload)
    await forget_parts(uploader, guid)


async def sweep(run: Runtime) -> int:
    """Delete expired uploads of all tenants with their bytes; return how many."""
    async with run.database.system() as connection:
        expired = await store.expired_resumables(connection, run.clock.now(), MOST_SWEPT)
    for client_id, guid in expired:  # the bytes first: a row that stays is swept again
        await run.off_loop(run.objects.delete_folder, folder_of(client_id, guid))
    async with run.database.system() as connection:
        await store.forget_resumables(connection, expired)
    return len(expired)


async def _nothing() -> AsyncIterator[bytes]:
    nothing: tuple[bytes, ...] = ()
    for chunk in nothing:
        yield chunk
