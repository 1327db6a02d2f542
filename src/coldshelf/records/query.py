"""From a list request to SQL: composed with SQLAlchemy Core, compiled once for each shape, run by the driver."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy.sql.elements import ColumnElement
from sqlalchemy.sql.selectable import FromClause

from coldshelf.records.clauses import DIALECT, NEWEST, Expression, clause, expression, newest, quoted, raw
from coldshelf.records.dataset import MODIFIED_ON, Column, Dataset, Join
from coldshelf.records.fields import TIME_FORMAT, TYPE_MAPS, FieldType
from coldshelf.records.filters import LISTS, Condition
from coldshelf.records.limits import LIMIT_ID, gone_sql, limit_sql
from coldshelf.records.rowtext import Part, RowText, row_text

ROW_NUMBER = "RowNumber"
"""The place of a record in its list: no column, but given with the record (contract 1.5)."""
PLUMBING = frozenset({"id", "client_id", "revision", "modified_on", "is_deleted"})


class Own:
    """The plumbing of every tenant table."""

    id = sa.literal_column("t.id", sa.BigInteger())
    revision = sa.literal_column("t.revision", sa.BigInteger())
    modified_on = sa.literal_column("t.modified_on", sa.DateTime(timezone=True))
    is_deleted = sa.literal_column("t.is_deleted", sa.Boolean())


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """What decides the text of a statement; values are bound apart, so a shape is compiled once.

    `conditions` are (column, operator) in the order of their values. `below_horizon`: rows modified after `horizon` are
    left out, and none tells a ModifiedOn after `as_of`. `narrow`: the conditions let few rows through, so those are
    looked up first and then sorted; otherwise rows are read in order until the page is full. `columns`: those that are
    given, None for all; `numbered`: with `RowNumber`; `text`: what a row is written as. `with_gone`: rows that
    left the sight of the limit are given too, as deleted ones without a content.
    """

    dataset: Dataset
    sort: Column
    conditions: tuple[tuple[Column, str], ...] = ()
    descending: bool = False
    with_deleted: bool = False
    below_horizon: bool = False
    after_id: bool = False
    after_revision: bool = False
    narrow: bool = False
    with_gone: bool = False
    columns: tuple[Column, ...] | None = None
    numbered: bool = True
    text: RowText = RowText.OBJECT

    @property
    def shown(self) -> tuple[Column, ...]:
        return self.dataset.columns if self.columns is None else self.columns

    @property
    def sources(self) -> frozenset[str]:
        """Name the joins without which no page can be made; of others each row finds at most one."""
        return self.filtered_sources | {column.of for column in (*self.shown, self.sort)}

    @property
    def page_first(self) -> bool:
        """Say whether the rows of the page are found before anything is joined to them.

        Joins for rows that a limit or a sort leaves out cost more than the page. In order of the key and without a
        limit rows are read until the page is full, and streamed; sorted afterwards they could not be.
        """
        is_own = not self.sort.of and all(not column.of for column, _ in self.conditions)
        return is_own and (self.dataset.limited or self.sort.wire != self.dataset.key)

    @property
    def filtered_sources(self) -> frozenset[str]:
        return frozenset(column.of for column, _ in self.conditions)


@dataclass(frozen=True, slots=True)
class Statement:
    """Text with `$n` places and the names of the values that belong there."""

    text: str
    names: tuple[str, ...]

    def arguments(self, values: Mapping[str, Any]) -> list[Any]:
        """Put the values, of any driver type, in the order of their places."""
        return [values[name] for name in self.names]


def shape_values(conditions: Sequence[Condition]) -> dict[str, Any]:
    """Name the values of conditions as the compiled statements do."""
    named: dict[str, Any] = {}
    for place, item in enumerate(conditions):
        if item.operator in LISTS:
            named[f"v{place}"] = list(item.values)
        else:
            named |= {f"v{place}_{n}": value for n, value in enumerate(item.values)}
    return named


@lru_cache(maxsize=512)
def count_statement(shape: Shape) -> Statement:
    """`SELECT count(*)` of all rows that the shape and its values let through."""
    return _compile(_found(shape, sa.func.count()))


@lru_cache(maxsize=512)
def ids_statement(shape: Shape) -> Statement:
    """Compose the ids of all rows that the shape and its values let through, in order."""
    return _compile(_found(shape, Own.id).order_by(Own.id))


@lru_cache(maxsize=512)
def peek_statement(shape: Shape) -> Statement:
    """Count the rows of the shape in order of the key, but at most `most` of them."""
    rows = _found(shape, Own.id).order_by(_order(Own.id, shape))
    most = rows.limit(sa.bindparam("most", type_=sa.BigInteger())).subquery()
    return _compile(sa.select(sa.func.count()).select_from(most))


def _found(shape: Shape, field: Expression) -> sa.Select[Any]:
    """Select from all rows that the shape lets through; only joins that a condition names are made."""
    source = _source(shape, shape.filtered_sources, _let_through(shape))
    return sa.select(field).select_from(source).where(*_where_joined(shape))


@lru_cache(maxsize=512)
def page_statement(shape: Shape) -> Statement:
    """Rows of one page as `record` (text, as the shape says), `id` and `revision`, in order."""
    fields = [_json_column(column, shape) for column in shape.shown]
    keyed = _compile(_rows(shape, fields).add_columns(Own.id.label("_id"), Own.revision.label("_revision")))
    parts = [(quoted(column.wire), column.wire, column.type) for column in shape.shown]
    if not shape.numbered:
        return Statement(f"{_texts(shape, parts)} FROM ({keyed.text}) AS page", keyed.names)
    parts.append((quoted(ROW_NUMBER), ROW_NUMBER, FieldType.INTEGER))
    first = f"${len(keyed.names) + 1}::bigint"
    text = (
        f"{_texts(shape, parts)}"
        f' FROM (SELECT page.*, {first} + row_number() OVER () AS "{ROW_NUMBER}"'
        f" FROM ({keyed.text}) AS page) AS numbered"
    )
    return Statement(text, (*keyed.names, "first"))


@lru_cache(maxsize=512)
def whole_statement(shape: Shape) -> Statement:
    """Compose the same page as one row: its `records`, and the `id` and `revision` of the last; NULL for none.

    A thousand small rows on the way to the driver cost more than the one that holds them.
    """
    page = page_statement(shape)
    last = "(array_agg({0}))[count(*)] AS {0}"
    fields = f"array_agg(record) AS records, {last.format('id')}, {last.format('revision')}"
    return Statement(f"SELECT {fields} FROM ({page.text}) AS whole", page.names)


def _texts(shape: Shape, parts: Sequence[Part]) -> str:
    return f"SELECT {row_text(shape.text, parts)} AS record, _id AS id, _revision AS revision"


@lru_cache(maxsize=128)
def cells_statement(shape: Shape) -> Statement:
    """Rows of one page as the values of a spreadsheet's cells, by their wire names, in order.

    Every ModifiedOn is told as it is: a file is one page, so none lies behind its horizon.
    """
    return _compile(_rows(shape, [_cell(column) for column in shape.shown]))


def _rows(shape: Shape, fields: Sequence[Expression]) -> sa.Select[Any]:
    rows = _page(shape) if shape.page_first else _let_through(shape)
    query = (
        sa.select(*fields)
        .select_from(_source(shape, shape.sources, rows))
        .where(*_where_joined(shape))
        .order_by(*_ordered(shape))
    )
    return query if shape.page_first else _cut(query)


def _ordered(shape: Shape) -> list[Expression]:
    if shape.after_revision:
        return [Own.revision, Own.id]
    return [_order(expression(shape.sort), shape), _order(Own.id, shape)]


def _cut(query: sa.Select[Any]) -> sa.Select[Any]:
    start, limit = (sa.bindparam(name, type_=sa.BigInteger()) for name in ("start", "limit"))
    return query.offset(start).limit(limit)


def _page(shape: Shape) -> FromClause:
    """Give the rows of the page alone as `t`, before anything is joined to them."""
    names = ["t.client_id", "t.id", "t.in_sight"] if shape.with_gone else ["t.*"]
    fields: list[Expression] = [sa.literal_column(name) for name in names]
    rows = _cut(sa.select(*fields).select_from(_let_through(shape)).order_by(*_ordered(shape)))
    if not shape.with_gone:
        return rows.subquery("t")
    # Read once more: below the page, each emptied column would look for itself whether the row is in sight.
    page, held = rows.subquery("page"), sa.table(shape.dataset.relation).alias("held")
    source = page.join(held, sa.text("held.client_id = page.client_id AND held.id = page.id"))
    emptied: list[Expression] = [sa.literal_column(text) for text in _emptied(shape.dataset, "held", "page.in_sight")]
    return sa.select(*emptied).select_from(source).subquery("t")


def table(dataset: Dataset) -> FromClause:
    """Give all rows of a dataset as `t`."""
    return sa.table(dataset.relation).alias("t")


def _relation(shape: Shape) -> FromClause:
    """Give the rows `t`; with those that left the sight, their own columns are empty and they are deleted.

    Empty foreign keys let joins find nothing; a join by a key that stays needs a condition of its own (`joined_on`).
    """
    dataset = shape.dataset
    if not shape.with_gone:
        return table(dataset)
    place = f":{LIMIT_ID}"
    told = f"{limit_sql(dataset, place)} AS in_sight, {gone_sql(dataset, place)} AS has_left"
    text = (
        f"SELECT {', '.join(_emptied(dataset, 't', 't.in_sight'))}"
        f" FROM (SELECT t.*, {told} FROM {quoted(dataset.relation)} AS t) AS t WHERE in_sight OR has_left"
    )
    limit = sa.bindparam(LIMIT_ID, type_=sa.BigInteger())
    return sa.text(text).bindparams(limit).columns().subquery("t")


def own_columns(dataset: Dataset) -> list[str]:
    """Name the columns of the rows themselves that a statement may ask for, besides the plumbing."""
    own = {column.name for column in dataset.columns if not column.of}
    own |= {f"{column.name}_key" for column in dataset.columns if column.folded and not column.of}
    own |= {join.on for join in dataset.joins if not join.of}
    return sorted(own - PLUMBING)


def _emptied(dataset: Dataset, row: str, seen: str) -> list[str]:
    """Give the columns of a row that may have left the sight."""
    names = [quoted(name) for name in own_columns(dataset)]
    plumbing = [f"{row}.{name}" for name in ("id", "client_id", "revision", "modified_on")]
    deleted = [f"{row}.is_deleted OR NOT {seen} AS is_deleted", f"{seen} AS in_sight"]
    return [*plumbing, *deleted, *(f"CASE WHEN {seen} THEN {row}.{name} END AS {name}" for name in names)]


def _source(shape: Shape, wanted: frozenset[str], rows: FromClause) -> FromClause:
    """Join what is wanted to rows of the dataset.

    The joins are planned as they stand here (see `Database.snapshot`): first the rows with the semi-join of a limit,
    then the joins that conditions name, then those that only show something.
    """
    dataset, source = shape.dataset, rows
    wanted, first = _with_ways(dataset, wanted), _with_ways(dataset, shape.filtered_sources)
    for join in sorted(dataset.joins, key=lambda join: join.name not in first):
        if join.name in wanted:
            on = joined_on(join, kept=frozenset({"id"} if shape.with_gone else ()))
            source = source.outerjoin(sa.table(join.relation).alias(join.name), sa.text(on))
    return source


def _let_through(shape: Shape) -> FromClause:
    """Give the rows `t` that the conditions on their own columns let through.

    Narrow, they are planned apart from order and limit: together, the planner prefers to walk the whole key until it
    has met enough rows, although those that were modified last stand at its end.
    """
    rows: sa.Select[Any] = sa.select(sa.literal_column("t.*")).select_from(_relation(shape)).where(*_where_own(shape))
    return (rows.offset(sa.literal_column("0")) if shape.narrow else rows).subquery("t")


def _with_ways(dataset: Dataset, wanted: frozenset[str]) -> frozenset[str]:
    """Add the joins over which wanted ones are reached."""
    return wanted | {join.of for join in dataset.joins if join.name in wanted}


def joined_on(join: Join, *, kept: frozenset[str]) -> str:
    """Say on what a join finds its row; by a column that is kept in rows that left the sight it finds none for them."""
    name = quoted(join.name)
    held = f"{quoted(join.of or 't')}.{quoted(join.on)}"
    on = f"{name}.client_id = t.client_id AND {name}.{quoted(join.key)} = {held}"
    return f"{on} AND t.in_sight" if join.on in kept and not join.of else on


SERIAL = "date_part('epoch', {}) / 86400 + 25569"
"""Days since the day 0 of spreadsheets, of a time without a zone."""
CELLS = {
    FieldType.TIMESTAMP: SERIAL.format("{} AT TIME ZONE 'UTC'"),
    FieldType.LOCAL_TIME: SERIAL,
    FieldType.DATE: SERIAL.format("{}::timestamp"),
    FieldType.DECIMAL: "trim_scale({})::text",
    FieldType.GUID: "{}::text",
}
"""Times come as serial numbers and decimals as text, so that no digit is lost on the way."""


def _cell(column: Column) -> Expression:
    template = CELLS.get(column.type, TYPE_MAPS[column.type].json_sql)
    return sa.literal_column(template.format(raw(column))).label(column.wire)


def _json_column(column: Column, shape: Shape) -> Expression:
    if shape.below_horizon and column.wire == MODIFIED_ON:
        told = sa.func.least(expression(column), sa.bindparam("as_of", type_=sa.DateTime(timezone=True)))
        utc = sa.func.timezone(sa.literal_column("'UTC'"), told)
        return sa.func.to_char(utc, sa.literal_column(TIME_FORMAT)).label(column.wire)
    return sa.literal_column(TYPE_MAPS[column.type].json_sql.format(raw(column))).label(column.wire)


def _order(expression: Expression, shape: Shape) -> Expression:
    return expression.desc() if shape.descending else expression.asc()


def _where_joined(shape: Shape) -> list[ColumnElement[bool]]:
    return [clause(*condition, place) for place, condition in enumerate(shape.conditions) if condition[0].of]


def _where_own(shape: Shape) -> list[ColumnElement[bool]]:
    clauses = [
        newest(shape.dataset.relation, *condition) if condition[1] in NEWEST else clause(*condition, place)
        for place, condition in enumerate(shape.conditions)
        if not condition[0].of
    ]
    if shape.dataset.limited and not shape.with_gone:
        limit = sa.bindparam(LIMIT_ID, type_=sa.BigInteger())
        seen = sa.text(limit_sql(shape.dataset, f":{LIMIT_ID}")).bindparams(limit)
        clauses.append(sa.type_coerce(seen, sa.Boolean()))
    if not shape.with_deleted:
        clauses.append(sa.not_(Own.is_deleted))
    if shape.below_horizon:
        clauses.append(sa.bindparam("horizon", type_=sa.DateTime(timezone=True)) >= Own.modified_on)
    if shape.after_id:
        after = sa.bindparam("after_id", type_=sa.BigInteger())
        clauses.append(after > Own.id if shape.descending else after < Own.id)
    if shape.after_revision:
        clauses += [
            sa.tuple_(Own.revision, Own.id)
            > sa.tuple_(
                sa.bindparam("after_revision", type_=sa.BigInteger()), sa.bindparam("after_id", type_=sa.BigInteger())
            ),
            sa.func.coldshelf_fence() > Own.revision,
        ]
    return clauses


def _compile(query: sa.Select[Any]) -> Statement:  # rows of any shape
    compiled = query.compile(dialect=DIALECT)
    names = compiled.positiontup or []
    return Statement(str(compiled), tuple(names))
