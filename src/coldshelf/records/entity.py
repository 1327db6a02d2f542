"""Declarations of what can be saved: entities, their fields and references. Each gives a dataset as well."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any

from coldshelf.access.principal import ADMINS, PEOPLE, Role
from coldshelf.kit.db import Connection
from coldshelf.records.dataset import Column, Dataset, Join, common_columns, snake_case
from coldshelf.records.fields import FieldType

Values = Mapping[str, Any]
"""Column name to value; the types are those that the fields declare."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One attribute that can be saved. `aliases` are further accepted names; `unique` fields compare in any case."""

    wire: str
    type: FieldType = FieldType.TEXT
    column: str = ""
    parquet: str | None = ""
    aliases: tuple[str, ...] = ()
    required: bool = False
    unique: bool = False
    max_length: int = 0
    choices: tuple[str, ...] = ()
    minimum: Decimal | None = None
    maximum: Decimal | None = None
    precision: int = 18
    scale: int = 6
    read_only: bool = False
    unit: str = ""
    meaning: str

    @property
    def name(self) -> str:
        return self.column or snake_case(self.wire)

    @property
    def names(self) -> tuple[str, ...]:
        return (self.wire, *self.aliases)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """A foreign key. `by` maps further accepted names to the target's unique field that they hold.

    `shows` maps wire names in lists to columns of the target: a rename there touches the rows that show it.
    """

    wire: str
    to: str
    column: str = ""
    required: bool = False
    by: Mapping[str, str] = field(default_factory=dict)
    shows: Mapping[str, str] = field(default_factory=dict)
    meaning: str

    @property
    def name(self) -> str:
        return self.column or snake_case(self.wire)


BeforeSave = Callable[[Connection, Values, Values | None], Awaitable[dict[str, Any]]]
"""Takes the values to write and the row before (None: new); returns the values to write."""
AfterSave = Callable[[Connection, int, Values, Values | None], Awaitable[None]]
"""Takes the id, the values written and the row before (None: new)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entity:
    """A kind of master data.

    `keys` maps accepted key parameters (`LocationCode`) to unique fields (`Code`), the most trusted one first. `unused`
    maps published parameters that have no field here to what a caller can send instead.
    """

    name: str
    table: str
    meaning: str
    fields: tuple[Field, ...]
    references: tuple[Reference, ...] = ()
    keys: Mapping[str, str] = field(default_factory=dict)
    unused: Mapping[str, str] = field(default_factory=dict)
    location: str | None = None
    client_wide: str = ""
    writers: frozenset[Role] = ADMINS
    readers: frozenset[Role] = PEOPLE
    handlers: tuple[str, ...] = ()
    extra_columns: tuple[Column, ...] = ()
    before_save: BeforeSave | None = None
    after_save: AfterSave | None = None

    @property
    def key(self) -> str:
        return f"{self.name}Id"

    def field(self, wire: str) -> Field:
        return next(item for item in self.fields if item.wire == wire)

    def dataset(self, entities: Mapping[str, "Entity"]) -> Dataset:
        """Derive the dataset: key, own fields, references with the names they show, common columns."""
        return Dataset(
            name=self.name,
            relation=self.table,
            key=self.key,
            meaning=self.meaning,
            columns=(
                Column(wire=self.key, column="id", type=FieldType.INTEGER, meaning=f"Id of the {self.name}"),
                *(_own(item) for item in self.fields),
                *(column for reference in self.references for column in _shown(reference, entities)),
                *self.extra_columns,
                *common_columns(),
            ),
            joins=tuple(
                Join(name=reference.name, relation=entities[reference.to].table, on=reference.name)
                for reference in self.references
                if reference.shows
            ),
            location=self.location,
            client_wide=self.client_wide,
            default_sort=self.key,
            readers=self.readers,
            plain_filters=tuple(reference.wire for reference in self.references),
        )


def _own(item: Field) -> Column:
    return Column(
        wire=item.wire,
        column=item.name,
        parquet=item.parquet,
        type=item.type,
        unit=item.unit,
        meaning=item.meaning,
        precision=item.precision,
        scale=item.scale,
        folded=item.unique,
    )


def _shown(reference: Reference, entities: Mapping[str, Entity]) -> list[Column]:
    target = {item.name: item for item in entities[reference.to].fields}
    return [
        Column(wire=reference.wire, column=reference.name, type=FieldType.INTEGER, meaning=reference.meaning),
        *(
            replace(_own(target[column]), wire=wire, of=reference.name, parquet="")
            for wire, column in reference.shows.items()
        ),
    ]
