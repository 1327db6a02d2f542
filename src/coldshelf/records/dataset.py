"""Declarations of what can be listed, exported and sent: datasets, their columns, and groups of later rooms."""

import re
from dataclasses import dataclass
from functools import cache
from typing import Literal

from coldshelf.access.principal import PEOPLE, Role
from coldshelf.records.fields import FieldType

MODIFIED_ON = "ModifiedOn"
"""The delta key of every dataset (contract 1.8)."""
NOWHERE = "nowhere"
"""`Column.of` of a column whose source does not exist yet: it is empty in every row."""


@cache
def snake_case(wire: str) -> str:
    """Turn `AssetPurityId` into `asset_purity_id`."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", wire).lower()


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One column: its name on the wire, in the table (`column`) and in Parquet (None: left out of bulk files).

    `of` names the join that it comes from; empty is the dataset's own relation. `scale` is that of a decimal.
    `folded`: equal in any letter case; the column `<column>_key` beside it holds it in lower case. `personal`: it tells
    of a person, and can be hidden with all such columns.
    """

    wire: str
    type: FieldType
    meaning: str
    column: str = ""
    of: str = ""
    parquet: str | None = ""
    unit: str = ""
    precision: int = 18
    scale: int = 6
    folded: bool = False
    personal: bool = False

    @property
    def name(self) -> str:
        return self.column or snake_case(self.wire)

    @property
    def parquet_name(self) -> str | None:
        return self.wire if self.parquet == "" else self.parquet


@dataclass(frozen=True, slots=True, kw_only=True)
class Join:
    """A relation joined 1:1 by `(client_id, key)`; `on` is the column of the dataset's relation that holds the key.

    `of` names an earlier join whose relation holds `on` instead: the state of an asset's outlet.
    """

    name: str
    relation: str
    on: str
    key: str = "id"
    of: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlainSwitch:
    """A plain parameter that takes yes or no: the field that it looks at, and operator and value of either answer.

    `NEWEST` lets through the last row of each value of the field, `NOT NEWEST` the others and those without a value.
    """

    name: str
    field: str
    yes: tuple[str, object]
    no: tuple[str, object]
    meaning: str


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Dataset:
    """Rows that can be listed, exported and written as bulk files. Compared by identity: it names compiled statements.

    `key` is the wire name of the primary key (column `id`); `keys` names the columns that identify a row to its
    readers, where those are others. An empty `relation` means that its rows come with a later room: no list and no
    table, but its columns are promised, and its bulk files are empty. `location` names the column of the outlet that
    limits who sees a row, of `location_of` where that is given; None with a reason in `client_wide`. A row without an
    outlet is seen by those only whom nothing limits; `every_outlet`: so is the whole dataset. `limited`: narrowed for
    one who sees some outlets (records/limits.py). `plain_aliases`: further plain parameters, in lower case, with the
    field that they filter; they take comma lists of text. `plain_switches`: those that take yes or no. `plain_refused`:
    published ones that cannot be answered here, in lower case, with what helps. `resource` names it under `/api/v1`
    where the plural of its name does not. `append_only`: rows are added and hardly ever changed afterwards, so its bulk
    files are cut by the day (UTC) of `ModifiedOn`, and a day that can change no more is not read again.
    """

    name: str
    relation: str
    key: str
    meaning: str
    columns: tuple[Column, ...]
    keys: tuple[str, ...] = ()
    joins: tuple[Join, ...] = ()
    location: str | None = None
    location_of: Join | None = None
    client_wide: str = ""
    every_outlet: bool = False
    limited: bool = False
    default_sort: str = ""
    default_direction: Literal["asc", "desc"] = "asc"
    plain_filters: tuple[str, ...] = ()
    plain_aliases: tuple[tuple[str, str], ...] = ()
    plain_switches: tuple[PlainSwitch, ...] = ()
    plain_refused: tuple[tuple[str, str], ...] = ()
    readers: frozenset[Role] = PEOPLE
    handler: bool = True
    resource: str = ""
    append_only: bool = False

    @property
    def whole_key(self) -> tuple[str, ...]:
        """Name the columns that identify a row, also in bulk files."""
        return self.keys or (self.key,)

    @property
    def key_columns(self) -> frozenset[str]:
        """Name the columns of its relation that identify a row, as the relation calls them."""
        found = (self.column(wire) for wire in self.whole_key)
        return frozenset(column.name for column in found if column and not column.of)

    @property
    def has_rows(self) -> bool:
        """Say whether there is anything to list yet."""
        return bool(self.relation)

    def column(self, wire: str) -> Column | None:
        """Find a column by its wire name in any letter case."""
        wanted = wire.lower()
        return next((column for column in self.columns if column.wire.lower() == wanted), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class ColumnGroup:
    """Columns that a later room adds to the dataset `of`; `key` is the column of `relation` that holds its id.

    Without a relation they are promised only, and empty in every row.
    """

    of: str
    relation: str
    key: str
    columns: tuple[Column, ...]
    plain_switches: tuple[PlainSwitch, ...] = ()


def common_columns() -> tuple[Column, ...]:
    """Give the fields that every entity and dataset carries (contract 1.8)."""
    return (
        Column(wire="ClientId", type=FieldType.INTEGER, meaning="Client (tenant)"),
        Column(wire="IsDeleted", type=FieldType.FLAG, meaning="1 = deleted, 0 = active"),
        Column(wire="CreatedByUserId", type=FieldType.INTEGER, meaning="User who created the row"),
        _person("CreatedByUser"),
        Column(wire="CreatedOn", type=FieldType.TIMESTAMP, meaning="Creation", unit="UTC"),
        Column(wire="ModifiedByUserId", type=FieldType.INTEGER, meaning="User of the last change"),
        _person("ModifiedByUser"),
        Column(wire=MODIFIED_ON, type=FieldType.TIMESTAMP, meaning="Last change; the delta key", unit="UTC"),
    )


def _person(wire: str) -> Column:
    return Column(wire=wire, type=FieldType.TEXT, personal=True, meaning="E-mail or name of that user at that time")
