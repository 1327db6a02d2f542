"""Undo: an import is taken back as one action, by new revisions of what it changed."""

from dataclasses import dataclass, field
from typing import Any

from coldshelf.access.principal import Principal
from coldshelf.kit.db import Connection
from coldshelf.kit.ids import ClientId
from coldshelf.records.entity import Entity
from coldshelf.records.imports import store
from coldshelf.records.imports.limiting import Guard
from coldshelf.records.imports.problems import Problem, Problems
from coldshelf.records.imports.store import ADD, INSERT, UPDATE
from coldshelf.records.limits import require_write
from coldshelf.records.registry import Registry

MOST_NAMED = 1_000
"""Rows that a refusal names."""


@dataclass(slots=True)
class Undone:
    """How many records were given back what they said, and how many that were new are gone; or why nothing was done."""

    restored: int = 0
    removed: int = 0
    problems: list[Problem] = field(default_factory=list)

    def as_json(self, guid: object) -> dict[str, Any]:  # a JSON document
        if self.problems:
            errors = [problem.as_json() for problem in self.problems]
            info = f"{len(errors)} rows stand in the way of undoing this import; nothing was changed"
            return {"success": False, "info": info, "importId": str(guid), "errorCount": len(errors), "errors": errors}
        return {"success": True, "importId": str(guid), "restored": self.restored, "removed": self.removed}


async def undo_run(
    connection: Connection, registry: Registry, principal: Principal, run_id: int, undone: Undone
) -> None:
    """Take an import back and say so in `undone`; when that has problems, the caller rolls back."""
    client_id = principal.client
    await store.in_turn(connection, client_id)
    names = await store.changed_entities(connection, run_id)
    entities = [entity for name, entity in registry.entities.items() if name in names]
    for entity in entities:
        require_write(principal, entity)
        undone.problems += await _changed_since(connection, client_id, run_id, entity)
        undone.problems += await _out_of_sight(connection, registry, principal, run_id, entity)
    if undone.problems:
        return
    for entity in entities:
        undone.restored += await _restore(connection, registry, client_id, run_id, entity)
        undone.problems += await _out_of_sight(connection, registry, principal, run_id, entity)
    for entity in reversed(entities):
        removed, refused = await _remove(connection, registry, client_id, run_id, entity)
        undone.removed += removed
        undone.problems += refused


async def _changed_since(connection: Connection, client_id: ClientId, run_id: int, entity: Entity) -> list[Problem]:
    rows = await store.changed_since(connection, client_id, run_id, entity, most=MOST_NAMED)
    cure = "Undo that change first, or correct the record by hand."
    return [
        Problem(
            row["row_number"],
            entity.key,
            str(row["entity_id"]),
            f"{entity.name} {row['entity_id']} was changed since, by {row['modified_by_user'] or 'the system'}"
            f" on {row['modified_on']:%Y-%m-%d %H:%M:%S} UTC",
            "",
            cure,
        )
        for row in rows
    ]


async def _out_of_sight(
    connection: Connection, registry: Registry, principal: Principal, run_id: int, entity: Entity
) -> list[Problem]:
    """Name the records that a limited sender does not see, or would not see any more."""
    guard = Guard(connection, principal, registry, Problems(0))
    if not guard.limits(entity):
        return []
    rows = await store.added_ids(connection, run_id, entity, (ADD, INSERT, UPDATE))
    seen = await guard.seen_of(entity, rows)
    message = f"This {entity.name} is, or would be, where this credential does not see it"
    cure = "Let a client admin undo the import."
    return [
        Problem(row, entity.key, str(row_id), message, "", cure) for row_id, row in rows.items() if row_id not in seen
    ]


async def _restore(connection: Connection, registry: Registry, client_id: ClientId, run_id: int, entity: Entity) -> int:
    columns = {item.name for item in entity.members}
    for reference in entity.references:
        target = registry.entities[reference.to]
        await store.hold_referred_before(connection, client_id, run_id, entity, column=reference.name, target=target)
    ids = await store.restore_rows(connection, client_id, run_id, entity, columns)
    for showing in registry.shown_in(entity):
        if ids and showing.columns:
            await store.touch_showing(connection, showing, ids)
    return len(ids)


async def _remove(
    connection: Connection, registry: Registry, client_id: ClientId, run_id: int, entity: Entity
) -> tuple[int, list[Problem]]:
    """Delete what the import added, unless others refer to it: what was added along the way then stays."""
    added = await store.added_ids(connection, run_id, entity, (ADD, INSERT))
    own = await store.added_ids(connection, run_id, entity, (INSERT,))
    users: dict[int, str] = {}
    for other, reference in registry.referring(entity):
        if added and not reference.outlived:
            found = await store.referred_ids(connection, client_id, other, reference.name, added)
            users |= dict.fromkeys(found, other.name)
    gone = [row_id for row_id in added if row_id not in users]
    if gone:
        await store.delete_rows(connection, client_id, entity, gone)
    refused = [
        Problem(own[row_id], entity.key, str(row_id), f"{entity.name} {row_id} is used by {users[row_id]} meanwhile")
        for row_id in users
        if row_id in own
    ]
    return len(gone), refused
