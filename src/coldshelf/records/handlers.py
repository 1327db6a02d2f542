"""The contract's handlers, one for each entity and dataset: `/controllers/<Name>.ashx?action=…`."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import orjson
from fastapi import APIRouter, Request, Response
from fastapi.responses import StreamingResponse

from coldshelf.access.principal import Principal
from coldshelf.access.web import Caller, check_origin
from coldshelf.kit.db import Connection
from coldshelf.kit.errors import ColdshelfError, InputInvalid, NotAllowed
from coldshelf.kit.idempotency import HEADER, REPLAYED, RequestKey, claim, hash_request, in_turn, keep
from coldshelf.kit.ids import ClientId
from coldshelf.kit.runtime import Runtime
from coldshelf.kit.web.params import Params, read_params
from coldshelf.kit.web.request import run_of
from coldshelf.records import saving
from coldshelf.records.dataset import Dataset
from coldshelf.records.entity import Entity
from coldshelf.records.listing import headers_of, list_records, read_list_request
from coldshelf.records.openapi import describe
from coldshelf.records.registry import Registry

Work = Callable[[Connection, Registry, ClientId, Entity, Params], Awaitable[saving.Saved]]
READS: dict[str, Work] = {"load": saving.load_record}
WRITES: dict[str, Work] = {"save": saving.save_record, "delete": saving.delete_record}


ExtraAction = Callable[[Runtime, Principal, Params], Awaitable[Response]]
"""A further action that a room gives the handler of a dataset; it checks the role itself."""
NO_ACTIONS: Mapping[str, ExtraAction] = {}


class ActionUnknown(InputInvalid):
    """Action not found"""

    code = "action_unknown"


def record_router(registry: Registry, extra: Mapping[str, Mapping[str, ExtraAction]]) -> APIRouter:
    """Make one GET and one POST operation for each dataset; `extra` maps dataset and lower-case action."""
    router = APIRouter()
    for dataset in registry.datasets.values():
        if dataset.handler:
            _add(router, registry, dataset, extra.get(dataset.name, NO_ACTIONS))
    return router


def _add(router: APIRouter, registry: Registry, dataset: Dataset, extra: Mapping[str, ExtraAction]) -> None:
    entity = registry.entities.get(dataset.name)

    async def handle(request: Request, principal: Caller) -> Response:
        params = await read_params(request)
        action = extra.get(params.text("action").lower())
        if action:
            return await action(run_of(request), principal, params)
        return await answer(request, principal, registry, dataset, params)

    for method in ("GET", "POST"):
        router.add_api_route(
            f"/controllers/{dataset.name.lower()}.ashx",
            handle,
            methods=[method],
            tags=[dataset.name],
            operation_id=f"{dataset.name}_{method.lower()}",
            summary=dataset.meaning,
            **describe(dataset, entity, method, tuple(extra)),
        )


async def answer(
    request: Request, principal: Principal, registry: Registry, dataset: Dataset, params: Params
) -> Response:
    """Do the action that the parameters name."""
    run, entity, action = run_of(request), registry.entities.get(dataset.name), params.text("action").lower()
    if action == "list":
        return await list_answer(run, principal, dataset, params)
    if entity and action in READS:
        return await _read(run, principal, registry, entity, params, READS[action])
    if entity and action in WRITES:
        if request.method != "POST":
            raise ActionUnknown(f"action={action} takes POST, not {request.method}")
        return await _write(request, run, principal, registry, entity, params, WRITES[action])
    known = ["list", *(READS | WRITES if entity else ())]
    raise ActionUnknown(f"Action not found: {action!r}; {dataset.name} takes {', '.join(known)}")


async def list_answer(run: Runtime, principal: Principal, dataset: Dataset, params: Params) -> Response:
    """Answer `action=list`: a page of records, streamed."""
    wanted = read_list_request(dataset, params, most=run.settings.max_page, secret=run.secret)
    found = await list_records(run, principal, wanted)
    return StreamingResponse(found.text, media_type="application/json", headers=dict(headers_of(found)))


async def _read(
    run: Runtime, principal: Principal, registry: Registry, entity: Entity, params: Params, work: Work
) -> Response:
    principal.require(entity.readers)
    client_id = client_of(principal)
    try:
        async with run.database.scope(client_id, readonly=True) as connection:
            return _saved(await work(connection, registry, client_id, entity, params))
    except InputInvalid as error:
        return refused(error)


async def _write(
    request: Request,
    run: Runtime,
    principal: Principal,
    registry: Registry,
    entity: Entity,
    params: Params,
    work: Work,
) -> Response:
    check_origin(request, principal)
    principal.require(entity.writers)
    client_id = client_of(principal)

    async def write(connection: Connection) -> Response:
        return _saved(await work(connection, registry, client_id, entity, params))

    content = hash_request(entity.name.encode(), *(f"{name}={value}".encode() for name, value in params.items()))
    try:
        return await write_once(run, principal, request.headers.get(HEADER, ""), content, write)
    except InputInvalid as error:
        return refused(error)


async def write_once(
    run: Runtime, principal: Principal, key: str, content: bytes, write: Callable[[Connection], Awaitable[Response]]
) -> Response:
    """Run a write in one transaction; with an Idempotency-Key the first answer is kept and given again."""
    client_id = client_of(principal)
    scope = run.database.scope(client_id, user_id=principal.user_id, user_name=principal.user_name)
    if not key:
        async with scope as connection:
            return await write(connection)
    request = RequestKey(client_id, principal.user_id, key, content)
    async with in_turn(run, request), scope as connection:
        stored = await claim(connection, request, wait=run.settings.idempotency_wait)
        if stored:
            return Response(stored.body, stored.status, {REPLAYED: "true"}, media_type="application/json")
        response = await write(connection)
        await keep(connection, request, status=response.status_code, body=bytes(response.body))
        return response


def client_of(principal: Principal) -> ClientId:
    if principal.client_id is None:
        raise NotAllowed("An operator account belongs to no client.")
    return principal.client_id


def _saved(saved: saving.Saved) -> Response:
    body: dict[str, Any] = {"success": True, "data": saved.record, "id": saved.id}  # any JSON
    if saved.warnings:
        body["warnings"] = list(saved.warnings)
    return Response(orjson.dumps(body), media_type="application/json")


def refused(error: ColdshelfError) -> Response:
    """Answer a business error the contract's way: HTTP 200 and `success: false`."""
    info = f"{error.message}. {error.cure}" if error.cure else error.message
    return Response(orjson.dumps({"success": False, "info": info}), media_type="application/json")
