"""`/outbox`: the page that shows what a sandbox kept, for client admins."""

from functools import cache
from pathlib import Path

from fastapi import APIRouter, Response

from coldshelf.access.principal import ADMINS, Principal
from coldshelf.access.web import SignedIn
from coldshelf.deliveries.models import OUTBOX

FOLDER = Path(__file__).parent.parent / "developing" / "pages"
TYPES = {"html": "text/html", "css": "text/css", "js": "text/javascript"}
# A mail may bring its own styles and pictures, and nothing else.
CONTENT_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src 'self';"
    " frame-src 'self'; base-uri 'none'; frame-ancestors 'none'; form-action 'self'"
)
HEADERS = {
    "Content-Security-Policy": CONTENT_POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cache-Control": "no-cache",
}
router = APIRouter(include_in_schema=False)


@router.get("/outbox")
async def page(principal: SignedIn) -> Response:
    return _file(principal, "outbox.html")


@router.get("/outbox/outbox.css")
async def style(principal: SignedIn) -> Response:
    return _file(principal, "outbox.css")


@router.get("/outbox/outbox.js")
async def script(principal: SignedIn) -> Response:
    return _file(principal, "outbox.js")


def _file(principal: Principal, name: str) -> Response:
    principal.require_read(OUTBOX, ADMINS)
    return Response(_read(name), headers=HEADERS, media_type=TYPES[name.rpartition(".")[2]])


@cache
def _read(name: str) -> bytes:
    return (FOLDER / name).read_bytes()
