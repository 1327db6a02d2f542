"""The filter grammar of lists (contract 1.6): JSON text to conditions on declared columns."""

from collections.abc import Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from coldshelf.records.dataset import Column, Dataset
from coldshelf.records.errors import FilterInvalid
from coldshelf.records.fields import TYPE_MAPS, FieldType, read_json

COMPARISONS = ("=", "!=", "<>", "<", "<=", ">", ">=")
LISTS = ("IN", "NOT IN")
NULLS = ("IS NULL", "IS NOT NULL")
OPERATORS = (*COMPARISONS, *LISTS, "LIKE", *NULLS, "BETWEEN")
MOST_VALUES = 1000
MOST_CONDITIONS = 100
SHOWN = 60
"""Characters of a wrong value that an error repeats."""


@dataclass(frozen=True, slots=True)
class Condition:
    """One comparison; `values` are typed: none for nulls, two for BETWEEN, any number for lists, else one."""

    column: Column
    operator: str
    values: tuple[Any, ...]


def parse_filters(dataset: Dataset, text: str) -> list[Condition]:
    """Read the `filters` parameter; raise FilterInvalid naming the unknown field, operator or value."""
    try:
        wanted = read_json(text)
    except ValueError as error:
        raise FilterInvalid(f"filters is not JSON: {error}") from error
    if not isinstance(wanted, dict):
        raise FilterInvalid('filters must be an object such as {"modifiedOn": {"operator": ">", "value": "…"}}')
    conditions = [condition for name, part in wanted.items() for condition in _field_conditions(dataset, name, part)]
    if len(conditions) > MOST_CONDITIONS:
        raise FilterInvalid(f"filters has {len(conditions)} conditions; at most {MOST_CONDITIONS}")
    return conditions


def known_column(dataset: Dataset, name: str, *, place: str = "filters") -> Column:
    """Find a column; raise FilterInvalid with the parameter that names it and what it may stand for."""
    column = dataset.column(name)
    if column is None:
        raise FilterInvalid(f"{place}: {no_field(dataset, name)}")
    return column


def no_field(dataset: Dataset, name: str) -> str:
    """Say that a dataset has no such field, and how to find the right one."""
    known = {column.wire.lower(): column.wire for column in dataset.columns}
    near = [known[match] for match in get_close_matches(name.lower(), known, cutoff=0.7)]
    cure = f"is it {' or '.join(near)}?" if near else "a record of action=list has all names"
    return f"{dataset.name} has no field {shown_value(name)}; {cure}"


def _field_conditions(dataset: Dataset, name: str, part: object) -> Iterator[Condition]:
    column = known_column(dataset, name)
    if not isinstance(part, list):
        yield _field_condition(column, part)
        return
    if not part or not all(isinstance(item, dict) for item in part):
        raise FilterInvalid(
            f'filters.{column.wire}: a list takes conditions such as {{"operator": ">", "value": 1}};'
            ' for any of several values send {"operator": "IN", "value": […]}'
        )
    yield from (_field_condition(column, item) for item in part)


def _field_condition(column: Column, part: object) -> Condition:
    if not isinstance(part, dict):
        return make_condition(column, "=", part)
    unknown = set(part) - {"operator", "value"}
    if unknown:
        raise FilterInvalid(
            f"filters.{column.wire}: unknown key {shown_value(min(unknown))}; a condition takes operator and value"
        )
    return make_condition(column, str(part.get("operator", "=")), part.get("value"))


def make_condition(column: Column, operator: str, value: object, *, place: str = "") -> Condition:
    """Make a condition of an operator in any letter case and a JSON value or text.

    Raises FilterInvalid with the place, `filters.<field>` unless given, and the cure.
    """
    place = place or f"filters.{column.wire}"
    known = " ".join(operator.upper().split())
    if known not in OPERATORS:
        raise FilterInvalid(f"{place}: unknown operator {shown_value(operator)}; known: {', '.join(OPERATORS)}")
    if known in NULLS:
        return Condition(column, known, ())
    if known in LISTS or known == "BETWEEN":
        return _many(column, known, value, place)
    if known == "LIKE" and column.type is not FieldType.TEXT:
        raise FilterInvalid(f"{place}: LIKE takes a text field")
    return Condition(column, known, (_typed(column, value, place),))


def _many(column: Column, operator: str, value: object, place: str) -> Condition:
    if not isinstance(value, list):
        raise FilterInvalid(f"{place}: {operator} takes a list")
    if operator == "BETWEEN" and len(value) != 2:
        raise FilterInvalid(f"{place}: BETWEEN takes two values")
    if not 1 <= len(value) <= MOST_VALUES:
        raise FilterInvalid(f"{place}: {operator} takes 1 to {MOST_VALUES} values")
    return Condition(column, operator, tuple(_typed(column, item, place) for item in value))


def _typed(column: Column, value: object, place: str) -> Any:  # the type is that of the column
    kind = TYPE_MAPS[column.type]
    if value is None:
        raise FilterInvalid(f"{place}: takes {kind.takes}; for empty fields use IS NULL")
    text = ("true" if value else "false") if isinstance(value, bool) else value
    if not isinstance(text, str | int | float):
        raise FilterInvalid(f"{place}: takes {kind.takes}")
    try:
        return kind.parse(str(text))
    except ValueError as error:
        raise FilterInvalid(f"{place}: {shown_value(value)} is not {kind.takes}") from error


def shown_value(value: object) -> str:
    """Repeat a wrong value, cut."""
    text = repr(value)
    return text if len(text) <= SHOWN else text[:SHOWN] + "…"
