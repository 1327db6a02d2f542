"""Declarations of what can be saved: entities, their fields and references. Each gives a dataset as well."""

from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any

from coldshelf.access.principal import ADMINS, PEOPLE, Permission, Role
from coldshelf.kit.db import Connection
from coldshelf.kit.errors import InputInvalid
from coldshelf.records.dataset import Column, Dataset, Join, common_columns, snake_case
from coldshelf.records.fields import FieldType

Values = Mapping[str, Any]
"""Column name to value; the types are those that the fields declare."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One attribute that can be saved. `aliases` are further accepted names; `unique` fields compare in any case.

    `unique_in` is the column of a reference: records that refer to the same one have different values here.
    `personal`: it tells of a person.
    """

    wire: str
    type: FieldType = FieldType.TEXT
    column: str = ""
    parquet: str | None = ""
    aliases: tuple[str, ...] = ()
    required: bool = False
    unique: bool = False
    unique_in: str = ""
    max_length: int = 0
    choices: tuple[str, ...] = ()
    minimum: Decimal | None = None
    maximum: Decimal | None = None
    precision: int = 18
    scale: int = 6
    read_only: bool = False
    personal: bool = False
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
    """A foreign key. `aliases` are further names of the id; `by` maps names to the target's unique field they hold.

    `shows` maps wire names in lists to columns of the target: a rename there touches the rows that show it. A column
    `state_id.name` is that of the record to which the target refers. `outlived`: the target may be deleted while
    rows refer to it. `permission`: what it takes to change it, besides writing the entity.
    """

    wire: str
    to: str
    column: str = ""
    aliases: tuple[str, ...] = ()
    required: bool = False
    outlived: bool = False
    by: Mapping[str, str] = field(default_factory=dict)
    shows: Mapping[str, str] = field(default_factory=dict)
    permission: Permission | None = None
    meaning: str

    @property
    def name(self) -> str:
        return self.column or snake_case(self.wire)

    @property
    def ids(self) -> tuple[str, ...]:
        """Give the parameters that hold the id."""
        return (self.wire, *self.aliases)

    @property
    def accepted(self) -> tuple[str, ...]:
        """Give every parameter that names the target."""
        return (*self.ids, *self.by)


BeforeSave = Callable[[Connection, Values, Values | None], Awaitable[dict[str, Any]]]
"""Takes the values to write and the row before (None: new); returns the values to write."""
Change = tuple[Values, Values | None]
"""Values to write, and the row before (None: new)."""
BeforeSaves = Callable[[Connection, Sequence[Change]], Awaitable[Sequence["dict[str, Any] | InputInvalid"]]]
"""The same as BeforeSave for many records at once: gives for each the values to write, or what refuses it."""
AfterSave = Callable[[Connection, int, Values, Values | None], Awaitable[None]]
"""Takes the id, the values written and the row before (None: new)."""
Standard = Callable[[Connection, str, Values], Awaitable[dict[str, Any] | None]]
"""Takes a name and the references found so far; returns the values of the record that the name means, None: unknown."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Entity:
    """A kind of master data. Compared by identity, as datasets are.

    `keys` maps accepted key parameters (`LocationCode`) to unique fields (`Code`), the most trusted one first. `unused`
    maps published parameters that have no field here to what a caller can send instead. `handlers` are further names
    of its handler. `standard` knows records that are not there yet, such as countries: the first reference by name
    adds them; `standard_cure` ends the sentence that says a name is unknown. `before_saves` stands in place of
    `before_save` where the rule asks the database. `permission` stands for the right to write
    where that is a permission of its own; `location`, `location_of` and `every_outlet` are those of the dataset,
    and so is `resource`. `signs`: every row names records of this kind as those who made and changed it.
    """

    name: str
    table: str
    meaning: str
    fields: tuple[Field, ...]
    references: tuple[Reference, ...] = ()
    keys: Mapping[str, str] = field(default_factory=dict)
    unused: Mapping[str, str] = field(default_factory=dict)
    location: str | None = None
    location_of: Join | None = None
    client_wide: str = ""
    every_outlet: bool = False
    writers: frozenset[Role] = ADMINS
    permission: Permission | None = None
    readers: frozenset[Role] = PEOPLE
    handlers: tuple[str, ...] = ()
    resource: str = ""
    signs: bool = False
    extra_columns: tuple[Column, ...] = ()
    before_save: BeforeSave | None = None
    before_saves: BeforeSaves | None = None
    after_save: AfterSave | None = None
    standard: Standard | None = None
    standard_cure: str = ""

    @property
    def key(self) -> str:
        return f"{self.name}Id"

    async def prepare(self, connection: Connection, changes: Sequence[Change]) -> list[dict[str, Any] | InputInvalid]:
        """Let the entity's own rule look at records: gives for each the values to write, or what refuses it.

        A rule that asks the database is declared as `before_saves`, so that many records ask once.
        """
        if self.before_saves:
            return list(await self.before_saves(connection, changes))
        return [await self._prepare(connection, values, before) for values, before in changes]

    async def _prepare(
        self, connection: Connection, values: Values, before: Values | None
    ) -> dict[str, Any] | InputInvalid:
        try:
            return await self.before_save(connection, values, before) if self.before_save else dict(values)
        except InputInvalid as error:
            return error

    @property
    def members(self) -> tuple[Field | Reference, ...]:
        """Give everything that has a column of its own."""
        return (*self.fields, *self.references)

    def field(self, wire: str) -> Field:
        return next(item for item in self.fields if item.wire == wire)

    def reference(self, column: str) -> Reference:
        return next(item for item in self.references if item.name == column)

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
            joins=tuple(join for reference in self.references for join in _joins(reference, entities)),
            location=self.location,
            location_of=self.location_of,
            client_wide=self.client_wide,
            every_outlet=self.every_outlet,
            default_sort=self.key,
            readers=self.readers,
            resource=self.resource,
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
        folded=item.unique or bool(item.unique_in),
        personal=item.personal,
    )


def _joins(reference: Reference, entities: Mapping[str, Entity]) -> Iterator[Join]:
    """Join what a reference shows, and what it shows of the records beyond."""
    target = entities[reference.to]
    if reference.shows:
        yield Join(name=reference.name, relation=target.table, on=reference.name)
    for column in dict.fromkeys(path.partition(".")[0] for path in reference.shows.values() if "." in path):
        relation = entities[target.reference(column).to].table
        yield Join(name=f"{reference.name}_{column}", relation=relation, on=column, of=reference.name)


def _shown(reference: Reference, entities: Mapping[str, Entity]) -> list[Column]:
    return [
        Column(wire=reference.wire, column=reference.name, type=FieldType.INTEGER, meaning=reference.meaning),
        *(_shown_column(reference, wire, path, entities) for wire, path in reference.shows.items()),
    ]


def _shown_column(reference: Reference, wire: str, path: str, entities: Mapping[str, Entity]) -> Column:
    target, of = entities[reference.to], reference.name
    beyond, _, column = path.rpartition(".")
    if beyond:
        target, of = entities[target.reference(beyond).to], f"{of}_{beyond}"
    item = next(item for item in target.fields if item.name == column)
    return replace(_own(item), wire=wire, of=of, parquet="", meaning=_meaning(reference, item))


def _meaning(reference: Reference, shown: Field) -> str:
    """Say whose attribute is shown: `Market: unique name`."""
    whose, what = (text.partition(";")[0] for text in (reference.meaning, shown.meaning))
    is_word = what[1:2] in "-abcdefghijklmnopqrstuvwxyz"
    return f"{whose}: {what[:1].lower() if is_word else what[:1]}{what[1:]}"
