"""The OpenAPI document of the whole house, and its parts for client generators and the reference pages."""

from collections.abc import Callable

import orjson
from fastapi import APIRouter, FastAPI, Request
from fastapi.openapi.utils import get_openapi
from fastapi.responses import Response

from coldshelf.access.web import COOKIE
from coldshelf.deliveries.sms.service import INBOUND_PATH, STATUS_PATH
from coldshelf.kit.errors import NotFound
from coldshelf.kit.web.openapi import Completion, Json, complete, operations, subset
from coldshelf.records.registry import Registry
from coldshelf.records.resources.openapi import schemas

SECURITY: dict[str, Json] = {
    "basic": {"type": "http", "scheme": "basic", "description": "User name and password, or a token as the password"},
    "bearer": {"type": "http", "scheme": "bearer", "description": "An API token"},
    "cookie": {"type": "apiKey", "in": "cookie", "name": COOKIE, "description": "The cookie of the Login handler"},
}
OPEN_PATHS = frozenset(
    {
        "/health/live",
        "/health/ready",
        "/metrics",
        "/controllers/login.ashx",
        "/controllers/coolerimagepreview.ashx",
        "/l/{token}",
        "/l/{token}/picture",
        INBOUND_PATH,
        STATUS_PATH + "/{client_id}/{delivery_id}",
        "/unsubscribe/{token}",
    }
)
DESCRIPTION = (
    "`/api/v1` holds every entity and dataset as a resource; `/controllers` (and `/v1/controllers`) are the handlers of"
    " the published contract. `docs/api.md` says how both behave and what may change."
)


class DocumentNotFound(NotFound):
    """There is no such OpenAPI document"""

    code = "document_not_found"


def document_of(app: FastAPI, registry: Registry) -> Callable[[], Json]:
    """Give the function that makes the document once and remembers it."""

    def document() -> Json:
        if app.openapi_schema is None:
            made = get_openapi(title=app.title, version=app.version, description=DESCRIPTION, routes=app.routes)
            more = Completion(security=SECURITY, schemas=schemas(registry), open_paths=OPEN_PATHS)
            app.openapi_schema = complete(made, more)
        return app.openapi_schema

    return document


def part_of(document: Json, name: str) -> Json:
    """Give the part for one entity, in any letter case; raise DocumentNotFound with the known ones."""
    tags = sorted({tag for _, operation in operations(document) for tag in operation.get("tags", ())})
    found = next((tag for tag in tags if tag.lower() == name.lower()), None)
    if found is None:
        raise DocumentNotFound(f"There is no OpenAPI document {name[:60]!r}", cure=f"Known: {', '.join(tags)}.")
    return subset(document, found)


router = APIRouter(include_in_schema=False)


# Without `async`: the first call makes the document, which takes most of a second, in a thread.
@router.get("/openapi.json")
def whole(request: Request) -> Response:
    return _json(request.app.openapi())


@router.get("/openapi/{name}.json")
def part(request: Request, name: str) -> Response:
    return _json(part_of(request.app.openapi(), name))


def _json(document: Json) -> Response:
    return Response(orjson.dumps(document), media_type="application/json")
