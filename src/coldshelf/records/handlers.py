"""The contract's handlers, one for each entity and dataset: `/controllers/<Name>.ashx?action=…`."""

from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import anyio
import asyncpg
import orjson
from fastapi import APIRouter, Request, Response
from fastapi.responses import StreamingResponse
from pydantic import BaseModel
from starlette.types import Send

from coldshelf.access.principal import PEOPLE, Permission, Principal, Role
from coldshelf.access.web import Caller, check_origin
from coldshelf.kit.db import Connection
from coldshelf.kit.errors import ColdshelfError, InputInvalid
from coldshelf.kit.idempotency import HEADER, REPLAYED, RequestKey, claim, hash_request, in_turn, keep
from coldshelf.kit.runtime import Runtime
from coldshelf.kit.web.params import Params, read_params
from coldshelf.kit.web.request import run_of
from coldshelf.records import saving
from coldshelf.records.dataset import Dataset
from coldshelf.records.entity import Entity
from coldshelf.records.errors import RecordAddedMeanwhile, WritesCollided
from coldshelf.records.exporting import export_records, read_export_request
from coldshelf.records.limits import dataset_for
from coldshelf.records.listing import list_records, read_list_request
from coldshelf.records.openapi import describe
from coldshelf.records.registry import Registry
from coldshelf.records.selecting import check_sight

JSON = "application/json"
ATTEMPTS = 3

Work = Callable[[Connection, Registry, Principal, Entity, Params], Awaitable[saving.Saved]]
READS: dict[str, Work] = {"load": saving.load_record}
WRITES: dict[str, Work] = {"save": saving.save_record, "delete": saving.delete_record}


ExtraAction = Callable[[Runtime, Principal, Params], Awaitable[Response]]
"""A further action that a room gives the handler of a dataset; role and sight are checked before it."""


@dataclass(frozen=True, slots=True)
class Change:
    """What an action that changes something works with; the connection's transaction commits behind it."""

    run: Runtime
    connection: Connection
    principal: Principal
    params: Params


@dataclass(frozen=True, slots=True)
class ExtraWrite:
    """A further action that changes something: by POST, in one transaction, once for each Idempotency-Key.

    `parameters` are the names of what it takes, with their meanings. `permission` stands for the right to write where
    it is one of its own. `row` names the parameter that says which record of the dataset it changes, which must be in
    sight; `every_outlet`: it is for those only whom nothing limits to some, as all changes of what outlets share are.
    """

    write: Callable[[Change], Awaitable[Response]]
    writers: frozenset[Role]
    parameters: Mapping[str, str] = field(default_factory=dict)
    permission: Permission | None = None
    row: str = ""
    every_outlet: bool = False


@dataclass(frozen=True, slots=True)
class ExtraRead:
    """A further action that reads, with the names of what it takes and their meanings.

    `row` names the parameter that says which record of the dataset it tells of, which must be in sight; `every_outlet`:
    it tells of all of them, and is for those only whom nothing limits to some.
    """

    read: ExtraAction
    parameters: Mapping[str, str]
    readers: frozenset[Role] = PEOPLE
    row: str = ""
    every_outlet: bool = False


Extra = Mapping[str, ExtraRead | ExtraWrite]
"""Further actions of a handler by their names in lower case."""
NO_ACTIONS: Extra = {}


class ActionUnknown(InputInvalid):
    """Action not found"""

    code = "action_unknown"


def record_router(registry: Registry, extra: Mapping[str, Extra]) -> APIRouter:
    """Make one GET and one POST operation for each dataset; `extra` maps dataset and lower-case action."""
    router = APIRouter()
    for dataset in registry.listed:
        if dataset.handler:
            _add(router, registry, dataset, extra.get(dataset.name, NO_ACTIONS))
    return router


def _add(router: APIRouter, registry: Registry, dataset: Dataset, extra: Extra) -> None:
    entity = registry.entities.get(dataset.name)

    async def handle(request: Request, principal: Caller) -> Response:
        params = await read_params(request)
        action = extra.get(params.text("action").lower())
        if isinstance(action, ExtraWrite):
            return await _write_extra(request, principal, dataset, action, params)
        if action:
            return await _read_extra(run_of(request), principal, dataset, action, params)
        return await answer(request, principal, registry, dataset, params)

    for name in (dataset.name, *(entity.handlers if entity else ())):
        for method in ("GET", "POST"):
            router.add_api_route(
                f"/controllers/{name.lower()}.ashx",
                handle,
                methods=[method],
                tags=[dataset.name],
                operation_id=f"{name}_{method.lower()}",
                summary=dataset.meaning,
                **describe(dataset, entity, method, _documented(extra, method)),
            )


def _documented(extra: Extra, method: str) -> dict[str, Mapping[str, str]]:
    """Give the further actions that a method offers, each with the meanings of its parameters."""
    offered = {name: item for name, item in extra.items() if method == "POST" or not isinstance(item, ExtraWrite)}
    return {name: item.parameters for name, item in offered.items()}


async def answer(
    request: Request, principal: Principal, registry: Registry, dataset: Dataset, params: Params
) -> Response:
    """Do the action that the parameters name."""
    entity, action = registry.entities.get(dataset.name), params.text("action").lower()
    if action == "list":
        return await list_answer(run_of(request), principal, dataset, params)
    if action == "export":
        return await export_answer(run_of(request), principal, dataset, params)
    if entity and action in READS:
        return await _read(Call(request, principal, registry, entity, params), READS[action])
    if entity and action in WRITES:
        if request.method != "POST":
            raise ActionUnknown(f"action={action} takes POST, not {request.method}")
        return await _write(Call(request, principal, registry, entity, params), WRITES[action])
    known = ["list", "export", *(READS | WRITES if entity else ())]
    raise ActionUnknown(f"Action not found: {action[:60]!r}; {dataset.name} takes {', '.join(known)}")


async def list_answer(run: Runtime, principal: Principal, dataset: Dataset, params: Params) -> Response:
    """Answer `action=list`: a page of records, streamed when it is large."""
    wanted = read_list_request(dataset_for(principal, dataset), params, most=run.settings.max_page)
    found = await list_records(run, principal, wanted)
    if isinstance(found.body, bytes):
        return Response(found.body, headers=found.headers, media_type=found.media_type)
    return ClosingStream(found.body, headers=found.headers, media_type=found.media_type)


async def export_answer(run: Runtime, principal: Principal, dataset: Dataset, params: Params) -> Response:
    """Answer `action=export`: a file, streamed."""
    wanted = read_export_request(dataset_for(principal, dataset), params, most=run.settings.max_export)
    found = await export_records(run, principal, wanted)
    return ClosingStream(found.body, headers=found.headers, media_type=found.media_type)


class ClosingStream(StreamingResponse):
    """A stream whose database connection is free as soon as the caller has everything, or has hung up."""

    def __init__(self, parts: AsyncGenerator[bytes], *, headers: Mapping[str, str], media_type: str) -> None:
        super().__init__(parts, headers=headers, media_type=media_type)
        self._parts = parts

    async def stream_response(self, send: Send) -> None:
        try:
            await super().stream_response(send)
        finally:
            with anyio.CancelScope(shield=True):  # who hangs up cancels this task
                await self._parts.aclose()


@dataclass(frozen=True, slots=True)
class Call:
    """One request for a single record."""

    request: Request
    principal: Principal
    registry: Registry
    entity: Entity
    params: Params

    async def work(self, connection: Connection, work: Work) -> Response:
        return saved_answer(await work(connection, self.registry, self.principal, self.entity, self.params))

    def content(self) -> bytes:
        """Give the hash of what is asked for."""
        return hash_request(
            self.entity.name.encode(), *(f"{name}={value}".encode() for name, value in self.params.pairs())
        )


async def _read(call: Call, work: Work) -> Response:
    try:
        async with run_of(call.request).database.scope(call.principal.client, readonly=True) as connection:
            return await call.work(connection, work)
    except InputInvalid as error:
        return refused(error)


async def _write(call: Call, work: Work) -> Response:
    check_origin(call.request, call.principal)

    async def write(connection: Connection) -> Response:
        return await call.work(connection, work)

    key = call.request.headers.get(HEADER, "")
    try:
        return await write_once(run_of(call.request), call.principal, key, call.content(), write)
    except InputInvalid as error:
        return refused(error)


async def _read_extra(
    run: Runtime, principal: Principal, dataset: Dataset, action: ExtraRead, params: Params
) -> Response:
    principal.require_read(dataset.name, action.readers)
    if action.every_outlet or dataset.every_outlet:
        principal.require_every_outlet()
    if dataset_for(principal, dataset).limited:
        async with run.database.scope(principal.client, readonly=True) as connection:
            await check_sight(connection, principal, dataset, _named(action, params))
    return await action.read(run, principal, params)


def _named(action: ExtraRead | ExtraWrite, params: Params) -> list[int]:
    """Give the id of the record that the action is about, where it is about one."""
    row_id = params.integer(action.row) if action.row else None
    return [] if row_id is None else [row_id]


async def _write_extra(
    request: Request, principal: Principal, dataset: Dataset, action: ExtraWrite, params: Params
) -> Response:
    if request.method != "POST":
        raise ActionUnknown(f"action={params.text('action')} takes POST, not {request.method}")
    check_origin(request, principal)
    principal.require_write(dataset.name, action.writers, action.permission)
    if action.every_outlet or dataset.location is None:
        principal.require_every_outlet()
    run = run_of(request)

    async def write(connection: Connection) -> Response:
        await check_sight(connection, principal, dataset, _named(action, params))
        return await action.write(Change(run, connection, principal, params))

    content = hash_request(request.url.path.encode(), *(f"{name}={value}".encode() for name, value in params.pairs()))
    try:
        return await write_once(run, principal, request.headers.get(HEADER, ""), content, write)
    except InputInvalid as error:
        return refused(error)


async def answer_once(
    request: Request,
    principal: Principal,
    wish: BaseModel | None,
    write: Callable[[Connection], Awaitable[Response]],
) -> Response:
    """Answer a write of `/api/v1` that is not a record's; the wish is its body. See `write_once`."""
    content = hash_request(request.url.path.encode(), wish.model_dump_json().encode() if wish else b"")
    return await write_once(run_of(request), principal, request.headers.get(HEADER, ""), content, write)


def answered(said: BaseModel, *, status: int = 200, location: str = "") -> Response:
    """Answer a body as JSON."""
    headers = {"Location": location} if location else {}
    return Response(said.model_dump_json(), status_code=status, headers=headers, media_type=JSON)


async def write_once(
    run: Runtime, principal: Principal, key: str, content: bytes, write: Callable[[Connection], Awaitable[Response]]
) -> Response:
    """Run a write in one transaction; with an Idempotency-Key the first answer is kept and given again.

    A write that another one stood in the way of is tried again: two upserts of a new code, or a deadlock.
    """
    for _ in range(ATTEMPTS - 1):
        with suppress(RecordAddedMeanwhile, asyncpg.DeadlockDetectedError):
            return await _write_once(run, principal, key, content, write)
    try:
        return await _write_once(run, principal, key, content, write)
    except asyncpg.DeadlockDetectedError as error:
        raise WritesCollided from error


async def _write_once(
    run: Runtime, principal: Principal, key: str, content: bytes, write: Callable[[Connection], Awaitable[Response]]
) -> Response:
    client_id = principal.client
    scope = run.database.scope(client_id, user_id=principal.user_id, user_name=principal.user_name)
    if not key:
        async with scope as connection:
            return await write(connection)
    request = RequestKey(client_id, principal.user_id, key, content)
    async with in_turn(run, request), scope as connection:
        stored = await claim(connection, request, wait=run.settings.idempotency_wait)
        if stored:
            return Response(stored.body, stored.status, {REPLAYED: "true"}, media_type=JSON)
        response = await write(connection)
        await keep(connection, request, status=response.status_code, body=bytes(response.body))
        return response


def saved_answer(saved: saving.Saved) -> Response:
    """Answer a record as a save does."""
    # The record stays the text that the database made, so that no number loses a digit.
    body: dict[str, Any] = {"success": True, "data": orjson.Fragment(saved.record), "id": saved.id}  # any JSON
    if saved.warnings:
        body["warnings"] = saved.warnings
    return Response(orjson.dumps(body), media_type=JSON)


def refused(error: ColdshelfError) -> Response:
    """Answer a business error the contract's way: HTTP 200 and `success: false`."""
    info = f"{error.message}. {error.cure}" if error.cure else error.message
    return Response(orjson.dumps({"success": False, "info": info}), media_type=JSON)
