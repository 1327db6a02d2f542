"""Adding, changing and deleting single records from the parameters of a request."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import asyncpg
import orjson

from coldshelf.kit.db import Connection
from coldshelf.kit.ids import ClientId
from coldshelf.kit.web.params import Params
from coldshelf.records import store
from coldshelf.records.dataset import Dataset
from coldshelf.records.entity import Entity, Field, Reference, Values
from coldshelf.records.errors import FieldInvalid, RecordExists, RecordNotFound
from coldshelf.records.fields import TYPE_MAPS, FieldType
from coldshelf.records.query import Shape, page_statement
from coldshelf.records.registry import Registry

NOT_FIELDS = frozenset({"action", "id", "format", "asarray", "callback", "_dc"})


@dataclass(frozen=True, slots=True)
class Saved:
    """A record after a save, load or delete; `warnings` name parameters that were not used."""

    id: int
    record: dict[str, Any]  # as the list shows it: any JSON
    warnings: tuple[str, ...] = ()


async def save_record(
    connection: Connection, registry: Registry, client_id: ClientId, entity: Entity, params: Params
) -> Saved:
    """Add, change (only what is sent) or upsert by code, in the caller's transaction.

    Raises FieldInvalid, RecordNotFound or RecordExists with the field and the cure.
    """
    values, warnings = read_values(entity, params)
    existing = await find_row(connection, client_id, entity, params, locking=True)
    if params.text("id") == "0" and existing is not None:
        raise RecordExists(f"{entity.name} {_key_text(entity, params)} exists already; leave id out to change it")
    values |= await _resolve_references(connection, registry, client_id, entity, params)
    if existing is None:
        _check_required(entity, values)
    if entity.before_save:
        values = await entity.before_save(connection, values, existing)
    row_id = await _write(connection, client_id, entity, values, existing)
    if entity.after_save:
        await entity.after_save(connection, row_id, values)
    if existing is not None:
        await _touch_dependents(connection, registry, entity, existing, values)
    return Saved(row_id, await load_in(connection, registry.datasets[entity.name], row_id), tuple(warnings))


async def _write(
    connection: Connection, client_id: ClientId, entity: Entity, values: Values, existing: Values | None
) -> int:
    try:
        return await store.write_row(connection, client_id, entity, values, existing["id"] if existing else None)
    except asyncpg.UniqueViolationError as error:
        raise RecordExists(_unique_message(entity, values, error)) from error


async def load_record(
    connection: Connection, registry: Registry, client_id: ClientId, entity: Entity, params: Params
) -> Saved:
    """Load one record by id or code."""
    row = await _existing(connection, client_id, entity, params)
    return Saved(row["id"], await load_in(connection, registry.datasets[entity.name], row["id"]))


async def delete_record(
    connection: Connection, registry: Registry, client_id: ClientId, entity: Entity, params: Params
) -> Saved:
    """Set `IsDeleted`; the row stays. Refused while other active records refer to it."""
    row = await _existing(connection, client_id, entity, params, locking=True)
    for other, reference in _referring(registry, entity):
        if await store.is_referred_to(connection, other, reference, row["id"]):
            raise RecordExists(f"{entity.name} {row['id']} is still used by {other.name}; change or delete those first")
    await store.write_row(connection, client_id, entity, {"is_deleted": True}, row["id"])
    return Saved(row["id"], await load_in(connection, registry.datasets[entity.name], row["id"], deleted=True))


def read_values(entity: Entity, params: Params) -> tuple[dict[str, Any], list[str]]:
    """Read every sent field as its type; name the parameters that mean nothing here."""
    values: dict[str, Any] = {}
    known = {name.lower() for name in (*entity.keys, *NOT_FIELDS)}
    for reference in entity.references:
        known |= {name.lower() for name in (reference.wire, *reference.by)}
    for item in entity.fields:
        known |= {name.lower() for name in item.names}
        sent = next((name for name in item.names if name in params), None)
        if sent is not None and not item.read_only:
            values[item.name] = _value(item, params.text(sent))
    for parameter, wire in entity.keys.items():
        item = entity.field(wire)
        if parameter in params and item.name not in values:
            values[item.name] = _value(item, params.text(parameter))
    warnings = [f"{name} was ignored: {entity.name} has no such field" for name in params if name.lower() not in known]
    return values, warnings


def _value(item: Field, text: str) -> Any:  # the type is that of the field
    kind = TYPE_MAPS[item.type]
    if text.strip() == "":
        if item.required:
            raise FieldInvalid(f"{item.wire} must not be empty")
        if item.type in {FieldType.BOOLEAN, FieldType.FLAG}:
            raise FieldInvalid(f"{item.wire} takes {kind.takes}")
        return None
    try:
        value = kind.parse(text.strip())
    except ValueError as error:
        raise FieldInvalid(f"{item.wire} takes {kind.takes}, not {text!r}") from error
    _check_bounds(item, value)
    return _choice(item, value) if item.choices else value


def _check_bounds(item: Field, value: Any) -> None:  # same
    if item.max_length and len(str(value)) > item.max_length:
        raise FieldInvalid(f"{item.wire} has {len(str(value))} characters; at most {item.max_length}")
    if item.minimum is not None and value < item.minimum:
        raise FieldInvalid(f"{item.wire} is {value}; at least {item.minimum}")
    if item.maximum is not None and value > item.maximum:
        raise FieldInvalid(f"{item.wire} is {value}; at most {item.maximum}")


def _choice(item: Field, value: str) -> str:
    for choice in item.choices:
        if choice.lower() == value.lower():
            return choice
    raise FieldInvalid(f"{item.wire} takes {', '.join(item.choices)}, not {value!r}")


def _check_required(entity: Entity, values: Mapping[str, Any]) -> None:
    missing = [item.wire for item in entity.fields if item.required and values.get(item.name) is None]
    missing += [item.wire for item in entity.references if item.required and values.get(item.name) is None]
    if missing:
        raise FieldInvalid(f"{entity.name} needs {', '.join(missing)}")


async def find_row(
    connection: Connection, client_id: ClientId, entity: Entity, params: Params, *, locking: bool = False
) -> Mapping[str, Any] | None:
    """Find the row that `id` or a key parameter names; None when a save would add it."""
    row_id = params.integer("id", default=0)
    if row_id:
        row = await store.row_by(connection, client_id, entity, "id", row_id, locking=locking)
        if row is None:
            raise RecordNotFound(f"There is no {entity.name} with id {row_id}")
        return row
    for parameter, wire in entity.keys.items():
        if params.text(parameter):
            item = entity.field(wire)
            return await store.row_by(
                connection, client_id, entity, f"{item.name}_key", params.text(parameter).lower(), locking=locking
            )
    return None


async def _existing(
    connection: Connection, client_id: ClientId, entity: Entity, params: Params, *, locking: bool = False
) -> Mapping[str, Any]:
    row = await find_row(connection, client_id, entity, params, locking=locking)
    if row is None:
        raise RecordNotFound(f"There is no {entity.name} {_key_text(entity, params)}")
    return row


def _key_text(entity: Entity, params: Params) -> str:
    sent = [f"{name}={params.text(name)}" for name in entity.keys if params.text(name)]
    return " ".join(sent) or f"without id, {' or '.join(entity.keys)}"


async def _resolve_references(
    connection: Connection, registry: Registry, client_id: ClientId, entity: Entity, params: Params
) -> dict[str, int | None]:
    found: dict[str, int | None] = {}
    for reference in entity.references:
        target = registry.entities[reference.to]
        sent = next((name for name in (reference.wire, *reference.by) if name in params), None)
        if sent is None:
            continue
        text = params.text(sent)
        if text.strip() in {"", "0"}:
            found[reference.name] = None
            continue
        column: str = "id" if sent == reference.wire else f"{target.field(reference.by[sent]).name}_key"
        value: int | str = params.integer(sent, default=0) if sent == reference.wire else text.strip().lower()
        row = await store.row_by(connection, client_id, target, column, value)
        if row is None:
            raise FieldInvalid(f"{sent}: there is no {reference.to} {text!r}")
        found[reference.name] = row["id"]
    return found


def _unique_message(entity: Entity, values: Mapping[str, Any], error: asyncpg.UniqueViolationError) -> str:
    constraint = error.constraint_name or ""
    for item in entity.fields:
        if item.unique and constraint.endswith(item.name):
            return f"{entity.name} with {item.wire} {values.get(item.name)!r} exists already"
    return f"{entity.name} exists already"


def _referring(registry: Registry, entity: Entity) -> list[tuple[Entity, Reference]]:
    return [
        (other, reference)
        for other in registry.entities.values()
        for reference in other.references
        if reference.to == entity.name
    ]


async def _touch_dependents(
    connection: Connection, registry: Registry, entity: Entity, before: Mapping[str, Any], values: Mapping[str, Any]
) -> None:
    """Touch the rows that show a changed name, so that their modification time stays true."""
    for other, reference in _referring(registry, entity):
        if any(column in values and values[column] != before[column] for column in reference.shows.values()):
            await store.touch_by(connection, other.table, reference.name, before["id"])


async def load_in(connection: Connection, dataset: Dataset, row_id: int, *, deleted: bool = False) -> dict[str, Any]:
    """Load one record as the list shows it."""
    key = dataset.column(dataset.key)
    assert key is not None  # noqa: S101  # every dataset declares its key
    shape = Shape(dataset, ((key, "=", 1),), key, False, deleted, False, False, False)
    values = {"v0_0": row_id, "start": 0, "first": 0, "limit": 1}
    async for batch in store.fetch_pages(connection, page_statement(shape), values, size=1):
        return dict(orjson.loads(batch[0]["record"]))
    raise RecordNotFound(f"There is no {dataset.name} with id {row_id}")
