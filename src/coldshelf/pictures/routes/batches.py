"""Many pictures in one request: `/api/v1/images/batch`."""

import orjson
from fastapi import APIRouter, Request, Response

from coldshelf.kit.idempotency import HEADER
from coldshelf.kit.web.request import run_of
from coldshelf.pictures.errors import ManifestInvalid
from coldshelf.pictures.intake import Intake
from coldshelf.pictures.manifest import read_manifest
from coldshelf.pictures.openapi import BATCH
from coldshelf.pictures.routes import let_in
from coldshelf.pictures.service.answers import UploadAnswer
from coldshelf.pictures.service.batch import store_batch

MANIFEST = "manifest"
router = APIRouter(prefix="/api/v1/images", tags=["Upload"])


async def upload_batch(request: Request) -> Response:
    """Take many uploads; malformed requests are refused as a whole, with nothing stored."""
    run, principal = run_of(request), await let_in(request)
    intake = Intake(run.objects, most_files=run.settings.max_batch)
    try:
        await intake.receive(request.stream(), request.headers.get("content-type", ""))
        if MANIFEST not in intake.params:
            raise ManifestInvalid("The request takes multipart/form-data with the field manifest and the files")
        items = read_manifest(intake.params[MANIFEST], intake.files)
        answers = await store_batch(run, principal, items, idempotency_key=request.headers.get(HEADER, ""))
    finally:
        intake.discard()
    return Response(orjson.dumps(_body(answers)), media_type="application/json")


def _body(answers: list[UploadAnswer]) -> dict[str, object]:
    results = [_result(place, answer) for place, answer in enumerate(answers)]
    stored = sum(bool(result["success"]) for result in results)
    return {"stored": stored, "refused": len(results) - stored, "results": results}


def _result(place: int, answer: UploadAnswer) -> dict[str, object]:
    entries = orjson.loads(answer.body)
    return {
        "index": place,
        "success": all(entry["Success"] for entry in entries),
        "status": answer.status,
        "answer": entries,
        "duplicate_of": [str(guid) for guid in answer.duplicate_of],
        "replayed": answer.replayed,
    }


router.add_api_route("/batch", upload_batch, methods=["POST"], **BATCH)
