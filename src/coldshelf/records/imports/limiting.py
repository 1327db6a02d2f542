"""What a sender may write by file: the rules of single records (`records/saving.py`), for many at once."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

from asyncpg import UniqueViolationError

from coldshelf.access.principal import Permission, Principal
from coldshelf.kit.db import Connection
from coldshelf.kit.errors import NotAllowed
from coldshelf.records.entity import Entity
from coldshelf.records.errors import OutOfSight
from coldshelf.records.imports import store
from coldshelf.records.imports.cells import ColumnRules
from coldshelf.records.imports.compiled import CompiledPart, CompiledType, Setter
from coldshelf.records.imports.declaration import CellType, Record
from coldshelf.records.imports.planned import Planned
from coldshelf.records.imports.problems import Problem, Problems, shown
from coldshelf.records.limits import dataset_for, entity_for, may_write, require_write
from coldshelf.records.registry import Registry
from coldshelf.records.store import Seen

NOT_YOURS = "not for this credential"
REFUSED_ID = -1
"""Id of a record that was refused, so that those that belong to it are looked at all the same."""


def refuse_cell(_text: str) -> str:
    """Refuse whatever stands in a column that the sender may not write."""
    return "this credential may not write it"


def is_refused(rules: ColumnRules) -> bool:
    return rules.check is refuse_cell


def require_import(principal: Principal, kind: CompiledType) -> None:
    """Raise NotAllowed unless the principal may import files of this type: then it may save what they are about."""
    principal.require(kind.writers, Permission.IMPORT)
    require_write(principal, next(part.entity for part in kind.parts if part.part.name == kind.type.main))


def type_for(principal: Principal, kind: CompiledType) -> CompiledType:
    """Narrow a type to what the sender may write: any other column takes no value, and adds no record along the way."""
    refused = _refused_places(principal, kind)
    adding = {setter.place for part in kind.parts for setter in part.setters if _adds_refused(principal, setter)}
    if not refused and not adding:
        return kind
    columns = [_refusing(rules) if place in refused else rules for place, rules in enumerate(kind.columns)]
    return replace(
        kind,
        columns=tuple(columns),
        parts=tuple(_narrowed(part, refused, adding) for part in kind.parts),
        lookups=tuple(setter for setter in kind.lookups if setter.place not in refused),
    )


def _refusing(rules: ColumnRules) -> ColumnRules:
    return ColumnRules(name=rules.name, names=rules.names, type=CellType.TEXT, check=refuse_cell, rule=NOT_YOURS)


def _refused_places(principal: Principal, kind: CompiledType) -> set[int]:
    places: set[int] = set()
    for part in kind.parts:
        may, seen = may_write(principal, part.entity), entity_for(principal, part.entity)
        places |= {setter.place for setter in part.setters if not (may and _sees(seen, setter))}
        if not part.setters and not may:  # made of all rows: what its records are looked up by
            places |= {setter.place for setter in kind.lookups if setter.named and setter.named.to is part.entity}
    return places


def _sees(seen: Entity, setter: Setter) -> bool:
    if setter.field:
        return setter.field in seen.fields
    return any(setter.sets in reference.by for reference in seen.references)


def _adds_refused(principal: Principal, setter: Setter) -> bool:
    return setter.column.creates and setter.named is not None and not may_write(principal, setter.named.to)


def _narrowed(part: CompiledPart, refused: Collection[int], adding: Collection[int]) -> CompiledPart:
    kept = tuple(setter for setter in part.setters if setter.place not in refused)
    setters = tuple(
        replace(setter, column=replace(setter.column, creates=False)) if setter.place in adding else setter
        for setter in kept
    )
    return replace(part, setters=setters, cells=tuple(cell for cell in part.cells if cell[0] not in refused))


@dataclass(frozen=True, slots=True)
class Guard:
    """Keeps one sender's import within its limit. What it refuses is a problem of the cell, as any other."""

    connection: Connection
    principal: Principal
    registry: Registry
    problems: Problems

    def limits(self, entity: Entity) -> bool:
        return self._limit_of(entity) is not None

    async def seen_of(self, entity: Entity, ids: Collection[int]) -> Collection[int]:
        """Give those of the ids whose records are in sight."""
        seen = self._limit_of(entity)
        if seen is None or not ids:
            return ids
        return await store.seen_ids(self.connection, self.principal.client, entity, seen, ids)

    async def refuse_foreign(self, part: CompiledPart, records: Sequence[Record]) -> None:
        """Refuse rows whose key is that of a record out of sight, as a save does: the key is taken."""
        found = [record for record in records if record.id is not None and record.id > 0]
        seen = await self.seen_of(part.entity, {record.id for record in found if record.id is not None})
        for record in found:
            if record.id not in seen:
                column = part.keys[0][0].column if part.keys else ""
                name, text = part.column_name(column), shown(record.values.get(column, ""))
                message = f"{name} {text!r} cannot be used: another {part.entity.name} has it"
                self._refuse(record, name, text, message, "Use one that this credential sees.")
                record.id, record.is_bad = REFUSED_ID, True

    async def check(self, part: CompiledPart, planned: Sequence[Planned], *, writes: bool) -> None:
        """Refuse changes that take a permission of their own and, where nothing is written yet, what would leave sight.

        What is written is looked at afterwards, by `check_kept`.
        """
        for item in planned:
            self._check_permissions(part, item)
        seen = self._limit_of(part.entity)
        if seen is None or writes or not planned:
            return
        if seen.dataset.location == "id":
            await self._try_out(part, planned)
            return
        place = _place(seen)
        for item in planned:
            held = item.before.get(place) if item.before else None
            if item.values.get(place, held) is None:
                self._refuse_unseen(part, item.record, place)

    async def check_kept(self, part: CompiledPart, planned: Sequence[Planned]) -> None:
        """Refuse what was written to where the sender does not see it."""
        seen = self._limit_of(part.entity)
        if seen is None:
            return
        ids = [item.record.id for item in planned if item.record.id is not None]
        kept = await self.seen_of(part.entity, ids)
        for item in planned:
            if item.record.id not in kept:
                self._refuse_unseen(part, item.record, _place(seen))

    async def _try_out(self, part: CompiledPart, planned: Sequence[Planned]) -> None:
        """Write outlets for a moment: the database alone knows which of them the grants let through."""
        savepoint = self.connection.transaction()
        await savepoint.start()
        try:
            ids = await self._written(part.entity, planned)
            kept = await self.seen_of(part.entity, ids)
        except UniqueViolationError:
            return  # a code that is doubled is told elsewhere
        finally:
            await savepoint.rollback()
        for item, row_id in zip(planned, ids, strict=True):
            if row_id not in kept:
                self._refuse_unseen(part, item.record, "id")

    async def _written(self, entity: Entity, planned: Sequence[Planned]) -> list[int]:
        client_id, ids = self.principal.client, []
        columns = await store.table_columns(self.connection, entity.table)
        new = iter(
            await store.insert_rows(
                self.connection, client_id, entity, columns, [item.values for item in planned if not item.before]
            )
        )
        moving = {reference.name for reference in entity.references}
        for item in planned:
            if item.before and item.changed & moving:
                values = {item.before["id"]: item.values}
                await store.update_rows(self.connection, client_id, entity, columns, values)
            ids.append(item.before["id"] if item.before else next(new))
        return ids

    def _check_permissions(self, part: CompiledPart, item: Planned) -> None:
        for reference in part.entity.references:
            held = item.before.get(reference.name) if item.before else None
            if reference.permission and item.values.get(reference.name, held) != held:
                try:
                    self.principal.require_permission(reference.permission)
                except NotAllowed as error:
                    name = part.column_name(reference.name)
                    self._refuse(item.record, name, "", f"{name}: {error.message}", "Leave the cell empty.")

    def _limit_of(self, entity: Entity) -> Seen | None:
        dataset = dataset_for(self.principal, self.registry.datasets[entity.name])
        return Seen(dataset, self.principal.limit.outlets) if dataset.limited else None

    def _refuse_unseen(self, part: CompiledPart, record: Record, place: str) -> None:
        column = part.keys[0][0].column if place == "id" and part.keys else place
        name = part.column_name(column)
        error = OutOfSight(f"This {part.entity.name} would be where this credential does not see it")
        self._refuse(record, name, shown(record.values.get(column, "")), error.message, error.cure)

    def _refuse(self, record: Record, column: str, value: str, message: str, cure: str) -> None:
        self.problems.add(Problem(record.row, column, value, message, NOT_YOURS, cure))


def _place(seen: Seen) -> str:
    """Name the column by which a row stands in an outlet."""
    via = seen.dataset.location_of
    return via.on if via else seen.dataset.location or ""
