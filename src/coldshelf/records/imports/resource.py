"""Imports as a resource: `POST /api/v1/imports` answers the run, which `GET /api/v1/imports/{id}` shows.

Who is limited does not read the imports of all, but those it made itself.
"""

from dataclasses import dataclass, replace
from typing import ClassVar
from uuid import UUID

import msgspec
from fastapi import APIRouter, Request, Response

from coldshelf.access.principal import Limit, Permission, Principal
from coldshelf.access.web import SignedIn
from coldshelf.kit.db import Connection
from coldshelf.kit.errors import InputInvalid, Place
from coldshelf.kit.web.params import Params
from coldshelf.kit.web.request import run_of
from coldshelf.records.imports import run_store
from coldshelf.records.imports.compiled import Imports
from coldshelf.records.imports.events import DATASET
from coldshelf.records.imports.handler import Call, admit_to_run
from coldshelf.records.imports.openapi import import_resource
from coldshelf.records.imports.receiving import arrival
from coldshelf.records.imports.run_dataset import IMPORT_RUN
from coldshelf.records.imports.run_store import run_id
from coldshelf.records.imports.runs import ImportNotFound, NewRun, Outcome
from coldshelf.records.limits import dataset_for, may_read
from coldshelf.records.resources.bodies import Record, to_native
from coldshelf.records.resources.names import read_address, resource_path
from coldshelf.records.resources.router import ReaderOf
from coldshelf.records.saving import load_in

JSON = "application/json"
TAKEN = ("type", "check", "background", "blanks")


def import_resource_router(imports: Imports) -> APIRouter:
    """Make the operation that writes; runs are read as any dataset is."""
    router = APIRouter()

    async def create(request: Request, principal: SignedIn) -> Response:
        async with arrival(request) as came:
            _check_known(came.params)
            return _with_headers(await RunCall(request, principal, imports, came.params, came.file).take())

    names = tuple(kind.type.name for kind in imports)
    router.add_api_route(RunCall.path, create, methods=["POST"], response_class=Response, **import_resource(names))
    return router


def reader_of_runs(imports: Imports) -> ReaderOf:
    """Give what lets a principal that may not read the runs of all see those that it made."""

    async def reader_of(request: Request, principal: Principal) -> Principal:
        if may_read(principal, IMPORT_RUN):
            return principal
        principal.require_permission(Permission.IMPORT)
        address = read_address(IMPORT_RUN, None, request.path_params["key"])
        async with run_of(request).database.scope(principal.client, readonly=True) as connection:
            if address.wire == IMPORT_RUN.key:
                found = await run_store.load_run_by_id(connection, int(address.value))
            else:
                found = await run_store.load_run(connection, UUID(str(address.value)))
        if found is None:
            raise ImportNotFound(f"There is no import {str(address.value)!r}")
        admit_to_run(principal, imports, dict(found))
        return _unlimited(principal)

    return reader_of


def _unlimited(principal: Principal) -> Principal:
    """Whoever made a run sees it, but not the fields that are hidden from it."""
    return replace(principal, limit=Limit(hidden=principal.limit.hidden))


def _check_known(params: Params) -> None:
    unknown = [name for name in params if name.lower() not in TAKEN]
    if unknown:
        places = tuple(Place(parameter=name, detail="is no parameter here") for name in unknown)
        listed = ", ".join(name[:40] for name in unknown)
        raise InputInvalid(f"Unknown parameters: {listed}; known are {', '.join(TAKEN)}", places=places)


@dataclass(frozen=True, slots=True)
class RunCall(Call):
    """One request that imports or checks, answered with the record of its run."""

    path: ClassVar[str] = resource_path(IMPORT_RUN)

    async def word_outcome(self, connection: Connection, new: NewRun, _outcome: Outcome) -> Response:
        """Answer the run, done or failed."""
        return await self._run(connection, new, 200)

    async def word_waiting(self, connection: Connection, new: NewRun) -> Response:
        """Answer the run that waits for a worker."""
        return await self._run(connection, new, 202)

    async def _run(self, connection: Connection, new: NewRun, status: int) -> Response:
        reader = _unlimited(self.principal)
        dataset = dataset_for(reader, self.imports.registry.datasets[DATASET])
        text = await load_in(connection, reader, dataset, await run_id(connection, new.guid))
        body = msgspec.json.encode(to_native(dataset, msgspec.json.decode(text, type=Record)))
        return Response(body, status, media_type=JSON)


def _with_headers(answer: Response) -> Response:
    """Say where the run is; a stored answer is kept without headers."""
    if answer.status_code == 202:
        run = msgspec.json.decode(answer.body)
        answer.headers["Location"] = f"{RunCall.path}/{run['ImportId']}"
    return answer
