"""The upload door and the preview (contract 2 and 3)."""

from uuid import UUID

import orjson
from fastapi import APIRouter, Request, Response
from starlette.requests import ClientDisconnect

from coldshelf.access.principal import ADMINS, Principal
from coldshelf.access.web import Caller, caller, check_origin
from coldshelf.kit import queue
from coldshelf.kit.errors import ColdshelfError, InputInvalid, NotAllowed, NotFound, NotSignedIn, TooManyRequests
from coldshelf.kit.idempotency import HEADER, REPLAYED
from coldshelf.kit.logs import get_logger
from coldshelf.kit.memory import Memory
from coldshelf.kit.runtime import Runtime
from coldshelf.kit.web.errors import error_headers
from coldshelf.kit.web.params import query_params, read_params
from coldshelf.kit.web.request import run_of
from coldshelf.masterdata import service as masterdata
from coldshelf.pictures.errors import ActionNotFound
from coldshelf.pictures.intake import Intake, drain
from coldshelf.pictures.openapi import PREVIEW, REFERENCES, UPLOAD
from coldshelf.pictures.service.answers import UploadAnswer, error_answer
from coldshelf.pictures.service.preview import find_preview
from coldshelf.pictures.service.references import keep_references, read_references
from coldshelf.pictures.service.upload import store_upload
from coldshelf.records.handlers import list_answer, refused
from coldshelf.records.registry import Registry

log = get_logger("pictures")
router = APIRouter()


class Brake:
    """Refuses uploads while the queue is too old; looks at it at most once a second."""

    def __init__(self) -> None:
        self._looked_at = 0.0
        self._is_on = False

    async def check(self, run: Runtime) -> None:
        now = run.clock.now().timestamp()
        if now - self._looked_at > 1:
            self._looked_at = now
            async with run.database.door() as connection:
                self._is_on = await queue.oldest_waiting(connection) > run.settings.max_queue_age
        if self._is_on:
            raise TooManyRequests("Too many pictures wait to be processed")


_brakes: Memory[Brake] = Memory(lambda _: Brake())


async def check_brake(run: Runtime) -> None:
    """Raise TooManyRequests while too many pictures wait."""
    await _brakes.of(run).check(run)


@router.post("/controllers/coolrapi.ashx", tags=["Upload"], operation_id="CoolRAPI_post", **UPLOAD)
async def upload(request: Request) -> Response:
    """Take one or more pictures of a cooler."""
    intake = Intake(run_of(request).objects, most_files=run_of(request).settings.max_files)
    headers: dict[str, str] = {}
    try:
        answer = await _upload(request, intake)
    except (NotSignedIn, NotAllowed, ClientDisconnect):
        raise
    except ColdshelfError as error:
        answer, headers = error_answer(error), error_headers(error)
        if answer.status >= 500:
            log.exception("upload.failed")
    except Exception:  # the door: whatever happened, the caller gets the published array
        log.exception("upload.failed")
        answer = error_answer(ColdshelfError())
    finally:
        intake.discard()
    return Response(answer.body, answer.status, {**headers, **upload_headers(answer)}, media_type="application/json")


async def _upload(request: Request, intake: Intake) -> UploadAnswer:
    principal = await let_in(request)
    await intake.receive(request.stream(), request.headers.get("content-type", ""))
    params = intake.params.over(query_params(request))
    key = request.headers.get(HEADER, "")
    return await store_upload(run_of(request), principal, intake, params, idempotency_key=key)


async def let_in(request: Request) -> Principal:
    """Sign an upload in while pictures are taken; else let the caller finish sending and raise why not."""
    try:
        principal = await caller(request)
        check_origin(request, principal)
        await check_brake(run_of(request))
    except ColdshelfError:
        await drain(request.stream())
        raise
    return principal


def upload_headers(answer: UploadAnswer) -> dict[str, str]:
    headers = {"X-Duplicate-Of": ", ".join(map(str, answer.duplicate_of))} if answer.duplicate_of else {}
    return headers | ({REPLAYED: "true"} if answer.replayed else {})


async def preview(request: Request) -> Response:
    """Give the picture behind a GUID; knowing the GUID is the protection."""
    params = await read_params(request)
    width = params.integer("maxWidth")
    try:
        guid = UUID(params.text("guid"))
        found = await find_preview(run_of(request), guid, params.text("imageType", "Stitched"))
        headers = {**PREVIEW_HEADERS, "ETag": f'"{found.tag(width)}"'}
        if _knows(request, headers["ETag"]):
            return Response(status_code=304, headers=headers)
        jpeg = await run_of(request).off_loop(found.render, width)
    except (ValueError, NotFound) as error:  # a malformed GUID looks like an unknown one
        headers = error_headers(error) if isinstance(error, ColdshelfError) else {}
        return Response(status_code=404, headers={"Cache-Control": "no-store", **headers})
    return Response(jpeg, headers=headers, media_type="image/jpeg")


def _knows(request: Request, tag: str) -> bool:
    sent = request.headers.get("if-none-match", "")
    return sent.strip() == "*" or tag in {part.strip().removeprefix("W/") for part in sent.split(",")}


PREVIEW_HEADERS = {"Cache-Control": "private, max-age=60", "X-Content-Type-Options": "nosniff"}
for method in ("GET", "POST"):
    router.add_api_route(
        "/controllers/coolerimagepreview.ashx",
        preview,
        methods=[method],
        tags=["Preview"],
        operation_id=f"CoolerImagePreview_{method.lower()}",
        **PREVIEW,
    )
router.add_api_route("/controllers/coolerimagepreview.ashx", preview, methods=["HEAD"], include_in_schema=False)


def reference_router(registry: Registry) -> APIRouter:
    """Make the handler of reference pictures: list, save (multipart), delete."""
    references = APIRouter()

    async def handle(request: Request, principal: Caller) -> Response:
        params = query_params(request)
        if request.method == "GET" or params.text("action").lower() == "list":
            return await list_answer(run_of(request), principal, registry.datasets["ProductImage"], params)
        check_origin(request, principal)
        principal.require_write("ProductImage", ADMINS)
        principal.require_every_outlet()
        return await _change_references(request, principal)

    for method in ("GET", "POST"):
        references.add_api_route(
            "/controllers/productimage.ashx",
            handle,
            methods=[method],
            tags=["ProductImage"],
            operation_id=f"ProductImage_{method.lower()}",
            summary="Reference pictures by which products are recognised",
            **REFERENCES,
        )
    return references


async def _change_references(request: Request, principal: Principal) -> Response:
    run, client_id = run_of(request), principal.client
    intake = Intake(run.objects, most_files=run.settings.max_files)
    try:
        await intake.receive(request.stream(), request.headers.get("content-type", ""))
        params = intake.params.over(query_params(request))
        scope = run.database.scope(client_id, user_id=principal.user_id, user_name=principal.user_name)
        if params.text("action").lower() == "delete":
            async with scope as connection:
                await masterdata.remove_reference_picture(connection, params.integer("id", default=0))
            return Response(orjson.dumps({"success": True}), media_type="application/json")
        if params.text("action").lower() != "save":
            raise ActionNotFound("Action not found: ProductImage takes list, save, delete")
        pictures = await read_references(run, intake.files)
        async with scope as connection:
            sku = params.text("ProductSKU") or params.text("SKU")
            product_id = await masterdata.find_product(connection, params.integer("ProductId"), sku)
            added = await keep_references(run, connection, client_id, product_id, pictures)
        return Response(orjson.dumps({"success": True, "ids": added}), media_type="application/json")
    except InputInvalid as error:
        return refused(error)
    finally:
        intake.discard()
