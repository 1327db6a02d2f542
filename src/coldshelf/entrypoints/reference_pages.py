"""The reference as pages: `/docs` names every resource, `/docs/{name}` shows one and tries it, `/docs/all` has all.

A browser takes several times as long to draw the whole document as that of one resource.
"""

import importlib.util
from collections.abc import Collection, Iterable, Mapping
from html import escape
from pathlib import Path
from urllib.parse import quote

from fastapi import APIRouter
from fastapi.responses import FileResponse, HTMLResponse, Response
from fastapi.routing import APIRoute

from coldshelf.entrypoints.openapi import DocumentNotFound

BUNDLE = "fastapi_offline"
"""The package that brings Swagger UI as files, so that the pages need no other host."""
FILES = {"swagger-ui-bundle.js": "text/javascript", "swagger-ui.css": "text/css"}
ALL = "all"
START = """const wanted = document.currentScript.dataset;
window.onload = () => {
  window.ui = SwaggerUIBundle({
    url: wanted.document,
    dom_id: "#reference",
    deepLinking: true,
    docExpansion: wanted.expansion,
    defaultModelsExpandDepth: -1,
    syntaxHighlight: {activated: false},
    filter: wanted.expansion === "none",
    validatorUrl: null,
    withCredentials: true,
  });
};
"""
HEAD = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<link rel="icon" href="data:,">
"""
PAGE = (
    HEAD
    + """<link rel="stylesheet" href="swagger-ui.css">
</head>
<body>
<p style="font: 1rem sans-serif; margin: 1rem 1.25rem 0"><a href="../docs">All resources</a></p>
<div id="reference"></div>
<script src="swagger-ui-bundle.js"></script>
<script src="start.js" data-document="../{document}" data-expansion="{expansion}"></script>
</body>
</html>
"""
)
INDEX = (
    HEAD
    + """<style>
body {{ font: 1rem/1.5 sans-serif; color: #222; max-width: 70rem; margin: 2rem auto; padding: 0 1rem }}
table {{ border-collapse: collapse; width: 100% }}
th, td {{ text-align: left; vertical-align: top; padding: .3rem 1rem .3rem 0; border-bottom: 1px solid #ddd }}
code {{ font-size: .9rem; white-space: nowrap }}
</style>
</head>
<body>
<h1>Coldshelf API</h1>
<p>Each page shows one resource and tries its operations; its document suits client generators.
<a href="docs/all">Everything on one page</a> takes a browser a while; <a href="openapi.json">openapi.json</a> is the
document of it.</p>
<table>
<thead><tr><th>Resource</th><th>Meaning</th><th>Paths</th><th>Document</th></tr></thead>
<tbody>
{rows}
</tbody>
</table>
</body>
</html>
"""
)
ROW = (
    '<tr><td><a href="docs/{link}">{name}</a></td><td>{meaning}</td><td>{paths}</td>'
    '<td><a href="openapi/{link}.json">JSON</a></td></tr>'
)
CONTENT_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src 'self';"
    " base-uri 'none'; frame-ancestors 'none'; form-action 'self'"
)
SAFE = {"Content-Security-Policy": CONTENT_POLICY, "X-Content-Type-Options": "nosniff"}


def reference_router(routers: Iterable[APIRouter], meanings: Mapping[str, str]) -> APIRouter:
    """Make the pages of what the routers hold; `meanings` say of resources, by name, what they hold."""
    router, known = APIRouter(include_in_schema=False), resources(routers)
    index = _index(known, meanings)

    @router.get("/docs")
    async def every_resource() -> Response:
        return HTMLResponse(index, headers=SAFE)

    @router.get("/docs/start.js")
    async def start() -> Response:
        return Response(START, media_type="text/javascript")

    @router.get("/docs/{name}")
    async def page(name: str) -> Response:
        return _file(name) if name in FILES else _page(name, known)

    return router


def resources(routers: Iterable[APIRouter]) -> dict[str, list[APIRoute]]:
    """Give the operations by the names under which they stand; no document needs to be made for it."""
    found: dict[str, list[APIRoute]] = {}
    for route in (route for router in routers for route in router.routes):
        if isinstance(route, APIRoute) and route.include_in_schema:
            for tag in route.tags:
                found.setdefault(str(tag), []).append(route)
    return dict(sorted(found.items()))


def _index(known: Mapping[str, list[APIRoute]], meanings: Mapping[str, str]) -> str:
    rows = [_row(name, meanings.get(name) or routes[0].summary or "", routes) for name, routes in known.items()]
    return INDEX.format(title="Coldshelf API", rows="\n".join(rows))


def _row(name: str, meaning: str, routes: list[APIRoute]) -> str:
    paths = dict.fromkeys(route.path_format for route in routes)
    outer = [path for path in paths if not any(path.startswith(f"{other}/") for other in paths)]
    shown = "<br>".join(f"<code>{escape(path)}</code>" for path in outer)
    return ROW.format(link=quote(name), name=escape(name), meaning=escape(meaning), paths=shown)


def _file(name: str) -> Response:
    headers = {"Cache-Control": "public, max-age=86400", "X-Content-Type-Options": "nosniff"}
    return FileResponse(_folder() / name, media_type=FILES[name], headers=headers)


def _page(name: str, known: Collection[str]) -> Response:
    if name == ALL:
        return _shown("Coldshelf API", "openapi.json", expansion="none")
    found = next((resource for resource in known if resource.lower() == name.lower()), None)
    if found is None:
        raise DocumentNotFound(f"There is no reference page {name[:60]!r}", cure=f"Known: {', '.join(known)}.")
    return _shown(f"Coldshelf API: {found}", f"openapi/{quote(found)}.json", expansion="list")


def _shown(title: str, document: str, *, expansion: str) -> Response:
    return HTMLResponse(PAGE.format(title=escape(title), document=document, expansion=expansion), headers=SAFE)


def _folder() -> Path:
    # The package is found, not imported: only its files are wanted.
    found = importlib.util.find_spec(BUNDLE)
    if found is None or found.origin is None:
        raise DocumentNotFound(f"The files of the reference page are missing: the package {BUNDLE} is not installed")
    return Path(found.origin).parent / "static"
