"""Resumable uploads by the tus protocol 1.0 at `/api/v1/uploads`."""

from collections.abc import AsyncIterator, Awaitable, Callable
from uuid import UUID

import orjson
from fastapi import APIRouter, Request, Response
from starlette.requests import ClientDisconnect

from coldshelf.access.web import caller, check_origin
from coldshelf.kit.errors import ColdshelfError, InputInvalid
from coldshelf.kit.web.request import add_header, run_of
from coldshelf.pictures import tus
from coldshelf.pictures.file_sets import Member
from coldshelf.pictures.intake import drain
from coldshelf.pictures.models import Resumable
from coldshelf.pictures.routes import check_brake
from coldshelf.pictures.service import file_sets, resumable
from coldshelf.pictures.service.arrival import Portion
from coldshelf.pictures.service.resumable import uploader_of
from coldshelf.pictures.service.uploader import Uploader
from coldshelf.pictures.tus_openapi import TUS_BEGIN, TUS_END, TUS_GO_ON, TUS_LOOK, TUS_OFFERS, TUS_OFFSET

PATH = "/api/v1/uploads"
ANSWER = "X-Upload-Answer"
NO_CONTENT, CREATED = 204, 201
router = APIRouter(prefix=PATH, tags=["Resumable upload"])

Handle = Callable[[Request, Uploader, UUID], Awaitable[Response]]


async def offers(request: Request) -> Response:
    headers = {
        "Tus-Resumable": tus.VERSION,
        "Tus-Version": tus.VERSION,
        "Tus-Extension": tus.EXTENSIONS,
        "Tus-Checksum-Algorithm": ",".join(tus.ALGORITHMS),
        "Tus-Max-Size": str(run_of(request).settings.max_body_bytes),
    }
    return Response(status_code=NO_CONTENT, headers=headers)


async def begin(request: Request) -> Response:
    try:
        uploader = await _uploader(request)
        await check_brake(uploader.run)
        length = tus.read_length(request.headers, most=uploader.run.settings.max_body_bytes)
        metadata = request.headers.get("upload-metadata", "")
        portion = None
        if request.headers.get("content-type") == tus.CONTENT_TYPE:
            portion = _portion(request)
        upload = await resumable.begin(uploader, length=length, metadata=metadata, portion=portion)
    except ColdshelfError:
        await drain(_chunks(request))
        raise
    headers = {"Location": f"{PATH}/{upload.guid}", **_headers(upload)}
    return Response(status_code=CREATED, headers=headers)


async def go_on(request: Request, uploader: Uploader, guid: UUID) -> Response:
    if request.headers.get("content-type") != tus.CONTENT_TYPE:
        raise tus.ContentTypeWrong
    offset = tus.read_number(request.headers, "Upload-Offset")
    upload = await resumable.go_on(uploader, guid, offset, _portion(request))
    return Response(status_code=NO_CONTENT, headers=_headers(upload))


async def tell_offset(_request: Request, uploader: Uploader, guid: UUID) -> Response:
    upload = await resumable.find(uploader, guid)
    headers = {"Upload-Length": str(upload.length), "Cache-Control": "no-store", **_headers(upload)}
    if upload.metadata:
        headers["Upload-Metadata"] = upload.metadata
    return Response(status_code=200, headers=headers)


async def terminate(_request: Request, uploader: Uploader, guid: UUID) -> Response:
    await resumable.terminate(uploader, guid)
    return Response(status_code=NO_CONTENT)


async def look(request: Request, guid: str) -> Response:
    """Answer what became of an upload, for clients that lost the last answer."""
    uploader = uploader_of(run_of(request), await caller(request))
    upload = await resumable.look_up(uploader, _guid(guid))
    member = file_sets.member_of(uploader, upload)
    body = {
        "guid": str(upload.guid),
        "length": upload.length,
        "offset": upload.received,
        "expires_on": upload.expires_on.isoformat(),
        "state": _state(upload),
        "set": None if member is None else await _set(uploader, member),
        "answer": orjson.Fragment(upload.answer) if upload.answer else None,
    }
    return Response(orjson.dumps(body), headers={"Cache-Control": "no-store"}, media_type="application/json")


async def _set(uploader: Uploader, member: Member) -> dict[str, object]:
    awaited = await file_sets.awaited(uploader, member)
    return {"name": member.name, "file": member.number, "files": member.count, "awaited": awaited}


def _state(upload: Resumable) -> str:
    if upload.ended_on is None:
        return "waiting" if upload.is_whole else "open"
    return "stored" if upload.is_stored else "refused" if upload.status else "ended"


METHODS: dict[str, Handle] = {"PATCH": go_on, "HEAD": tell_offset, "DELETE": terminate}


async def handle_one(request: Request, guid: str) -> Response:
    """Do what the method, or X-HTTP-Method-Override of a POST, asks of one upload."""
    try:
        uploader = await _uploader(request)
        method = request.method
        if method == "POST":
            method = request.headers.get("x-http-method-override", "").upper()
        if method not in METHODS:
            raise InputInvalid(f"X-HTTP-Method-Override takes {', '.join(METHODS)}.")
        return await METHODS[method](request, uploader, _guid(guid))
    except ColdshelfError:
        await drain(_chunks(request))
        raise


async def _uploader(request: Request) -> Uploader:
    add_header(request, "Tus-Resumable", tus.VERSION)
    principal = await caller(request)
    check_origin(request, principal)
    if request.headers.get("tus-resumable") != tus.VERSION:
        add_header(request, "Tus-Version", tus.VERSION)
        raise tus.VersionUnsupported
    return uploader_of(run_of(request), principal)


def _guid(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError as error:
        raise tus.UploadNotFound(f"There is no upload {text[:60]!r}.") from error


def _portion(request: Request) -> Portion:
    announced = request.headers.get("content-length", "")
    return Portion(
        _chunks(request),
        int(announced) if announced.isascii() and announced.isdigit() else None,
        tus.read_checksum(request.headers),
    )


async def _chunks(request: Request) -> AsyncIterator[bytes]:
    try:
        async for chunk in request.stream():
            yield chunk
    except ClientDisconnect as error:
        raise tus.LineBroken from error
    except RuntimeError:  # the body was read before
        return


def _headers(upload: Resumable) -> dict[str, str]:
    headers = {"Upload-Offset": str(upload.received), "Upload-Expires": tus.http_date(upload.expires_on)}
    if upload.answer:
        headers[ANSWER] = upload.answer.decode("ascii")  # of a stored one: no words of the caller
    return headers


router.add_api_route("", offers, methods=["OPTIONS"], **TUS_OFFERS)
router.add_api_route("", begin, methods=["POST"], **TUS_BEGIN)
router.add_api_route("/{guid}", offers, methods=["OPTIONS"], include_in_schema=False)
router.add_api_route("/{guid}", look, methods=["GET"], **TUS_LOOK)
for _method, _documented in {"HEAD": TUS_OFFSET, "PATCH": TUS_GO_ON, "DELETE": TUS_END}.items():
    router.add_api_route("/{guid}", handle_one, methods=[_method], **_documented)
router.add_api_route("/{guid}", handle_one, methods=["POST"], include_in_schema=False)
