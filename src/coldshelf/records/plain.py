"""Plain parameters as filters, as the old list service took them (contract 1.6): `AssetId=5`, `search_Name=kiosk`."""

from collections.abc import Iterator
from dataclasses import dataclass

from coldshelf.kit.errors import InputInvalid
from coldshelf.kit.web.params import Params
from coldshelf.records.dataset import Column, Dataset, PlainSwitch
from coldshelf.records.errors import FilterInvalid
from coldshelf.records.fields import FieldType
from coldshelf.records.filters import LISTS, NULLS, Condition, known_column, make_condition

ANY_OF, OPERATOR = "[]", "_operator"
BOUNDS = {"_from": ">=", "_to": "<="}
WORDS = {"search_": "LIKE", "match_": "MATCH"}
MOST_WORDS = 20


@dataclass(frozen=True, slots=True)
class Plain:
    """A parameter that filters: the column that it names, how it compares, and its name as it was sent."""

    column: Column
    operator: str
    name: str


def read_plain(dataset: Dataset, params: Params) -> list[Condition]:
    """Read every plain parameter that filters; raise FilterInvalid with its name and the cure."""
    refused = dict(dataset.plain_refused)
    for name in params:
        if name.lower() in refused and params.text(name):
            raise FilterInvalid(f"{name}: {dataset.name} cannot be filtered by it. {refused[name.lower()]}")
    found = [condition for plain in _sent(dataset, params) for condition in _conditions(dataset, plain, params)]
    return found + [condition for switch in dataset.plain_switches for condition in _switched(dataset, switch, params)]


def _switched(dataset: Dataset, switch: PlainSwitch, params: Params) -> Iterator[Condition]:
    if not params.text(switch.name):
        return  # a field of a form that was left empty
    try:
        operator, value = switch.yes if params.boolean(switch.name) else switch.no
    except InputInvalid as error:
        raise FilterInvalid(error.message) from error
    values = () if value is None else (value,)
    yield Condition(known_column(dataset, switch.field, place=switch.name), operator, values)


def plain_offered(dataset: Dataset) -> tuple[str, ...]:
    """Name every declared plain parameter as it is written."""
    return (*dataset.plain_filters, *(switch.name for switch in dataset.plain_switches))


def plain_names(dataset: Dataset, params: Params) -> set[str]:
    """Name, in lower case, the parameters that filter or say how."""
    names = {plain.name.lower() for plain in _sent(dataset, params)}
    names |= {switch.name.lower() for switch in dataset.plain_switches}
    return names | {f"{name}{OPERATOR}" for name in names} | {name.removesuffix(OPERATOR) for name in names}


def _sent(dataset: Dataset, params: Params) -> Iterator[Plain]:
    declared = {name.lower(): name for name in dataset.plain_filters} | dict(dataset.plain_aliases)
    switches = {switch.name.lower() for switch in dataset.plain_switches}
    for name in params:
        lower = name.lower()
        if lower in switches:
            continue
        if lower.endswith(ANY_OF):
            base, operator = lower.removesuffix(ANY_OF), "IN"
        elif lower.endswith(OPERATOR):
            base, operator = lower.removesuffix(OPERATOR), params.text(name)
        elif lower in declared:
            base, operator = lower, "" if f"{lower}{OPERATOR}" in params else "="
        else:
            base, operator = _marked(lower)
        if operator:
            yield Plain(known_column(dataset, declared.get(base, base), place=name), operator, name)


def _marked(name: str) -> tuple[str, str]:
    """Give the field and the operator of a name such as `search_Name` or `ModifiedOn_From`."""
    for suffix, operator in BOUNDS.items():
        if name.endswith(suffix):
            return name.removesuffix(suffix), operator
    for prefix, operator in WORDS.items():
        if name.startswith(prefix):
            return name.removeprefix(prefix), operator
    return name, ""


def _conditions(dataset: Dataset, plain: Plain, params: Params) -> Iterator[Condition]:
    operator, place = " ".join(plain.operator.upper().split()), plain.name
    value_of = plain.name
    if plain.name.lower().endswith(OPERATOR):
        value_of = plain.name[: -len(OPERATOR)]
        if value_of not in params and operator not in NULLS:
            raise FilterInvalid(f"{place}: {value_of} is missing; send the value that is compared")
    text = params.text(value_of)
    every = params.every(plain.name) if plain.name.endswith(ANY_OF) else []
    if not text and not every and operator not in NULLS:
        return  # a field of a form that was left empty
    if operator == "MATCH":
        words = text.split()
        if not 1 <= len(words) <= MOST_WORDS:
            raise FilterInvalid(f"{place}: takes 1 to {MOST_WORDS} words")
        yield from (make_condition(plain.column, "LIKE", word, place=place) for word in words)
    elif plain.name.endswith(ANY_OF):
        yield make_condition(plain.column, "IN", every, place=place)
    elif operator in LISTS or operator == "BETWEEN":
        yield make_condition(plain.column, operator, _listed(text), place=place)
    elif operator == "=" and _takes_list(dataset, plain) and "," in text:
        yield make_condition(plain.column, "IN", _listed(text), place=place)
    else:
        yield make_condition(plain.column, operator, text, place=place)


def _takes_list(dataset: Dataset, plain: Plain) -> bool:
    """Say whether a comma parts two values: text may hold one, but not the codes that are declared as lists."""
    return plain.column.type is not FieldType.TEXT or plain.name.lower() in dict(dataset.plain_aliases)


def _listed(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]
