"""The OpenAPI document of the whole house, its parts for client generators, and the reference page that shows it."""

import importlib.util
from collections.abc import Callable
from pathlib import Path

import orjson
from fastapi import APIRouter, FastAPI, Request
from fastapi.openapi.utils import get_openapi
from fastapi.responses import FileResponse, HTMLResponse, Response

from coldshelf.access.web import COOKIE
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
    }
)
DESCRIPTION = (
    "`/api/v1` holds every entity and dataset as a resource; `/controllers` (and `/v1/controllers`) are the handlers of"
    " the published contract. `docs/api.md` says how both behave and what may change."
)
BUNDLE = "fastapi_offline"
"""The package that brings Swagger UI as files, so that the page needs no other host."""
FILES = {"swagger-ui-bundle.js": "text/javascript", "swagger-ui.css": "text/css"}
START = """window.onload = () => {
  window.ui = SwaggerUIBundle({
    url: "openapi.json",
    dom_id: "#reference",
    deepLinking: true,
    docExpansion: "none",
    defaultModelsExpandDepth: -1,
    syntaxHighlight: {activated: false},
    filter: true,
    validatorUrl: null,
    withCredentials: true,
  });
};
"""
PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Coldshelf API</title>
<link rel="stylesheet" href="docs/swagger-ui.css">
<link rel="icon" href="data:,">
</head>
<body>
<div id="reference"></div>
<script src="docs/swagger-ui-bundle.js"></script>
<script src="docs/start.js"></script>
</body>
</html>
"""
CONTENT_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src 'self';"
    " base-uri 'none'; frame-ancestors 'none'; form-action 'self'"
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


@router.get("/docs")
async def page() -> Response:
    headers = {"Content-Security-Policy": CONTENT_POLICY, "X-Content-Type-Options": "nosniff"}
    return HTMLResponse(PAGE, headers=headers)


@router.get("/docs/start.js")
async def start() -> Response:
    return Response(START, media_type="text/javascript")


@router.get("/docs/{name}")
async def file(name: str) -> Response:
    if name not in FILES:
        raise DocumentNotFound(f"There is no file {name[:60]!r} of the reference page")
    headers = {"Cache-Control": "public, max-age=86400", "X-Content-Type-Options": "nosniff"}
    return FileResponse(_folder() / name, media_type=FILES[name], headers=headers)


def _folder() -> Path:
    # The package is found, not imported: only its files are wanted.
    found = importlib.util.find_spec(BUNDLE)
    if found is None or found.origin is None:
        raise DocumentNotFound(f"The files of the reference page are missing: the package {BUNDLE} is not installed")
    return Path(found.origin).parent / "static"
