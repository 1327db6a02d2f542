"""From a JSON body to the parameters of a save, and from a record as the database wrote it to real JSON types.

Numbers stay the text that they came as on both ways, so that none loses a digit.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache

import msgspec

from coldshelf.kit.errors import Place
from coldshelf.records.dataset import Dataset
from coldshelf.records.entity import Entity
from coldshelf.records.errors import FieldInvalid
from coldshelf.records.fields import TYPE_MAPS, FieldType, read_json

Record = dict[str, msgspec.Raw]
"""A record: the JSON text of each value by wire name."""
MOST_DIGITS = 19
_FIRST_WORD = re.compile(r"[A-Za-z0-9]+")
_TAKES = {FieldType.BOOLEAN: "true or false", FieldType.FLAG: "true or false", FieldType.JSON: "JSON"}


@dataclass(frozen=True, slots=True)
class Slot:
    """A name that a body may hold: what it stands for, and its type."""

    name: str
    type: FieldType


def slots_of(entity: Entity) -> Mapping[str, Slot]:
    """Give every name that can be saved, in lower case."""
    fields = {item.wire: item for item in entity.fields if not item.read_only}
    found = [Slot(name, item.type) for item in fields.values() for name in item.names]
    found += [Slot(name, FieldType.INTEGER) for reference in entity.references for name in reference.ids]
    found += [Slot(name, FieldType.TEXT) for reference in entity.references for name in reference.by]
    found += [Slot(name, fields[wire].type) for name, wire in entity.keys.items() if wire in fields]
    return {slot.name.lower(): slot for slot in reversed(found)}


def read_pairs(entity: Entity, dataset: Dataset, content: bytes) -> list[tuple[str, str]]:
    """Read a body into the names and texts of a save; raise FieldInvalid naming every place that is wrong."""
    slots = slots_of(entity)
    pairs: list[tuple[str, str]] = []
    places: list[Place] = []
    seen: set[str] = set()
    for name, raw in _object(content).items():
        slot = slots.get(name.lower())
        if slot is None:
            places.append(_place(name, _why_unknown(entity, dataset, name)))
        elif name.lower() in seen:
            places.append(_place(name, "is sent twice, in two letter cases"))
        else:
            seen.add(name.lower())
            try:
                pairs.append((slot.name, _text(slot.type, bytes(raw))))
            except ValueError as error:
                places.append(_place(name, str(error)))
    if places:
        raise invalid(places)
    return pairs


def check_required(entity: Entity, pairs: Iterable[tuple[str, str]]) -> None:
    """Raise FieldInvalid naming every required field that the body of a new record lacks."""
    sent = {name for name, text in pairs if text.strip()}
    named = {wire for name, wire in entity.keys.items() if name in sent}
    missing = [item.wire for item in entity.fields if item.required and not sent & {*item.names} | {item.wire} & named]
    missing += [
        reference.wire for reference in entity.references if reference.required and not sent & {*reference.accepted}
    ]
    if missing:
        raise invalid([_place(name, "is required") for name in missing])


def invalid(places: list[Place]) -> FieldInvalid:
    return FieldInvalid("; ".join(f"{place.pointer[1:]} {place.detail}" for place in places), places=tuple(places))


def locate(entity: Entity, error: FieldInvalid) -> None:
    """Give an error the place that its message begins with: the name of a field."""
    word = _FIRST_WORD.match(error.message)
    slot = slots_of(entity).get(word[0].lower()) if word else None
    if slot and not error.places:
        error.places = (_place(slot.name, error.message),)


def _place(name: str, detail: str) -> Place:
    return Place(pointer="/" + name.replace("~", "~0").replace("/", "~1"), detail=detail)


def _object(content: bytes) -> Record:
    try:
        found = msgspec.json.decode(content, type=Record)
        read_json(content.decode())  # it tells names that stand twice, at any depth
    except (msgspec.DecodeError, UnicodeDecodeError, ValueError, RecursionError) as error:
        raise FieldInvalid(f"The body takes a JSON object: {error}", places=()) from error
    return found


def _why_unknown(entity: Entity, dataset: Dataset, name: str) -> str:
    instead = {key.lower(): cure for key, cure in entity.unused.items()}
    if name.lower() in instead:
        return f"is not kept: {instead[name.lower()]}"
    return "is only read; leave it out" if dataset.column(name) else f"is no field of {entity.name}"


def _text(kind: FieldType, raw: bytes) -> str:
    """Give the text of a JSON value; null is empty, which clears a field."""
    if raw == b"null":
        return ""
    try:
        return _READERS.get(kind, _string)(raw)
    except ValueError as error:
        raise ValueError(f"takes {_TAKES.get(kind, TYPE_MAPS[kind].takes)}") from error


def _string(raw: bytes) -> str:
    text = msgspec.json.decode(raw)
    if not isinstance(text, str) or "\0" in text:
        raise ValueError("not a string")
    return text


def _number(raw: bytes) -> str:
    if raw[:1] not in b"-0123456789":
        raise ValueError("not a number")
    return raw.decode()


def _integer(raw: bytes) -> str:
    value = Decimal(_number(raw))
    if value.adjusted() > MOST_DIGITS or value != value.to_integral_value():
        raise ValueError("not a whole number")
    return str(int(value))


def _boolean(raw: bytes) -> str:
    if raw not in {b"true", b"false"}:
        raise ValueError("not a boolean")
    return raw.decode()


def _written(raw: bytes) -> str:
    return raw.decode()


_READERS: Mapping[FieldType, Callable[[bytes], str]] = {
    FieldType.INTEGER: _integer,
    FieldType.DECIMAL: _number,
    FieldType.FLOAT: _number,
    FieldType.BOOLEAN: _boolean,
    FieldType.FLAG: _boolean,
    FieldType.JSON: _written,
}


def to_native(dataset: Dataset, record: Record) -> Record:
    """Turn a record of a list into real types: times with their zone, flags as booleans, JSON text as JSON."""
    record.pop("RowNumber", None)
    for wire, convert in _converters(dataset).items():
        raw = bytes(record.get(wire, msgspec.Raw(b"null")))
        if raw != b"null":
            record[wire] = msgspec.Raw(convert(raw))
    return record


@lru_cache(maxsize=256)
def _converters(dataset: Dataset) -> dict[str, Callable[[bytes], bytes]]:
    by_type: dict[FieldType, Callable[[bytes], bytes]] = {
        FieldType.TIMESTAMP: lambda raw: raw[:-1] + b'Z"',
        FieldType.FLAG: lambda raw: b"false" if raw == b"0" else b"true",
        FieldType.JSON: _json,
    }
    return {column.wire: by_type[column.type] for column in dataset.columns if column.type in by_type}


def _json(raw: bytes) -> bytes:
    text = msgspec.json.decode(raw, type=str).encode()
    try:
        return bytes(msgspec.json.decode(text, type=msgspec.Raw))
    except msgspec.DecodeError:
        return raw  # what a handler of the contract kept as text and nothing reads as JSON
