"""Adding, changing and deleting single records from the parameters of a request."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import asyncpg

from coldshelf.access.principal import Principal
from coldshelf.kit.db import Connection
from coldshelf.kit.errors import InputInvalid
from coldshelf.kit.ids import ClientId
from coldshelf.kit.web.params import Params
from coldshelf.records import store
from coldshelf.records.dataset import Dataset
from coldshelf.records.entity import Entity, Reference, Values
from coldshelf.records.errors import (
    FieldInvalid,
    OutOfSight,
    RecordAddedMeanwhile,
    RecordExists,
    RecordInUse,
    RecordNotFound,
)
from coldshelf.records.limits import dataset_for, entity_for, limit_values, not_found, require_read, require_write
from coldshelf.records.query import Shape, page_statement
from coldshelf.records.registry import Registry
from coldshelf.records.store import Lock, Seen
from coldshelf.records.values import check_required, key_value, read_values

Expect = Callable[[Values | None], None]
"""Takes the row before (None: new), held until the end of the transaction; raises where it is not the expected one."""


@dataclass(frozen=True, slots=True)
class Saved:
    """A record after a save, load or delete, as the JSON text that a list shows; `warnings` name what was not used."""

    id: int
    record: str
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Desk:
    """Where one record is worked on: the connection, and what of the registry the principal sees."""

    connection: Connection
    registry: Registry
    principal: Principal

    @property
    def client_id(self) -> ClientId:
        return self.principal.client

    def dataset(self, name: str) -> Dataset:
        return dataset_for(self.principal, self.registry.datasets[name])

    async def row(
        self, entity: Entity, column: str, value: int | str, *, lock: Lock = Lock.NONE
    ) -> dict[str, Any] | None:  # values have the types of their columns
        seen = Seen(self.dataset(entity.name), self.principal.limit.outlets)
        return await store.row_by(self.connection, self.client_id, entity, column, value, seen=seen, lock=lock)

    async def rows(
        self, entity: Entity, column: str, value: str, *, lock: Lock, within: tuple[str, int] | None
    ) -> list[dict[str, Any]]:  # same
        seen = Seen(self.dataset(entity.name), self.principal.limit.outlets)
        return await store.rows_by(
            self.connection, self.client_id, entity, column, value, seen=seen, lock=lock, within=within
        )

    async def saved(self, entity: Entity, row_id: int, *, deleted: bool = False) -> Saved:
        record = await load_in(self.connection, self.principal, self.dataset(entity.name), row_id, deleted=deleted)
        return Saved(row_id, record)


async def save_record(
    connection: Connection,
    registry: Registry,
    principal: Principal,
    entity: Entity,
    params: Params,
    *,
    expect: Expect | None = None,
) -> Saved:
    """Add, change (only what is sent) or upsert by code, in the caller's transaction.

    Raises FieldInvalid, RecordNotFound or RecordExists with the field and the cure; RecordAddedMeanwhile when trying
    again may find the record; OutOfSight when the principal would not see it afterwards; NotAllowed.
    """
    require_write(principal, entity)
    desk, seen = Desk(connection, registry, principal), entity_for(principal, entity)
    read = read_values(seen, desk.dataset(entity.name), params)
    # What is referred to is held first, from the top of the registry down: the order in which a rename goes down too.
    references = await _resolve_references(desk, seen, params)
    before, found_by = await _find(desk, seen, params, lock=Lock.CHANGE)
    if expect:
        expect(before)
    if before is not None and params.integer("id") == 0:
        raise RecordExists(f"{entity.name} {_key_text(entity, params)} exists already; leave id out to change it")
    values = {**_sent_keys(seen, params), **read.values, **references}
    if before is not None and _same_key(before.get(found_by), values.get(found_by)):
        del values[found_by]  # the key that found the record is no change of its letter case
    if before is None:
        check_required(entity, values)
    await _check_no_circle(connection, entity, values, before)
    _check_permissions(principal, entity, values, before)
    prepared = (await entity.prepare(connection, [(values, before)]))[0]
    if isinstance(prepared, InputInvalid):
        raise prepared
    values = prepared
    row_id = await _write(desk, entity, values, before)
    if entity.after_save:
        await entity.after_save(connection, row_id, values, before)
    if before is not None:
        await touch_dependents(connection, registry, entity, before, values)
    try:
        return replace(await desk.saved(entity, row_id), warnings=read.warnings)
    except RecordNotFound as error:  # it is there, so it is the limit that does not let it through
        raise OutOfSight(f"This {entity.name} would be where this credential does not see it") from error


async def load_record(
    connection: Connection, registry: Registry, principal: Principal, entity: Entity, params: Params
) -> Saved:
    """Load one record by id or code."""
    require_read(principal, registry.datasets[entity.name])
    desk = Desk(connection, registry, principal)
    row = await _existing(desk, entity_for(principal, entity), params, lock=Lock.NONE)
    return await desk.saved(entity, row["id"])


async def delete_record(
    connection: Connection,
    registry: Registry,
    principal: Principal,
    entity: Entity,
    params: Params,
    *,
    expect: Expect | None = None,
) -> Saved:
    """Set `IsDeleted`; the row stays. Refused while other active records refer to it."""
    require_write(principal, entity)
    desk = Desk(connection, registry, principal)
    row = await _existing(desk, entity_for(principal, entity), params, lock=Lock.DELETE)
    if expect:
        expect(row)
    await refuse_in_use(connection, registry, entity, row["id"])
    await store.change_row(connection, desk.client_id, entity, row["id"], {"is_deleted": True})
    return await desk.saved(entity, row["id"], deleted=True)


async def refuse_in_use(connection: Connection, registry: Registry, entity: Entity, row_id: int) -> None:
    """Raise RecordInUse while other active records refer to it."""
    for other, reference in registry.referring(entity):
        if not reference.outlived and await store.is_referred_to(connection, other, reference, row_id):
            raise RecordInUse(f"{entity.name} {row_id} is still used by {other.name}")


async def load_in(
    connection: Connection, principal: Principal, dataset: Dataset, row_id: int, *, deleted: bool = False
) -> str:
    """Load one record as the JSON text that a list shows; the dataset is narrowed for the principal."""
    key = dataset.column(dataset.key)
    assert key is not None  # noqa: S101  # every dataset declares its key
    shape = Shape(dataset=dataset, sort=key, conditions=((key, "="),), with_deleted=deleted)
    values = {"v0_0": row_id, "start": 0, "first": 0, "limit": 1, **limit_values(principal)}
    async for batch in store.fetch_pages(connection, page_statement(shape), values, size=1):
        return str(batch[0]["record"])
    raise not_found(dataset, row_id)


async def _find(desk: Desk, entity: Entity, params: Params, *, lock: Lock) -> tuple[dict[str, Any] | None, str]:
    """Find the row that `id`, or else a key parameter, names, and the column that found it; None when there is none.

    A row found by a later key is another record when an earlier key was sent and the row holds a different one.
    """
    row_id = params.integer("id", default=0)
    if row_id:
        row = await desk.row(entity, "id", row_id, lock=lock)
        if row is None:
            raise RecordNotFound(f"There is no {entity.name} with id {row_id}")
        return row, "id"
    sent = {name: entity.field(wire).name for name, wire in entity.keys.items() if params.text(name)}
    missed: list[str] = []
    for name, column in sent.items():
        row = await desk.row(entity, f"{column}_key", params.text(name), lock=lock)
        if row is None:
            missed.append(name)
            continue
        other = next((earlier for earlier in missed if _is_another(row[sent[earlier]], params.text(earlier))), None)
        if other is None:
            return row, column
        raise RecordExists(
            f"{entity.name} with {name} {params.text(name)!r} exists already; its {other} is {row[sent[other]]!r}"
        )
    return None, ""


def _is_another(held: str | None, sent: str) -> bool:
    # A missed key may be there by now: another request added the record between the two looks.
    return held is not None and held.lower() != sent.lower()


def _same_key(held: object, sent: object) -> bool:
    return isinstance(held, str) and isinstance(sent, str) and held.lower() == sent.lower()


async def _existing(desk: Desk, entity: Entity, params: Params, *, lock: Lock) -> dict[str, Any]:
    row, _ = await _find(desk, entity, params, lock=lock)
    if row is None:
        raise RecordNotFound(f"There is no {entity.name} {_key_text(entity, params)}")
    return row


def _key_text(entity: Entity, params: Params) -> str:
    sent = [f"{name}={params.text(name)}" for name in entity.keys if params.text(name)]
    return " ".join(sent) or f"without id, {' or '.join(entity.keys)}"


def _sent_keys(entity: Entity, params: Params) -> dict[str, Any]:
    """Give the values of key parameters by column, the most trusted one of each: they name a new record too."""
    found: dict[str, Any] = {}
    for parameter, wire in entity.keys.items():
        if params.text(parameter):
            found.setdefault(entity.field(wire).name, key_value(entity, parameter, params))
    return found


async def _resolve_references(desk: Desk, entity: Entity, params: Params) -> dict[str, int | None]:
    found: dict[str, int | None] = {}
    for reference in desk.registry.references_of(entity):
        target = desk.registry.entities[reference.to]
        sent = [name for name in reference.accepted if name in params]
        ids = [
            await _referred_id(desk, target, Sent(reference, name, params.text(name), found), params)
            for name in sent
            if not _is_nothing(reference, name, params)
        ]
        if len(set(ids)) > 1:
            raise FieldInvalid(f"{' and '.join(sent)} name different records of {reference.to}")
        if sent and not ids and reference.required:
            raise FieldInvalid(f"{reference.wire} must not be empty")
        if sent:
            found[reference.name] = ids[0] if ids else None
    return found


def _is_nothing(reference: Reference, name: str, params: Params) -> bool:
    return params.text(name) in ({"", "0"} if name in reference.ids else {""})


@dataclass(frozen=True, slots=True)
class Sent:
    """A reference as it was sent: the parameter and its text; `found` are references resolved before, by column."""

    reference: Reference
    name: str
    text: str
    found: Values


async def _referred_id(desk: Desk, target: Entity, sent: Sent, params: Params) -> int:
    """Find the record that a reference names by id or by a unique field, and hold it."""
    if sent.name in sent.reference.ids:
        row = await desk.row(target, "id", params.integer(sent.name, default=0), lock=Lock.REFER)
    else:
        row = await _named_row(desk, target, sent)
    if row is None:
        cure = "" if sent.name in sent.reference.ids else target.standard_cure
        raise FieldInvalid(f"{sent.name}: there is no {target.name} {sent.text!r}{cure}")
    return int(row["id"])


async def _named_row(desk: Desk, target: Entity, sent: Sent) -> dict[str, Any] | None:
    """Find a record by a name, or make the one that a standard knows by it."""
    item = target.field(sent.reference.by[sent.name])
    outer = sent.found.get(item.unique_in)
    within = (item.unique_in, outer) if outer else None
    key = f"{item.name}_key"
    rows = await desk.rows(target, key, sent.text, lock=Lock.REFER, within=within)
    if len(rows) > 1:
        other = target.reference(item.unique_in).to
        raise FieldInvalid(f"{sent.name}: there are several {target.name} {sent.text!r}; name the {other} too")
    if rows:
        return rows[0]
    values = await target.standard(desk.connection, sent.text, sent.found) if target.standard else None
    return None if values is None else await _standard_row(desk, target, values)


async def _standard_row(desk: Desk, target: Entity, values: dict[str, Any]) -> dict[str, Any]:
    for item in target.fields:
        if item.unique and values.get(item.name):
            row = await desk.row(target, f"{item.name}_key", values[item.name], lock=Lock.REFER)
            if row:
                return row
    return {"id": await _write(desk, target, values, None)}


async def _check_no_circle(connection: Connection, entity: Entity, values: Values, before: Values | None) -> None:
    for reference in entity.references:
        above = values.get(reference.name)
        if reference.to != entity.name or before is None or above is None:
            continue
        if above == before["id"]:
            raise FieldInvalid(f"{reference.wire}: {entity.name} {before['id']} cannot refer to itself")
        if await store.leads_to(connection, entity, reference, above, before["id"]):
            raise FieldInvalid(f"{reference.wire}: {entity.name} {above} stands below {before['id']} already")


def _check_permissions(principal: Principal, entity: Entity, values: Values, before: Values | None) -> None:
    """Raise NotAllowed when a reference changes that takes a permission of its own."""
    for reference in entity.references:
        held = before[reference.name] if before else None
        if reference.permission and values.get(reference.name, held) != held:
            principal.require_permission(reference.permission)


async def _write(desk: Desk, entity: Entity, values: Values, before: Values | None) -> int:
    try:
        if before is None:
            return await store.add_row(desk.connection, desk.client_id, entity, values)
        await store.change_row(desk.connection, desk.client_id, entity, before["id"], values)
        return int(before["id"])
    except asyncpg.UniqueViolationError as error:
        kind = RecordAddedMeanwhile if before is None else RecordExists
        raise kind(_unique_message(entity, values, error)) from error


def _unique_message(entity: Entity, values: Values, error: asyncpg.UniqueViolationError) -> str:
    for item in entity.fields:
        if (item.unique or item.unique_in) and error.constraint_name == f"{entity.table}_{item.name}":
            return f"{entity.name} with {item.wire} {values.get(item.name)!r} exists already"
    return f"{entity.name} exists already"


async def touch_dependents(
    connection: Connection, registry: Registry, entity: Entity, before: Values, values: Values
) -> None:
    """Touch the rows that show a changed name, so that their modification time stays true."""
    changed = {name for name, value in values.items() if value != before.get(name)}
    for showing in registry.shown_in(entity):
        if changed & showing.columns:
            await store.touch_by(connection, showing.relation, showing.on, before["id"], showing.via)
