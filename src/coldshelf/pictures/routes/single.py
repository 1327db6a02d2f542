"""One upload as a resource is added: `POST /api/v1/images`."""

import orjson
from fastapi import APIRouter, Request, Response

from coldshelf.kit.errors import Place
from coldshelf.kit.idempotency import HEADER
from coldshelf.kit.web.params import Params, query_params
from coldshelf.kit.web.request import run_of
from coldshelf.pictures.errors import UploadRefused
from coldshelf.pictures.intake import Intake
from coldshelf.pictures.openapi import UPLOAD_IMAGE
from coldshelf.pictures.routes import let_in, upload_headers
from coldshelf.pictures.service.answers import UploadAnswer
from coldshelf.pictures.service.upload import store_upload

PATH = "/api/v1/images"
ACTION = "action"
router = APIRouter(tags=["Upload"])


async def upload_image(request: Request) -> Response:
    """Take the pictures of one upload, as the contract's upload does; where none is accepted, that is a problem."""
    principal = await let_in(request)
    intake = Intake(run_of(request).objects, most_files=run_of(request).settings.max_files)
    try:
        await intake.receive(request.stream(), request.headers.get("content-type", ""))
        sent = intake.params.over(query_params(request))
        params = Params([*((n, v) for n, v in sent.pairs() if n.lower() != ACTION), (ACTION, "uploadImage")])
        key = request.headers.get(HEADER, "")
        return _answer(await store_upload(run_of(request), principal, intake, params, idempotency_key=key))
    finally:
        intake.discard()


def _answer(answer: UploadAnswer) -> Response:
    entries = orjson.loads(answer.body)
    stored = [entry["UniqueGuid"] for entry in entries if entry["Success"]]
    if not stored:
        places = tuple(Place(parameter="file", detail=entry["Info"]) for entry in entries)
        raise UploadRefused(entries[0]["Info"], places=places)
    is_new = len(answer.duplicate_of) < len(set(stored))
    location = {"Location": f"{PATH}/{stored[0]}"} if len(stored) == 1 else {}
    body = orjson.dumps({"data": entries})
    headers = {**location, **upload_headers(answer)}
    return Response(body, 201 if is_new else 200, headers, media_type="application/json")


router.add_api_route(PATH, upload_image, methods=["POST"], **UPLOAD_IMAGE)
