"""What a condition is in SQL: a column compared with values that are bound apart."""

from collections.abc import Callable
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.dialects.postgresql.asyncpg import dialect as asyncpg_dialect
from sqlalchemy.sql.elements import BindParameter, ColumnElement

from coldshelf.records.dataset import NOWHERE, Column
from coldshelf.records.fields import TYPE_MAPS
from coldshelf.records.filters import LISTS, NULLS

DIALECT = asyncpg_dialect(paramstyle="numeric_dollar")  # type: ignore[no-untyped-call]  # as SQLAlchemy ships it


Expression = ColumnElement[Any]
"""An SQL expression; its type is that of a column."""


def quoted(name: str) -> str:
    return DIALECT.identifier_preparer.quote(name)


def raw(column: Column) -> str:
    if column.of == NOWHERE:
        return f"(NULL::{TYPE_MAPS[column.type].postgres})"
    return f"{quoted(column.of or 't')}.{quoted(column.name)}"


def expression(column: Column) -> Expression:
    return sa.literal_column(raw(column), TYPE_MAPS[column.type].sql)


def _folded(column: Column) -> Expression:
    """Give the lower-case key column beside a unique field: compared by `=`, it reaches its index."""
    return sa.literal_column(f"{quoted(column.of or 't')}.{quoted(column.name + '_key')}", sa.Text())


Comparison = Callable[[Expression, Expression], ColumnElement[bool]]
COMPARISONS: dict[str, Comparison] = {
    "=": lambda left, right: left == right,
    "!=": lambda left, right: left != right,
    "<>": lambda left, right: left != right,
    "<": lambda left, right: left < right,
    "<=": lambda left, right: left <= right,
    ">": lambda left, right: left > right,
    ">=": lambda left, right: left >= right,
    "LIKE": lambda left, right: sa.func.strpos(sa.func.lower(left), sa.func.lower(right)) > sa.literal_column("0"),
}
EQUALITIES = frozenset({"=", "!=", "<>"})


def clause(column: Column, operator: str, place: int) -> ColumnElement[bool]:
    kind = TYPE_MAPS[column.type].sql
    held = expression(column)
    if operator in NULLS:
        return held.is_(None) if operator == "IS NULL" else held.is_not(None)
    if operator in LISTS:
        return _list_clause(column, operator, place)
    first = sa.bindparam(f"v{place}_0", type_=kind)
    if operator == "BETWEEN":
        return sa.and_(held >= first, held <= sa.bindparam(f"v{place}_1", type_=kind))
    if column.folded and operator in EQUALITIES:
        return COMPARISONS[operator](_folded(column), sa.func.lower(first))
    return COMPARISONS[operator](held, first)


def _list_clause(column: Column, operator: str, place: int) -> ColumnElement[bool]:
    """Compare with one array: the statement is the same for any number of values."""
    values: BindParameter[Any] = sa.bindparam(f"v{place}", type_=ARRAY(TYPE_MAPS[column.type].sql))
    listed: Expression = values
    if column.folded:
        value = sa.func.unnest(values).column_valued("value")
        folded = sa.select(sa.func.array_agg(sa.func.lower(value))).scalar_subquery()
        listed = sa.cast(folded, ARRAY(sa.Text()))  # without the cast it is a set of rows, each an array
    held = _folded(column) if column.folded else expression(column)
    return held == sa.any_(listed) if operator == "IN" else held != sa.all_(listed)


NEWEST = ("NEWEST", "NOT NEWEST")
"""Operators that callers reach by a yes-or-no parameter only (see PlainSwitch)."""


def newest(relation: str, column: Column, operator: str) -> ColumnElement[bool]:
    """Let the last active row of each value of the column through: one look into its index for each row."""
    held = quoted(column.name)
    last = sa.text(
        f"(SELECT max(n.id) FROM {quoted(relation)} AS n WHERE n.client_id = t.client_id"
        f" AND n.{held} = t.{held} AND NOT n.is_deleted)"
    )
    row_id = sa.literal_column("t.id", sa.BigInteger())
    is_last = row_id.is_not_distinct_from(sa.type_coerce(last, sa.BigInteger()))
    return is_last if operator == "NEWEST" else sa.not_(is_last)
