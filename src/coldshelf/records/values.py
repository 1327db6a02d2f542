"""From the parameters of a save to typed values, and what of them had no use."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from coldshelf.kit.web.params import Params
from coldshelf.records.dataset import Dataset
from coldshelf.records.entity import Entity, Field
from coldshelf.records.errors import FieldInvalid
from coldshelf.records.fields import TYPE_MAPS, FieldType

NOT_FIELDS = frozenset({"action", "id", "format", "asarray", "callback", "_dc"})
SHOWN = 60
"""Characters of a wrong value that an error repeats."""


@dataclass(frozen=True, slots=True)
class ReadValues:
    """Typed values by column; `warnings` name parameters that were not used, or not as they were."""

    values: dict[str, Any]
    warnings: tuple[str, ...]


def read_values(entity: Entity, dataset: Dataset, params: Params) -> ReadValues:
    """Read every sent field as its type; raise FieldInvalid with the field and what it takes."""
    values: dict[str, Any] = {}
    warnings = _unused(entity, dataset, params)
    for item in entity.fields:
        sent = [name for name in item.names if name in params and (name == item.wire or name not in entity.keys)]
        if not sent or item.read_only:
            continue
        if len({params.text(name) for name in sent}) > 1:
            raise FieldInvalid(f"{' and '.join(sent)} are the same field and say different things")
        value = _value(item, params.text(sent[0]))
        if item.type is FieldType.DECIMAL and value is not None:
            rounded = value.quantize(Decimal(1).scaleb(-item.scale))
            if rounded != value:
                _check_bounds(item, rounded)
                warnings.append(f"{item.wire} was rounded to {rounded}: it keeps {item.scale} decimals")
            value = rounded
        values[item.name] = value
    return ReadValues(values, tuple(warnings))


def key_value(entity: Entity, parameter: str, params: Params) -> Any:  # the type is that of the field
    """Read a key parameter as the field that it stands for."""
    return _value(entity.field(entity.keys[parameter]), params.text(parameter))


def check_required(entity: Entity, values: Mapping[str, Any]) -> None:
    """Raise FieldInvalid naming every required field that a new record lacks."""
    missing = [item.wire for item in entity.fields if item.required and values.get(item.name) is None]
    missing += [item.wire for item in entity.references if item.required and values.get(item.name) is None]
    if missing:
        raise FieldInvalid(f"{entity.name} needs {', '.join(missing)}")


def _unused(entity: Entity, dataset: Dataset, params: Params) -> list[str]:
    known = {name.lower() for name in (*entity.keys, *NOT_FIELDS)}
    known |= {name.lower() for item in entity.fields if not item.read_only for name in item.names}
    known |= {name.lower() for item in entity.references for name in item.accepted}
    instead = {name.lower(): cure for name, cure in entity.unused.items()}
    return [
        f"{name} was ignored: {_why_unused(entity, dataset, name, instead)}"
        for name in params
        if name.lower() not in known
    ]


def _why_unused(entity: Entity, dataset: Dataset, name: str, instead: Mapping[str, str]) -> str:
    if name.lower() in instead:
        return instead[name.lower()]
    if dataset.column(name):
        return "it is only read"
    return f"{entity.name} has no such field"


def _value(item: Field, text: str) -> Any:  # the type is that of the field
    kind = TYPE_MAPS[item.type]
    if not text:
        if item.required:
            raise FieldInvalid(f"{item.wire} must not be empty")
        if item.type in {FieldType.BOOLEAN, FieldType.FLAG}:
            raise FieldInvalid(f"{item.wire} takes {kind.takes}, and must not be empty")
        return None
    try:
        value = kind.parse(text)
    except ValueError as error:
        raise FieldInvalid(f"{item.wire} takes {kind.takes}, not {_shown(text)}") from error
    _check_bounds(item, value)
    return _choice(item, value) if item.choices else value


def _check_bounds(item: Field, value: Any) -> None:  # same
    if item.max_length and len(value) > item.max_length:
        raise FieldInvalid(f"{item.wire} has {len(value)} characters; at most {item.max_length}")
    if item.minimum is not None and value < item.minimum:
        raise FieldInvalid(f"{item.wire} is {value}; at least {item.minimum}")
    if item.maximum is not None and value > item.maximum:
        raise FieldInvalid(f"{item.wire} is {value}; at most {item.maximum}")
    if item.type is FieldType.DECIMAL and abs(value) >= Decimal(10) ** (item.precision - item.scale):
        raise FieldInvalid(f"{item.wire} is {value}; at most {item.precision - item.scale} digits before the point")


def _choice(item: Field, value: str) -> str:
    for choice in item.choices:
        if choice.lower() == value.lower():
            return choice
    raise FieldInvalid(f"{item.wire} takes {', '.join(item.choices)}, not {_shown(value)}")


def _shown(text: str) -> str:
    return repr(text if len(text) <= SHOWN else text[:SHOWN] + "…")
