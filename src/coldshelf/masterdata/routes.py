"""Further actions of the entities' handlers."""

from fastapi import Response

from coldshelf.access.principal import ADMINS, PLANNERS, Permission
from coldshelf.access.service import change_password
from coldshelf.kit.ids import UserId
from coldshelf.masterdata.duplicate import duplicate_planogram
from coldshelf.records.handlers import Change, Extra, ExtraWrite, saved_answer
from coldshelf.records.registry import Registry
from coldshelf.records.saving import load_record


def user_actions(registry: Registry) -> Extra:
    """Give the actions of User beside those of every entity: setPassword."""
    entity = registry.entities["User"]

    async def set_password(change: Change) -> Response:
        user = await load_record(change.connection, registry, change.principal, entity, change.params)
        password = change.params.get("Password", "")  # as it is: blanks at its ends belong to it
        await change_password(change.run, change.connection, change.principal.client, UserId(user.id), password)
        return saved_answer(user)

    taken = {
        "id": "User whose password is set; PrimaryEmail finds it too",
        "Password": "The new password; send it in the body, since queries end up in logs",
    }
    return {"setpassword": ExtraWrite(set_password, ADMINS, taken, permission=Permission.ROLES, every_outlet=True)}


def planogram_actions(registry: Registry) -> Extra:
    """Give the actions of Planogram beside those of every entity: duplicate."""
    entity = registry.entities["Planogram"]

    async def duplicate(change: Change) -> Response:
        copied = await duplicate_planogram(change.connection, registry, change.principal, entity, change.params)
        return saved_answer(copied)

    taken = {
        "id": "Planogram to copy; the fields that are sent replace its own in the copy",
        "RelinkAssets": "true: link the assets of the planogram to its copy, in the same transaction",
    }
    return {"duplicate": ExtraWrite(duplicate, PLANNERS, taken, permission=Permission.PLANOGRAM_EDIT)}
