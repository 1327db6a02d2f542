"""One pass over the rows of a file: makes records of them, looks up what they name, and writes or only checks them."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from coldshelf.records.entity import Entity
from coldshelf.records.imports import store
from coldshelf.records.imports.cells import Read
from coldshelf.records.imports.compiled import CompiledPart, CompiledType, column_of
from coldshelf.records.imports.declaration import Operation, Record, Row
from coldshelf.records.imports.problems import Problem
from coldshelf.records.imports.resolving import Names, Resolver
from coldshelf.records.imports.spool import Line, read_batches
from coldshelf.records.imports.writing import Writer

PRETENDED = -1
"""Id of a record that was refused, so that those that belong to it are looked at all the same."""


TellRows = Callable[[int], Awaitable[None]]
"""Takes how many rows are done."""


async def nobody(_rows: int) -> None:
    """Tell nobody."""


@dataclass(slots=True)
class Pass:
    """Looks at all rows of one file. `clears`: an empty cell empties its field, otherwise it leaves it alone."""

    kind: CompiledType
    writer: Writer
    clears: bool = False
    tell: TellRows = nobody
    _keys: dict[str, tuple[int, ...]] = field(init=False)
    _joined: dict[str, tuple[CompiledPart, ...]] = field(init=False)
    _said: dict[str, dict[tuple[Read, ...], Record]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._keys = {group.part: group.key for group in self.kind.groups}
        self._joined = {part.part.name: self.kind.joined(part.part.name) for part in self.kind.parts}

    async def run(self, spool: Path) -> None:
        """Take every row; what is wrong stands in the writer's problems afterwards."""
        await self.tell(0)
        await store.plan_alike(self.writer.connection)
        await store.plan_anew(self.writer.connection)
        names = Names(self.writer.connection, self.writer.client_id, self.writer)
        resolver = Resolver(names, self.writer.problems)
        if self.kind.type.gather:
            await self._gather(resolver, spool)
            return
        done = 0
        for batch in read_batches(spool):
            await self._batch(resolver, batch)
            done += len(batch)
            await self.tell(done)

    async def _batch(self, resolver: Resolver, batch: Sequence[Line]) -> None:
        await store.plan_anew(self.writer.connection)
        await resolver.look_up(self.kind.lookups, [(line.row, line.cells) for line in batch])
        made: list[dict[str, Record]] = [{} for _ in batch]
        for part in self.kind.parts:
            records = []
            for line, own in zip(batch, made, strict=True):
                record = self._record(part, line, own)
                if record is not None and part.part.name not in line.said:
                    records.append(record)
            await self._write(resolver, part, records)

    def _record(self, part: CompiledPart, line: Line, own: dict[str, Record]) -> Record | None:
        """Make the record of a row, or find the one that an earlier row said."""
        name = part.part.name
        if part.part.same and (part.part.same not in line.said or not _is_wanted(part, line)):
            return None
        if line.cells[part.trigger] is None:
            self._check_stray(part, line)
            return None
        key = self._group_key(name, line)
        if name in line.said:
            own[name] = self._said[name].get(key) or Record(line.row, name, {}, id=PRETENDED)
            return own[name]
        record = Record(line.row, name, self._values(part, line.cells), is_bad=line.is_bad)
        for other in self._joined[name]:  # written at once
            if _is_wanted(other, line):
                record.values |= self._values(other, line.cells)
        record.links = {column: own[source] for column, source in part.links.items() if source in own}
        record.same = own.get(part.part.same)
        own[name] = record
        if key:
            self._said.setdefault(name, {})[key] = record
        return record

    def _values(self, part: CompiledPart, cells: Sequence[Read]) -> dict[str, Any]:  # the columns' types
        values = {}
        for place, slot, convert, may_be_emptied in part.cells:
            cell = cells[place]
            if cell is not None:
                values[slot] = convert(cell)
            elif self.clears and may_be_emptied:
                values[slot] = None
        return values

    def _group_key(self, part: str, line: Line) -> tuple[Read, ...]:
        cells = [line.cells[place] for place in self._keys.get(part, ())]
        return tuple([cell.lower() if isinstance(cell, str) else cell for cell in cells])

    def _check_stray(self, part: CompiledPart, line: Line) -> None:
        """Refuse cells of a record that a row does not name; what is only added along the way may be left out."""
        if line.is_bad or part.part.operation is Operation.ADD:
            return
        needed = self.kind.columns[part.trigger].name
        for setter in part.setters:
            if line.cells[setter.place] is not None:
                message = f"Missing required field: {needed}"
                cure = f"Fill in {needed}, or empty {setter.column.name}."
                rule = f"needed with {setter.column.name}"
                self.writer.problems.add(Problem(line.row, needed, "", message, rule, cure))
                return

    async def _gather(self, resolver: Resolver, spool: Path) -> None:
        gather = self.kind.type.gather
        if gather is None:
            return
        rows: list[Row] = []
        for batch in read_batches(spool):
            good = [(line.row, line.cells) for line in batch if not line.is_bad]
            found = await resolver.look_up(self.kind.lookups, good)
            rows += [Row(row, self._by_name(cells), ids) for (row, cells), ids in zip(good, found, strict=True)]
        records = await gather(self.writer.connection, rows, self._refuse)
        for part in self.kind.parts:
            own = [record for record in records if record.part == part.part.name]
            for record in own:
                record.values = _by_column(part.entity, record.values)
                record.links = {column_of(part.entity, wire): other for wire, other in record.links.items()}
            await self._write(resolver, part, own)

    def _by_name(self, cells: Sequence[Read]) -> dict[str, Any]:
        return {rules.name: cell for rules, cell in zip(self.kind.columns, cells, strict=True) if cell is not None}

    def _refuse(self, row: int, column: str, value: str, message: str, cure: str) -> None:
        self.writer.problems.add(Problem(row, column, value, message, "", cure))

    async def _write(self, resolver: Resolver, part: CompiledPart, records: Sequence[Record]) -> None:
        parts = (part, *self._joined[part.part.name])
        await resolver.refer([setter for each in parts for setter in each.setters], records)
        for record in records:
            for column, other in record.links.items():
                record.values[column] = PRETENDED if other.id is None else other.id
            if record.same:
                record.id = PRETENDED if record.same.id is None else record.same.id
        await resolver.identify(part, records)
        await self.writer.write(part, records, is_main=part.part.name == self.kind.type.main)
        for record in records:
            record.forget()


def _is_wanted(part: CompiledPart, line: Line) -> bool:
    return line.cells[part.trigger] is not None and (part.when is None or bool(line.cells[part.when]))


def _by_column(entity: Entity, values: dict[str, Any]) -> dict[str, Any]:
    return {column_of(entity, wire): value for wire, value in values.items()}
