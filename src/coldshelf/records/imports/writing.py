"""Writes the records of an import, many at once, by the rules of their entities, and notes every change."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from coldshelf.kit.db import Connection
from coldshelf.kit.errors import InputInvalid
from coldshelf.kit.ids import ClientId
from coldshelf.records.entity import Entity
from coldshelf.records.imports import store
from coldshelf.records.imports.compiled import CompiledPart
from coldshelf.records.imports.declaration import Operation, Record
from coldshelf.records.imports.limiting import Guard
from coldshelf.records.imports.noted import Noted
from coldshelf.records.imports.planned import Planned
from coldshelf.records.imports.problems import Problem, Problems, shown
from coldshelf.records.imports.store import ADD, INSERT, UPDATE
from coldshelf.records.registry import Registry
from coldshelf.records.store import Lock


@dataclass(slots=True)
class Counts:
    """How many records of the main part are new, were there, and needed no change."""

    inserted: int = 0
    updated: int = 0
    unchanged: int = 0


@dataclass(slots=True)
class Writer:
    """Writes for one run. Without `run_id` it only finds out what would be refused; new records get ids below 0."""

    connection: Connection
    client_id: ClientId
    registry: Registry
    problems: Problems
    guard: Guard
    run_id: int | None = None
    counts: Counts = field(default_factory=Counts)
    _columns: dict[str, dict[str, store.TableColumn]] = field(default_factory=dict)
    _noted: Noted = field(default_factory=Noted)
    _pretended: int = 0

    @property
    def writes(self) -> bool:
        return self.run_id is not None

    async def add_named(
        self, entity: Entity, rows: Sequence[tuple[int, dict[str, Any]]], *, really: bool = False
    ) -> list[int]:
        """Add records along the way, such as those that cells name; give their ids. `really`: in a check too."""
        if self.writes or really:
            return await self._insert(entity, rows, kind=ADD)
        return [self._pretend() for _ in rows]

    def _pretend(self) -> int:
        self._pretended -= 1
        return self._pretended

    async def write(self, part: CompiledPart, records: Sequence[Record], *, is_main: bool) -> None:
        """Write records whose references are ids; every record has an id afterwards."""
        if part.part.operation is Operation.ADD:
            records = [record for record in records if record.id is None]
        records = [record for record in records if record.id is None or record.id > 0]  # others are pretended
        planned = await self._plan(part, records)
        if is_main:
            self._count(planned)
        if not self.writes:
            for item in planned:
                if item.record.id is None:
                    item.record.id = self._pretend()
            return
        if self.problems.count:
            return
        kind = ADD if part.part.operation is Operation.ADD else INSERT
        await self._insert_planned(part.entity, [item for item in planned if item.before is None], kind)
        await self._update_planned(part.entity, [item for item in planned if item.before and item.changed])
        await self.guard.check_kept(part, planned)

    def _count(self, planned: Sequence[Planned]) -> None:
        for item in planned:
            if item.before is None:
                self.counts.inserted += 1
            else:
                self.counts.updated += 1
                self.counts.unchanged += not item.changed

    async def _plan(self, part: CompiledPart, records: Sequence[Record]) -> list[Planned]:
        ids = [record.id for record in records if record.id is not None and record.id > 0]
        lock = Lock.CHANGE if self.writes else Lock.NONE
        rows = await store.rows_by_id(self.connection, self.client_id, part.entity, ids, lock=lock) if ids else {}
        planned = [Planned(record, rows.get(record.id or 0), dict(record.values)) for record in records]
        ready = [item for item in planned if self._is_ready(part, item)]
        prepared = await part.entity.prepare(self.connection, [(item.values, item.before) for item in ready])
        good: list[Planned] = []
        for item, values in zip(ready, prepared, strict=True):
            if isinstance(values, InputInvalid):
                self._refuse(part, item.record, values)
            else:
                item.values = values
                item.changed = _changed(item)
                good.append(item)
        await self.guard.check(part, good, writes=self.writes)
        return planned

    def _is_ready(self, part: CompiledPart, item: Planned) -> bool:
        """Say whether the entity's rule can look at a record: of pretended ids it would find nothing."""
        if item.record.is_bad or (item.before is None and not self._check_required(part, item)):
            return False
        return all((item.values.get(name) or 0) >= 0 for name in part.references)

    def _refuse(self, part: CompiledPart, record: Record, error: InputInvalid) -> None:
        column = _blamed(part, error.message)
        value = shown(record.values.get(column, ""))
        self.problems.add(Problem(record.row, column, value, error.message, "", error.cure))

    def _check_required(self, part: CompiledPart, item: Planned) -> bool:
        missing = [column for column in part.needed if item.values.get(column) is None]
        for column in missing:
            name = part.column_name(column)
            words = f"Missing required field: {name}"
            cure = f"Fill in {name}: a new {part.entity.name} needs it."
            self.problems.add(Problem(item.record.row, name, "", words, f"required for a new {part.entity.name}", cure))
        return not missing

    async def _insert_planned(self, entity: Entity, planned: Sequence[Planned], kind: str) -> None:
        if not planned:
            return
        ids = await self._insert(entity, [(item.record.row, item.values) for item in planned], kind=kind)
        for item, row_id in zip(planned, ids, strict=True):
            item.record.id = row_id
        await self._after(entity, planned)

    async def _insert(self, entity: Entity, rows: Sequence[tuple[int, dict[str, Any]]], *, kind: str) -> list[int]:
        columns = await self._columns_of(entity)
        values = [values for _, values in rows]
        ids = await store.insert_rows(self.connection, self.client_id, entity, columns, values)
        await self._note(entity, [(row, row_id) for (row, _), row_id in zip(rows, ids, strict=True)], kind)
        return ids

    async def _update_planned(self, entity: Entity, planned: Sequence[Planned]) -> None:
        """Change records; one that several rows change, such as by a link, is changed row after row."""
        while planned:
            now = {item.before["id"]: item for item in reversed(planned) if item.before}
            await self._update(entity, list(now.values()))
            done = {id(item) for item in now.values()}
            planned = [item for item in planned if id(item) not in done]

    async def _update(self, entity: Entity, planned: Sequence[Planned]) -> None:
        names = {name for item in planned for name in item.values}
        rows = {
            item.before["id"]: {name: item.values.get(name, item.before[name]) for name in names}
            for item in planned
            if item.before
        }
        await self._note(entity, [(item.record.row, item.before["id"]) for item in planned if item.before], UPDATE)
        await store.update_rows(self.connection, self.client_id, entity, await self._columns_of(entity), rows)
        await self._after(entity, planned)
        await self._touch(entity, planned)

    async def _after(self, entity: Entity, planned: Sequence[Planned]) -> None:
        if entity.after_save:
            for item in planned:
                if item.record.id is not None:
                    await entity.after_save(self.connection, item.record.id, item.values, item.before)

    async def _touch(self, entity: Entity, planned: Sequence[Planned]) -> None:
        """Touch the rows that show a changed name, so that their modification time stays true."""
        for showing in self.registry.shown_in(entity):
            ids = [item.before["id"] for item in planned if item.before and item.changed & showing.columns]
            if ids:
                await store.touch_showing(self.connection, showing, ids)

    async def _note(self, entity: Entity, rows: Sequence[tuple[int, int]], kind: str) -> None:
        if self.run_id is None:
            return
        changes = [store.Change(number, row, kind, row_id) for number, row, row_id in self._noted.first(entity, rows)]
        if changes:
            await store.keep_changes(self.connection, self.client_id, self.run_id, entity, changes)

    async def _columns_of(self, entity: Entity) -> dict[str, store.TableColumn]:
        if entity.table not in self._columns:
            self._columns[entity.table] = await store.table_columns(self.connection, entity.table)
        return self._columns[entity.table]


def _changed(item: Planned) -> frozenset[str]:
    """Give the columns that get another value; an emptied one counts when it held something."""
    if item.before is None:
        return frozenset()
    before = item.before
    return frozenset([name for name, value in item.values.items() if value != before.get(name)])


def _blamed(part: CompiledPart, message: str) -> str:
    """Name the file's column that an entity's rule complains about."""
    for setter in part.setters:
        item = setter.field or (setter.named.reference if setter.named else None)
        if item and message.startswith(item.wire):
            return setter.column.name
    return part.setters[0].column.name if part.setters else ""
