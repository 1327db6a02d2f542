"""The filter grammar of lists (contract 1.6): JSON text to conditions on declared columns."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from coldshelf.records.dataset import Column, Dataset
from coldshelf.records.errors import FilterInvalid
from coldshelf.records.fields import TYPE_MAPS, FieldType

COMPARISONS = ("=", "!=", "<>", "<", "<=", ">", ">=")
LISTS = ("IN", "NOT IN")
NULLS = ("IS NULL", "IS NOT NULL")
OPERATORS = (*COMPARISONS, *LISTS, "LIKE", *NULLS, "BETWEEN")
MOST_VALUES = 1000


@dataclass(frozen=True, slots=True)
class Condition:
    """One comparison; `values` are typed: none for nulls, two for BETWEEN, any number for lists, else one."""

    column: Column
    operator: str
    values: tuple[Any, ...]


def parse_filters(dataset: Dataset, text: str) -> list[Condition]:
    """Read the `filters` parameter; raise FilterInvalid naming the unknown field, operator or value."""
    try:
        wanted = json.loads(text)
    except json.JSONDecodeError as error:
        raise FilterInvalid(f"filters is not JSON: {error.msg} at character {error.pos}") from error
    if not isinstance(wanted, dict):
        raise FilterInvalid('filters must be an object such as {"modifiedOn": {"operator": ">", "value": "…"}}')
    return [condition for name, part in wanted.items() for condition in _field_conditions(dataset, name, part)]


def plain_condition(dataset: Dataset, name: str, text: str) -> Condition:
    """Read a plain parameter such as `AssetId=5` or `AssetId=5,6`."""
    column = known_column(dataset, name)
    parts = [part.strip() for part in text.split(",")] if column.type is not FieldType.TEXT else [text]
    return _condition(column, "IN" if len(parts) > 1 else "=", parts if len(parts) > 1 else parts[0])


def known_column(dataset: Dataset, name: str) -> Column:
    column = dataset.column(name)
    if column is None:
        raise FilterInvalid(f"{dataset.name} has no field {name!r}")
    return column


def _field_conditions(dataset: Dataset, name: str, part: object) -> Iterator[Condition]:
    column = known_column(dataset, name)
    for item in part if isinstance(part, list) else [part]:
        if isinstance(item, dict):
            unknown = set(item) - {"operator", "value"}
            if unknown:
                raise FilterInvalid(f"filters.{name}: unknown key {sorted(unknown)[0]!r}; it takes operator and value")
            yield _condition(column, str(item.get("operator", "=")), item.get("value"))
        else:
            yield _condition(column, "=", item)


def _condition(column: Column, operator: str, value: object) -> Condition:
    known = " ".join(operator.upper().split())
    if known not in OPERATORS:
        raise FilterInvalid(f"filters.{column.wire}: unknown operator {operator!r}; known: {', '.join(OPERATORS)}")
    if known in NULLS:
        return Condition(column, known, ())
    if known == "LIKE":
        if column.type is not FieldType.TEXT or not isinstance(value, str):
            raise FilterInvalid(f"filters.{column.wire}: LIKE takes text on a text field")
        return Condition(column, known, (value,))
    if known in COMPARISONS:
        return Condition(column, known, (_typed(column, value),))
    return _many(column, known, value)


def _many(column: Column, operator: str, value: object) -> Condition:
    if not isinstance(value, Sequence) or isinstance(value, str):
        raise FilterInvalid(f"filters.{column.wire}: {operator} takes a list")
    if operator == "BETWEEN" and len(value) != 2:
        raise FilterInvalid(f"filters.{column.wire}: BETWEEN takes two values")
    if not 1 <= len(value) <= MOST_VALUES:
        raise FilterInvalid(f"filters.{column.wire}: {operator} takes 1 to {MOST_VALUES} values")
    return Condition(column, operator, tuple(_typed(column, item) for item in value))


def _typed(column: Column, value: object) -> Any:  # the type is that of the column
    kind = TYPE_MAPS[column.type]
    text = ("true" if value else "false") if isinstance(value, bool) else value
    if not isinstance(text, str | int | float):
        raise FilterInvalid(f"filters.{column.wire}: takes {kind.takes}")
    try:
        return kind.parse(str(text))
    except ValueError as error:
        raise FilterInvalid(f"filters.{column.wire}: {value!r} is not {kind.takes}") from error
