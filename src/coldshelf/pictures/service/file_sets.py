"""Resumable uploads that make a set: which others there are, and which of them are still awaited."""

from collections.abc import Sequence
from uuid import UUID

from coldshelf.kit.db import Connection
from coldshelf.kit.errors import TooLarge
from coldshelf.pictures import store
from coldshelf.pictures.file_sets import Member, SetMismatch, check_alike, read_member
from coldshelf.pictures.models import Resumable
from coldshelf.pictures.request import IMAGE_URL, UploadRequest
from coldshelf.pictures.service.drafts import check_grid_order
from coldshelf.pictures.service.uploader import Uploader, add
from coldshelf.pictures.target import find_target
from coldshelf.pictures.tus import UploadGone, read_metadata


def member_of(uploader: Uploader, upload: Resumable) -> Member | None:
    return read_member(read_metadata(upload.metadata), most=uploader.run.settings.max_files)


def guids_of(uploader: Uploader, member: Member) -> list[UUID]:
    return member.guids(uploader.client_id, uploader.principal.user_id)


async def begin_file(uploader: Uploader, upload: Resumable, member: Member, wanted: UploadRequest) -> Resumable:
    """Begin a file of a set, or give it as it stands when it was begun before.

    Raises SetMismatch, TooLarge, UploadGone for a set that expired, and what the upload would refuse at its end.
    """
    guids = guids_of(uploader, member)
    async with uploader.scope() as connection:
        await store.lock_set(connection, guids[0])
        known = await _known(uploader, connection, guids)
        own = known.pop(upload.guid, None)
        for other in known.values():
            check_alike(upload.metadata, other.metadata)
        if own:
            return _same(upload, own)
        _check_size(uploader, [upload, *known.values()])
        await find_target(connection, uploader.principal, wanted)
        check_grid_order(wanted, member.count + len(read_metadata(upload.metadata).every(IMAGE_URL)))
        await add(uploader, connection, upload)
    return upload


async def _known(uploader: Uploader, connection: Connection, guids: Sequence[UUID]) -> dict[UUID, Resumable]:
    """Give the files that are under way or stored; those that were refused or ended may come again."""
    found = await store.load_resumables(connection, guids)
    expired = next((upload for upload in found if upload.expires_on <= uploader.now), None)
    if expired:
        raise UploadGone(
            f"The set expired on {expired.expires_on:%Y-%m-%d %H:%M:%S} UTC.", cure="Give it another name."
        )
    return {upload.guid: upload for upload in found if upload.ended_on is None or upload.is_stored}


def _same(upload: Resumable, own: Resumable) -> Resumable:
    check_alike(upload.metadata, own.metadata)
    if upload.length != own.length:
        raise SetMismatch(f"This file of the set was begun with {own.length:,} bytes, not {upload.length:,}.")
    return own


def _check_size(uploader: Uploader, uploads: Sequence[Resumable]) -> None:
    total, most = sum(upload.length for upload in uploads), uploader.run.settings.max_body_bytes
    if total > most:
        raise TooLarge(f"The files of the set have {total:,} bytes; together they have at most {most:,}.")


async def others_of(uploader: Uploader, upload: Resumable, member: Member) -> list[Resumable] | None:
    """Give the other files of the set in their order; None while not all of them are whole."""
    guids = [guid for guid in guids_of(uploader, member) if guid != upload.guid]
    async with uploader.run.database.scope(uploader.client_id, readonly=True) as connection:
        found = {other.guid: other for other in await store.load_resumables(connection, guids)}
    others = [found[guid] for guid in guids if guid in found and _waits(uploader, found[guid])]
    return others if len(others) == len(guids) else None


async def awaited(uploader: Uploader, member: Member) -> list[int]:
    """Give the numbers of the files that are not whole yet."""
    guids = guids_of(uploader, member)
    async with uploader.run.database.scope(uploader.client_id, readonly=True) as connection:
        found = await store.load_resumables(connection, guids)
    whole = {upload.guid for upload in found if upload.is_stored or _waits(uploader, upload)}
    return [number for number, guid in enumerate(guids, 1) if guid not in whole]


def _waits(uploader: Uploader, upload: Resumable) -> bool:
    return upload.is_whole and upload.ended_on is None and upload.expires_on > uploader.now
