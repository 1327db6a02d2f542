"""What later rooms do with a picture: read it, add renditions, touch it, finish it."""

from collections.abc import Sequence
from uuid import UUID

from coldshelf.kit.db import Connection
from coldshelf.kit.ids import ClientId
from coldshelf.pictures import store
from coldshelf.pictures.models import Picture, Rendition, Status


async def load_picture(connection: Connection, picture_id: int) -> Picture | None:
    return await store.load_picture(connection, picture_id)


async def newest_rendition(connection: Connection, picture_id: int, kind: str) -> Rendition | None:
    return await store.newest_rendition(connection, picture_id, kind)


async def add_rendition(connection: Connection, picture_id: int, rendition: Rendition) -> None:
    """Add a derived picture; the newest of its kind is served."""
    await store.add_renditions(connection, picture_id, [rendition])


def rendition_key(client_id: ClientId, picture: Picture, kind: str, event_id: UUID) -> str:
    """Name the object of a rendition that an event made; the same event gives the same key."""
    return f"renditions/{client_id}/{picture.captured_on:%Y%m%d}/{picture.guid}/{event_id}/{kind}.jpg"


async def touch(connection: Connection, picture_id: int) -> None:
    """Give the record a new modification time: a later room changed its part of it in this transaction."""
    await store.change_picture(connection, picture_id, {})


async def finish(connection: Connection, picture_id: int) -> None:
    """Mark a picture as processed."""
    await store.finish_picture(connection, picture_id, Status.PROCESSED)


async def statuses(connection: Connection, ids: Sequence[int]) -> dict[int, int]:
    """Give the status of each of the pictures."""
    return {row["id"]: row["status_id"] for row in await store.open_pictures(connection, ids)}
