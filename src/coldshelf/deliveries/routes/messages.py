"""What lists and records of messages do not offer: previews, bounces, and the page that ends a subscription."""

from collections.abc import Callable
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Request, Response
from fastapi.responses import HTMLResponse
from pydantic import BaseModel, ConfigDict, Field

from coldshelf.access.principal import ADMINS
from coldshelf.access.web import SignedIn, count_request
from coldshelf.deliveries.messages import page
from coldshelf.deliveries.messages.previewing import Draft, preview
from coldshelf.deliveries.messages.unsubscribing import Link, Standing, end, look
from coldshelf.deliveries.models import BOUNCES, TEMPLATES
from coldshelf.deliveries.routes.writing import write_as_admin
from coldshelf.deliveries.service import note_bounce
from coldshelf.deliveries.surroundings import Surroundings
from coldshelf.kit.db import Connection
from coldshelf.kit.web.openapi import problems
from coldshelf.kit.web.params import LARGEST_INTEGER
from coldshelf.kit.web.request import run_of

UNSUBSCRIBE = "/unsubscribe/{token}"
TAG = "Message"
HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; "
    "frame-ancestors 'none'; base-uri 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Robots-Tag": "noindex",
}
Token = Annotated[str, Path(max_length=300, description="The end of the link in a mail")]
PAGE: dict[int | str, dict[str, Any]] = {  # as the framework types it
    200: {"description": "A page for people"},
    404: {"description": "A page that says that the link leads nowhere"},
    **problems(429),
}


class TemplateDraft(BaseModel):
    """What is to be shown; without Subject and Body the words that would be used now."""

    model_config = ConfigDict(extra="forbid")

    Event: str = Field(max_length=100, description="Event, or digest")
    Channel: Literal["email", "slack", "sms"] = "email"
    Language: str = Field(default="", max_length=20)
    Subject: str = Field(default="", max_length=250)
    Body: str = Field(default="", max_length=5000)
    RecordId: int | None = Field(default=None, ge=1, le=LARGEST_INTEGER, description="Empty: sample values")


class TemplateShown(BaseModel):
    Subject: str
    Text: str
    Html: str = Field(description="HTML of the mail; empty for other channels")
    Language: str = Field(description="Language of the words that were found")


class Bounce(BaseModel):
    """A notice that mail to an address came back."""

    model_config = ConfigDict(extra="forbid")

    Address: str = Field(max_length=254)
    Kind: Literal["hard", "soft"] = Field(description="hard: nothing more is sent to it; soft: it is noted")
    Diagnostic: str = Field(default="", max_length=1000, description="What the other side said")


class BounceNoted(BaseModel):
    BouncedAddressId: int


def message_router(around: Callable[[], Surroundings]) -> APIRouter:
    """Make the routes; previews need to know what events are about."""
    router = APIRouter(tags=[TAG])

    @router.post(
        "/api/v1/message-templates/preview",
        operation_id="message_template_preview",
        summary="Show how a template reads",
        responses=problems(400, 401, 403, 404, 422, 429),
    )
    async def show(request: Request, principal: SignedIn, draft: TemplateDraft) -> TemplateShown:
        principal.require_read(TEMPLATES, ADMINS)
        principal.require_every_outlet()
        run = run_of(request)
        wanted = Draft(
            event=draft.Event,
            channel=draft.Channel,
            language=draft.Language,
            subject=draft.Subject,
            body=draft.Body,
            record_id=draft.RecordId,
        )
        shown = await preview(run, around(), principal, wanted, run.clock.now())
        return TemplateShown(Subject=shown.subject, Text=shown.text, Html=shown.html, Language=shown.language)

    @router.post(
        "/api/v1/bounces",
        response_model=BounceNoted,
        operation_id="bounce_note",
        summary="Note that mail to an address came back",
        description="For what reads the bounces of the mail server. Deleting the BouncedAddress clears it.",
        responses=problems(400, 401, 403, 409, 422, 429),
    )
    async def bounced(request: Request, principal: SignedIn, bounce: Bounce) -> Response:
        async def write(connection: Connection) -> BaseModel:
            noted = await note_bounce(run_of(request), connection, bounce.Address, bounce.Kind, bounce.Diagnostic)
            return BounceNoted(BouncedAddressId=noted)

        return await write_as_admin(request, principal, BOUNCES, bounce, write)

    router.add_api_route(
        UNSUBSCRIBE,
        show_unsubscribe,
        methods=["GET"],
        operation_id="unsubscribe_page",
        summary="Ask whether messages are to end",
        response_class=HTMLResponse,
        responses=PAGE,
    )
    router.add_api_route(
        UNSUBSCRIBE,
        unsubscribe,
        methods=["POST"],
        operation_id="unsubscribe",
        summary="End the messages of a subscription (RFC 8058)",
        response_class=HTMLResponse,
        responses=PAGE,
    )
    return router


async def show_unsubscribe(request: Request, token: Token) -> Response:
    """Show the page; looking changes nothing, so that scanners of links end nothing."""
    _count(request)
    return _page(await look(run_of(request), token))


async def unsubscribe(request: Request, token: Token) -> Response:
    """End it: what the button does, and what mail programs do by themselves."""
    _count(request)
    return _page(await end(run_of(request), token))


def _count(request: Request) -> None:
    """Count a request of an address against what any credential may do; raise TooManyRequests."""
    count_request(request, f"unsubscribe:{request.client.host if request.client else ''}")


def _page(link: Link) -> Response:
    rows: list[str] = []
    if link.standing is Standing.ON:
        title, rows = "Stop these messages?", [page.form("Unsubscribe")]
        rows.insert(0, page.PARAGRAPH.format(page.linked(f"You get messages of “{link.name}”.")))
    elif link.standing is Standing.OFF:
        title = "You are unsubscribed"
        rows = [page.PARAGRAPH.format(page.linked(f"“{link.name}” sends you nothing more."))]
    else:
        title = "This link leads nowhere"
        rows = [page.PARAGRAPH.format("It is not whole, or the messages go to somebody else now.")]
    status = 404 if link.standing is Standing.UNKNOWN else 200
    body = page.page(title=title, above="Coldshelf", rows=rows, foot="")
    return HTMLResponse(body, status_code=status, headers=HEADERS)
