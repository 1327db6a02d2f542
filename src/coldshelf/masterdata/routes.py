"""Further actions of the entities' handlers."""

from fastapi import Response

from coldshelf.access.principal import PLANNERS
from coldshelf.masterdata.duplicate import duplicate_planogram
from coldshelf.records.handlers import Change, Extra, ExtraWrite, client_of, saved_answer
from coldshelf.records.registry import Registry


def planogram_actions(registry: Registry) -> Extra:
    """Give the actions of Planogram beside those of every entity: duplicate."""
    entity = registry.entities["Planogram"]

    async def duplicate(change: Change) -> Response:
        client_id = client_of(change.principal)
        return saved_answer(await duplicate_planogram(change.connection, registry, client_id, entity, change.params))

    taken = {
        "id": "Planogram to copy; the fields that are sent replace its own in the copy",
        "RelinkAssets": "true: link the assets of the planogram to its copy, in the same transaction",
    }
    return {"duplicate": ExtraWrite(duplicate, PLANNERS, taken)}
