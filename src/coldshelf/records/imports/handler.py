"""The contract's import handler: `/controllers/Import.ashx?type=…` (contract 5.2), with check, template and undo."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import orjson
from asyncpg import UniqueViolationError
from fastapi import APIRouter, Request, Response

from coldshelf.access.principal import UNLIMITED, Principal
from coldshelf.access.web import Caller, check_origin
from coldshelf.kit.db import Connection
from coldshelf.kit.errors import InputInvalid
from coldshelf.kit.idempotency import HEADER, hash_request
from coldshelf.kit.runtime import Runtime
from coldshelf.kit.web.params import Params, read_params
from coldshelf.kit.web.request import run_of
from coldshelf.records.errors import RecordAddedMeanwhile
from coldshelf.records.handlers import JSON, ActionUnknown, refused, write_once
from coldshelf.records.imports import runs, service
from coldshelf.records.imports.checking import FileCheck
from coldshelf.records.imports.child import spool_file
from coldshelf.records.imports.compiled import CompiledType, Imports
from coldshelf.records.imports.limiting import require_import, type_for
from coldshelf.records.imports.openapi import IMPORT_GET, import_post
from coldshelf.records.imports.receiving import FileMissing, arrival
from coldshelf.records.imports.runs import Checked, Json, NewRun, Options, Outcome, Received

PATH = "/controllers/import.ashx"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
READS = ("template", "status")
Write = Callable[[Connection], Awaitable[Response]]
"""What is done in a transaction."""


def import_router(imports: Imports) -> APIRouter:
    """Make the handler."""
    router = APIRouter(tags=["Import"])

    async def read(request: Request, principal: Caller) -> Response:
        return await _read(request, principal, imports, await read_params(request))

    async def write(request: Request, principal: Caller) -> Response:
        try:
            async with arrival(request) as came:
                if came.params.text("action").lower() in READS:
                    return await _read(request, principal, imports, came.params)
                check_origin(request, principal)
                call = Call(request, principal, imports, came.params, came.file)
                return await call.answer()
        except ActionUnknown:
            raise
        except InputInvalid as error:
            return refused(error)

    names = tuple(kind.type.name for kind in imports)
    router.add_api_route(PATH, read, methods=["GET"], operation_id="Import_get", **IMPORT_GET)
    router.add_api_route(PATH, write, methods=["POST"], operation_id="Import_post", **import_post(names))
    return router


async def _read(request: Request, principal: Principal, imports: Imports, params: Params) -> Response:
    action = params.text("action").lower()
    if action not in READS:
        raise ActionUnknown(f"Action not found: {action[:60]!r}; by GET Import takes {', '.join(READS)}")
    try:
        if action == "template":
            return _template(principal, runs.find_type(imports, params.text("type")), params)
        async with run_of(request).database.scope(principal.client, readonly=True) as connection:
            found = await runs.find_run(connection, params.text("id"))
        admit_to_run(principal, imports, found)
        return json_answer(runs.run_json(found))
    except InputInvalid as error:
        return refused(error)


def admit_to_run(principal: Principal, imports: Imports, found: Json) -> None:
    """Raise NotAllowed unless the principal may import this type; to a limited one there are only its own imports."""
    require_import(principal, runs.find_type(imports, found["type"]))
    if principal.limit != UNLIMITED and found["created_by_user_id"] != principal.user_id:
        raise runs.ImportNotFound(f"There is no import {str(found['guid'])!r}")


def _template(principal: Principal, kind: CompiledType, params: Params) -> Response:
    require_import(principal, kind)
    kind = type_for(principal, kind)
    as_csv = _format(params, "xlsx") == "csv"
    ending, media = ("csv", "text/csv; charset=utf-8") if as_csv else ("xlsx", XLSX)
    return Response(
        runs.template(kind, as_csv=as_csv), headers=_attachment(f"{kind.type.name}.{ending}"), media_type=media
    )


def _format(params: Params, default: str) -> str:
    value = params.text("format", default).lower()
    if value not in {"json", "xlsx", "csv"}:
        raise InputInvalid(f"format takes xlsx, csv or json, not {value[:20]!r}")
    return value


def _attachment(name: str) -> dict[str, str]:
    return {"Content-Disposition": f'attachment; filename="{name}"'}


def json_answer(body: Mapping[str, Any]) -> Response:
    return Response(orjson.dumps(body), media_type=JSON)


@dataclass(frozen=True, slots=True)
class Call:
    """One request that imports, checks or undoes."""

    path: ClassVar[str] = PATH
    request: Request
    principal: Principal
    imports: Imports
    params: Params
    file: Received | None

    @property
    def run(self) -> Runtime:
        return run_of(self.request)

    async def answer(self) -> Response:
        """Do what is asked for."""
        action = self.params.text("action", "import").lower()
        if action == "undo":
            return await self._undo()
        if action != "import":
            raise ActionUnknown(f"Action not found: {action[:60]!r}; Import takes import, template, status, undo")
        return await self.take()

    async def take(self) -> Response:
        """Check, queue or import the file."""
        kind = runs.find_type(self.imports, self.params.text("type"))
        require_import(self.principal, kind)
        _ = self.principal.client  # an operator has none
        if self.file is None:
            raise FileMissing
        if self.params.boolean("check"):
            return await self._check(kind, self.file)
        if self.params.boolean("background", default=self.file.size > self.run.settings.import_background_bytes):
            return await self._queue(kind, self.file)
        return await self._import(kind, self.file)

    def _options(self) -> Options:
        blanks = self.params.text("blanks", "keep").lower()
        if blanks not in {"keep", "clear"}:
            raise InputInvalid(f"blanks takes keep or clear, not {blanks[:20]!r}")
        return Options(clears=blanks == "clear", credential=self.principal.credential)

    async def _check(self, kind: CompiledType, file: Received) -> Response:
        check = FileCheck(self.run, self.imports, self.principal, kind)
        async with spool_file() as spool:
            checked = await check.run(file, spool, self._options())
        if _format(self.params, "json") != "xlsx":
            return json_answer(runs.check_json(checked))
        async with spool_file() as marked:
            await check.mark(file, checked.problems, marked)
            name = f"{kind.type.name}-checked.xlsx"
            return Response(marked.read_bytes(), headers=_attachment(name), media_type=XLSX)

    async def _import(self, kind: CompiledType, file: Received) -> Response:
        options = self._options()
        async with spool_file() as spool:
            check = FileCheck(self.run, self.imports, self.principal, kind)
            checked = await check.run(file, spool, options)
            new = runs.new_run(kind, file, options)
            return await self._kept(file, new.object_key, self._writing(checked, new))

    def _writing(self, checked: Checked, new: NewRun) -> Write:
        async def write(connection: Connection) -> Response:
            try:
                outcome = await service.import_now(connection, self.imports, self.principal, checked, new, run=self.run)
            except UniqueViolationError as error:
                raise RecordAddedMeanwhile from error
            return await self.word_outcome(connection, new, outcome)

        return write

    async def word_outcome(self, _connection: Connection, _new: NewRun, outcome: Outcome) -> Response:
        """Answer what came of an import."""
        return json_answer(outcome.as_json())

    async def word_waiting(self, _connection: Connection, new: NewRun) -> Response:
        """Answer that a worker will import it."""
        body: Json = {"success": True, "importId": str(new.guid), "type": new.type, "state": new.state}
        return json_answer(body)

    async def _queue(self, kind: CompiledType, file: Received) -> Response:
        new = runs.new_run(kind, file, self._options(), state="waiting")

        async def write(connection: Connection) -> Response:
            await service.queue_import(self.run, connection, self.principal.client, new)
            return await self.word_waiting(connection, new)

        return await self._kept(file, new.object_key, write)

    async def _kept(self, file: Received, key: str, write: Write) -> Response:
        """Keep the file, then write; a file of which nothing was written is not kept."""
        await self.run.off_loop(runs.keep_file, self.run, file, key)
        content = hash_request(self.path.encode(), file.sha256, *_said(self.params))
        written: list[bool] = []

        async def note(connection: Connection) -> Response:
            answer = await write(connection)
            written.append(True)
            return answer

        try:
            sent = self.request.headers.get(HEADER, "")
            return await write_once(self.run, self.principal, sent, content, note)
        finally:
            if not written:
                await self.run.off_loop(self.run.objects.delete, key)

    async def _undo(self) -> Response:
        async def write(connection: Connection) -> Response:
            found = await runs.find_run(connection, self.params.text("id"))
            admit_to_run(self.principal, self.imports, found)
            return json_answer(await service.undo(connection, self.imports, self.principal, self.params.text("id")))

        content = hash_request(PATH.encode(), *_said(self.params))
        return await write_once(self.run, self.principal, self.request.headers.get(HEADER, ""), content, write)


def _said(params: Params) -> list[bytes]:
    return [f"{name}={value}".encode() for name, value in params.items()]
