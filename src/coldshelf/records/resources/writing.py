"""Writes of a resource: each in one transaction, once for each Idempotency-Key, under its preconditions."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

import msgspec
from fastapi import Request, Response

from coldshelf.access.principal import Principal
from coldshelf.kit.db import Connection
from coldshelf.kit.errors import MediaTypeUnknown
from coldshelf.kit.idempotency import HEADER, REPLAYED, hash_request
from coldshelf.kit.web.params import Params, read_body
from coldshelf.kit.web.request import run_of
from coldshelf.records import saving
from coldshelf.records.dataset import Dataset
from coldshelf.records.entity import Entity, Values
from coldshelf.records.errors import FieldInvalid, RecordExists
from coldshelf.records.handlers import write_once
from coldshelf.records.limits import require_write
from coldshelf.records.registry import Registry
from coldshelf.records.resources.bodies import Record, check_required, locate, read_pairs, to_native
from coldshelf.records.resources.names import Address, read_address, resource_path
from coldshelf.records.resources.tags import read_precondition, tag_of

JSON = "application/json"
MEDIA_TYPES = (JSON, "application/merge-patch+json")


@dataclass(frozen=True, slots=True)
class Write:
    """One request that changes a resource."""

    request: Request
    principal: Principal
    registry: Registry
    entity: Entity
    body: bytes

    @property
    def dataset(self) -> Dataset:
        return self.registry.datasets[self.entity.name]

    def expect(self, before: Values | None) -> None:
        """Raise PreconditionFailed where the row before is not the one that the request's headers name."""
        read_precondition(self.request.headers).check(before)

    def pairs(self) -> list[tuple[str, str]]:
        """Read the body into names and texts of a save."""
        kind = self.request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if kind not in MEDIA_TYPES:
            raise MediaTypeUnknown(f"Content-Type {kind[:60]!r} cannot be read here", cure=f"Send {JSON}.")
        return read_pairs(self.entity, self.dataset, self.body)

    def address(self) -> Address:
        return read_address(self.dataset, self.entity, self.request.path_params["key"])

    def content(self) -> bytes:
        """Give the hash of what is asked for."""
        headers = [self.request.headers.get(name, "") for name in ("if-match", "if-none-match")]
        return hash_request(
            self.request.method.encode(),
            self.request.url.path.encode(),
            *(value.encode() for value in headers),
            self.body,
        )

    async def save(self, connection: Connection, params: Params, expect: saving.Expect) -> bytes:
        """Save and give the record; what would be left unused of the body is an error, so that nothing is written."""
        try:
            saved = await saving.save_record(
                connection, self.registry, self.principal, self.entity, params, expect=expect
            )
        except FieldInvalid as error:
            locate(self.entity, error)
            raise
        if saved.warnings:
            unused = FieldInvalid("; ".join(saved.warnings))
            locate(self.entity, unused)
            raise unused
        return self.native(saved)

    def native(self, saved: saving.Saved) -> bytes:
        return msgspec.json.encode(to_native(self.dataset, msgspec.json.decode(saved.record, type=Record)))


Work = Callable[[Write, Connection], Awaitable[Response]]


async def write_resource(
    request: Request, principal: Principal, registry: Registry, entity: Entity, work: Work
) -> Response:
    """Do the work of a request once, and give its answer again to whoever sends it again."""
    require_write(principal, entity)
    asked = Write(request, principal, registry, entity, await read_body(request))

    async def write(connection: Connection) -> Response:
        return await work(asked, connection)

    key = request.headers.get(HEADER, "")
    answer = await write_once(run_of(request), principal, key, asked.content(), write)
    return _with_headers(asked.dataset, answer)


async def create(asked: Write, connection: Connection) -> Response:
    """Add a record; one that exists is left alone."""
    pairs = asked.pairs()
    check_required(asked.entity, pairs)

    def expect(before: Values | None) -> None:
        if before is not None:
            name = f"{asked.entity.name} {before['id']}"
            raise RecordExists(f"{name} exists already with this code", cure="PATCH changes it, PUT adds or changes.")

    return _answer(await asked.save(connection, Params(pairs), expect), 201)


async def change(asked: Write, connection: Connection) -> Response:
    """Change what is sent of a record."""
    pairs, address = asked.pairs(), asked.address()
    row_id = address.value if not address.is_code else await _id_of(asked, connection, address)
    params = Params([("id", str(row_id)), *pairs])
    return _answer(await asked.save(connection, params, asked.expect), 200)


async def put(asked: Write, connection: Connection) -> Response:
    """Add the record with the code of the path, or change what is sent of it."""
    pairs, address = asked.pairs(), asked.address()
    if not address.is_code:
        return await change(asked, connection)
    _check_same_code(asked.entity, pairs, address)
    added = False

    def expect(before: Values | None) -> None:
        nonlocal added
        added = before is None
        asked.expect(before)
        if added:
            check_required(asked.entity, params.items())

    params = Params([(address.parameter, str(address.value)), *pairs])
    record = await asked.save(connection, params, expect)
    return _answer(record, 201 if added else 200)


async def remove(asked: Write, connection: Connection) -> Response:
    """Delete a record; its row stays and shows in the changes with IsDeleted."""
    address = asked.address()
    params = Params([(address.parameter, str(address.value))])
    await saving.delete_record(connection, asked.registry, asked.principal, asked.entity, params, expect=asked.expect)
    return Response(status_code=204)


async def _id_of(asked: Write, connection: Connection, address: Address) -> int:
    params = Params([(address.parameter, str(address.value))])
    found = await saving.load_record(connection, asked.registry, asked.principal, asked.entity, params)
    return found.id


def _check_same_code(entity: Entity, pairs: list[tuple[str, str]], address: Address) -> None:
    same = {name for name, wire in entity.keys.items() if wire == address.wire} | {*entity.field(address.wire).names}
    for name, text in pairs:
        if name in same and text.strip().lower() != str(address.value).lower():
            raise FieldInvalid(
                f"{name} is {text!r} in the body and {address.value!r} in the path; PATCH changes a code"
            )


def _answer(record: bytes, status: int) -> Response:
    return Response(record, status, media_type=JSON)


def _with_headers(dataset: Dataset, answer: Response) -> Response:
    """Add the headers that belong to a record; a stored answer is kept without them."""
    headers: dict[str, str] = {name: answer.headers[name] for name in (REPLAYED,) if name in answer.headers}
    if answer.status_code == 204:
        return Response(status_code=204, headers=headers)
    record: Mapping[str, msgspec.Raw] = msgspec.json.decode(answer.body, type=Record)
    tag = tag_of(dict(record))
    headers |= {"ETag": tag} if tag else {}
    if answer.status_code == 201:
        headers["Location"] = f"{resource_path(dataset)}/{bytes(record[dataset.key]).decode()}"
    return Response(answer.body, answer.status_code, headers, media_type=JSON)
