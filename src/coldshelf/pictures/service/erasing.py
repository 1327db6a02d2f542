"""Legal erasure of a picture: its record becomes a tombstone, its originals and all that was made of them go.

What was found on it (products, figures) tells of no person and stays.
"""

from datetime import datetime

from coldshelf.access.service import forget_links
from coldshelf.kit.db import Connection
from coldshelf.kit.runtime import Runtime
from coldshelf.pictures import store
from coldshelf.pictures.errors import PictureNotFound
from coldshelf.pictures.events import DATASET


async def erase_picture(connection: Connection, picture_id: int) -> datetime:
    """Empty the record, deleted or not, in the caller's transaction; give the time of the tombstone.

    Raises PictureNotFound. `remove_objects` removes the bytes, after that transaction.
    """
    await forget_links(connection, DATASET, picture_id)
    erased_on = await store.erase_picture(connection, picture_id)
    if erased_on is None:
        raise PictureNotFound(f"There is no picture {picture_id}")
    return erased_on


async def objects_of(connection: Connection, picture_id: int) -> list[str]:
    """Name the objects of a picture: originals, and renditions of every kind and version."""
    return await store.object_keys(connection, picture_id)


async def remove_objects(run: Runtime, keys: list[str]) -> None:
    """Remove objects, also those that are gone already."""
    for key in keys:
        await run.off_loop(run.objects.delete, key)
