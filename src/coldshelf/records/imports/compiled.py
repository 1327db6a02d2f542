"""Declared types joined with the entities that they write: made once, checked when made."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from typing import Any

from coldshelf.access.principal import Role
from coldshelf.records.entity import Entity, Field, Reference
from coldshelf.records.fields import FieldType
from coldshelf.records.imports.cells import ColumnRules
from coldshelf.records.imports.declaration import CellType, ImportColumn, ImportType, Operation, Part
from coldshelf.records.imports.examining import FileRules, Group
from coldshelf.records.registry import Registry

Convert = Callable[[Any], Any]  # from what the spool holds to the type of the field
_CONVERT: dict[FieldType, Convert] = {
    FieldType.DECIMAL: Decimal,
    FieldType.DATE: date.fromisoformat,
    FieldType.BOOLEAN: bool,
    FieldType.FLAG: bool,
    FieldType.INTEGER: int,
}


@dataclass(frozen=True, slots=True)
class Named:
    """A reference, the record that it leads to, and the unique field by which a cell names that."""

    reference: Reference | None
    to: Entity
    by: Field


@dataclass(frozen=True, slots=True)
class Setter:
    """What the cell at `place` sets in a record: a field, or a reference by name."""

    place: int
    column: ImportColumn
    part: str = ""
    sets: str = ""
    field: Field | None = None
    named: Named | None = None

    @property
    def target(self) -> str:
        """Name the column of the table."""
        if self.field:
            return self.field.name
        return self.named.reference.name if self.named and self.named.reference else ""

    @property
    def slot(self) -> str:
        """Name the value in a record: by its column, or while the name is still to be looked up by that."""
        return self.sets if self.named else self.target

    @property
    def convert(self) -> Convert:
        """Give the function that turns a cell of the spool into what the field takes."""
        kind = self.field.type if self.field else FieldType.TEXT
        return _CONVERT.get(kind, str)


@dataclass(frozen=True, slots=True)
class KeyPiece:
    """One column of a way to find a record; `folded`: text that is equal in any letter case."""

    column: str
    folded: bool
    has_key_column: bool


@dataclass(frozen=True, slots=True)
class CompiledPart:
    """A part with its entity. `trigger` is the place of the cell that says whether a row writes this record.

    `cells` are place, slot and conversion of each cell, and whether it may be emptied. `needed` are the
    columns that a new record must be given, `references` those that hold ids, `unwatched` unique ones in which phase 1
    does not look for values that stand twice.
    """

    part: Part
    entity: Entity
    setters: tuple[Setter, ...]
    keys: tuple[tuple[KeyPiece, ...], ...]
    links: Mapping[str, str]
    trigger: int
    when: int | None
    cells: tuple[tuple[int, str, Convert, bool], ...]
    needed: tuple[str, ...]
    references: tuple[str, ...]
    unwatched: frozenset[str]

    def column_name(self, wire_or_column: str) -> str:
        """Name the file's column that sets a field or reference; the name itself when there is none."""
        for setter in self.setters:
            if wire_or_column in {setter.target, setter.sets}:
                return setter.column.name
        return wire_or_column


@dataclass(frozen=True, slots=True)
class CompiledType:
    """A type of file, ready for use. `lookups` are the columns that only look a record up."""

    type: ImportType
    parts: tuple[CompiledPart, ...]
    lookups: tuple[Setter, ...]
    columns: tuple[ColumnRules, ...]
    keys: tuple[int, ...]
    groups: tuple[Group, ...]
    writers: frozenset[Role]

    def joined(self, part: str) -> tuple[CompiledPart, ...]:
        """Give the parts that say more of the record of this part."""
        return tuple(each for each in self.parts if each.part.same == part)

    def file_rules(self, *, most_rows: int, most_problems: int) -> FileRules:
        """Give what phase 1 needs to know."""
        places = {column.name: place for place, column in enumerate(self.columns)}
        return FileRules(
            columns=self.columns,
            keys=self.keys,
            groups=self.groups,
            one_of=tuple(places[name] for name in self.type.one_of),
            most_rows=most_rows,
            most_problems=most_problems,
        )


class Imports:
    """Every type of file that can be imported, by name in any letter case."""

    def __init__(self, registry: Registry, types: Iterable[ImportType]) -> None:
        self.registry = registry
        self.types: dict[str, CompiledType] = {}
        for declared in types:
            if declared.name.lower() in self.types:
                raise ValueError(f"import type {declared.name} is registered twice")
            self.types[declared.name.lower()] = _compile(registry, declared)

    def __iter__(self) -> Iterator[CompiledType]:
        return iter(self.types.values())

    def find(self, name: str) -> CompiledType | None:
        return self.types.get(name.strip().lower())


def _compile(registry: Registry, declared: ImportType) -> CompiledType:
    names = [name.lower() for column in declared.columns for name in set(column.names)]
    if doubled := {name for name in names if names.count(name) > 1}:
        raise ValueError(f"import type {declared.name} names {min(doubled)!r} twice")
    columns = list(enumerate(declared.columns))
    setters = [setter for place, column in columns for setter in _setters(registry, declared, place, column)]
    rules = tuple(_rules(next(setter for setter in setters if setter.place == place)) for place, _ in columns)
    parts = tuple(_part(registry, declared, part, setters) for part in declared.parts)
    main = next(part for part in parts if part.part.name == declared.main)
    return CompiledType(
        type=declared,
        parts=parts,
        lookups=tuple(setter for setter in setters if setter.column.refers),
        columns=rules,
        keys=tuple(_unique_places(declared, parts, setters)),
        groups=tuple(_groups(parts)),
        writers=main.entity.writers if declared.writers is None else declared.writers,
    )


def _setters(registry: Registry, declared: ImportType, place: int, column: ImportColumn) -> Iterator[Setter]:
    if column.refers:
        to = registry.entities[column.refers[0]]
        yield Setter(place, column, named=Named(None, to, to.field(column.refers[1])))
    elif not column.sets:
        yield Setter(place, column)
    else:
        for part, wire in ((column.part or declared.main, column.sets), *column.also):
            yield _setter(registry, declared, Setter(place, column, part, wire))


def _setter(registry: Registry, declared: ImportType, setter: Setter) -> Setter:
    entity = registry.entities[declared.part(setter.part).entity]
    found = _field(entity, setter.sets)
    if found:
        return replace(setter, field=found)
    for reference in entity.references:
        if setter.sets in reference.by:
            to = registry.entities[reference.to]
            return replace(setter, named=Named(reference, to, to.field(reference.by[setter.sets])))
    raise ValueError(
        f"import type {declared.name}: {setter.column.name} sets {setter.sets}, which {entity.name} has not"
    )


def _field(entity: Entity, wire: str) -> Field | None:
    return next((item for item in entity.fields if wire in item.names and not item.read_only), None)


def _rules(setter: Setter) -> ColumnRules:
    column = setter.column
    item = setter.field or (setter.named.by if setter.named else None)
    longest = column.max_length or (item.max_length if item and item.type is FieldType.TEXT else 0)
    if item and item.type is FieldType.TEXT and 0 < item.max_length < longest and not setter.named:
        raise ValueError(f"{column.name} takes {longest} characters, {item.wire} keeps {item.max_length}")
    bounds = setter.field if setter.field and column.type in {CellType.INTEGER, CellType.DECIMAL} else None
    return ColumnRules(
        name=column.name,
        names=column.names,
        type=column.type,
        required=column.required,
        max_length=longest if column.type in {CellType.TEXT, CellType.EMAIL} else 0,
        minimum=column.minimum if column.minimum is not None else (bounds.minimum if bounds else None),
        maximum=column.maximum if column.maximum is not None else _largest(bounds),
        scale=bounds.scale if bounds else column.scale,
        choices=column.choices or (setter.field.choices if setter.field else ()),
        check=column.check,
        rule=column.rule,
    )


def _largest(bounds: Field | None) -> Decimal | None:
    if bounds is None or bounds.maximum is not None:
        return bounds.maximum if bounds else None
    if bounds.type is FieldType.DECIMAL:
        return Decimal(10) ** (bounds.precision - bounds.scale) - 1
    return None


def _part(registry: Registry, declared: ImportType, part: Part, setters: Iterable[Setter]) -> CompiledPart:
    entity = registry.entities[part.entity]
    own = tuple(setter for setter in setters if setter.part == part.name)
    key = part.keys[0] if part.keys else ()
    first = (item.place for item in own if (_says(item, key) if key else item.column.required or part.same))
    trigger = next(first, -1)
    if trigger < 0 and not declared.gather:
        raise ValueError(f"import type {declared.name}: no column sets a key of {part.name}")
    return CompiledPart(
        part=part,
        entity=entity,
        setters=own,
        keys=tuple(tuple(_key_piece(entity, wire) for wire in key) for key in part.keys),
        links={_reference(entity, wire).name: source for wire, source in part.links.items()},
        trigger=trigger,
        cells=tuple((item.place, item.slot, item.convert, not item.column.required) for item in own),
        when=next((place for place, item in enumerate(declared.columns) if item.name == part.when), None),
        needed=(
            *(each.name for each in entity.members if each.required),
            *(column_of(entity, wire) for wire in part.needs),
        ),
        references=tuple(item.name for item in entity.references),
        unwatched=_unwatched(declared, part, entity),
    )


def _unwatched(declared: ImportType, part: Part, entity: Entity) -> frozenset[str]:
    """Give the unique columns of records that several rows may speak of, but for the one that tells them apart."""
    unique = {item.wire: item.name for item in entity.fields if item.unique}
    if declared.gather:
        return frozenset(unique.values())
    apart = part.keys[0] if part.keys and len(part.keys[0]) == 1 else ()
    return frozenset(name for wire, name in unique.items() if part.repeats and wire not in apart)


def column_of(entity: Entity, wire: str) -> str:
    """Name the column of a field or of a reference's id; a name by which a reference is given stays as it is."""
    return next((item.name for item in entity.members if item.wire == wire), wire)


def _says(setter: Setter, key: tuple[str, ...]) -> bool:
    if setter.field:
        return setter.field.wire in key
    return bool(setter.named and setter.named.reference and setter.named.reference.wire in key)


def _reference(entity: Entity, wire: str) -> Reference:
    return next(item for item in entity.references if item.wire == wire)


def _key_piece(entity: Entity, wire: str) -> KeyPiece:
    item = next((item for item in entity.fields if item.wire == wire), None)
    if item is None:
        return KeyPiece(_reference(entity, wire).name, folded=False, has_key_column=False)
    return KeyPiece(item.name, folded=item.type is FieldType.TEXT, has_key_column=item.unique)


def _unique_places(declared: ImportType, parts: Iterable[CompiledPart], setters: Iterable[Setter]) -> Iterator[int]:
    """Give the columns in which no value may stand twice: those declared, and what is unique in a part."""
    said_often = {part.part.name for part in parts if part.part.repeats or part.part.operation is Operation.ADD}
    for setter in setters:
        is_unique = setter.field and setter.field.unique and setter.part not in said_often and not declared.gather
        if setter.column.key or is_unique:
            yield setter.place


def _groups(parts: tuple[CompiledPart, ...]) -> Iterator[Group]:
    """Give the places that find a record which several rows may speak of, those of the parts it links to included."""
    by_name = {part.part.name: part for part in parts}
    for part in (part for part in parts if part.part.repeats):
        own = _key_places(part, by_name)
        places = tuple(setter.place for setter in part.setters if setter.place not in own)
        yield Group(part=part.part.name, title=part.entity.name, key=own, places=places)


def _key_places(part: CompiledPart, by_name: Mapping[str, CompiledPart]) -> tuple[int, ...]:
    places = [setter.place for setter in part.setters if _says(setter, part.part.keys[0])]
    for wire in part.part.keys[0]:
        if wire in part.part.links:
            places += _key_places(by_name[part.part.links[wire]], by_name)
    return tuple(places)
