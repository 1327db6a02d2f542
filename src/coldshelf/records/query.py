"""From a list request to SQL: composed with SQLAlchemy Core, compiled once for each shape, run by the driver."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql.asyncpg import dialect as asyncpg_dialect
from sqlalchemy.sql.elements import ColumnElement
from sqlalchemy.sql.selectable import FromClause

from coldshelf.records.dataset import Column, Dataset
from coldshelf.records.fields import TYPE_MAPS
from coldshelf.records.filters import Condition

DIALECT = asyncpg_dialect(paramstyle="numeric_dollar")  # type: ignore[no-untyped-call]  # as SQLAlchemy ships it


@dataclass(frozen=True, slots=True)
class Shape:
    """What decides the text of a statement; values are bound apart, so a shape is compiled once."""

    dataset: Dataset
    conditions: tuple[tuple[Column, str, int], ...]
    sort: Column
    descending: bool
    with_deleted: bool
    below_horizon: bool
    after_id: bool
    after_revision: bool


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
    return {f"v{place}_{n}": value for place, item in enumerate(conditions) for n, value in enumerate(item.values)}


@lru_cache(maxsize=512)
def count_statement(shape: Shape) -> Statement:
    """`SELECT count(*)` of all rows that the shape and its values let through."""
    base, source = _source(shape.dataset)
    return _compile(sa.select(sa.func.count()).select_from(source).where(*_where(shape, base)))


@lru_cache(maxsize=512)
def page_statement(shape: Shape) -> Statement:
    """Rows of one page as `record` (JSON text), `id` and `revision`, in order."""
    base, source = _source(shape.dataset)
    order = [_order(_expression(shape.sort), shape), _order(base.c.id, shape)]
    if shape.after_revision:
        order = [base.c.revision, base.c.id]
    fields = [_json_column(column) for column in shape.dataset.columns]
    rows = (
        sa.select(*fields)
        .select_from(source)
        .where(*_where(shape, base))
        .order_by(*order)
        .offset(sa.bindparam("start", type_=sa.BigInteger()))
        .limit(sa.bindparam("limit", type_=sa.BigInteger()))
    )
    keyed = _compile(rows.add_columns(base.c.id.label("_id"), base.c.revision.label("_revision")))
    wires = ", ".join(_quoted(column.wire) for column in shape.dataset.columns)
    first = f"${len(keyed.names) + 1}::bigint"
    text = (
        f'SELECT row_to_json((SELECT record FROM (SELECT {wires}, "RowNumber") AS record))::text AS record,'
        f' _id AS id, _revision AS revision FROM (SELECT page.*, {first} + row_number() OVER () AS "RowNumber"'
        f" FROM ({keyed.text}) AS page) AS numbered"
    )
    return Statement(text, (*keyed.names, "first"))


def bulk_select(dataset: Dataset, *, since: bool) -> str:
    """Compose the SELECT of a bulk file: every column cast explicitly, in order of the key.

    With `since`, rows modified after the literal placeholder `{since}`; the caller fills in a checked time.
    """
    base, source = _source(dataset)
    fields = [_parquet_column(column) for column in dataset.columns if column.parquet_name]
    query = sa.select(*fields).select_from(source).order_by(base.c.id)
    text = str(query.compile(dialect=DIALECT, compile_kwargs={"literal_binds": True}))
    if since:
        text = text.replace(" ORDER BY", "\nWHERE t.modified_on >= '{since}'::timestamptz ORDER BY", 1)
    return text


def _source(dataset: Dataset) -> tuple[FromClause, FromClause]:
    base = sa.table(
        dataset.relation,
        sa.column("client_id"),
        sa.column("id", sa.BigInteger()),
        sa.column("revision", sa.BigInteger()),
        sa.column("modified_on", sa.DateTime(timezone=True)),
        sa.column("is_deleted", sa.Boolean()),
    ).alias("t")
    source: FromClause = base
    for join in dataset.joins:
        other = sa.table(join.relation).alias(join.name)
        name = _quoted(join.name)
        on = f"{name}.client_id = t.client_id AND {name}.{_quoted(join.key)} = t.{_quoted(join.on)}"
        source = source.outerjoin(other, sa.text(on))
    return base, source


def _quoted(name: str) -> str:
    return DIALECT.identifier_preparer.quote(name)


def _raw(column: Column) -> str:
    return f"{_quoted(column.of or 't')}.{_quoted(column.name)}"


def _expression(column: Column) -> ColumnElement[Any]:  # the type is that of the column
    return sa.literal_column(_raw(column), TYPE_MAPS[column.type].sql)


def _json_column(column: Column) -> ColumnElement[Any]:  # same
    return sa.literal_column(TYPE_MAPS[column.type].json_sql.format(_raw(column))).label(column.wire)


def _parquet_column(column: Column) -> ColumnElement[Any]:  # same
    return sa.literal_column(TYPE_MAPS[column.type].parquet_sql.format(_raw(column))).label(column.parquet_name)


def _order(expression: ColumnElement[Any], shape: Shape) -> ColumnElement[Any]:  # same
    return expression.desc() if shape.descending else expression.asc()


def _where(shape: Shape, base: FromClause) -> list[ColumnElement[bool]]:
    clauses = [
        _clause(column, operator, place, count)
        for place, (column, operator, count) in enumerate(shape.conditions)
    ]
    if not shape.with_deleted:
        clauses.append(sa.not_(base.c.is_deleted))
    if shape.below_horizon:
        clauses.append(base.c.modified_on < sa.bindparam("horizon", type_=sa.DateTime(timezone=True)))
    if shape.after_id:
        clauses.append(base.c.id > sa.bindparam("after_id", type_=sa.BigInteger()))
    if shape.after_revision:
        clauses += [
            sa.tuple_(base.c.revision, base.c.id)
            > sa.tuple_(
                sa.bindparam("after_revision", type_=sa.BigInteger()), sa.bindparam("after_id", type_=sa.BigInteger())
            ),
            base.c.revision < sa.text("coldshelf_fence()"),
        ]
    return clauses


def _clause(column: Column, operator: str, place: int, count: int) -> ColumnElement[bool]:
    expression = _expression(column)
    kind = TYPE_MAPS[column.type].sql
    values = [sa.bindparam(f"v{place}_{n}", type_=kind) for n in range(count)]
    match operator:
        case "IS NULL":
            return expression.is_(None)
        case "IS NOT NULL":
            return expression.is_not(None)
        case "IN":
            return sa.or_(*(expression == value for value in values))
        case "NOT IN":
            return sa.and_(*(expression != value for value in values))
        case "LIKE":
            return sa.func.strpos(sa.func.lower(expression), sa.func.lower(values[0])) > 0
        case "BETWEEN":
            return sa.and_(expression >= values[0], expression <= values[1])
        case "!=" | "<>":
            return expression != values[0]
        case _:
            return expression.bool_op(operator)(values[0])


def _compile(query: sa.Select[Any]) -> Statement:  # rows of any shape
    compiled = query.compile(dialect=DIALECT)
    names = compiled.positiontup or []
    return Statement(str(compiled), tuple(names))
