"""Legal erasure of one record: what is left of it is a tombstone of its key, its references and its times."""

from dataclasses import dataclass
from datetime import datetime

from coldshelf.access.service import forget_recipient
from coldshelf.kit.db import Connection
from coldshelf.records import store
from coldshelf.records.entity import Entity
from coldshelf.records.errors import RecordNotFound
from coldshelf.records.registry import Registry
from coldshelf.records.saving import refuse_in_use, touch_dependents


@dataclass(frozen=True, slots=True)
class ImportedFile:
    """An imported file that wrote a record, and so holds what it was."""

    object_key: str
    name: str
    imported_on: datetime


async def erase_record(connection: Connection, registry: Registry, entity: Entity, row_id: int) -> datetime:
    """Empty a record, deleted or not, in the caller's transaction; give the time of the tombstone.

    What imports noted of it goes too, and the name of a user from all rows that it made or changed. Raises
    RecordNotFound, and RecordInUse while other active records refer to it.
    """
    before = await require_erasable(connection, registry, entity, row_id)
    if entity.signs:
        await store.forget_user(connection, row_id)
        await forget_recipient(connection, row_id)
    await store.forget_images(connection, entity.name, row_id)
    erased_on = await store.scrub(connection, entity.table, row_id)
    assert erased_on is not None  # noqa: S101  # the row is held
    await touch_dependents(connection, registry, entity, before, dict.fromkeys(before))
    return erased_on


async def require_erasable(
    connection: Connection, registry: Registry, entity: Entity, row_id: int
) -> dict[str, object]:
    """Give the row, held; raise RecordNotFound or RecordInUse."""
    row = await store.row_whatever(connection, entity, row_id)
    if row is None:
        raise RecordNotFound(f"There is no {entity.name} with id {row_id}")
    await refuse_in_use(connection, registry, entity, row_id)
    return row


async def imported_files(connection: Connection, entity: Entity, row_id: int) -> list[ImportedFile]:
    """Give the imported files that wrote a record: they hold other records too, so no erasure reaches them."""
    return [ImportedFile(*found) for found in await store.imported_files(connection, entity.name, row_id)]
