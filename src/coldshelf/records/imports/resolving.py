"""Phase 2 of an import: what cells name is looked up in the database, many at once."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from coldshelf.kit.db import Connection
from coldshelf.kit.errors import InputInvalid
from coldshelf.kit.ids import ClientId
from coldshelf.records.entity import Entity, Field
from coldshelf.records.imports import store
from coldshelf.records.imports.compiled import CompiledPart, KeyPiece, Named, Setter
from coldshelf.records.imports.declaration import Operation, Record
from coldshelf.records.imports.problems import Problem, Problems, shown
from coldshelf.records.imports.writing import Writer
from coldshelf.records.store import Lock

SEVERAL = 0
"""Stands for the id of a name that several records have."""


Said = tuple[int | None, str]
"""What a cell names: the record within which the name counts, and the name in lower case."""


@dataclass(slots=True)
class Names:
    """Finds records by the names in cells, and adds those that an import may add. Remembers what it found."""

    connection: Connection
    client_id: ClientId
    writer: Writer
    reasons: dict[tuple[str, str], str] = field(default_factory=dict)
    """What an entity says of a name that it refuses, by entity and name."""
    _known: dict[tuple[str, str], dict[Said, int]] = field(default_factory=dict)

    async def find(self, named: Named, cells: Iterable[tuple[str, int | None, int]], *, creates: bool) -> None:
        """Look up (text, id within which it counts, row) of all cells that are not known yet."""
        known = self.known(named)
        wanted: dict[Said, tuple[str, int]] = {}
        for text, within, row in cells:
            said = (within, text.lower())
            if said not in known:
                wanted.setdefault(said, (text, row))
        if not wanted:
            return
        places = list(wanted)
        found = await store.named_ids(
            self.connection,
            self.client_id,
            named.to,
            named.by,
            [(wanted[said][0], said[0]) for said in places],
            lock=self._lock,
        )
        seen = await self.writer.guard.seen_of(named.to, {row_id for _, row_id in found})
        for place, row_id in (pair for pair in found if pair[1] in seen):
            known[places[place]] = SEVERAL if places[place] in known else row_id
        missing = {said: wanted[said] for said in places if said not in known}
        if named.to.standard:
            for said, (text, row) in missing.items():
                await self._add_standard(named, said, (text, row), creates=creates)
        elif creates and missing:
            rows = [(row, {named.by.name: text}) for text, row in missing.values()]
            known |= zip(missing, await self.writer.add_named(named.to, rows), strict=True)

    async def _add_standard(self, named: Named, said: Said, cell: tuple[str, int], *, creates: bool) -> None:
        text, row = cell
        values = await self._standard(named, text, said) or ({named.by.name: text} if creates else None)
        if values is not None:
            held = await self._held(named.to, values)
            # In a check too, since others are looked up by it; its transaction is rolled back.
            self.known(named)[said] = held or (await self.writer.add_named(named.to, [(row, values)], really=True))[0]

    async def _standard(self, named: Named, text: str, said: Said) -> dict[str, Any] | None:
        outer = {named.by.unique_in: said[0]} if said[0] else {}
        try:
            return await named.to.standard(self.connection, text, outer) if named.to.standard else None
        except InputInvalid as error:
            self.reasons[named.to.name, said[1]] = error.message
            return None

    async def _held(self, target: Entity, values: dict[str, Any]) -> int | None:
        """Find the record that is there under another one of its names."""
        for item in (item for item in target.fields if item.unique and values.get(item.name)):
            texts = [(values[item.name], None)]
            found = await store.named_ids(self.connection, self.client_id, target, item, texts, lock=self._lock)
            if found:
                return found[0][1]
        return None

    @property
    def _lock(self) -> Lock:
        return Lock.REFER if self.writer.writes else Lock.NONE

    def known(self, named: Named) -> dict[Said, int]:
        """Give the ids of what cells name; SEVERAL where several records have the name."""
        return self._known.setdefault((named.to.name, named.by.name), {})


class Resolver:
    """Turns the names of records into ids: what they refer to, and which record each of them is."""

    def __init__(self, names: Names, problems: Problems) -> None:
        self._names = names
        self._problems = problems
        self._connection, self._client_id = names.connection, names.client_id
        self._unique: dict[tuple[str, str], dict[str, int]] = {}

    async def refer(self, setters: Sequence[Setter], records: Sequence[Record]) -> None:
        """Replace names by ids in the values of records; those within which others count come first."""
        setters = sorted(
            (setter for setter in setters if setter.named),
            key=lambda setter: bool(setter.named and setter.named.by.unique_in),
        )
        for setter in setters:
            await self._refer(setter, records)

    async def _refer(self, setter: Setter, records: Sequence[Record]) -> None:
        named, name = setter.named, setter.sets
        if named is None or named.reference is None:
            return
        outer, target = named.by.unique_in, named.reference.name
        known = self._names.known(named)
        unknown: list[tuple[Record, str, int | None]] = []
        for record in records:
            if name not in record.values:
                continue
            text = record.values.pop(name)
            within = record.values.get(outer) if outer else None
            found = None if text is None else known.get((within, text.lower()))
            record.values[target] = found
            if not found and text is not None:
                unknown.append((record, text, within))
        await self._names.find(
            named, [(text, within, record.row) for record, text, within in unknown], creates=setter.column.creates
        )
        for record, text, within in unknown:
            found = known.get((within, text.lower()))
            if not found:
                self.refuse_name(record.row, setter, text, found)
                record.is_bad = True
            record.values[target] = found

    def refuse_name(self, row: int, setter: Setter, text: str, found: int | None) -> None:
        """Say that a cell names nothing, or several records."""
        named, name = setter.named, setter.column.name
        if named is None:
            return
        what = named.to.name
        message = self._names.reasons.get((what, text.lower()), f"{name}: there is no {what} {shown(text)!r}")
        cure = f"Add the {what} first, or correct the cell{named.to.standard_cure}."
        if found == SEVERAL:
            message = f"{name}: there are several {what} {shown(text)!r}"
            cure = f"Fill in the column of the {named.by.unique_in.removesuffix('_id')} too."
        self._problems.add(Problem(row, name, shown(text), message, f"must be a known {what}", cure))

    async def look_up(
        self, setters: Sequence[Setter], cells: Sequence[tuple[int, Sequence[Any]]]
    ) -> list[dict[str, int]]:
        """Look up cells that set nothing; give for each row the ids by column name."""
        for setter in setters:
            if setter.named:
                wanted = [
                    (str(row[setter.place]), None, number) for number, row in cells if row[setter.place] is not None
                ]
                await self._names.find(setter.named, wanted, creates=False)
        return [self._ids(setters, number, row) for number, row in cells]

    def _ids(self, setters: Sequence[Setter], number: int, row: Sequence[Any]) -> dict[str, int]:
        ids = {}
        for setter in setters:
            text = row[setter.place]
            if text is None or setter.named is None:
                continue
            found = self._names.known(setter.named).get((None, str(text).lower()))
            if found:
                ids[setter.column.name] = found
            else:
                self.refuse_name(number, setter, str(text), found)
        return ids

    async def identify(self, part: CompiledPart, records: Sequence[Record]) -> None:
        """Find which record each one is; refuse what its operation does not allow."""
        waiting = [record for record in records if record.id is None]
        sought: dict[str, set[int]] = {}
        for key in part.keys:
            if len(key) == 1:
                sought[key[0].column] = {id(record) for record in waiting}
            waiting = await self._find(part, key, waiting)
        await self._names.writer.guard.refuse_foreign(part, records)
        if part.part.operation in {Operation.CREATE, Operation.CHANGE}:
            for record in records:
                self._check_operation(part, record)
        if part.part.operation is not Operation.ADD:
            await self._check_unique(part, records, sought)

    async def _find(self, part: CompiledPart, key: tuple[KeyPiece, ...], records: Sequence[Record]) -> list[Record]:
        """Set the ids of records that a key finds; give the others."""
        sought = [(record, values) for record in records if (values := _key_of(key, record)) is not None]
        if not sought:
            return list(records)
        found = await store.keyed_ids(
            self._connection, self._client_id, part.entity, key, [values for _, values in sought]
        )
        for place, row_id in found:
            record, values = sought[place]
            if record.id is not None and record.id != row_id:
                column = part.column_name(key[0].column)
                text = shown(values[0])
                message = f"There are several {part.entity.name} with {column} {text!r}"
                cure = "Change or delete all but one of them first."
                self._problems.add(Problem(record.row, column, text, message, "", cure))
            else:
                record.id = row_id
        return [record for record in records if record.id is None]

    def _check_operation(self, part: CompiledPart, record: Record) -> None:
        operation = part.part.operation
        first = part.keys[0][0].column if part.keys else ""
        column, text = part.column_name(first), shown(record.values.get(first, ""))
        if operation is Operation.CREATE and record.id is not None:
            message = f"{part.entity.name} {text!r} exists already"
            cure = "This import only creates: choose another name."
            self._problems.add(Problem(record.row, column, text, message, str(operation), cure))
        if operation is Operation.CHANGE and record.id is None and part.keys:
            message = f"{column}: there is no {part.entity.name} {text!r}"
            self._problems.add(Problem(record.row, column, text, message, str(operation), "Correct the cell."))

    async def _check_unique(
        self, part: CompiledPart, records: Sequence[Record], sought: Mapping[str, Collection[int]]
    ) -> None:
        """Refuse values that must be unique and belong to another record, in the database or in the file.

        `sought` are by column those that were looked for by it: nobody else has what did not find them.
        """
        for item in (item for item in part.entity.fields if item.unique):
            held = [record for record in records if record.values.get(item.name) and not record.is_bad]
            await self._check_held(part, item, [each for each in held if id(each) not in sought.get(item.name, ())])
            seen = self._unique.setdefault((part.part.name, item.name), {})
            for record in held if item.name in part.unwatched else ():
                first = seen.setdefault(str(record.values[item.name]).lower(), record.row)
                if first != record.row:
                    self._refuse_double(part, item.name, record, f"row {first} says it already")

    async def _check_held(self, part: CompiledPart, item: Field, held: Sequence[Record]) -> None:
        if not held:
            return
        texts = [(record.values[item.name], None) for record in held]
        found = await store.named_ids(self._connection, self._client_id, part.entity, item, texts, lock=Lock.NONE)
        for place, row_id in found:
            if row_id != held[place].id:
                self._refuse_double(part, item.name, held[place], f"another {part.entity.name} has it")

    def _refuse_double(self, part: CompiledPart, column: str, record: Record, why: str) -> None:
        name, text = part.column_name(column), shown(record.values[column])
        cure = f"{name} is unique: choose another one."
        self._problems.add(Problem(record.row, name, text, f"{name} {text!r} cannot be used: {why}", "unique", cure))


def _key_of(key: Sequence[KeyPiece], record: Record) -> list[Any] | None:
    """Give the values of a key; None where one is missing or not in the database yet."""
    values = [record.values.get(piece.column) for piece in key]
    for value in values:
        if value is None or (type(value) is int and value <= 0):
            return None
    return [str(value) if piece.folded else value for piece, value in zip(key, values, strict=True)]
